/** What was asked for, and what was saved on the way. */
import type { RunView, Saving } from '../../src/protocol/views.ts';
import { Facts } from '../parts/basics.tsx';
import { count, duration } from '../parts/words.ts';

export function Details({ view }: { readonly view: RunView }) {
  const { parameters, options, optimiser } = view;
  const values = Object.entries(parameters);
  return (
    <div class="stack">
      <section aria-label="Parameters">
        <h2>Parameters</h2>
        {values.length === 0 ? (
          <p class="quiet">The template has none.</p>
        ) : (
          <Facts rows={values.map(([name, value]) => [name, <Value value={value} />] as const)} />
        )}
      </section>
      <section aria-label="Options">
        <h2>Options</h2>
        <Facts
          rows={[
            ['Optimiser', options.optimize ? 'on' : 'off'],
            ['Results of earlier runs', options.cache ? 'are taken' : 'are not taken'],
            ['Provenance inside files', options.embed === true ? 'in every file' : 'as the template says'],
          ]}
        />
      </section>
      {optimiser !== undefined && (
        <section aria-label="Saved work">
          <h2>Saved work {optimiser.seconds !== undefined && <span class="dim">about {duration(optimiser.seconds * 1000)}</span>}</h2>
          {optimiser.savings.length === 0 ? (
            <p class="quiet">{optimiser.enabled ? 'Nothing could be left out.' : 'The graphs were sent as they are.'}</p>
          ) : (
            <ul class="savings">
              {grouped(optimiser.savings).map(({ saving, times }, at) => (
                <li key={at}>
                  <span class="badge tone-good">{saving.pass}</span>
                  <span>
                    <strong>{saving.step}</strong>
                    {times > 1 && <span class="dim"> × {count(times, 'item')}</span>} {saving.why}
                    {saving.nodes.length > 0 && (
                      <span class="dim">
                        {' '}
                        {saving.nodes
                          .map(({ id, classType, into }) => `${classType} ${id}${into === undefined ? '' : ` → ${into}`}`)
                          .join(', ')}
                      </span>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
    </div>
  );
}

// --- helpers ---

/** The same saving at many items is one line. */
function grouped(savings: readonly Saving[]): readonly { readonly saving: Saving; readonly times: number }[] {
  const found = new Map<string, { readonly saving: Saving; times: number }>();
  for (const saving of savings) {
    const key = JSON.stringify([saving.pass, saving.step, saving.why, saving.nodes]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { saving, times: 1 });
    else known.times += 1;
  }
  return [...found.values()];
}

function Value({ value }: { readonly value: unknown }) {
  if (value === null) return <span class="dim">none</span>;
  if (typeof value === 'string') return <span class="value-text">{value}</span>;
  if (Array.isArray(value)) {
    return (
      <ol class="value-list">
        {value.map((item: unknown, at) => (
          <li key={at}>
            <Value value={item} />
          </li>
        ))}
      </ol>
    );
  }
  return <code>{JSON.stringify(value)}</code>;
}
