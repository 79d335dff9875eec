/** Methods about the queue and the backends that work it off. */
import { array, boolean, closed, integer, object, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { method, requestKey } from './define.ts';
import { backend } from './views.ts';

const backendId = string({ minLength: 1, maxLength: 64 });
const count = integer({ minimum: 0 });

/** `waitingRuns` have not begun; `waitingItems` are ready to be sent and wait for a place on a backend. */
export const queueState = object({ paused: boolean(), waitingRuns: count, waitingItems: count });

export const queuePause = method({
  name: 'queue/pause',
  scope: 'run',
  mutation: true,
  description:
    'Begins nothing and sends nothing more until `queue/resume`, across restarts. What is on a backend goes on; runs are still accepted.',
  params: closed({ requestKey }),
  result: object({ queue: queueState }),
  errors: ['REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const queueResume = method({
  name: 'queue/resume',
  scope: 'run',
  mutation: true,
  description: 'Goes on after `queue/pause`.',
  params: closed({ requestKey }),
  result: object({ queue: queueState }),
  errors: ['REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const backendList = method({
  name: 'backend/list',
  scope: 'read',
  mutation: false,
  description: 'The configured backends: how they are, what is on them, and what ran there last.',
  params: closed({}),
  result: object({ backends: array(backend) }),
  errors: [],
});

export const backendGet = method({
  name: 'backend/get',
  scope: 'read',
  mutation: false,
  description: 'One backend, with the attempts of ours that are on it.',
  params: closed({ id: backendId }),
  result: object({
    backend,
    attempts: array(object({ runId: string(), promptId: string() })),
    /** Node classes that it has; absent when it could not be asked. */
    nodeClasses: optional(count),
    /** Bytes of its largest graphics card. */
    vram: optional(count),
  }),
  errors: ['BACKEND_NOT_FOUND'],
});

export const backendFree = method({
  name: 'backend/free',
  scope: 'run',
  mutation: true,
  description: 'Asks a backend to unload its models and empty its caches. It does so between two prompts.',
  params: closed({ id: backendId, requestKey }),
  result: object({ asked: boolean() }),
  errors: ['BACKEND_NOT_FOUND', 'BACKEND_UNREACHABLE', 'BACKEND_HTTP', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const backendAssumeLost = method({
  name: 'backend/assume-lost',
  scope: 'admin',
  mutation: true,
  description:
    'Gives up the attempts on a backend that does not answer, so that they are made anew elsewhere. Whether they still run there is not known; what they give later is written down and not used.',
  params: closed({ id: backendId, requestKey }),
  result: object({ attempts: count }),
  errors: ['BACKEND_NOT_FOUND', 'BACKEND_ANSWERS', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const backendAllow = method({
  name: 'backend/allow',
  scope: 'admin',
  mutation: true,
  description:
    'Allows, or forbids again, that files are sent to a backend on another machine. Kept by its address, across restarts; each file that goes is logged.',
  params: closed({ id: backendId, allowed: boolean(), requestKey }),
  result: object({ id: string(), url: string(), takesFiles: boolean() }),
  errors: ['BACKEND_NOT_FOUND', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED'],
});

export type QueueState = Infer<typeof queueState>;
export type BackendDetail = Infer<typeof backendGet.result>;
