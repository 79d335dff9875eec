/** Tells `npm run reliability` how many cases a test tried; without it nothing is written. */
import { appendFileSync } from 'node:fs';

export function countCases(what: string, facts: Readonly<Record<string, number | string>>): void {
  const file = process.env['CALLSHEET_COUNTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ what, ...facts })}\n`);
}
