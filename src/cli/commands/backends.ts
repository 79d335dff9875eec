/** `callsheet backends`: how the backends are and what is on them; empties their memory; gives up what one that is gone still had. */
import type { BackendView } from '#protocol/views.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { formatTable } from '../format.ts';
import { EXIT, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { noMorePositionals, onePositional, subcommand } from '../parse-arguments.ts';

const ACTIONS = ['list', 'show', 'free', 'lost', 'allow', 'forbid'] as const;

export const backendsCommand: Command = {
  name: 'backends',
  summary: 'Lists backends and what is on them; unloads models; lets files go to other machines.',
  usage: ['backends [list]', 'backends show ID', 'backends free ID', 'backends lost ID', 'backends allow ID', 'backends forbid ID'],
  options: {
    backend: { type: 'string', multiple: true, value: 'SPEC', help: 'backend of a daemon that is started in this process, as for run' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: [
    'free: the backend unloads its models and empties its caches, between two prompts.',
    'allow, forbid: whether files may be sent to a backend on another machine. It is asked once for each address and kept across restarts.',
    'lost: gives up the attempts on a backend that does not answer; they are made anew where they can. Whether they still run there is not known.',
  ],

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'list');
    if (action === 'list') noMorePositionals(args, 1);
    const id = action === 'list' ? '' : onePositional(args, 'the ID of a backend', 1);
    const session = await openSession(args, io, { backends: args.texts('backend') });
    const isJson = args.flag('json');
    const tell = (result: object, text: string) => (isJson ? jsonLine(io.out, result) : line(io.out, text));
    try {
      const { client } = session;
      if (action === 'list') {
        const { backends } = await client.call('backend/list', {});
        tell({ backends }, [formatTable(HEAD, backends.map(rowOf)).trimEnd(), ...backends.flatMap(wrongWith)].join('\n'));
      } else if (action === 'show') {
        const found = await client.call('backend/get', { id });
        const attempts = found.attempts.map(({ runId, promptId }) => `run ${runId}  prompt ${promptId}`);
        tell(found, [formatTable(HEAD, [rowOf(found.backend)]).trimEnd(), ...wrongWith(found.backend), ...attempts].join('\n'));
      } else if (action === 'free') {
        tell(await client.call('backend/free', { id }), `Backend ${id} was asked to unload its models.`);
      } else if (action === 'allow' || action === 'forbid') {
        const result = await client.call('backend/allow', { id, allowed: action === 'allow' });
        tell(result, `Files ${result.takesFiles ? 'may' : 'may not'} be sent to backend ${id} at ${result.url}.`);
      } else {
        const result = await client.call('backend/assume-lost', { id });
        tell(result, `${String(result.attempts)} attempts on backend ${id} were given up.`);
      }
      return EXIT.done;
    } finally {
      await session.close();
    }
  },
};

/** What keeps it from working, and the cure. */
function wrongWith({ id, error, takesFiles }: BackendView): readonly string[] {
  const consent = takesFiles === false ? [`${id}: no files are sent there. Allow it: callsheet backends allow ${id}`] : [];
  if (error === undefined) return consent;
  return [...consent, `${id}: ${error.message}`, ...(error.hint === undefined ? [] : [`    ${error.hint}`])];
}

const HEAD = ['ID', 'STATUS', 'OURS', 'QUEUE', 'VERSION', 'ADDRESS', 'MODELS'];

function rowOf({ id, kind, status, inFlight = 0, ahead, queueRemaining, version, url, gpu, models }: BackendView): readonly string[] {
  const shared = gpu === undefined ? '' : ` (gpu ${gpu})`;
  return [
    `${id}${kind === 'sandbox' && id !== 'sandbox' ? ' (sandbox)' : ''}${shared}`,
    status,
    `${String(inFlight)}${ahead === undefined ? '' : ` of ${String(ahead)}`}`,
    queueRemaining === undefined ? '' : String(queueRemaining),
    version ?? '',
    url ?? '',
    (models ?? []).join(', '),
  ];
}
