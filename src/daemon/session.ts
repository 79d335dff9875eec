/** What a connection may do at each moment: prove itself, initialize once, then call within its scope. Knows no socket. */
import { CallsheetError } from '#protocol/errors.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import { findMethod } from '#protocol/methods/index.ts';
import { PROTOCOL_VERSION } from '#protocol/methods/system.ts';
import type { InitializeParams, InitializeResult } from '#protocol/methods/system.ts';
import { namedParams } from '#protocol/rpc.ts';
import type { ParamsValidator } from '#protocol/validate.ts';
import { allows } from './auth.ts';
import type { Auth } from './auth.ts';
import type { CallContext, Handlers } from './methods.ts';

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
  call(name: string, params: unknown, context: Omit<CallContext, 'client'>): Promise<unknown>;
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
      capabilities: { events: true, previews: true, uploads: true },
      ...(grant === undefined ? {} : { proof: grant.proof }),
    };
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
      if (name === 'initialize') return initialize(params as unknown as InitializeParams);
      return handlers.get(name)?.(params, { ...context, client: clientName });
    },
  };
}

// --- helpers ---

function unauthorized(): CallsheetError {
  return new CallsheetError('UNAUTHORIZED', 'The key is missing or wrong.', {
    hint: 'Read the key from the runtime file of the running daemon; a restart makes a new one.',
  });
}
