/** What can be asked for: every template of the library, broken ones and those that wait for approval included. */
import { useState } from 'preact/hooks';
import type { TemplateSummary } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { Empty } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { count } from '../parts/words.ts';
import { templates } from '../state/templates.ts';

export function TemplatesPage() {
  const [text, setText] = useState('');
  const all = templates.value;
  const wanted = text.trim().toLowerCase();
  const found = (all ?? []).filter(({ id, title, category }) => `${id} ${title} ${category}`.toLowerCase().includes(wanted));
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Templates</h1>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Title or category"
            aria-label="Search templates"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      </header>
      {all === undefined && (
        <div class="ghosts" aria-busy="true" aria-label="Templates are being read">
          <div class="ghost ghost-head" />
          <div class="ghost ghost-head" />
        </div>
      )}
      {all !== undefined && found.length === 0 && (
        <Empty icon={all.length === 0 ? 'templates' : 'search'} title={all.length === 0 ? 'There are no templates' : 'No template fits'}>
          <p>
            {all.length === 0
              ? 'Put a ComfyUI workflow or a folder with template.json into a template directory; it appears here within a moment.'
              : 'Change the search.'}
          </p>
        </Empty>
      )}
      {categoriesOf(found).map(([category, own]) => (
        <section key={category} aria-label={category}>
          <h2 class="category">{category}</h2>
          <div class="template-grid">
            {own.map((template) => (
              <Card key={`${template.id}@${template.version}`} template={template} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

// --- helpers ---

function categoriesOf(found: readonly TemplateSummary[]): readonly (readonly [string, readonly TemplateSummary[]])[] {
  const groups = new Map<string, TemplateSummary[]>();
  for (const template of found) groups.set(template.category, [...(groups.get(template.category) ?? []), template]);
  return [...groups].toSorted(([a], [b]) => a.localeCompare(b));
}

function Card({
  template: { id, version, title, steps, parameters, runnable, problems, approval },
}: {
  readonly template: TemplateSummary;
}) {
  return (
    <a class="card template-card" href={`#${to.template(id, version)}`}>
      <span class="template-title">{title}</span>
      <span class="template-steps">
        {steps.slice(0, 6).map((step, at) => (
          <span key={at} class="template-step">
            {step}
          </span>
        ))}
        {steps.length > 6 && <span class="dim">+{steps.length - 6}</span>}
      </span>
      <span class="template-sub">
        {count(steps.length, 'step')} · {count(parameters, 'parameter')} · {version}
      </span>
      <span class="template-flags">
        {!runnable && (
          <span class="badge tone-bad">
            <Icon name="alert" />
            Cannot run
          </span>
        )}
        {approval === 'pending' && <span class="badge tone-ask">Waits for approval</span>}
        {problems > 0 && <span class={`badge ${runnable ? 'tone-warn' : 'tone-bad'}`}>{count(problems, 'problem')}</span>}
      </span>
    </a>
  );
}
