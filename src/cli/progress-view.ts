/** A run as a few lines of text that are drawn again and again: one line a step, then the bar with percent and ETA. */
import type { RunView, StepStatus, StepView } from '#protocol/views.ts';
import { formatDuration, formatPercent, safeText } from './format.ts';
import type { Paint } from './paint.ts';

const GOOD: ReadonlySet<StepStatus> = new Set(['done', 'cached']);
const BAD: ReadonlySet<StepStatus> = new Set(['failed', 'lost', 'cancelled', 'removed', 'blocked']);
const IDLE: ReadonlySet<StepStatus> = new Set(['pending', 'skipped']);
const MARKS = { good: '✔', bad: '✖', idle: '·', busy: '▸' } as const;

export type LiveRun = Pick<RunView, 'template' | 'version' | 'status' | 'progress' | 'etaSeconds' | 'etaRange' | 'steps' | 'draft'>;

export function renderRun(run: LiveRun, columns: number, paint: Paint): string {
  const names = run.steps.map((step) => safeText(step.title ?? step.id));
  const width = Math.max(1, Math.min(32, columns - 12, Math.max(8, ...names.map((name) => name.length))));
  const lines = run.steps.map((step, index) => stepLine(step, clip(names[index] ?? '', width).padEnd(width), columns, paint));
  return [...lines, barLine(run, columns, paint)].join('\n');
}

/** `[████████░░░░] 66 %  about 12 s left`: never wider than the terminal. */
export function barLine(run: LiveRun, columns: number, paint: Paint): string {
  const eta = run.status === 'running' ? etaText(run) : '';
  const tail = ` ${formatPercent(run.progress).padStart(5)}  ${run.status}${run.draft ? ' (draft)' : ''}${eta}`;
  const room = Math.min(40, columns - tail.length - 2);
  if (room < 5) return clip(tail.trim(), columns);
  const full = Math.round(Math.min(1, Math.max(0, run.progress)) * room);
  return `${paint.busy('█'.repeat(full))}${paint.faint('░'.repeat(room - full))}${tail}`;
}

// --- helpers ---

/** `about 12 s left`, or `8 s to 40 s left` where the doubt is as large as the guess. */
function etaText({ etaSeconds, etaRange }: LiveRun): string {
  if (etaSeconds === undefined) return '';
  const [low, high] = etaRange ?? [etaSeconds, etaSeconds];
  const isVague = high - low > Math.max(5, etaSeconds / 2);
  return isVague ? `  ${formatDuration(low)} to ${formatDuration(high)} left` : `  about ${formatDuration(etaSeconds)} left`;
}

function stepLine(step: StepView, name: string, columns: number, paint: Paint): string {
  const items = step.items > 1 ? ` ${step.itemsDone}/${step.items}` : '';
  const percent = step.progress > 0 && step.progress < 1 ? ` ${formatPercent(step.progress)}` : '';
  const reason = step.reason === undefined ? '' : `: ${safeText(step.reason)}`;
  const rest = clip(`${step.status}${items}${percent}${reason}`, Math.max(1, columns - name.length - 3));
  if (GOOD.has(step.status)) return `${paint.good(MARKS.good)} ${name} ${paint.faint(rest)}`;
  if (BAD.has(step.status)) return `${paint.bad(MARKS.bad)} ${name} ${paint.bad(rest)}`;
  if (IDLE.has(step.status)) return paint.faint(`${MARKS.idle} ${name} ${rest}`);
  return `${paint.busy(MARKS.busy)} ${name} ${rest}`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
