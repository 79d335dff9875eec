/** The method table: the one source of validation, scopes, types, documentation and OpenRPC. */
import type { Infer, Schema } from '../schema.ts';
import { artifactGet, artifactList } from './artifact.ts';
import { runClean, runPin } from './clean.ts';
import type { Method } from './define.ts';
import { templateApprove, templateExport, templateImport, runExport } from './exchange.ts';
import { eventList, eventSubscribe, eventUnsubscribe } from './event.ts';
import { inspectSubscribe, inspectTicket, inspectUnsubscribe } from './inspect.ts';
import { backendAllow, backendAssumeLost, backendFree, backendGet, backendList, queuePause, queueResume } from './queue.ts';
import { runGraph } from './run-graph.ts';
import { runCancel, runChoose, runGet, runList, runRetry, runStart } from './run.ts';
import { cacheClear, daemonShutdown, daemonStatus, discover, initialize, ping, sessionOpen } from './system.ts';
import { templateAdopt, templateCheck, templateGet, templateList, templateMigrate, templateRender } from './template.ts';

export const METHODS = {
  initialize,
  ping,
  'rpc.discover': discover,
  'daemon/status': daemonStatus,
  'daemon/shutdown': daemonShutdown,
  'session/open': sessionOpen,
  'template/list': templateList,
  'template/get': templateGet,
  'template/check': templateCheck,
  'template/adopt': templateAdopt,
  'template/migrate': templateMigrate,
  'template/render': templateRender,
  'template/import': templateImport,
  'template/export': templateExport,
  'template/approve': templateApprove,
  'run/start': runStart,
  'run/get': runGet,
  'run/graph': runGraph,
  'run/list': runList,
  'run/cancel': runCancel,
  'run/retry': runRetry,
  'run/choose': runChoose,
  'run/export': runExport,
  'run/pin': runPin,
  'run/clean': runClean,
  'artifact/list': artifactList,
  'artifact/get': artifactGet,
  'backend/list': backendList,
  'backend/get': backendGet,
  'backend/free': backendFree,
  'backend/assume-lost': backendAssumeLost,
  'backend/allow': backendAllow,
  'queue/pause': queuePause,
  'queue/resume': queueResume,
  'cache/clear': cacheClear,
  'event/subscribe': eventSubscribe,
  'event/unsubscribe': eventUnsubscribe,
  'event/list': eventList,
  'inspect/subscribe': inspectSubscribe,
  'inspect/unsubscribe': inspectUnsubscribe,
  'inspect/ticket': inspectTicket,
} as const;

export type MethodName = keyof typeof METHODS;
export type ParamsOf<M extends MethodName> = (typeof METHODS)[M] extends { readonly params: Schema<infer P> } ? P : never;
export type ResultOf<M extends MethodName> = Infer<(typeof METHODS)[M]['result']>;

const byName = new Map<string, Method<unknown, unknown>>(Object.entries(METHODS));

/** By name from outside; a Map, so that `constructor` and `__proto__` are no methods. */
export function findMethod(name: string): Method<unknown, unknown> | undefined {
  return byName.get(name);
}

export function isMethodName(name: string): name is MethodName {
  return byName.has(name);
}
