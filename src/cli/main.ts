/** Entry of the command line: the table of commands, and the exit code to the shell. */
import { runCli } from './cli.ts';
import { COMMANDS } from './commands.ts';
import { processIo } from './io.ts';

// A reader that goes away (`callsheet runs | head`) ends the program quietly.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

const code = await runCli(COMMANDS, process.argv.slice(2), processIo());
// Sockets of a daemon that was left in a hurry must not keep the process; what was printed must still reach the pipe.
process.stdout.write('', () => process.exit(code));
