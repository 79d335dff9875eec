/** What a connection may do at each moment: prove itself, initialize once, then call within its scope. Knows no socket. */
import { CallsheetError } from '#protocol/errors.ts';
import type { Method, MethodScope } from '#protocol/methods/define.ts';
import { findMethod } from '#protocol/methods/index.ts';
import { PROTOCOL_VERSION } from '#protocol/methods/system.ts';
import type { InitializeParams, InitializeResult } from '#protocol/methods/system.ts';
import type { CallProgress } from '#protocol/notifications.ts';
import { namedParams } from '#protocol/rpc.ts';
import type { ParamsValidator } from '#protocol/validate.ts';
import { allows } from './auth.ts';
import type { Auth } from './auth.ts';
import type { CallContext, Handlers } from './methods.ts';
import { ANSWERS } from './watch.ts';

export interface SessionOptions {
  /** Scope of the key that the upgrade carried. */
  readonly scope: MethodScope | undefined;
  readonly host: string;
  readonly serverNonce: string;
  readonly auth: Auth;
  readonly identity: { readonly version: string; readonly instance: string; readonly epoch: string };
  readonly handlers: Handlers;
  readonly validator: ParamsValidator;
}

export interface Session {
  readonly scope: MethodScope | undefined;
  /** Aborted when what was proven here ends before the daemon does. */
  readonly ended: AbortSignal | undefined;
  /** Throws what the client shall read. UNAUTHORIZED ends the connection. */
  call(name: string, params: unknown, context: GivenContext): Promise<unknown>;
}

/** What the connection knows of a call. */
export interface GivenContext extends Pick<CallContext, 'subscriber' | 'watcher' | 'afterAnswer' | 'signal'> {
  /** Sends `$/progress`, unless the client reads slowly. */
  readonly tellProgress: (token: string, value: CallProgress) => void;
}

export function createSession(options: SessionOptions): Session {
  const { auth, host, serverNonce, identity, validator } = options;
  const handlers = new Map(Object.entries(options.handlers) as [string, (params: unknown, context: CallContext) => unknown][]);
  let { scope } = options;
  let ended: AbortSignal | undefined;
  let initialized = false;
  let clientName = '';

  function initialize({ client, protocol, auth: claim }: InitializeParams): InitializeResult {
    if (initialized) throw new CallsheetError('INVALID_REQUEST', 'The connection is initialized already.');
    const grant =
      claim === undefined ? undefined : auth.answer({ host, scope: claim.scope, serverNonce, clientNonce: claim.nonce }, claim.proof);
    if (claim !== undefined && grant === undefined) throw unauthorized();
    const granted = claim?.scope ?? scope;
    if (granted === undefined) throw unauthorized();
    if (protocol !== undefined && (protocol.min > PROTOCOL_VERSION || protocol.max < PROTOCOL_VERSION)) {
      throw new CallsheetError('PROTOCOL_UNSUPPORTED', `This daemon speaks protocol ${PROTOCOL_VERSION}.`, {
        hint: protocol.min > PROTOCOL_VERSION ? 'Update Callsheet.' : 'Update the client.',
        details: { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION },
      });
    }
    scope = granted;
    ended = grant?.ended;
    clientName = client.name;
    initialized = true;
    return {
      server: { name: 'callsheet', version: identity.version },
      protocol: PROTOCOL_VERSION,
      instance: identity.instance,
      epoch: identity.epoch,
      scope,
      capabilities: { events: true, previews: true, uploads: true, snapshots: true, cancel: true, progress: true },
      ...(grant === undefined ? {} : { proof: grant.proof }),
    };
  }

  async function run(method: Method<unknown, unknown>, params: Readonly<Record<string, unknown>>, given: GivenContext): Promise<unknown> {
    const { tellProgress, ...context } = given;
    const { signal } = context;
    // Taken back in the same breath: nothing has been done yet.
    signal.throwIfAborted();
    const token = params['progressToken'];
    const report = typeof token === 'string' ? calmly((value) => tellProgress(token, value)) : () => undefined;
    try {
      return await handlers.get(method.name)?.(params, { ...context, client: clientName, ended, report });
    } catch (error) {
      // A question that was cut off fails in many ways. Of what changes something it matters how it failed.
      if (!method.mutation) signal.throwIfAborted();
      throw error;
    }
  }

  return {
    get scope() {
      return scope;
    },
    get ended() {
      return ended;
    },
    async call(name, given, context) {
      if (scope === undefined && name !== 'initialize') throw unauthorized();
      if (!initialized && name !== 'initialize') {
        throw new CallsheetError('NOT_INITIALIZED', 'The first call must be initialize.', {
          hint: 'Call initialize {client: {name, version}}.',
        });
      }
      const method = findMethod(name);
      if (method === undefined) {
        throw new CallsheetError('METHOD_NOT_FOUND', 'No such method.', { hint: 'rpc.discover lists every method.' });
      }
      if (scope !== undefined && !allows(scope, method.scope)) {
        throw new CallsheetError('FORBIDDEN', `${name} needs the scope ${method.scope}; this connection has ${scope}.`, {
          hint: `Connect with a key of scope ${method.scope}.`,
        });
      }
      const params = namedParams(given);
      await validator.check(method, params);
      const result = name === 'initialize' ? initialize(params as unknown as InitializeParams) : await run(method, params, context);
      if (ANSWERS.hasSubscribers) ANSWERS.publish({ method: name, result });
      return result;
    },
  };
}

// --- helpers ---

function unauthorized(): CallsheetError {
  return new CallsheetError('UNAUTHORIZED', 'The key is missing or wrong.', {
    hint: 'Read the key from the runtime file of the running daemon; a restart makes a new one.',
  });
}

/** Ten reports a second at most; what comes in between is not told. */
function calmly(tell: (value: CallProgress) => void): (value: CallProgress) => void {
  let next = 0;
  return (value) => {
    const now = performance.now();
    if (now < next) return;
    next = now + 100;
    tell(value);
  };
}
