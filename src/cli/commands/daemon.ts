/** `callsheet daemon`: the daemon in the foreground until it is told to stop. */
import { parseConfig } from '#daemon/config.ts';
import { runDaemon } from '#daemon/main.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { isLive } from '../io.ts';
import { noMorePositionals } from '../parse-arguments.ts';

export const daemonCommand: Command = {
  name: 'daemon',
  summary: 'Starts the daemon in the foreground.',
  usage: ['daemon [--data DIR] [--port N] [--backend comfyui=URL|sandbox]… [--templates DIR]… [--root DIR]… [--retention RULES] [--json]'],
  options: {
    ...DATA_OPTION,
    port: { type: 'string', value: 'N', help: 'port on 127.0.0.1 (default: any free one)' },
    backend: { type: 'string', multiple: true, value: 'SPEC', help: 'comfyui=URL, ID:comfyui=URL or sandbox' },
    templates: { type: 'string', multiple: true, value: 'DIR', help: 'a directory of templates besides the ones shipped' },
    root: { type: 'string', multiple: true, value: 'DIR', help: 'files below DIR may be given as media parameters' },
    retention: { type: 'string', value: 'RULES', help: 'clean runs away by itself, e.g. older-than=30d,keep=20,max-bytes=20GB' },
    ...JSON_OPTION,
  },
  notes: [
    'With --json the first line is {"type":"ready","url":…,"pid":…,"runtimeFile":…}.',
    'Ctrl-C stops it; jobs on backends go on and are picked up by the next start. A second Ctrl-C does not wait.',
  ],

  async run(args, io) {
    noMorePositionals(args);
    const [data, port, retention] = [args.text('data'), args.text('port'), args.text('retention')];
    const list = (name: string) => (args.texts(name).length === 0 ? undefined : args.texts(name));
    const [backends, templates, roots] = [list('backend'), list('templates'), list('root')];
    const config = parseConfig(
      {
        logToTerminal: isLive(io.err, io.env),
        ...(data === undefined ? {} : { data }),
        ...(port === undefined ? {} : { port }),
        ...(backends === undefined ? {} : { backends }),
        ...(templates === undefined ? {} : { templates }),
        ...(roots === undefined ? {} : { roots }),
        ...(retention === undefined ? {} : { retention }),
      },
      io.env,
      io.cwd,
    );
    return runDaemon({ config, json: args.flag('json') });
  },
};
