/** `callsheet optimize`: the graph that would be sent for a workflow, and what the optimiser takes out of it. */
import { resolve } from 'node:path';
import { builtInObjectInfo } from '#backends/sandbox/object-info.ts';
import { keptObjectInfo } from '#daemon/object-info-keeper.ts';
import { compactJson } from '#graph/compact.ts';
import { convertWorkflow } from '#graph/convert/convert.ts';
import { detectFormat, parseGraph } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { optimise } from '#graph/optimise/optimise.ts';
import { tellSaving } from '#graph/optimise/tell.ts';
import { checkStructure } from '#graph/structure.ts';
import { closest } from '#graph/suggest.ts';
import type { Graph } from '#graph/types.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { readClassTimes } from '#store/class-times.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from '#templates/source-files.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, type Io, line } from '../io.ts';
import { objectInfoOption } from '../object-info-option.ts';
import { printProblems } from '../report-error.ts';
import { printSavings, savedTime } from '../savings-text.ts';

export const optimizeCommand: Command = {
  name: 'optimize',
  summary: 'Shows what the optimiser makes of a workflow, and why its outputs stay the same.',
  usage: ['optimize FILE [--object-info FILE] [--output NODE]… [--json]'],
  options: {
    'object-info': { type: 'string', value: 'FILE', help: 'a saved GET /object_info of the ComfyUI that it would go to' },
    output: { type: 'string', multiple: true, value: 'NODE', help: 'a node whose files are wanted; without it every file is' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: [
    'FILE is a ComfyUI workflow. The report goes to stdout, with --json as {"graph", "report"}; nothing is written and nothing is sent.',
    'Without --object-info the daemon’s last answer from a backend counts, else the classes that the sandbox knows.',
  ],

  run(args, io) {
    const [shown, more] = args.positionals;
    if (shown === undefined) throw new UsageError('Missing FILE: a workflow saved in ComfyUI.');
    if (more !== undefined) throw new UsageError(`One FILE at a time: "${more}" is too much.`);
    const info = infoFor(args, io);
    const { graph, problems } = readGraph(shown, info, io);
    printProblems(problems, io);
    if (graph === undefined || problems.some(isBlocking)) {
      const errors = problems.filter(isBlocking).length;
      line(io.err, `callsheet optimize: ${shown} can not be optimised: ${errors} ${errors === 1 ? 'error' : 'errors'}.`);
      return Promise.resolve(EXIT.failed);
    }
    const outputNodes = args.texts('output');
    for (const id of outputNodes) if (!graph.nodes.has(id)) throw new UsageError(noSuchNode(id, graph));
    print(graph, shown, reportOf(graph, info, outputNodes, dataDirOf(args, io)), args, io);
    return Promise.resolve(EXIT.done);
  },
};

// --- helpers ---

interface Report {
  readonly text: string;
  readonly nodes: { readonly before: number; readonly after: number };
  readonly savings: readonly (ReturnType<typeof tellSaving> & { readonly seconds?: number })[];
  readonly seconds?: number;
  readonly leftAlone?: string;
}

function infoFor(args: Arguments, io: Io): ObjectInfo {
  const given = objectInfoOption(args, io);
  if (given !== undefined) return given;
  const kept = readTextFile(keptObjectInfo(dataDirOf(args, io)), MAX_WORKFLOW_BYTES);
  const info = 'text' in kept ? parseObjectInfo(kept.text).info : undefined;
  if (info !== undefined) return info;
  line(
    io.err,
    'No object info at hand: only classes that the sandbox knows are optimised. Save one with: curl http://127.0.0.1:8188/object_info',
  );
  return builtInObjectInfo();
}

function readGraph(shown: string, info: ObjectInfo, io: Io): { readonly graph: Graph | undefined; readonly problems: readonly Problem[] } {
  const read = readTextFile(resolve(io.cwd, shown), MAX_WORKFLOW_BYTES);
  if ('problem' in read) {
    if (read.problem.code === 'TEMPLATE_FILE_MISSING') throw new UsageError(`There is no file "${shown}".`);
    return { graph: undefined, problems: [{ ...read.problem, file: shown }] };
  }
  const { root } = parseJson(read.text);
  if (root !== undefined && detectFormat(root) === 'ui') {
    const converted = convertWorkflow(read.text, info, { file: shown });
    return { graph: converted.graph === undefined ? undefined : parseGraph(converted.graph).graph, problems: converted.problems };
  }
  const { graph, problems } = parseGraph(read.text, { file: shown });
  return { graph, problems: graph === undefined ? problems : [...problems, ...checkStructure(graph, { file: shown })] };
}

function noSuchNode(id: string, graph: Graph): string {
  const near = closest(id, [...graph.nodes.keys()]);
  return `Option --output: the graph has no node "${id}".${near === undefined ? '' : ` Did you mean "${near}"?`}`;
}

function reportOf(graph: Graph, info: ObjectInfo, outputNodes: readonly string[], dataDir: string): Report {
  const { text, savings, leftAlone } = optimise(graph, { info, outputNodes });
  const times = savings.length === 0 ? new Map<string, number>() : readClassTimes(dataDir);
  const told = savings.map((saving) => {
    const measured = saving.nodes.flatMap(({ ran, classType }) => (ran === true ? (times.get(classType) ?? []) : []));
    return { ...tellSaving(saving), ...sumOf(measured) };
  });
  const gone = savings.reduce((count, { nodes }) => count + nodes.length, 0);
  return {
    text,
    nodes: { before: graph.nodes.size, after: graph.nodes.size - gone },
    savings: told,
    ...sumOf(told.flatMap(({ seconds }) => seconds ?? [])),
    ...(leftAlone === undefined ? {} : { leftAlone }),
  };
}

function sumOf(measured: readonly number[]): { readonly seconds?: number } {
  return measured.length === 0 ? {} : { seconds: measured.reduce((sum, seconds) => sum + seconds, 0) };
}

function print(graph: Graph, shown: string, { text, ...report }: Report, args: Arguments, io: Io): void {
  if (args.flag('json')) {
    // The graph goes in as it is spelled: JSON.parse would lose the last digits of a seed.
    const { root } = parseJson(text);
    line(io.out, `{"graph":${root === undefined ? 'null' : compactJson(root, text)},"report":${JSON.stringify(report)}}`);
    return;
  }
  const { nodes, savings, seconds, leftAlone } = report;
  const saved = seconds === undefined ? '' : `, ${savedTime(seconds)} saved by what earlier runs took`;
  if (leftAlone !== undefined) line(io.out, `${shown}: sent as it is. ${leftAlone}`);
  else if (savings.length === 0) line(io.out, `${shown}: ${graph.nodes.size} nodes, nothing to take out.`);
  else line(io.out, `${shown}: ${nodes.after} of ${nodes.before} nodes would be sent${saved}.`);
  printSavings(savings, io);
}
