/** `callsheet open`: the dashboard of the running daemon in the browser. */
import { redirectPath, runtimeFilePath, writePrivate } from '#daemon/runtime-file.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { openInBrowser } from '../open-in-browser.ts';
import { noMorePositionals } from '../parse-arguments.ts';
import { demandRunning } from '../session.ts';

export const openCommand: Command = {
  name: 'open',
  summary: 'Opens the dashboard of the running daemon in the browser.',
  usage: ['open [--print]'],
  options: {
    print: { type: 'boolean', help: 'print the address instead; it is good once and for 60 seconds' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: ['Where no browser can be started the address is printed. $BROWSER names the browser to start.'],

  async run(args, io) {
    noMorePositionals(args, 0);
    const dataDir = dataDirOf(args, io);
    const session = await demandRunning(dataDir, io);
    let url: string;
    try {
      ({ url } = await session.client.call('session/open', {}));
    } finally {
      await session.close();
    }
    const opened = !args.flag('print') && (await openPrivately(url, dataDir, io));
    if (args.flag('json')) jsonLine(io.out, { type: 'open', opened, ...(opened ? {} : { url }) });
    else if (args.flag('print')) line(io.out, url);
    else if (opened) line(io.out, 'The dashboard opens in the browser. If nothing shows: callsheet open --print');
    else line(io.out, `No browser could be started. Open this address within 60 seconds; it is good once:\n${url}`);
    return EXIT.done;
  },
};

// --- helpers ---

/** The address goes through a file that only its owner can read: the arguments of the browser's process are shown to everybody. */
async function openPrivately(url: string, dataDir: string, io: Io): Promise<boolean> {
  const file = redirectPath(runtimeFilePath(dataDir, io.env));
  writePrivate(file, redirectTo(url));
  return openInBrowser(file, io.env);
}

/** The code is base64url and the address ours: there is nothing to escape. */
function redirectTo(url: string): string {
  return [
    '<!doctype html>',
    '<meta charset="utf-8">',
    '<meta name="referrer" content="no-referrer">',
    `<meta http-equiv="refresh" content="0; url=${url}">`,
    '<title>Callsheet</title>',
    `<p><a href="${url}">Open the dashboard</a></p>`,
    '',
  ].join('\n');
}
