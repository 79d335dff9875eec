/** What each method does: a few lines each, the work is done in the supervisor, the library and the event hub. */
import { CallsheetError } from '#protocol/errors.ts';
import type { MethodName, ParamsOf, ResultOf } from '#protocol/methods/index.ts';
import type { DaemonStatus } from '#protocol/methods/system.ts';
import type { CallProgress } from '#protocol/notifications.ts';
import { openRpcDocument } from '#protocol/openrpc.ts';
import type { ArtifactService } from './artifact-service.ts';
import type { ConsentService } from './consent/consent-service.ts';
import type { Subscriber } from './event-hub.ts';
import type { InspectService, Watcher } from './inspect/inspect-service.ts';
import type { ExchangeService } from './exchange/exchange-service.ts';
import type { Retention } from './retention/retention.ts';
import type { ReadRunGraph } from './run-graph.ts';
import type { RunService } from './run-service.ts';
import { startAfresh } from './start-afresh.ts';
import type { TemplateService } from './template-service.ts';

export interface CallContext {
  /** Its name, as it told it when it came. */
  readonly client: string;
  readonly subscriber: Subscriber;
  readonly watcher: Watcher;
  /** Runs once the answer to this call has been handed to the socket. */
  readonly afterAnswer: (task: () => void) => void;
  /** Aborts when the browser session ends that the connection belongs to; undefined for holders of a key. */
  readonly ended: AbortSignal | undefined;
  /** Aborts when the client takes the call back, or is gone and the call changes nothing. */
  readonly signal: AbortSignal;
  /** How far the call is; may be called as often as one likes. Told only to clients that gave a `progressToken`. */
  readonly report: (value: CallProgress) => void;
}

/** `initialize` is missing: it belongs to the connection, whose state it changes. */
export type Handlers = {
  readonly [M in Exclude<MethodName, 'initialize'>]: (params: ParamsOf<M>, context: CallContext) => ResultOf<M> | Promise<ResultOf<M>>;
};

export interface MethodParts {
  readonly version: string;
  readonly runs: RunService;
  readonly inspect: Pick<InspectService, 'ticket'>;
  readonly eventsOf: (query: ParamsOf<'event/list'>) => ResultOf<'event/list'>;
  readonly templates: TemplateService;
  readonly exchange: ExchangeService;
  readonly artifacts: ArtifactService;
  readonly graph: ReadRunGraph;
  readonly retention: Pick<Retention, 'pin' | 'clean'>;
  readonly consent: Pick<ConsentService, 'set' | 'shown'>;
  readonly status: () => DaemonStatus;
  readonly shutdown: () => void;
  readonly openBrowser: () => ResultOf<'session/open'>;
}

export function createMethods(parts: MethodParts): Handlers {
  const { version, runs, inspect, eventsOf, templates, exchange, artifacts, graph, retention, consent, status, shutdown, openBrowser } =
    parts;
  return {
    ping: () => ({ ok: true }),
    'rpc.discover': () => ({ ...openRpcDocument(version) }),
    'daemon/status': status,
    'daemon/shutdown': (_params, { afterAnswer }) => {
      afterAnswer(shutdown);
      return { stopping: true };
    },
    'session/open': openBrowser,
    'template/list': () => ({ templates: templates.list() }),
    'template/get': async (params, { signal }) => ({ template: await templates.get(params, signal) }),
    'template/check': (params, { signal, report }) => {
      if ((params.id === undefined) === (params.path === undefined)) {
        throw new CallsheetError('INVALID_PARAMS', 'Give either the id of a template or a path.', {
          hint: 'Params: {"id": …} or {"path": …}.',
        });
      }
      return templates.check(params, { signal, report });
    },
    'template/adopt': (params, { signal }) => templates.adopt(params, signal),
    'template/migrate': (params, { signal }) => templates.migrate(params, signal),
    'template/render': (params, { signal }) => templates.render(params, signal),
    'template/import': (params, { signal }) => exchange.import(params, signal),
    'template/export': (params) => exchange.exportTemplate(params),
    'template/approve': (params) => exchange.approve(params),
    'run/start': ({ parameters = {}, ...request }, { client }) => runs.start({ ...request, parameters, client }),
    'run/get': ({ runId }) => ({ run: runs.get(runId) }),
    'run/graph': (query) => graph(query),
    'run/list': (query) => ({ runs: runs.list(query) }),
    'run/cancel': ({ runId, ...options }) => runs.cancel(runId, options),
    'run/choose': (request) => runs.choose(request),
    'run/retry': (request) => runs.retry(request),
    'run/export': (params) => exchange.exportRun(params),
    'run/pin': ({ requestKey, runId, pinned = true }) =>
      runs.once(requestKey, 'run/pin', { runId, pinned }, async () => {
        retention.pin(runId, pinned);
        return { runId, pinned };
      }),
    'run/clean': ({ requestKey, dryRun = false, ...rest }, { signal, report }) => {
      // Drawn anew for each try of the same wish.
      const { progressToken: _, ...policy } = rest;
      return runs.once(requestKey, 'run/clean', { ...policy, dryRun }, () => retention.clean(policy, { dryRun, signal, report }));
    },
    'artifact/list': (query) => artifacts.list(query),
    'artifact/get': (query) => artifacts.get(query),
    'backend/list': () => ({ backends: runs.queue.backends().map(consent.shown) }),
    'backend/get': ({ id }) => {
      const found = runs.queue.backend(id);
      return { ...found, backend: consent.shown(found.backend) };
    },
    'backend/free': ({ id, requestKey }) => runs.queue.free(id, requestKey),
    'backend/assume-lost': ({ id, requestKey }) => runs.queue.assumeLost(id, requestKey),
    'backend/allow': ({ id, allowed, requestKey }) =>
      runs.once(requestKey, 'backend/allow', { id, allowed }, () => consent.set(id, allowed)),
    'queue/pause': async ({ requestKey }) => ({ queue: await runs.queue.pause(requestKey) }),
    'queue/resume': async ({ requestKey }) => ({ queue: await runs.queue.resume(requestKey) }),
    'cache/clear': ({ requestKey }) => runs.cache.clear(requestKey),
    'event/subscribe': (params, { subscriber, afterAnswer }) => {
      const { result, deliver, afresh } = subscriber.subscribe(params);
      try {
        const start = params.snapshot === true && afresh !== undefined ? startAfresh(runs, params.runId, afresh) : {};
        afterAnswer(deliver);
        return { ...result, ...start };
      } catch (error) {
        subscriber.unsubscribe(result.subscription);
        throw error;
      }
    },
    'event/unsubscribe': ({ subscription }, { subscriber }) => ({ removed: subscriber.unsubscribe(subscription) }),
    'event/list': (query) => eventsOf(query),
    'inspect/subscribe': ({ runId }, { watcher, afterAnswer }) => {
      const { result, deliver } = watcher.subscribe(runId);
      afterAnswer(deliver);
      return result;
    },
    'inspect/unsubscribe': ({ subscription }, { watcher }) => ({ removed: watcher.unsubscribe(subscription) }),
    'inspect/ticket': ({ runId }, { ended }) => inspect.ticket(runId, ended),
  };
}
