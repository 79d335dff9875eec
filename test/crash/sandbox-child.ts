/** A sandbox in a process of its own: the backend that goes on while daemons die, and whose ledger is the judge. */
import type { SandboxFaults } from '#backends/sandbox/faults.ts';
import { startSandbox } from '#backends/sandbox/server.ts';

const sandbox = await startSandbox({
  dir: process.env['CALLSHEET_SANDBOX_DIR'] ?? '',
  faults: JSON.parse(process.env['CALLSHEET_SANDBOX_FAULTS'] ?? '{}') as SandboxFaults,
  latencyMs: Number(process.env['CALLSHEET_SANDBOX_LATENCY'] ?? 1),
});
process.stdout.write(`${JSON.stringify({ url: sandbox.url })}\n`);
process.on('SIGTERM', () => void sandbox.close().then(() => process.exit(0)));
