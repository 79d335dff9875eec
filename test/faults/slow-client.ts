/** A client that follows the whole log and says, once so many runs have ended, which positions it was told. It is stopped for a while meanwhile. */
import { connect } from '#protocol/client.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';

const { file = '', runs = 0 } = JSON.parse(process.env['CALLSHEET_TEST_ORDERS'] ?? '{}') as {
  readonly file?: string;
  readonly runs?: number;
};
const info = readRuntimeFile(file);
if (info === undefined) throw new Error('the daemon left no runtime file');
const client = await connect({ url: info.url, key: info.key, reconnectFor: 60_000 });
const positions: number[] = [];
let ended = 0;
await client.subscribe(
  { since: { epoch: client.server.epoch, seq: 0 }, previews: true },
  {
    onEvent({ position, event }) {
      positions.push(position);
      if (event.type === 'run.status' && RUN_ENDS.includes(event.status)) ended += 1;
      if (ended === runs) process.stdout.write(`${JSON.stringify({ positions })}\n`, () => process.exit(0));
    },
  },
);
process.stdout.write('{"ready":true}\n');
