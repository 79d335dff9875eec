/** Puts texts into a media file beside its pictures and sounds, which are copied byte for byte: a new file, whole, next to the old one. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { member, parseJson } from '#graph/json.ts';
import { bytesOfFile } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { readEmbedded } from '../embedded/read.ts';
import { recognise } from '../recognise.ts';
import { planFilm } from './film.ts';
import { planGlb } from './glb.ts';
import { planJpeg } from './jpeg.ts';
import { asciiJson, isStretch, type Piece, type Plan, type Texts, totalOf } from './pieces.ts';
import { planPng } from './png.ts';
import { planFlac, planMp3, planWav } from './sounds.ts';
import { planWebp } from './webp.ts';

/** What is put in, as JSON texts. ComfyUI's page opens the workflow, else the prompt. */
export interface EmbeddedTexts {
  /** The graph in API format. */
  readonly prompt?: string;
  /** The same in UI format. */
  readonly workflow?: string;
  /** Its provenance. */
  readonly callsheet: string;
}

export type EmbedResult =
  | { readonly bytes: number; readonly sha256: string }
  /** A clause for people: why the file stays as it is. */
  | { readonly refused: string };

const PLANS: Readonly<Record<string, (source: ByteSource, texts: Texts) => Promise<Plan>>> = {
  'image/png': planPng,
  'image/webp': planWebp,
  'image/jpeg': planJpeg,
  'video/mp4': planFilm,
  'video/quicktime': planFilm,
  'audio/mp4': planFilm,
  'audio/flac': planFlac,
  'audio/mpeg': planMp3,
  'audio/wav': planWav,
  'model/gltf-binary': planGlb,
};

/** Kinds of files that take texts without help of other programs. */
export const EMBEDDABLE: readonly string[] = Object.keys(PLANS);

/** Readers take texts up to a certain length only, ours as well. In characters, of all of them. */
const LONGEST = 12 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

/**
 * As `embed`, and looks at what was made: it must be a whole file of the same kind and size, and give the texts back. A file with a structure
 * that nobody thought of stays as it is.
 */
export async function embedChecked(from: string, to: string, mediaType: string, texts: EmbeddedTexts): Promise<EmbedResult> {
  const made = await embed(from, to, mediaType, texts);
  if ('refused' in made) return made;
  const [before, after] = await Promise.all([lookAt(from), lookAt(to)]);
  const { texts: found, fault, ...facts } = after;
  const isSame = fault === undefined && JSON.stringify(facts) === JSON.stringify(withoutTexts(before));
  const isRead = found.includes(written(texts.callsheet)) && (texts.prompt === undefined || found.includes(written(texts.prompt)));
  return isSame && isRead ? made : { refused: 'its structure is an unusual one' };
}

/** Writes `to`, which must not be there, and has it on the disk when it resolves. Throws what the disk throws; `to` may then be left in part. */
export async function embed(
  from: string,
  to: string,
  mediaType: string,
  { callsheet, prompt, workflow }: EmbeddedTexts,
): Promise<EmbedResult> {
  const plan = PLANS[mediaType];
  if (plan === undefined) return { refused: `files of its kind (${mediaType}) have no place for them` };
  const texts = new Map<string, string>();
  for (const [name, text] of Object.entries({ callsheet, prompt, workflow })) if (text !== undefined) texts.set(name, written(text));
  if ([...texts.values()].reduce((sum, text) => sum + text.length, 0) > LONGEST) return { refused: 'they are too long' };
  const source = await open(from, 'r');
  try {
    const planned = await plan(bytesOfFile(source, (await source.stat()).size), texts);
    return 'refused' in planned ? planned : await write(source, to, planned.pieces);
  } finally {
    await source.close();
  }
}

// --- helpers ---

/** Without the line break at the end of a file: readers of ComfyUI's page look for the last brace before the end. */
function written(text: string): string {
  return asciiJson(text.trim());
}

async function lookAt(path: string) {
  const handle = await open(path, 'r');
  try {
    const source = bytesOfFile(handle, (await handle.stat()).size);
    const { texts } = await readEmbedded(source);
    // glTF and RIFF keep them as members of one text.
    const found = texts.flatMap(({ text }) => [text, ...membersOf(text)]);
    return { texts: found, ...(await recognise(source)) };
  } finally {
    await handle.close();
  }
}

function withoutTexts({ texts: _texts, fault: _fault, ...facts }: Awaited<ReturnType<typeof lookAt>>): object {
  return facts;
}

/** The texts, as they stand, of the members of an object that holds several. */
function membersOf(text: string): readonly string[] {
  const { root } = text.startsWith('{') ? parseJson(text) : { root: undefined };
  const holder = [member(member(root, 'asset'), 'extras'), root].find((node) => member(node, 'callsheet') !== undefined);
  if (holder?.kind !== 'object') return [];
  return holder.members.map(({ value }) => (value.kind === 'string' ? value.value : text.slice(value.start, value.end)));
}

async function write(source: FileHandle, to: string, pieces: readonly Piece[]): Promise<EmbedResult> {
  const hash = createHash('sha256');
  const target = await open(to, 'wx');
  try {
    for (const piece of pieces) {
      for await (const part of partsOf(source, piece)) {
        hash.update(part);
        await target.write(part);
      }
    }
    await target.sync();
  } finally {
    await target.close();
  }
  return { bytes: totalOf(pieces), sha256: hash.digest('hex') };
}

async function* partsOf(source: FileHandle, piece: Piece): AsyncGenerator<Uint8Array> {
  if (!isStretch(piece)) {
    yield piece;
    return;
  }
  for (let at = piece.start; at < piece.end;) {
    const buffer = Buffer.alloc(Math.min(COPY_BYTES, piece.end - at));
    const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
