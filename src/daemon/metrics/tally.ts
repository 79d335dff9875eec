/** Counts and distributions in plain maps: a few numbers for each set of labels, and nothing else until somebody asks. */

export type Labels = Readonly<Record<string, string>>;

/** One line of the page. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not that of the metric: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
}

export interface Tally {
  /** What was counted since the start. */
  samples(): readonly Sample[];
}

export interface Count extends Tally {
  add(labels: Labels, by?: number): void;
}

/** Adding nothing makes the line appear, so that a rate over it begins at 0. */
export function createCount(): Count {
  const totals = new Map<string, { readonly labels: Labels; value: number }>();
  return {
    add(labels, by = 1) {
      const known = entryOf(totals, labels, () => ({ labels, value: 0 }));
      known.value += by;
    },
    samples: () => [...totals.values()].map(({ labels, value }) => ({ labels, value })),
  };
}

export interface Histogram extends Tally {
  observe(labels: Labels, value: number): void;
}

/** `bounds` rise; what is above the last counts as `+Inf`. */
export function createHistogram(name: string, bounds: readonly number[]): Histogram {
  interface Bins {
    readonly labels: Labels;
    /** Of each bound alone, not of those below it. */
    readonly counts: number[];
    sum: number;
    count: number;
  }
  const all = new Map<string, Bins>();
  return {
    observe(labels, value) {
      const bins = entryOf(all, labels, () => ({ labels, counts: bounds.map(() => 0), sum: 0, count: 0 }));
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) bins.counts[at] = (bins.counts[at] ?? 0) + 1;
      bins.sum += value;
      bins.count += 1;
    },
    samples: () =>
      [...all.values()].flatMap(({ labels, counts, sum, count }) => {
        let below = 0;
        const buckets = counts.map((own, index) => {
          below += own;
          return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[index]) }, value: below };
        });
        return [
          ...buckets,
          { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: count },
        ];
      }),
  };
}

/** What is counted by name keeps its name for the first `most` of them; the others are one. */
export function createNameCap(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= most) return OTHER;
    known.add(name);
    return name;
  };
}

export const OTHER = 'other';

// --- helpers ---

function entryOf<T>(all: Map<string, T>, labels: Labels, make: () => T): T {
  // Values hold no line end: they are ids and words of ours.
  const key = Object.values(labels).join('\n');
  const found = all.get(key);
  if (found !== undefined) return found;
  const made = make();
  all.set(key, made);
  return made;
}
