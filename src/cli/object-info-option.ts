/** The option `--object-info FILE`: a saved answer of a ComfyUI's `GET /object_info`. */
import { resolve } from 'node:path';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from '#templates/source-files.ts';
import { type Arguments, UsageError } from './command.ts';
import type { Io } from './io.ts';

/** Undefined when the option was not given. Throws UsageError when the file can not be read, INVALID_PARAMS when it is something else. */
export function objectInfoOption(args: Arguments, io: Io): ObjectInfo | undefined {
  const shown = args.text('object-info');
  if (shown === undefined) return undefined;
  const read = readTextFile(resolve(io.cwd, shown), MAX_WORKFLOW_BYTES);
  if ('problem' in read) throw new UsageError(`Option --object-info: the file ${shown} could not be read. ${read.problem.message}`);
  const { info, problems } = parseObjectInfo(read.text, { file: shown });
  if (info !== undefined && !problems.some(isBlocking)) return info;
  throw new CallsheetError('INVALID_PARAMS', `The file ${shown} is no object info of a ComfyUI.`, {
    problems,
    hint: 'Save one with: curl http://127.0.0.1:8188/object_info > object_info.json',
  });
}
