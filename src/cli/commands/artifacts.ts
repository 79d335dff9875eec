/** `callsheet artifacts`: the files that runs brought home, by what is known of them, and where one came from. */
import { parseAge } from '#daemon/retention/policy.ts';
import { ASSET_KINDS } from '#protocol/assets.ts';
import type { ParamsOf, ResultOf } from '#protocol/methods/index.ts';
import { ARTIFACT_KINDS } from '#protocol/views.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { formatBytes, formatTable, formatTime, safeText } from '../format.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { whyNoGraph } from '../no-graph.ts';
import { openSession } from '../open-session.ts';
import { integerOption, noMorePositionals, onePositional, subcommand, suggestion } from '../parse-arguments.ts';
import { artifactLine } from '../show-run.ts';
import type { Session } from '../session.ts';

const ACTIONS = ['list', 'show'] as const;

export const artifactsCommand: Command = {
  name: 'artifacts',
  summary: 'Lists the files that runs made, or shows where one came from.',
  usage: [
    'artifacts [list] [--run ID] [--template ID] [--step ID] [--output NAME] [--kind KIND] [--type TYPE] [--asset KIND] [--since TIME] [--until TIME] [--draft|--no-draft] [--limit N] [--before CURSOR]',
    'artifacts show ID [--graph]',
  ],
  options: {
    run: { type: 'string', value: 'ID', help: 'list: of this run' },
    template: { type: 'string', value: 'ID', help: 'list: of runs of this template' },
    step: { type: 'string', value: 'ID', help: 'list: of steps of this name' },
    output: { type: 'string', value: 'NAME', help: 'list: of this output of the step or the template' },
    kind: { type: 'string', value: 'KIND', help: `list: ${ARTIFACT_KINDS.join(', ')}` },
    type: { type: 'string', value: 'TYPE', help: 'list: media type, image/png or image/*' },
    asset: { type: 'string', value: 'KIND', help: `list: what it becomes in Blender: ${ASSET_KINDS.join(', ')}` },
    since: { type: 'string', value: 'TIME', help: 'list: brought home then or later: a date, or an age like 2d' },
    until: { type: 'string', value: 'TIME', help: 'list: brought home before; a date: on it or before' },
    draft: { type: 'boolean', help: 'list: drafts alone' },
    'no-draft': { type: 'boolean', help: 'list: no drafts' },
    limit: { type: 'string', value: 'N', help: 'list: at most so many, newest first (default 20)' },
    before: { type: 'string', value: 'CURSOR', help: 'list: goes on where the page before ended' },
    graph: { type: 'boolean', help: 'show: the graph that was sent, on stdout and nothing else' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'list');
    if (action === 'list') noMorePositionals(args, 1);
    const artifactId = action === 'list' ? '' : onePositional(args, 'the ID of an artifact', 1);
    const query = queryOf(args);
    const session = await openSession(args, io, {});
    try {
      if (action === 'show') return await show(session, artifactId, args, io);
      const page = await session.client.call('artifact/list', query);
      if (args.flag('json')) jsonLine(io.out, page);
      else printPage(page, io);
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

type Query = ParamsOf<'artifact/list'>;

function queryOf(args: Arguments): Query {
  if (args.flag('draft') && args.flag('no-draft')) throw new UsageError('Give either --draft or --no-draft.');
  const texts = {
    runId: args.text('run'),
    template: args.text('template'),
    step: args.text('step'),
    output: args.text('output'),
    mediaType: args.text('type'),
    before: args.text('before'),
  };
  const kind = oneOf(args, 'kind', ARTIFACT_KINDS);
  const asset = oneOf(args, 'asset', ASSET_KINDS);
  const since = timeOption(args, 'since');
  const until = timeOption(args, 'until');
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)),
    ...(kind === undefined ? {} : { kind }),
    ...(asset === undefined ? {} : { asset }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(args.flag('draft') ? { draft: true } : {}),
    ...(args.flag('no-draft') ? { draft: false } : {}),
    limit: integerOption(args, 'limit', 1, 1000) ?? 20,
  };
}

function oneOf<T extends string>(args: Arguments, name: string, values: readonly T[]): T | undefined {
  const text = args.text(name);
  const found = values.find((value) => value === text);
  if (text !== undefined && found === undefined) throw new UsageError(`"${text}" is not a value of --${name}. ${suggestion(text, values)}`);
  return found;
}

function timeOption(args: Arguments, name: string): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const age = parseAge(text);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  // As times are shown: of this machine's place. A day that is the end of a span belongs to it.
  const written = Date.parse(isDay ? `${text}T${name === 'until' ? '24:00' : '00:00'}` : text);
  const time = age === undefined ? written : Date.now() - age;
  if (Number.isFinite(time) && time >= 0) return time;
  throw new UsageError(`Option --${name} must be a date (2026-01-31, 2026-01-31T14:05) or an age (2d, 12h), got "${text}".`);
}

function printPage({ artifacts, next }: ResultOf<'artifact/list'>, io: Io): void {
  const rows = artifacts.map((one) => [
    one.artifactId,
    formatTime(one.createdAt),
    one.kind,
    one.step,
    formatBytes(one.sequence?.bytes ?? one.bytes),
    `${safeText(one.path)}${one.draft ? ' (draft)' : ''}`,
  ]);
  io.out.write(rows.length === 0 ? 'There is no such file.\n' : formatTable(['ID', 'CREATED', 'KIND', 'STEP', 'SIZE', 'PATH'], rows));
  if (next !== undefined) line(io.out, `There are more: --before '${next}'`);
}

async function show(session: Session, artifactId: string, args: Arguments, io: Io): Promise<number> {
  const wantsGraph = args.flag('graph');
  const answer = await session.client.call('artifact/get', { artifactId, ...(wantsGraph ? { graph: true } : {}) });
  if (args.flag('json')) jsonLine(io.out, answer);
  else if (wantsGraph) io.out.write(answer.graph === undefined ? '' : `${answer.graph.text.trimEnd()}\n`);
  else print(answer, io);
  if (!wantsGraph || answer.graph !== undefined) return EXIT.done;
  line(io.err, `The graph of this file is not known: ${whyNoGraph(answer)}`);
  return EXIT.failed;
}

/** A result that was made before has none. */
const attemptText = (attempt: number | undefined): string => (attempt === undefined ? '' : `, attempt ${String(attempt)}`);

function print({ artifact, provenance }: ResultOf<'artifact/get'>, io: Io): void {
  const { backend, times, source, conversion } = provenance;
  const say = (label: string, text: string | undefined) => text !== undefined && line(io.out, `${label.padEnd(11)}${safeText(text)}`);
  say('file', artifactLine(artifact));
  say('sha256', artifact.sha256);
  if (source !== undefined) say('as it came', `${source.sha256}  ${formatBytes(source.bytes)}`);
  say('run', artifact.runId);
  const { cachedFrom } = artifact;
  if (cachedFrom !== undefined) say('made by', `run ${cachedFrom.runId}, as ${cachedFrom.artifactId}: taken from the result cache`);
  say('template', `${provenance.template} ${provenance.version}  ${provenance.templateHash}`);
  say(
    'step',
    `${provenance.step}, item ${String(provenance.item)}${attemptText(provenance.attempt)}, output ${provenance.output}, node ${provenance.node}`,
  );
  say('prompt', provenance.promptId);
  if (backend !== undefined)
    say('backend', [backend.id, backend.kind, backend.version, backend.address].filter((part) => part !== undefined).join('  '));
  say('callsheet', provenance.callsheet);
  if (conversion !== undefined)
    say('made by', `conversion to ${conversion.to} of ${conversion.from.map((one) => one.artifactId).join(', ')}`);
  for (const { node, input, value } of provenance.seeds) say('seed', `${value}  (${node}.${input})`);
  for (const { name, folder, sha256 } of provenance.models)
    say('model', [name, folder, sha256].filter((part) => part !== undefined).join('  '));
  for (const { name, sha256 } of provenance.inputs) say('input', `${name}  ${sha256}`);
  for (const [name, value] of Object.entries(provenance.parameters)) say('parameter', `${name} = ${JSON.stringify(value)}`);
  if (times !== undefined) say('times', phases(times));
  for (const { node, className, seconds } of times?.nodes ?? []) say('', `${seconds.toFixed(2)} s  ${node} ${className}`);
  say('graph', provenance.graph);
  if (artifact.asset !== undefined) say('asset', JSON.stringify(artifact.asset));
}

function phases({ queued, loading, working }: NonNullable<ResultOf<'artifact/get'>['provenance']['times']>): string {
  const known = Object.entries({ queued, loading, working }).flatMap(([name, seconds]) =>
    seconds === undefined ? [] : [`${name} ${seconds.toFixed(2)} s`],
  );
  return known.length === 0 ? 'not seen whole' : known.join(', ');
}
