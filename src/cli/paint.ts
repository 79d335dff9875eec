/** Colours by meaning, and none where they do not belong. */
import { styleText } from 'node:util';
import { type Io, isColourful, type Output } from './io.ts';

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  busy(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

type Style = Parameters<typeof styleText>[0];

export function createPaint(output: Output, env: Io['env']): Paint {
  const colourful = isColourful(output, env);
  const style = (format: Style) => (text: string) => (colourful ? styleText(format, text, { validateStream: false }) : text);
  return { good: style('green'), bad: style('red'), busy: style('cyan'), faint: style('dim'), strong: style('bold') };
}
