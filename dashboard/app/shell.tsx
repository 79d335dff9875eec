/** The frame around every page: where one can go, whether the daemon is there, whether the queue is paused. */
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from '../parts/icon.tsx';
import { connection, daemon, refreshStatus, session } from '../state/connection.ts';
import { waitingForPerson } from '../state/runs.ts';
import { place, to } from './router.ts';
import { nextTheme, theme } from './theme.ts';
import { attempt, Toasts } from './toasts.tsx';

const PAGES: readonly {
  readonly page: string;
  readonly title: string;
  readonly icon: IconName;
  readonly at: string;
  readonly covers: readonly string[];
}[] = [
  { page: 'runs', title: 'Runs', icon: 'runs', at: to.runs(), covers: ['runs', 'run'] },
  { page: 'templates', title: 'Templates', icon: 'templates', at: to.templates(), covers: ['templates', 'template'] },
  { page: 'backends', title: 'Backends', icon: 'backends', at: to.backends(), covers: ['backends'] },
  { page: 'machines', title: 'Machines', icon: 'machines', at: to.machines(), covers: ['machines'] },
];

export function Shell({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={toMain}>
        Skip to the content
      </a>
      <Navigation />
      <div class="stage">
        <Banners />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
      <Toasts />
    </div>
  );
}

// --- helpers ---

/** The fragment is the address here, so the link may not change it. */
function toMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

function Navigation() {
  const current = place.value.page;
  const waiting = waitingForPerson.value;
  return (
    <nav class="nav" aria-label="Pages">
      <div class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" class="brand-ground" />
          <path d="M8 10.5h16M8 16h11M8 21.5h14" class="brand-lines" />
          <circle cx="24" cy="16" r="2.4" class="brand-dot" />
        </svg>
        <span>Callsheet</span>
      </div>
      <ul>
        {PAGES.map(({ page, title, icon, at, covers }) => (
          <li key={page}>
            <a href={`#${at}`} aria-current={covers.includes(current) ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{title}</span>
              {page === 'runs' && waiting > 0 && (
                <span class="nav-count" title={`${String(waiting)} waiting for a choice`}>
                  {waiting}
                </span>
              )}
            </a>
          </li>
        ))}
      </ul>
      <div class="nav-foot">
        <Connection />
        <button
          type="button"
          class="icon-button"
          onClick={nextTheme}
          aria-label={`Colours: ${theme.value}. Change`}
          title={`Colours: ${theme.value}`}
        >
          <Icon name={theme.value === 'auto' ? 'auto' : theme.value === 'dark' ? 'moon' : 'sun'} />
        </button>
      </div>
    </nav>
  );
}

function Connection() {
  const state = connection.value;
  const words = { connecting: 'Connecting', open: 'Connected', gone: 'No daemon', locked: 'Session ended' } as const;
  const { version } = daemon.value ?? {};
  return (
    <span class={`connection connection-${state}`} title={version === undefined ? '' : `Callsheet ${version}`}>
      <span class="connection-dot" />
      <span class="connection-word">{words[state]}</span>
    </span>
  );
}

function Banners() {
  const state = connection.value;
  const status = daemon.value;
  const resume = (): void =>
    void attempt(async () => {
      await session.wish('queue/resume', {});
      await refreshStatus();
    });
  return (
    <div class="banners" aria-live="polite">
      {state === 'gone' && (
        <div class="banner banner-bad">
          <Icon name="alert" />
          <div>
            <strong>The daemon does not answer.</strong> What is shown may be old. The page comes back by itself; runs go on as soon as the
            daemon is started again: <code>callsheet daemon</code>
          </div>
          <button type="button" class="button button-small" onClick={() => session.hurry()}>
            Try now
          </button>
        </div>
      )}
      {state === 'locked' && (
        <div class="banner banner-bad">
          <Icon name="alert" />
          <div>
            <strong>This browser is not let in any more.</strong> Sessions end with the daemon and after twelve hours. Run{' '}
            <code>callsheet open</code> in a terminal.
          </div>
        </div>
      )}
      {status?.storage.status !== undefined && status.storage.status !== 'ready' && (
        <div class="banner banner-bad">
          <Icon name="alert" />
          <div>
            <strong>{status.storage.message ?? 'The database can not be written.'}</strong> {status.storage.hint}
          </div>
        </div>
      )}
      {status?.queue.paused === true && state === 'open' && (
        <div class="banner banner-warn">
          <Icon name="pause" />
          <div>
            <strong>The queue is paused.</strong> What is on a backend goes on; nothing new is sent.
          </div>
          <button type="button" class="button button-small" onClick={resume}>
            Resume
          </button>
        </div>
      )}
    </div>
  );
}
