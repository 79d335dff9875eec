/** UI format to API format: the graph that ComfyUI's browser page would have sent, or every reason why there is none. */
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { detectFormat, parseGraph } from '../graph.ts';
import { parseJson } from '../json.ts';
import type { ObjectInfo } from '../node-classes.ts';
import { checkAgainstObjectInfo } from '../object-info.ts';
import { checkStructure } from '../structure.ts';
import { withOldClasses } from '../old-classes.ts';
import type { JsonObject } from '../types.ts';
import { configure } from './configure.ts';
import { type ConvertedNode, type EmitContext, emitNodes } from './emit.ts';
import { readUi } from './read.ts';
import { createReport, type Report } from './report.ts';
import { makeIdsUnique } from './unique-ids.ts';

export interface Conversion {
  /** A graph in API format; undefined when a problem is an error. */
  readonly graph: string | undefined;
  readonly problems: readonly Problem[];
  /** What could be converted, errors or not. */
  readonly nodes: readonly ConvertedNode[];
}

export interface ConvertOptions {
  /** Named in problems. */
  readonly file?: string;
  /** For a graph that will be run: saved values that do not fit their widgets are errors, not warnings. */
  readonly strict?: boolean;
}

/** Never throws. A text that is in API format already comes back as it is, with an info. */
export function convertWorkflow(text: string, info: ObjectInfo, options: ConvertOptions = {}): Conversion {
  const { file, strict = false } = options;
  const { root, problems: syntax } = parseJson(text, file === undefined ? {} : { file });
  if (root === undefined || syntax.some(isBlocking)) return { graph: undefined, problems: syntax, nodes: [] };
  const report = createReport(text, file);
  const format = detectFormat(root);
  if (root.kind !== 'object' || format !== 'ui') {
    const api = format === 'api';
    report.add({
      code: 'CONVERT_NOT_UI',
      severity: api ? 'info' : 'error',
      message: api
        ? 'The graph is in API format already; it is left as it is.'
        : 'This is no workflow that ComfyUI saved: it has no list "nodes".',
      hint: api ? 'There is nothing to do.' : 'In ComfyUI choose Workflow › Save, and give that file.',
      at: root,
    });
    return { graph: api ? text : undefined, problems: [...syntax, ...report.problems], nodes: [] };
  }
  const nodes = convertRoot(root, text, info, { report, strict });
  const graph = printNodes(nodes);
  if (!report.problems.some(isBlocking)) checkResult(graph, nodes, info, report);
  const problems = [...syntax, ...report.problems];
  return { graph: problems.some(isBlocking) ? undefined : graph, problems, nodes };
}

function convertRoot(root: JsonObject, text: string, info: ObjectInfo, context: EmitContext): ConvertedNode[] {
  const { report } = context;
  const workflow = readUi(root, text, report);
  const renamed = makeIdsUnique(workflow, report);
  // Also a class that the server has replaced since can be read; whoever runs the graph brings it to the new one.
  configure(workflow, withOldClasses(info), renamed, report);
  return emitNodes(workflow.root, context);
}

const IMPOSSIBLE = new Set(['GRAPH_CYCLE', 'GRAPH_LINK_SLOT']);

/** What no server takes, named at the node of the UI-format file: circles, and outputs that do not exist. */
function checkResult(text: string, nodes: readonly ConvertedNode[], info: ObjectInfo, report: Report): void {
  const { graph } = parseGraph(text);
  if (graph === undefined) return;
  const found = [...checkStructure(graph), ...checkAgainstObjectInfo(graph, info)];
  const places = new Map(nodes.map(({ id, at }) => [id, at]));
  for (const { code, severity, message, hint = '', node, input } of found) {
    const at = places.get(node ?? '');
    if (at === undefined || severity !== 'error' || !IMPOSSIBLE.has(code)) continue;
    report.add({ code, severity, message, hint, at, ...(node === undefined ? {} : { node }), ...(input === undefined ? {} : { input }) });
  }
}

/** Two spaces, one line for each input. */
function printNodes(nodes: readonly ConvertedNode[]): string {
  if (nodes.length === 0) return '{}\n';
  const entries = nodes.map(({ id, classType, title, inputs }) => {
    const lines = [...inputs].map(([name, { json }]) => `      ${JSON.stringify(name)}: ${json}`);
    const body = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n    }`;
    const meta = `{ "title": ${JSON.stringify(title)} }`;
    return `  ${JSON.stringify(id)}: {\n    "class_type": ${JSON.stringify(classType)},\n    "inputs": ${body},\n    "_meta": ${meta}\n  }`;
  });
  return `{\n${entries.join(',\n')}\n}\n`;
}
