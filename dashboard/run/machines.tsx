/** A place for the inspector: the statecharts of runs and steps with their states. It is a module of its own, read when it is first looked at. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { NotificationName } from '../../src/protocol/notifications.ts';
import type { MethodName } from '../../src/protocol/methods/index.ts';
import { Empty } from '../parts/basics.tsx';
import { connections, session } from '../state/connection.ts';

/** The contract of dashboard/inspector/. */
interface InspectorModule {
  readonly mountInspector: (
    element: HTMLElement,
    options: {
      readonly call: (method: string, params: unknown) => Promise<unknown>;
      readonly on: (notification: string, listener: (params: unknown) => void) => () => void;
      readonly runId?: string;
    },
  ) => () => void;
}

/** Built beside the page where its sources are there. */
const INSPECTOR = '/dashboard/inspector.js';

export function MachinesTab({ runId }: { readonly runId: string }) {
  // Its subscriptions end with a connection: on a new one it begins anew.
  return <Inspector key={`${runId} ${String(connections.value)}`} runId={runId} />;
}

export function MachinesPage() {
  return (
    <div class="page page-wide">
      <header class="page-head">
        <h1 tabIndex={-1}>Machines</h1>
      </header>
      <Inspector key={connections.value} />
    </div>
  );
}

// --- helpers ---

function Inspector({ runId }: { readonly runId?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'reading' | 'mounted' | 'missing'>('reading');
  useEffect(() => {
    let unmount: (() => void) | undefined;
    let isGone = false;
    (import(INSPECTOR) as Promise<InspectorModule>)
      .then(({ mountInspector }) => {
        if (isGone || box.current === null) return;
        unmount = mountInspector(box.current, {
          call: (method, params) => session.call(method as MethodName, params as never),
          on: (name, listener) => session.on(name as NotificationName, listener),
          ...(runId === undefined ? {} : { runId }),
        });
        setState('mounted');
      })
      .catch(() => setState('missing'));
    return () => {
      isGone = true;
      unmount?.();
    };
  }, [runId]);
  return (
    <>
      {state === 'missing' && (
        <Empty icon="machines" title="The inspector is missing">
          <p>This build of the dashboard has no inspector. Steps and events of the run show the same states, line by line.</p>
        </Empty>
      )}
      <div ref={box} class="inspector" aria-busy={state === 'reading'} />
    </>
  );
}
