/** `callsheet mcp`: the daemon for agents, as an MCP server on stdin and stdout. */
import { resolve } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { type Command, DATA_OPTION } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { safeText } from '../format.ts';
import { EXIT, line } from '../io.ts';
import { createCatalogue } from '../mcp/catalogue.ts';
import { createDaemonLink } from '../mcp/daemon-link.ts';
import { createRequestKeys } from '../mcp/request-keys.ts';
import { openSession } from '../open-session.ts';
import { integerOption, noMorePositionals } from '../parse-arguments.ts';
import { demandRunning } from '../session.ts';

/** Below the minute after which many clients give a call up. */
const WAIT_SECONDS = 50;
const PICTURE_SIDE = 1024;
const AWAY_SECONDS = 20;
const LINE_LENGTH = 500;

export const mcpCommand: Command = {
  name: 'mcp',
  summary: 'Serves templates and runs to agents over MCP (stdin and stdout).',
  usage: ['mcp [--template ID]… [--wait SECONDS] [--away SECONDS] [--pictures PIXELS] [--backend SPEC]… [--templates DIR]… [--root DIR]…'],
  options: {
    template: { type: 'string', multiple: true, value: 'ID', help: 'only these templates get a tool of their own' },
    wait: { type: 'string', value: 'SECONDS', help: `how long a call waits for the end of a run (default ${WAIT_SECONDS})` },
    away: { type: 'string', value: 'SECONDS', help: `how long a call waits for a daemon that is away (default ${AWAY_SECONDS})` },
    pictures: { type: 'string', value: 'PIXELS', help: `longer side of pictures in answers, 0 for none (default ${PICTURE_SIDE})` },
    backend: { type: 'string', multiple: true, value: 'SPEC', help: 'without a running daemon: comfyui=URL, ID:comfyui=URL or sandbox' },
    templates: {
      type: 'string',
      multiple: true,
      value: 'DIR',
      help: 'without a running daemon: a directory of templates besides the ones shipped',
    },
    root: {
      type: 'string',
      multiple: true,
      value: 'DIR',
      help: 'without a running daemon: files below DIR may be given as media parameters',
    },
    ...DATA_OPTION,
  },
  notes: [
    'An agent starts it: {"mcpServers": {"callsheet": {"command": "callsheet", "args": ["mcp"]}}}',
    'A running daemon of the data directory is used; without one it is started in this process and ends with it. What happens is told on stderr.',
  ],

  async run(args, io) {
    noMorePositionals(args);
    const waitSeconds = integerOption(args, 'wait', 0, 86_400) ?? WAIT_SECONDS;
    const awayMs = (integerOption(args, 'away', 1, 3600) ?? AWAY_SECONDS) * 1000;
    const pictureSide = integerOption(args, 'pictures', 0, 4096) ?? PICTURE_SIDE;
    const say = (text: string) => line(io.err, `callsheet mcp: ${oneLine(text)}`);
    if (process.stdin.isTTY) say('It speaks MCP on stdin and stdout, and is meant to be started by an agent. Ctrl-D ends it.');
    const paths = (name: string) => args.texts(name).map((path) => resolve(io.cwd, path));
    const own = { backends: args.texts('backend'), templates: paths('templates'), roots: paths('root') };
    const link = createDaemonLink({
      awayMs,
      say,
      async open(connection, mayStart) {
        if (mayStart) return openSession(args, io, { ...own, connection });
        return demandRunning(dataDirOf(args, io), io, connection);
      },
    });
    const context = {
      link,
      catalogue: createCatalogue(link, { only: new Set(args.texts('template')), say }),
      requestKeys: createRequestKeys(),
      waitSeconds,
      pictureSide,
    };
    // Loaded here: no other command needs the SDK.
    const { serve } = await import('../mcp/server.ts');
    const serving = serve(context, say);
    const ended = Promise.withResolvers<void>();
    const stopListening = io.onInterrupt(ended.resolve);
    // At once, so that the first call finds it: what is wrong is told by that call.
    context.catalogue.tools().catch((error: unknown) => say(error instanceof CallsheetError ? error.message : String(error)));
    await Promise.race([serving.closed, ended.promise]);
    stopListening();
    await serving.close();
    await link.close();
    return EXIT.done;
  },
};

// --- helpers ---

/** The SDK's account of a message that it did not understand has many lines. */
function oneLine(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ');
  return safeText(words.length <= LINE_LENGTH ? words : `${words.slice(0, LINE_LENGTH)}…`);
}
