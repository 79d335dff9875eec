/** What a dry run said. */
import type { TemplateRenderResult } from '../../src/protocol/methods/template.ts';
import { ProblemList } from '../parts/basics.tsx';
import { count } from '../parts/words.ts';

export function Drawn({ result: { steps, problems } }: { readonly result: TemplateRenderResult }) {
  const graphs = steps.filter(({ workflow }) => workflow !== undefined).length;
  const saved = steps.reduce((sum, { savings = [] }) => sum + savings.length, 0);
  return (
    <div class="drawn">
      <p class={problems.some(({ severity }) => severity === 'error') ? 'field-problem' : 'field-good'}>
        {count(graphs, 'graph')} would be sent{saved > 0 && `; the optimiser saves ${count(saved, 'time')}`}.{' '}
        {problems.length === 0 && 'Nothing is wrong.'}
      </p>
      {problems.length > 0 && <ProblemList problems={problems} />}
    </div>
  );
}
