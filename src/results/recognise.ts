/** What a file is, by its content alone, and whether it is a whole one: headers are read, nothing is decoded. */
import { FILE_FORMATS, kindOf } from '#protocol/file-formats.ts';
import type { FileMediaType } from '#protocol/file-formats.ts';
import type { ArtifactKind, MediaFacts } from '#protocol/views.ts';
import { bytesInMemory, throughWindow } from './bytes.ts';
import type { ByteSource } from './bytes.ts';
import type { Measured } from './formats/measured.ts';
import { isBinaryStl } from './formats/shapes.ts';
import { sniff, SNIFF_BYTES } from './sniff.ts';
import { TABLE } from './table.ts';

export interface Recognised {
  readonly mediaType: FileMediaType;
  /** Without a dot. */
  readonly extension: string;
  readonly kind: ArtifactKind;
  readonly width?: number;
  readonly height?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly facts?: MediaFacts;
  /** Why it is not a whole file of its kind; a clause. */
  readonly fault?: string;
}

/** Never throws for what the file holds, and never takes long over it. */
export async function recognise(source: ByteSource): Promise<Recognised> {
  const window = throughWindow(source);
  const seen = sniff(await window.read(0, SNIFF_BYTES));
  // This one kind has no mark at its beginning; its length is one.
  const isStl = seen.mediaType === 'application/octet-stream' && (await isBinaryStl(window));
  const begun = isStl ? ({ mediaType: 'model/stl', extension: 'stl' } as const) : seen;
  const { mediaType = begun.mediaType, kind = kindOf(mediaType), ...measured } = await measureAs(window, begun.mediaType);
  const extension = mediaType === begun.mediaType ? begun.extension : FILE_FORMATS[mediaType].extensions[0];
  return { mediaType, extension, kind, ...measured };
}

/** The same for bytes in memory. */
export function recogniseBytes(bytes: Uint8Array): Promise<Recognised> {
  return recognise(bytesInMemory(bytes));
}

async function measureAs(source: ByteSource, mediaType: FileMediaType): Promise<Measured> {
  return (await TABLE[mediaType].measure?.(source)) ?? {};
}
