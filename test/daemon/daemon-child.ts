/** `callsheet daemon` in a process of its own, without the command line in front. Orders come as JSON in the environment. */
import { parseConfig } from '#daemon/config.ts';
import type { ConfigOptions } from '#daemon/config.ts';
import { runDaemon } from '#daemon/main.ts';

interface Orders extends ConfigOptions {
  readonly json?: boolean;
  /** Milliseconds after which something breaks that nobody catches. */
  readonly breakAfter?: number;
}

const orders: Orders = JSON.parse(process.env['CALLSHEET_TEST_ORDERS'] ?? '{}');
if (orders.breakAfter !== undefined) {
  setTimeout(() => {
    throw new Error('nobody catches this');
  }, orders.breakAfter);
}
process.exitCode = await runDaemon({ config: parseConfig(orders), json: orders.json ?? true });
