/** What the optimiser saved as text: per pass which nodes went, why the outputs are the same, and the seconds where they were measured. */
import type { Saving } from '#protocol/views.ts';
import { formatDuration, safeText } from './format.ts';
import { type Io, line } from './io.ts';

type Shown = Pick<Saving, 'pass' | 'nodes' | 'why' | 'seconds'> & Partial<Pick<Saving, 'step' | 'item'>>;

/** Longer lists of nodes are cut: the report of a batch must fit on a screen. */
const MOST_NODES = 8;

export function printSavings(savings: readonly Shown[], io: Io, indent = '  '): void {
  for (const { pass, step, item, nodes, why, seconds } of savings) {
    const place = step === undefined ? '' : ` in ${step}${item === undefined ? '' : ` item ${item}`}`;
    const saved = seconds === undefined ? '' : `, ${savedTime(seconds)} saved`;
    line(io.out, `${indent}${pass}${place}${saved}: ${safeText(why)}`);
    for (const { id, classType, title, into } of nodes.slice(0, MOST_NODES)) {
      const name = title === undefined || title === classType ? classType : `${classType} "${title}"`;
      line(io.out, `${indent}  ${safeText(id)} ${safeText(name)}${into === undefined ? '' : ` → ${safeText(into)}`}`);
    }
    if (nodes.length > MOST_NODES) line(io.out, `${indent}  … and ${nodes.length - MOST_NODES} more`);
  }
}

/** By what earlier runs took. */
export function savedTime(seconds: number): string {
  return seconds < 10 ? `about ${seconds.toFixed(1)} s` : `about ${formatDuration(seconds)}`;
}
