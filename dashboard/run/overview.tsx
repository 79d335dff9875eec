/** What matters of a run, in the order in which it matters: what it asks, what is wrong, how far its steps are, what it made. */
import type { RunView } from '../../src/protocol/views.ts';
import { asProblem, ProblemList } from '../parts/basics.tsx';
import type { OpenRun } from '../state/run.ts';
import { Artifacts } from './artifacts.tsx';
import { Choices } from './choices.tsx';
import { Timeline } from './timeline.tsx';

export function Overview({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const { error } = view;
  const problems = [
    ...(error === undefined || view.status === 'cancelled' ? [] : [asProblem(error)]),
    ...view.problems.filter(({ code, message }) => code !== error?.code || message !== error.message),
  ];
  return (
    <div class="stack">
      <Choices view={view} />
      {problems.length > 0 && (
        <section aria-label="Problems">
          <h2>Problems</h2>
          <ProblemList problems={problems} />
        </section>
      )}
      <section aria-label="Steps">
        <h2>Steps</h2>
        <Timeline run={run} view={view} />
      </section>
      <Artifacts run={run} view={view} />
    </div>
  );
}
