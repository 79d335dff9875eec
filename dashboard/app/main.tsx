/** The page's own start: signals are hooked up once, then the place decides what is shown. */
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { BackendsPage } from '../backends/backends-page.tsx';
import { RunPage } from '../run/run-page.tsx';
import { RunsPage } from '../runs/runs-page.tsx';
import { MachinesPage } from '../run/machines.tsx';
import { TemplatePage } from '../templates/template-page.tsx';
import { TemplatesPage } from '../templates/templates-page.tsx';
import { watchBackends } from '../state/backends.ts';
import { startClock } from '../state/clock.ts';
import { watchConnection } from '../state/connection.ts';
import { watchRuns } from '../state/runs.ts';
import { watchTemplates } from '../state/templates.ts';
import { watchThumbnails } from '../state/thumbnails.ts';
import { place } from './router.ts';
import { Shell } from './shell.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { keepTheme } from './theme.ts';

function Page() {
  const at = place.value;
  switch (at.page) {
    case 'run':
      return <RunPage key={at.runId} runId={at.runId} tab={at.tab} step={at.step} />;
    case 'templates':
      return <TemplatesPage />;
    case 'template':
      return <TemplatePage key={`${at.id}@${at.version ?? ''}`} id={at.id} version={at.version} from={at.from} />;
    case 'backends':
      return <BackendsPage />;
    case 'machines':
      return <MachinesPage />;
    case 'runs':
    default:
      return <RunsPage />;
  }
}

/** Whoever goes to another page by keyboard goes on reading there. */
function Moved() {
  const { page } = place.value;
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) document.querySelector<HTMLElement>('main h1')?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [page]);
  return <></>;
}

keepTheme();
startClock();
watchConnection();
watchRuns();
watchThumbnails();
watchTemplates();
watchBackends();
const root = document.querySelector('#app');
if (root !== null) {
  render(
    <Shell>
      <Page />
      <Moved />
      <Shortcuts />
    </Shell>,
    root,
  );
}
