/** `callsheet convert`: a workflow as ComfyUI saves it to the graph that it runs. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { convertWorkflow } from '#graph/convert/convert.ts';
import { parseGraph } from '#graph/graph.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { replaceNodes } from '#graph/replace-nodes.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { placeOfClass, tellReplaced } from '#templates/replacement-words.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from '#templates/source-files.ts';
import { type Command, UsageError } from '../command.ts';
import { errorCode } from '../error-code.ts';
import { EXIT, type Io, line } from '../io.ts';
import { objectInfoOption } from '../object-info-option.ts';
import { printProblems } from '../report-error.ts';

export const convertCommand: Command = {
  name: 'convert',
  summary: 'Turns a workflow in UI format into a graph in API format.',
  usage: ['convert FILE --object-info FILE [--out FILE]'],
  options: {
    'object-info': { type: 'string', value: 'FILE', help: 'a saved GET /object_info of the ComfyUI that has its nodes' },
    out: { type: 'string', value: 'FILE', help: 'write the graph there instead of to stdout' },
  },
  notes: ['Problems go to stderr. Exit code 1 when there is an error: then there is no graph.'],

  run(args, io) {
    const [shown, more] = args.positionals;
    if (shown === undefined) throw new UsageError('Missing FILE: a workflow saved in ComfyUI.');
    if (more !== undefined) throw new UsageError(`One FILE at a time: "${more}" is too much.`);
    const info = objectInfoOption(args, io);
    if (info === undefined) {
      throw new UsageError('Missing --object-info FILE. Save one with: curl http://127.0.0.1:8188/object_info > object_info.json');
    }
    const out = args.text('out');
    if (out !== undefined && resolve(io.cwd, out) === resolve(io.cwd, shown)) throw new UsageError('Option --out: this is FILE itself.');
    const read = readTextFile(resolve(io.cwd, shown), MAX_WORKFLOW_BYTES);
    if ('problem' in read && read.problem.code === 'TEMPLATE_FILE_MISSING') throw new UsageError(`There is no file "${shown}".`);
    const converted =
      'problem' in read
        ? { graph: undefined, problems: [{ ...read.problem, file: shown }] }
        : convertWorkflow(read.text, info, { file: shown });
    const { graph, problems } =
      converted.graph === undefined ? converted : withReplacements(converted.graph, converted.problems, info, shown);
    printProblems(problems, io);
    if (graph === undefined) {
      const errors = problems.filter(isBlocking).length;
      line(io.err, `callsheet convert: ${shown} can not be converted: ${errors} ${errors === 1 ? 'error' : 'errors'}.`);
      return Promise.resolve(EXIT.failed);
    }
    if (out === undefined) io.out.write(graph);
    else writeWhole(out, graph, io);
    return Promise.resolve(EXIT.done);
  },
};

/** Node classes that the object info has others for. Lines of the graph are not lines of the file. */
function withReplacements(graph: string, problems: readonly Problem[], info: ObjectInfo, file: string) {
  const parsed = parseGraph(graph).graph;
  const replaced = parsed === undefined ? undefined : replaceNodes(parsed, info);
  if (parsed === undefined || replaced === undefined) return { graph, problems };
  const told = replaced.nodes.map((node) => {
    const { code, severity, message } = tellReplaced(node, parsed, placeOfClass(node, parsed, file));
    return { code, severity, message, hint: 'Look at the node in ComfyUI, and save the workflow anew from there.', file, node: node.id };
  });
  return { graph: replaced.text, problems: [...problems, ...told] };
}

/** A reader sees the old file or the new one, never half of it. */
function writeWhole(shown: string, text: string, io: Io): void {
  const path = resolve(io.cwd, shown);
  const aside = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(aside, text, { flag: 'wx' });
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw new UsageError(`Option --out: the file ${shown} could not be written (${errorCode(error)}).`);
  }
}
