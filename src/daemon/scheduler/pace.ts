/** How fast runs end, to tell a client that was turned away when there may be room. */

/** So many ends are looked back at. */
const LAST = 20;

export interface Pace {
  note(): void;
  /** Milliseconds from one end to the next, on average; undefined while too few have ended. */
  msPerRun(): number | undefined;
}

/** `now` is monotonic, in milliseconds. */
export function createPace(now: () => number = () => performance.now()): Pace {
  const ends: number[] = [];
  return {
    note() {
      ends.push(now());
      if (ends.length > LAST) ends.shift();
    },
    msPerRun() {
      const [first] = ends;
      return first === undefined || ends.length < 2 ? undefined : (now() - first) / (ends.length - 1);
    },
  };
}
