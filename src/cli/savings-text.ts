/** What the optimiser saved as text: per pass which nodes went, why the outputs are the same, and the seconds where they were measured. */
import type { Saving } from '#protocol/views.ts';
import { formatDuration, safeText } from './format.ts';
import { type Io, line } from './io.ts';

type Shown = Pick<Saving, 'pass' | 'nodes' | 'why' | 'seconds'> & Partial<Pick<Saving, 'step' | 'item'>>;

/** Longer lists of nodes are cut: the report of a batch must fit on a screen. */
const MOST_NODES = 8;

export function printSavings(savings: readonly Shown[], io: Io, indent = '  '): void {
  for (const { saving, items, seconds } of alike(savings)) {
    const { pass, step, nodes, why } = saving;
    const where = items.length > 1 ? `, ${items.length} items` : items.map((item) => ` item ${item}`).join('');
    const place = step === undefined ? '' : ` in ${step}${where}`;
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

// --- helpers ---

interface Group {
  readonly saving: Shown;
  readonly items: number[];
  seconds: number | undefined;
}

/** The same in every item of a step is told once. */
function alike(savings: readonly Shown[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const saving of savings) {
    const { pass, step, nodes, why, item, seconds } = saving;
    const key = JSON.stringify([pass, step, nodes, why]);
    const group = groups.get(key) ?? { saving, items: [], seconds: undefined };
    groups.set(key, group);
    if (item !== undefined) group.items.push(item);
    if (seconds !== undefined) group.seconds = (group.seconds ?? 0) + seconds;
  }
  return [...groups.values()];
}
