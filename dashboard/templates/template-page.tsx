/** One template: its form, and what it is. */
import { useEffect, useState } from 'preact/hooks';
import { CallsheetError } from '../../src/protocol/errors.ts';
import type { TemplateDetail } from '../../src/protocol/methods/template.ts';
import { go, to } from '../app/router.ts';
import { Empty, Facts, ProblemList } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { connections, session } from '../state/connection.ts';
import { templates } from '../state/templates.ts';
import { TemplateForm } from './template-form.tsx';

interface TemplatePageProps {
  readonly id: string;
  readonly version: string | undefined;
  /** A run whose values the form begins with. */
  readonly from: string | undefined;
}

export function TemplatePage({ id, version, from }: TemplatePageProps) {
  const [template, setTemplate] = useState<TemplateDetail | undefined>(undefined);
  const [given, setGiven] = useState<Readonly<Record<string, unknown>> | undefined>(undefined);
  const [problem, setProblem] = useState<CallsheetError | undefined>(undefined);
  // A template that was saved again is drawn again; the fields of one that did not change stay as they are.
  const summary = templates.value?.find((one) => one.id === id && (version === undefined || one.version === version));
  const state = JSON.stringify(summary);
  useEffect(() => {
    let isGone = false;
    const read = async (): Promise<void> => {
      const [{ template: found }, values] = await Promise.all([
        // With no values it says which fields the defaults hide, so that none is drawn only to vanish.
        session.call('template/get', { id, ...(version === undefined ? {} : { version }), parameters: {} }),
        from === undefined ? undefined : session.call('run/get', { runId: from }).then(({ run }) => run.parameters),
      ]);
      if (isGone) return;
      setTemplate(found);
      setGiven(values);
      setProblem(undefined);
    };
    read().catch((error: unknown) => {
      if (!isGone && error instanceof CallsheetError && error.code !== 'CONNECTION_LOST') setProblem(error);
    });
    return () => {
      isGone = true;
    };
  }, [id, version, from, state, connections.value]);
  return (
    <div class="page">
      <a class="back" href={`#${to.templates()}`}>
        <Icon name="back" />
        Templates
      </a>
      {problem !== undefined && (
        <Empty icon="question" title="There is no such template">
          <p>{problem.message}</p>
        </Empty>
      )}
      {problem === undefined && template === undefined && (
        <div class="ghosts" aria-busy="true" aria-label="The template is being read">
          <div class="ghost ghost-head" />
          <div class="ghost ghost-tall" />
        </div>
      )}
      {problem === undefined && template !== undefined && <Template template={template} given={given} from={from} />}
    </div>
  );
}

// --- helpers ---

interface TemplateProps {
  readonly template: TemplateDetail;
  readonly given: Readonly<Record<string, unknown>> | undefined;
  readonly from: string | undefined;
}

function Template({ template, given, from }: TemplateProps) {
  const { id, version, title, description, category, kind, path, steps, choices = [], problems, approval, hash } = template;
  const versions = (templates.value ?? []).filter((one) => one.id === id);
  return (
    <>
      <header class="template-head">
        <h1 tabIndex={-1}>{title}</h1>
        {description !== undefined && <p class="lead">{description}</p>}
      </header>
      <div class="form-and-facts">
        <div>
          {from !== undefined && (
            <p class="quiet">
              With the values of <a href={`#${to.run(from)}`}>an earlier run</a>.
            </p>
          )}
          <TemplateForm key={hash} template={template} given={given} />
        </div>
        <aside class="template-facts" aria-label="About the template">
          {problems.length > 0 && (
            <section>
              <h2>Problems</h2>
              <ProblemList problems={problems} />
            </section>
          )}
          <section>
            <h2>Steps</h2>
            <ol class="step-list">
              {steps.map((step) => (
                <li key={step.id}>
                  <span>{step.title ?? step.id}</span>
                  {step.backend !== undefined && <span class="dim">{step.backend}</span>}
                  {choices
                    .filter(({ after }) => after === step.id)
                    .map((choice) => (
                      <span key={choice.into} class="step-choice">
                        <Icon name="hand" />
                        {choice.title ?? `You choose “${choice.into}”`}
                      </span>
                    ))}
                </li>
              ))}
            </ol>
          </section>
          <section>
            <h2>About</h2>
            <Facts
              rows={[
                ['Id', <code>{id}</code>],
                [
                  'Version',
                  versions.length < 2 ? (
                    version
                  ) : (
                    <select aria-label="Version" value={version} onChange={(event) => go(to.template(id, event.currentTarget.value))}>
                      {versions.map((one) => (
                        <option key={one.version} value={one.version}>
                          {one.version}
                        </option>
                      ))}
                    </select>
                  ),
                ],
                ['Category', category],
                ['Kind', kind],
                approval === undefined ? undefined : ['Imported', approval === 'approved' ? 'approved' : 'waits for approval'],
                ['Path', <code class="path">{path}</code>],
              ]}
            />
          </section>
        </aside>
      </div>
    </>
  );
}
