/** The commands, in the order of the help text. */
import type { Command } from './command.ts';
import { artifactsCommand } from './commands/artifacts.ts';
import { backendsCommand } from './commands/backends.ts';
import { cacheCommand } from './commands/cache.ts';
import { callCommand } from './commands/call.ts';
import { checkCommand } from './commands/check.ts';
import { convertCommand } from './commands/convert.ts';
import { daemonCommand } from './commands/daemon.ts';
import { doctorCommand } from './commands/doctor.ts';
import { openCommand } from './commands/open.ts';
import { optimizeCommand } from './commands/optimize.ts';
import { queueCommand } from './commands/queue.ts';
import { runCommand } from './commands/run.ts';
import { runsCommand } from './commands/runs.ts';
import { sandboxCommand } from './commands/sandbox.ts';
import { templatesCommand } from './commands/templates.ts';

export const COMMANDS: readonly Command[] = [
  runCommand,
  daemonCommand,
  openCommand,
  runsCommand,
  artifactsCommand,
  queueCommand,
  cacheCommand,
  backendsCommand,
  templatesCommand,
  checkCommand,
  convertCommand,
  optimizeCommand,
  sandboxCommand,
  callCommand,
  doctorCommand,
];
