/** `callsheet daemon` in a process of its own, without the command line in front. Orders come as JSON in the environment. */
import { parseConfig } from '#daemon/config.ts';
import type { ConfigOptions } from '#daemon/config.ts';
import { runDaemon } from '#daemon/main.ts';

const orders: ConfigOptions = JSON.parse(process.env['CALLSHEET_TEST_ORDERS'] ?? '{}');
process.on('SIGUSR2', () => {
  throw new Error('nobody catches this');
});
process.exitCode = await runDaemon({ config: parseConfig(orders), json: true });
