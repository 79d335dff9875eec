/** `callsheet call`: one RPC method, its params as JSON, its answer as JSON. */
import { parseJson } from '#graph/json.ts';
import { toValue, toWire } from '#graph/values.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import { isMethodName, METHODS } from '#protocol/methods/index.ts';
import { type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, line } from '../io.ts';
import { noMorePositionals, suggestion } from '../parse-arguments.ts';
import { demandRunning } from '../session.ts';

export const callCommand: Command = {
  name: 'call',
  summary: 'Calls a method of the running daemon and prints its answer.',
  usage: ['call METHOD [JSON]'],
  options: { ...JSON_OPTION, ...DATA_OPTION },
  notes: ['METHOD is a name such as template/list; JSON is an object of named params: callsheet call run/get \'{"runId": "…"}\''],

  async run(args, io) {
    const [method, text = '{}'] = args.positionals;
    if (method === undefined) throw new UsageError('Missing METHOD.');
    noMorePositionals(args, 2);
    if (method === 'initialize') throw new UsageError('The connection is initialized by the command itself. Call another method.');
    if (!isMethodName(method)) {
      const names = Object.keys(METHODS).filter((name) => name !== 'initialize');
      throw new UsageError(`Unknown method "${method}". ${suggestion(method, names)}`);
    }
    const params = paramsOf(text);
    const session = await demandRunning(dataDirOf(args, io), io);
    try {
      // Unchecked here on purpose: the daemon holds them against the method's schema and names every misfit.
      const result = await session.client.call(method, params as never);
      line(io.out, args.flag('json') ? JSON.stringify(result) : JSON.stringify(result, undefined, 2));
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

function paramsOf(text: string): unknown {
  const { root, problems } = parseJson(text, { file: 'JSON' });
  if (root === undefined || problems.some(isBlocking)) {
    throw new CallsheetError('INVALID_PARAMS', 'The params are not usable JSON.', {
      problems,
      hint: 'Quote them for the shell: \'{"id": "x"}\'',
    });
  }
  if (root.kind !== 'object') throw new UsageError('The params must be one JSON object.');
  return toWire(toValue(root));
}
