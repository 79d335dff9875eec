/** Medians, percentiles and table cells for the benchmarks. */

/** Nearest-rank percentile of unsorted samples; `part` is 0..1. NaN when there are none. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Slope of the least-squares line through [milliseconds, value], in units an hour; 0 for fewer than two points. */
export function slopePerHour(points: readonly (readonly [number, number])[]): number {
  const count = points.length;
  if (count < 2) return 0;
  const meanAt = points.reduce((sum, [at]) => sum + at, 0) / count;
  const mean = points.reduce((sum, [, value]) => sum + value, 0) / count;
  const spread = points.reduce((sum, [at]) => sum + (at - meanAt) ** 2, 0);
  return (3_600_000 * points.reduce((sum, [at, value]) => sum + (at - meanAt) * (value - mean), 0)) / spread;
}

/** Three significant digits, no exponent. */
export function show(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0 || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}

export interface TableRow {
  readonly what: string;
  readonly cells: Readonly<Record<string, string>>;
}

/** Text columns as wide as their widest cell; the first is left-aligned, numbers are right-aligned. */
export function formatTable(columns: readonly string[], rows: readonly TableRow[]): string {
  const lines = [['', ...columns], ...rows.map((row) => [row.what, ...columns.map((column) => row.cells[column] ?? '')])];
  const widths = [0, ...columns].map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map((line) =>
      line.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  '),
    )
    .join('\n');
}
