/** `callsheet sandbox`: the ComfyUI-compatible sandbox on its own, for other clients and for trying things out. */
import { join, resolve } from 'node:path';
import { loadFaults } from '#backends/sandbox/faults.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, jsonLine, line } from '../io.ts';
import { integerOption, noMorePositionals } from '../parse-arguments.ts';

export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Starts a ComfyUI-compatible server that runs pixel nodes and drafts diffusion.',
  usage: ['sandbox [--port N] [--latency MS] [--faults FILE] [--json]'],
  options: {
    port: { type: 'string', value: 'N', help: 'port on 127.0.0.1 (default: any free one)' },
    latency: { type: 'string', value: 'MS', help: 'milliseconds for each node and sampler step (default 25)' },
    faults: { type: 'string', value: 'FILE', help: 'JSON file with faults to commit, see docs/cli.md' },
    ...DATA_OPTION,
    ...JSON_OPTION,
  },
  notes: ['It writes only below DIR/standalone-sandbox. With --json the first line is {"type":"ready","url":…,"pid":…}.'],

  async run(args, io) {
    noMorePositionals(args);
    const [port, latencyMs] = [integerOption(args, 'port', 0, 65_535), integerOption(args, 'latency', 0, 60_000)];
    const file = args.text('faults');
    const json = args.flag('json');
    const stop = Promise.withResolvers<void>();
    const stopListening = io.onInterrupt(stop.resolve);
    try {
      const sandbox = await startSandbox({
        dir: join(dataDirOf(args, io), 'standalone-sandbox'),
        port: port ?? 0,
        ...(latencyMs === undefined ? {} : { latencyMs }),
        ...(file === undefined ? {} : { faults: loadFaults(resolve(io.cwd, file)) }),
      });
      if (json) jsonLine(io.out, { type: 'ready', url: sandbox.url, pid: process.pid });
      else line(io.out, `Sandbox listens at ${sandbox.url}; it takes ComfyUI's HTTP and WebSocket calls. Ctrl-C stops it.`);
      await stop.promise;
      await sandbox.close();
      return EXIT.done;
    } finally {
      stopListening();
    }
  },
};
