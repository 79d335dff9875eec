/** Lets a reporter begin with the newest try of a run: what its log has of earlier ones would read as if it happened now. */
import type { Reporter } from './reporter.ts';

/** `tries`: how many the run has had, the newest counted. The first needs no mark. */
export function fromNewestTry(reporter: Reporter, tries: number | undefined): Reporter {
  let hasBegun = tries === undefined || tries < 2;
  return {
    ...reporter,
    event(event) {
      hasBegun ||= event.event.type === 'run.retried' && event.event.nth === tries;
      if (hasBegun) reporter.event(event);
    },
  };
}
