/** The body of POST /prompt: the payload's own text with the output folders made the attempt's own, in an envelope that is concatenated, never re-printed. */
import { CallsheetError } from '#protocol/errors.ts';
import type { GraphEdit } from '#graph/graph.ts';
import { parseGraph, printGraph } from '#graph/graph.ts';
import type { Graph, GraphNode } from '#graph/types.ts';
import type { Attempt, Payload } from '../contract.ts';

export interface PromptBody {
  readonly body: string;
  readonly graph: Graph;
  /** Class of each node of the graph, by id. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** Throws PROMPT_REJECTED when the payload is no graph in API form. */
export function buildPrompt(attempt: Attempt, payload: Payload, clientId: string): PromptBody {
  const { graph, problems } = parseGraph(withFiles(payload.text));
  if (graph === undefined) {
    throw new CallsheetError('PROMPT_REJECTED', 'The payload is not a ComfyUI graph in API form.', {
      problems,
      hint: 'Export the workflow in API format and check it with `callsheet check`.',
    });
  }
  const edits: GraphEdit[] = [];
  for (const node of graph.nodes.values()) edits.push(...ownPlace(attempt.promptId, node));
  // The marker comes back verbatim in queue and history: a daemon that lost its database can still tell its own prompts.
  const marker = JSON.stringify({ runId: attempt.runId, step: attempt.step, item: attempt.item, attempt: attempt.attempt });
  const prompt = printGraph(graph, edits).replace(/^\uFEFF/, '');
  const extras = [`"callsheet":${marker}`, '"preview_method":"auto"'];
  // Savers put it into their files as ComfyUI's own page has them do.
  if (payload.workflow !== undefined) extras.push(`"extra_pnginfo":{"workflow":${payload.workflow.replace(/^\uFEFF/, '')}}`);
  const body = `{"prompt":${prompt},"client_id":${JSON.stringify(clientId)},"prompt_id":${JSON.stringify(attempt.promptId)},"extra_data":{${extras.join(',')}}}`;
  return { body, graph, nodes: new Map([...graph.nodes.values()].map(({ id, classType }) => [id, classType])) };
}

const SOCKET_SAVER = 'SaveImageWebsocket';

/** Pictures that a node would send over the socket are gone with it: they are saved as temporary files instead, which can be fetched again. */
function withFiles(text: string): string {
  if (!text.includes(SOCKET_SAVER)) return text;
  const nodes = [...(parseGraph(text).graph?.nodes.values() ?? [])].filter(({ classType }) => classType === SOCKET_SAVER);
  const places = nodes.flatMap(({ at }) => at.members.find(({ key }) => key.value === 'class_type')?.value ?? []);
  let result = text;
  // From the end, so that what comes before stays where it is.
  for (const { start, end } of places.toSorted((a, b) => b.start - a.start))
    result = `${result.slice(0, start)}"PreviewImage"${result.slice(end)}`;
  return result;
}

/** Some packs have an input for the folder of its own, and cannot take one in the prefix: they would fail in silence. */
function ownPlace(promptId: string, node: GraphNode): readonly GraphEdit[] {
  const prefix = node.inputs.get('filename_prefix')?.value;
  const folder = node.inputs.get('output_path')?.value;
  if (prefix?.kind !== 'string') return [];
  const path = ownPrefix(promptId, prefix.value);
  const edit = (input: string, value: string): GraphEdit => ({ node: node.id, input, json: JSON.stringify(value) });
  if (folder?.kind !== 'string') return [edit('filename_prefix', path)];
  const cut = path.lastIndexOf('/');
  return [edit('output_path', path.slice(0, cut)), edit('filename_prefix', path.slice(cut + 1))];
}

/** The folder, in the server's output folder, that is one attempt's own. */
export function ownFolder(promptId: string): string {
  return `callsheet/${promptId}/`;
}

/**
 * A sub-folder per attempt: ComfyUI finds its counters by listing a folder, so servers that share one collide, and what a lost
 * attempt left is found again. Parts that would leave the output folder are dropped: the node would refuse them.
 */
export function ownPrefix(promptId: string, prefix: string): string {
  const parts = prefix.split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..' && !/^[A-Za-z]:$/.test(part));
  return ownFolder(promptId) + (parts.length === 0 ? 'file' : parts.join('/'));
}
