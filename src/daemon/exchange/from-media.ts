/** What a file that is to be imported holds: a bundle, a workflow as JSON, or media with a workflow inside. */
import { withoutOwnPlaces } from '#backends/comfyui/foreign-place.ts';
import { parseJson } from '#graph/json.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import { findWorkflows, type FoundWorkflows } from '#results/embedded/find-workflows.ts';
import type { Inspection, Inspector } from '#results/inspect/inspector.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from '#templates/source-files.ts';

export interface WorkflowIn {
  readonly kind: 'workflow';
  /** Exactly as it stands in the file, but for the folder of an attempt of ours in it. */
  readonly api?: string;
  readonly ui?: string;
  readonly wan2gp?: string;
  /** Where it was found: `json`, or the name of the text in the media file. */
  readonly foundAs: string;
  readonly mediaType: string;
}

export type FileContent = { readonly kind: 'bundle' } | WorkflowIn | { readonly kind: 'nothing'; readonly problem: Problem };

/** `shown` is how problems call the file. Never throws for what the file holds. */
export async function contentOfFile(
  path: string,
  mediaType: string,
  shown: string,
  inspector: Pick<Inspector, 'inspect'>,
): Promise<FileContent> {
  if (mediaType === 'application/zip' || mediaType === 'model/vnd.usdz+zip') return { kind: 'bundle' };
  const text = mediaType === 'application/json' || mediaType === 'model/gltf+json' || mediaType === 'text/plain';
  if (text || isUnreadableJson(mediaType, shown)) return fromJson(path, mediaType, shown);
  try {
    const inspection = await inspector.inspect(path);
    return workflowOf(inspection.workflows, inspection.mediaType) ?? { kind: 'nothing', problem: nothingIn(inspection, shown) };
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code !== 'FILE_TOO_COMPLEX') throw error;
    return { kind: 'nothing', problem: tooComplex(error, shown) };
  }
}

// --- helpers ---

function workflowOf({ api, ui, wan2gp }: FoundWorkflows, mediaType: string): WorkflowIn | undefined {
  const first = api ?? ui ?? wan2gp;
  if (first === undefined) return undefined;
  return {
    kind: 'workflow',
    mediaType,
    foundAs: first.key,
    ...(api === undefined ? {} : { api: withoutOwnPlaces(api.text) }),
    ...(ui === undefined ? {} : { ui: ui.text }),
    ...(wan2gp === undefined ? {} : { wan2gp: wan2gp.text }),
  };
}

/** By its name it was meant as JSON: UTF-16 begins like MP3, and other encodings, zeros and broken disks like nothing at all. */
function isUnreadableJson(mediaType: string, shown: string): boolean {
  return /\.json$/i.test(shown) && (mediaType === 'application/octet-stream' || mediaType === 'audio/mpeg');
}

function fromJson(path: string, mediaType: string, shown: string): FileContent {
  const read = readTextFile(path, MAX_WORKFLOW_BYTES);
  if ('problem' in read) return { kind: 'nothing', problem: { ...read.problem, file: shown } };
  const { root, problems } = parseJson(read.text, { file: shown });
  const [broken] = problems;
  if (root === undefined && broken !== undefined) return { kind: 'nothing', problem: broken };
  // Requests to a server and exports of other programs carry the workflow one or two levels down.
  const found = workflowOf(findWorkflows([{ key: 'json', text: read.text }]), mediaType);
  if (found !== undefined) return found;
  const message = 'This JSON is neither a ComfyUI workflow nor Wan2GP settings.';
  const hint =
    'Give a workflow that ComfyUI saved or exported, saved Wan2GP settings, a picture or film made with one, or a *.callsheet bundle.';
  return { kind: 'nothing', problem: { code: 'IMPORT_NOTHING_FOUND', severity: 'error', message, hint, file: shown } };
}

function tooComplex({ message, data: { hint } }: CallsheetError, shown: string): Problem {
  return { code: 'IMPORT_DAMAGED', severity: 'error', message, ...(hint === undefined ? {} : { hint }), file: shown };
}

function nothingIn({ mediaType, isKnown, texts, leftOut }: Inspection, shown: string): Problem {
  const base = { severity: 'error', file: shown } as const;
  if (!isKnown) {
    const message = `Files of this kind (${mediaType}) are not looked into.`;
    const hint =
      'Give the workflow as JSON, or a PNG, WebP, JPEG, AVIF, SVG, MP4, MOV, WebM, MKV, FLAC, MP3, Ogg, WAV, GLB or safetensors file.';
    return { code: 'IMPORT_KIND_UNKNOWN', message, hint, ...base };
  }
  if (leftOut.length > 0) {
    const message = `The file has texts that are damaged, cut short or too long (${leftOut.slice(0, 5).join(', ')}), and no whole workflow.`;
    return {
      code: 'IMPORT_DAMAGED',
      message,
      hint: 'Take the file as ComfyUI wrote it, or open it there and export the workflow as JSON.',
      ...base,
    };
  }
  const found =
    texts.length === 0 ? 'The file has no workflow in it.' : `The file has texts in it (${names(texts)}), but none is a workflow.`;
  const hint =
    'Programs that shrink or convert pictures, and most web sites, remove it. Take the file as ComfyUI or Wan2GP wrote it; both can be told not to write it.';
  return { code: 'IMPORT_NOTHING_FOUND', message: found, hint, ...base };
}

function names(texts: Inspection['texts']): string {
  return texts
    .slice(0, 5)
    .map(({ key }) => key.replaceAll(/\p{Cc}/gu, ' ').slice(0, 40))
    .join(', ');
}
