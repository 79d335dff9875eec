/** The form of a template: drawn from its schema, checked by the daemon, started with one button. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { CallsheetError, toErrorData } from '../../src/protocol/errors.ts';
import type { TemplateDetail, TemplateRenderResult } from '../../src/protocol/methods/template.ts';
import type { Problem } from '../../src/protocol/problem.ts';
import { go, to } from '../app/router.ts';
import { asProblem, ProblemList } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { count } from '../parts/words.ts';
import { backends } from '../state/backends.ts';
import { session } from '../state/connection.ts';
import { Drawn } from './drawn.tsx';
import { FieldRow, groupsOf } from './field-row.tsx';
import { type Field, type Fields, type FieldSchema, initialFields, toWire } from './values.ts';

interface TemplateFormProps {
  readonly template: TemplateDetail;
  /** Values of a run to begin with. */
  readonly given: Readonly<Record<string, unknown>> | undefined;
}

/** Pause after the last key before it is asked which fields are shown now. */
const HIDING_MS = 250;

export function TemplateForm({ template, given }: TemplateFormProps) {
  const [schemas, setSchemas] = useState(schemasOf(template));
  const [fields, setFields] = useState<Fields>(() => initialFields(schemasOf(template), given));
  const [options, setOptions] = useState({ backend: '', priority: '0', cache: true, optimize: true });
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [drawn, setDrawn] = useState<TemplateRenderResult | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { id, version } = template;
  const about = { id, version, ...(options.backend === '' ? {} : { backend: options.backend }) };

  // Which fields are shown, and which models there are, the daemon knows.
  const mayHide = Object.values(schemas).some((schema) => schema['x-callsheet']?.visible !== undefined);
  const asked = JSON.stringify([options.backend, mayHide ? fields : undefined]);
  const first = useRef(true);
  useEffect(() => {
    if (first.current && options.backend === '' && !mayHide) {
      first.current = false;
      return undefined;
    }
    first.current = false;
    const timer = setTimeout(() => {
      session
        .call('template/get', { ...about, parameters: toWire(schemas, fields) })
        .then(({ template: now }) => setSchemas(schemasOf(now)))
        // What is half typed may be no value yet.
        .catch(() => undefined);
    }, HIDING_MS);
    return () => clearTimeout(timer);
  }, [asked]);

  const change = (name: string, value: Field): void => {
    setFields({ ...fields, [name]: value });
    setProblems(problems.filter(({ parameter }) => parameter !== name));
    setDrawn(undefined);
  };
  const complain = (error: unknown): void => {
    const data = error instanceof CallsheetError ? error.data : toErrorData(error);
    const found = data.problems === undefined || data.problems.length === 0 ? [asProblem(data)] : data.problems;
    setProblems(found);
    const [wrong] = found.flatMap(({ parameter }) => parameter ?? []);
    requestAnimationFrame(() => {
      const field = wrong === undefined ? null : form.current?.querySelector<HTMLElement>(`#${CSS.escape(`field-${wrong}`)}`);
      field?.closest('details')?.setAttribute('open', '');
      (field ?? form.current?.querySelector<HTMLElement>('.form-problems'))?.focus();
    });
  };
  const during = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblems([]);
    try {
      await work();
    } catch (error) {
      complain(error);
    }
    setBusy(false);
  };
  const start = (): Promise<void> =>
    during(async () => {
      const { runId } = await session.wish('run/start', {
        template: id,
        version,
        parameters: toWire(schemas, fields),
        ...(options.backend === '' ? {} : { backend: options.backend }),
        ...(Number(options.priority) === 0 ? {} : { priority: Number(options.priority) }),
        ...(options.cache ? {} : { cache: false }),
        ...(options.optimize ? {} : { optimize: false }),
      });
      go(to.run(runId));
    });
  const check = (): Promise<void> =>
    during(async () => {
      setDrawn(await session.call('template/render', { ...about, parameters: toWire(schemas, fields) }));
    });

  const shown = Object.entries(schemas)
    .filter(([, schema]) => schema['x-callsheet']?.hidden !== true)
    .toSorted(([, a], [, b]) => (a['x-callsheet']?.order ?? 0) - (b['x-callsheet']?.order ?? 0));
  const row = ([name, schema]: readonly [string, FieldSchema]) => (
    <FieldRow
      key={name}
      name={name}
      schema={schema}
      value={fields[name] ?? ''}
      problems={problems.filter(({ parameter }) => parameter === name)}
      onChange={(value) => change(name, value)}
    />
  );
  const plain = shown.filter(([, schema]) => schema['x-callsheet']?.advanced !== true);
  const advanced = shown.filter(([, schema]) => schema['x-callsheet']?.advanced === true);
  const loose = problems.filter(({ parameter }) => parameter === undefined || !shown.some(([name]) => name === parameter));
  return (
    <form
      ref={form}
      class="form"
      aria-label={`Parameters of ${template.title}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void start();
      }}
    >
      {groupsOf(plain).map(([group, own]) => (
        <fieldset key={group} class="form-group">
          {group !== '' && <legend>{group}</legend>}
          {own.map(row)}
        </fieldset>
      ))}
      {shown.length === 0 && <p class="quiet">This template asks for nothing.</p>}
      {advanced.length > 0 && (
        <details class="form-more">
          <summary>More parameters</summary>
          {groupsOf(advanced).map(([group, own]) => (
            <fieldset key={group} class="form-group">
              {group !== '' && <legend>{group}</legend>}
              {own.map(row)}
            </fieldset>
          ))}
        </details>
      )}
      <details class="form-more">
        <summary>How it runs</summary>
        <div class="form-group">
          <label class="field">
            <span class="field-title">Backend</span>
            <select value={options.backend} onChange={(event) => setOptions({ ...options, backend: event.currentTarget.value })}>
              <option value="">Whichever is free</option>
              {(backends.value ?? []).map((backend) => (
                <option key={backend.id} value={backend.id}>
                  {backend.id} ({backend.kind})
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span class="field-title">Priority</span>
            <input
              type="number"
              min={-100}
              max={100}
              class="number"
              value={options.priority}
              onInput={(event) => setOptions({ ...options, priority: event.currentTarget.value })}
            />
          </label>
          <label class="field field-check">
            <input
              type="checkbox"
              checked={options.cache}
              onChange={(event) => setOptions({ ...options, cache: event.currentTarget.checked })}
            />
            <span class="field-title">Take results of earlier runs where they are the same</span>
          </label>
          <label class="field field-check">
            <input
              type="checkbox"
              checked={options.optimize}
              onChange={(event) => setOptions({ ...options, optimize: event.currentTarget.checked })}
            />
            <span class="field-title">Optimise the graphs</span>
          </label>
        </div>
      </details>
      <div class="form-problems" tabIndex={-1} aria-live="assertive">
        {loose.length > 0 && <ProblemList problems={loose} />}
        {loose.length === 0 && problems.length > 0 && <p class="field-problem">{count(problems.length, 'field')} to mend above.</p>}
        {drawn !== undefined && <Drawn result={drawn} />}
      </div>
      <div class="form-foot">
        <button type="submit" class="button button-main" disabled={isBusy || !template.runnable || template.approval === 'pending'}>
          <Icon name="play" />
          Start
        </button>
        <button type="button" class="button" disabled={isBusy} onClick={() => void check()}>
          Check
        </button>
        {template.approval === 'pending' && (
          <span class="dim">It was imported and waits for approval: callsheet templates approve {id}</span>
        )}
      </div>
    </form>
  );
}

// --- helpers ---

function schemasOf({ schema }: TemplateDetail): Readonly<Record<string, FieldSchema>> {
  return (schema as { properties?: Record<string, FieldSchema> }).properties ?? {};
}
