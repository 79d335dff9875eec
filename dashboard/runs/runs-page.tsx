/** All runs, newest first and live. */
import { useEffect } from 'preact/hooks';
import type { RunStatus } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { Empty } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { isNarrow } from '../parts/media-query.ts';
import { Windowed } from '../parts/windowed.tsx';
import { connections } from '../state/connection.ts';
import { ACTIVE, filter, isComplete, isRead, readOlder, runs } from '../state/runs.ts';
import { RunRow } from './run-row.tsx';

const FILTERS: readonly { readonly title: string; readonly statuses: readonly RunStatus[] | undefined }[] = [
  { title: 'All', statuses: undefined },
  { title: 'Active', statuses: ACTIVE },
  { title: 'Needs you', statuses: ['waiting'] },
  { title: 'Done', statuses: ['succeeded'] },
  { title: 'Failed', statuses: ['failed', 'lost'] },
  { title: 'Cancelled', statuses: ['cancelled'] },
];

const ROW = 68;
const ROW_NARROW = 88;

export function RunsPage() {
  const { statuses, text } = filter.value;
  const chosen = statuses?.join(' ');
  useEffect(() => {
    if (connections.value > 0 && !isRead.value) void readOlder().catch(() => undefined);
  }, [chosen, connections.value]);
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Runs</h1>
        <a class="button button-main" href={`#${to.templates()}`}>
          <Icon name="plus" />
          New run
        </a>
      </header>
      <div class="filters">
        <div class="chips" role="group" aria-label="Show runs by state">
          {FILTERS.map((one) => (
            <button
              type="button"
              class="chip"
              key={one.title}
              aria-pressed={one.statuses?.join(' ') === chosen}
              onClick={() => (filter.value = { ...filter.value, statuses: one.statuses })}
            >
              {one.title}
            </button>
          ))}
        </div>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Template or id"
            aria-label="Search runs by template or id"
            value={text}
            onInput={(event) => (filter.value = { ...filter.value, text: event.currentTarget.value })}
          />
        </label>
      </div>
      <List />
    </div>
  );
}

// --- helpers ---

function List() {
  const rows = runs.value;
  const { statuses, text } = filter.value;
  // What is searched for may be older than everything that was read.
  const isSearching = rows.length === 0 && isRead.value && !isComplete.value;
  useEffect(() => {
    if (isSearching) void readOlder().catch(() => undefined);
  });
  if (rows.length > 0) {
    return (
      <Windowed
        rows={rows}
        height={isNarrow.value ? ROW_NARROW : ROW}
        keyOf={({ runId }) => runId}
        label="Runs, newest first"
        onNearEnd={() => void readOlder().catch(() => undefined)}
      >
        {(run) => <RunRow run={run} />}
      </Windowed>
    );
  }
  if (!isRead.value || isSearching) return <RowGhosts />;
  if (statuses === undefined && text === '') {
    return (
      <Empty icon="film" title="Nothing has run yet">
        <p>A run makes files out of a template. Pick one, fill in its form and press Start.</p>
        <a class="button button-main" href={`#${to.templates()}`}>
          See the templates
        </a>
      </Empty>
    );
  }
  return (
    <Empty icon="search" title="No run fits">
      <p>Change the search, or show all runs.</p>
      <button type="button" class="button" onClick={() => (filter.value = { statuses: undefined, text: '' })}>
        Show all runs
      </button>
    </Empty>
  );
}

/** As high as the rows that come, so that nothing jumps. */
function RowGhosts() {
  return (
    <div class="ghosts" aria-busy="true" aria-label="Runs are being read">
      {Array.from({ length: 6 }, (_, at) => (
        <div class="ghost" key={at} style={{ height: `${String((isNarrow.value ? ROW_NARROW : ROW) - 8)}px` }} />
      ))}
    </div>
  );
}
