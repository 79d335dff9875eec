/** Small things that every page uses. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ErrorData } from '../../src/protocol/errors.ts';
import type { Problem } from '../../src/protocol/problem.ts';
import { Icon, type IconName } from './icon.tsx';

/** A bar from 0 to 1; without a value it says only that something goes on. */
export function Bar({ value, tone = 'busy', label }: { readonly value: number; readonly tone?: string; readonly label: string }) {
  const whole = Math.floor(value * 100);
  return (
    <div class={`bar tone-${tone}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={whole}>
      <div class="bar-fill" style={{ transform: `scaleX(${String(Math.max(0, Math.min(1, value)))})` }} />
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      <div class="dim">{children}</div>
    </div>
  );
}

/** Says what is wrong and what to do: the cure stands apart, so that it is found. */
export function ProblemList({ problems }: { readonly problems: readonly Problem[] }) {
  return (
    <ul class="problems">
      {problems.map((problem, at) => (
        <li key={at} class={`problem problem-${problem.severity}`}>
          <Icon name={problem.severity === 'info' ? 'info' : 'alert'} />
          <div>
            <p class="problem-text">
              <span class="visually-hidden">{problem.severity}: </span>
              {problem.message}
            </p>
            {problem.hint !== undefined && <p class="cure">{problem.hint}</p>}
            <p class="problem-place">
              <code>{problem.code}</code>
              {placeOf(problem) !== '' && <span> {placeOf(problem)}</span>}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}

export function asProblem({ code, message, hint, step, node }: ErrorData): Problem {
  return {
    code,
    severity: 'error',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(step === undefined ? {} : { step }),
    ...(node === undefined ? {} : { node }),
  };
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => void copy().catch(() => undefined)}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}

/** A row of words and values. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren] | undefined)[] }) {
  return (
    <dl class="facts">
      {rows.map((row) =>
        row === undefined ? undefined : (
          <div key={row[0]} class="fact">
            <dt>{row[0]}</dt>
            <dd>{row[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

// --- helpers ---

function placeOf({ file, line, column, step, node, input, parameter }: Problem): string {
  const words = [
    ...(file === undefined ? [] : [[file, line, column].filter((part) => part !== undefined).join(':')]),
    ...(step === undefined ? [] : [`step ${step}`]),
    ...(node === undefined ? [] : [`node ${node}`]),
    ...(input === undefined ? [] : [`input ${input}`]),
    ...(parameter === undefined ? [] : [`parameter ${parameter}`]),
  ];
  return words.join(' · ');
}
