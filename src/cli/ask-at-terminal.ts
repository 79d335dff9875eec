/** One question at the terminal, which can be taken back while it stands. */
import { createInterface } from 'node:readline';

/** Resolves with the line, or with undefined when the signal was aborted or the input ended (Ctrl-D). */
export function askAtTerminal(question: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    let answer: string | undefined;
    const takeBack = () => lines.close();
    // A terminal that is read line by line gives Ctrl-C to the reader; whoever listens for the signal must hear it all the same.
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    lines.on('close', () => {
      signal.removeEventListener('abort', takeBack);
      if (answer === undefined) process.stdout.write('\n');
      resolve(answer);
    });
    signal.addEventListener('abort', takeBack);
    lines.question(question, (text) => {
      answer = text;
      lines.close();
    });
  });
}
