/** `callsheet sandbox`: the ComfyUI-compatible sandbox on its own, for other clients and for trying things out. */
import { join, resolve } from 'node:path';
import { parseCacheMode } from '#backends/sandbox/cache.ts';
import { loadPrices } from '#backends/sandbox/costs/cost-model.ts';
import { loadFaults } from '#backends/sandbox/faults.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, jsonLine, line } from '../io.ts';
import { integerOption, noMorePositionals } from '../parse-arguments.ts';

export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Starts a ComfyUI-compatible server that runs pixel nodes and drafts diffusion.',
  usage: ['sandbox [--port N] [--latency MS] [--cache MODE] [--costs FILE] [--profile NAME] [--faults FILE] [--json]'],
  options: {
    port: { type: 'string', value: 'N', help: 'port on 127.0.0.1 (default: any free one)' },
    latency: { type: 'string', value: 'MS', help: 'milliseconds for each node and sampler step (default 25)' },
    faults: { type: 'string', value: 'FILE', help: 'JSON file with faults to commit, see docs/cli.md' },
    cache: { type: 'string', value: 'MODE', help: "which results are kept: ram (default), classic, lru:N or none, as ComfyUI's own modes" },
    costs: { type: 'string', value: 'FILE', help: 'counts what the work would cost by this cost model; see docs/sandbox.md' },
    profile: { type: 'string', value: 'NAME', help: 'the machine of the cost model (default: its first)' },
    ...DATA_OPTION,
    ...JSON_OPTION,
  },
  notes: ['It writes only below DIR/standalone-sandbox. With --json the first line is {"type":"ready","url":…,"pid":…}.'],

  async run(args, io) {
    noMorePositionals(args);
    const [port, latencyMs] = [integerOption(args, 'port', 0, 65_535), integerOption(args, 'latency', 0, 60_000)];
    const [file, costs, mode] = [args.text('faults'), args.text('costs'), args.text('cache')];
    const cache = mode === undefined ? undefined : parseCacheMode(mode);
    if (mode !== undefined && cache === undefined) throw new UsageError(`--cache knows ram, classic, none and lru:N, not "${mode}".`);
    const prices = costs === undefined ? undefined : loadPrices(resolve(io.cwd, costs), args.text('profile'));
    const json = args.flag('json');
    const stop = Promise.withResolvers<void>();
    const stopListening = io.onInterrupt(stop.resolve);
    try {
      const sandbox = await startSandbox({
        dir: join(dataDirOf(args, io), 'standalone-sandbox'),
        port: port ?? 0,
        ...(latencyMs === undefined ? {} : { latencyMs }),
        // With prices, ram is the memory of the machine that is priced.
        ...(cache === undefined || (cache.kind === 'ram' && prices !== undefined) ? {} : { cache }),
        ...(prices === undefined ? {} : { prices }),
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
