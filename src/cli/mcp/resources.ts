/** Results as MCP resources: files by artifact id, runs as JSON. */
import { basename } from 'node:path';
import {
  type ListResourcesResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type ResourceTemplateType,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { DaemonLink } from './daemon-link.ts';
import { artifactLink } from './run-answer.ts';
import { ARTIFACT_TEMPLATE, parseUri, RUN_TEMPLATE } from './uris.ts';

/** Base64 makes four characters of three bytes, and clients close the pipe at a message of 10 MB. */
export const RESOURCE_BYTES = 7 * 1024 * 1024;
const PAGE = 100;

export const RESOURCE_TEMPLATES: readonly ResourceTemplateType[] = [
  {
    name: 'artifact',
    title: 'Result file',
    uriTemplate: ARTIFACT_TEMPLATE,
    description: `A file that a run made, as it is, up to ${RESOURCE_BYTES / 1024 / 1024} MiB.`,
  },
  { name: 'run', title: 'Run', uriTemplate: RUN_TEMPLATE, description: 'Everything that is known of a run.', mimeType: 'application/json' },
];

/** The newest first; `cursor` as the page before gave it. */
export async function listResources(link: DaemonLink, cursor: string | undefined): Promise<ListResourcesResult> {
  const page = await asked(() => link.call('artifact/list', { limit: PAGE, ...(cursor === undefined ? {} : { before: cursor }) }));
  return {
    resources: page.artifacts.map((artifact) => {
      const { type: _type, ...resource } = artifactLink(artifact);
      return { ...resource, annotations: { lastModified: new Date(artifact.createdAt).toISOString() } };
    }),
    ...(page.next === undefined ? {} : { nextCursor: page.next }),
  };
}

export async function readResource(link: DaemonLink, uri: string): Promise<ReadResourceResult> {
  const address = parseUri(uri);
  if (address === undefined) throw new ResourceNotFoundError(uri, `${ARTIFACT_TEMPLATE} and ${RUN_TEMPLATE} can be read.`);
  return asked(async () => {
    if (address.kind === 'run') {
      const { run } = await link.call('run/get', { runId: address.id });
      return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(run) }] };
    }
    const { artifact } = await link.call('artifact/get', { artifactId: address.id });
    const { path, mediaType: mimeType } = artifact;
    const bytes = await link.artifactBytes(address.id, RESOURCE_BYTES).catch((error: unknown) => {
      throw error instanceof CallsheetError && error.code === 'FILE_TOO_LARGE' ? tooLarge(path, error) : error;
    });
    if (mimeType.startsWith('text/')) return { contents: [{ uri, mimeType, text: bytes.toString('utf8') }] };
    return { contents: [{ uri, mimeType, blob: bytes.toString('base64') }] };
  }, uri);
}

// --- helpers ---

function tooLarge(path: string, error: CallsheetError): CallsheetError {
  return new CallsheetError('FILE_TOO_LARGE', `${basename(path)} is too large for a resource: ${error.message}`, {
    hint: `Open it at its path, ${path}, or look at a smaller picture of it with get_artifact.`,
  });
}

/** Errors of the daemon as errors of MCP, with code and cure. */
async function asked<T>(work: () => Promise<T>, uri?: string): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message, hint } = toErrorData(thrown);
    const text = `${code}: ${message}${hint === undefined ? '' : ` ${hint}`}`;
    const isGone = code === 'ARTIFACT_NOT_FOUND' || code === 'RUN_NOT_FOUND' || code === 'FILE_NOT_FOUND';
    if (uri !== undefined && isGone) throw new ResourceNotFoundError(uri, text);
    throw new ProtocolError(code === 'INVALID_PARAMS' ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError, text, { code });
  }
}
