/** `--backend` of a run: the id of a configured backend, or one to configure for a daemon of our own. */
import { type Arguments, UsageError } from './command.ts';
import { suggestion } from './parse-arguments.ts';
import type { Session } from './session.ts';

export interface BackendOption {
  readonly text: string;
  /** What a daemon in this process is told; empty when the text is the id of a backend that its config already has. */
  readonly own: readonly string[];
}

export function backendOption(args: Arguments): BackendOption | undefined {
  const text = args.text('backend');
  if (text === undefined) return undefined;
  return { text, own: text === 'sandbox' || text.includes('=') ? [text] : [] };
}

/** The backend's id at the daemon. Throws UsageError when it has none such. */
export async function chooseBackend(session: Session, option: BackendOption | undefined): Promise<string | undefined> {
  if (option === undefined) return undefined;
  const { backends } = await session.client.call('backend/list');
  const found = backends.find(({ id }) => id === option.text);
  if (found !== undefined) return found.id;
  const at = option.text.indexOf('=');
  const kind = at < 0 ? option.text : option.text.slice(0, at);
  const url = at < 0 ? undefined : option.text.slice(at + 1);
  const alike = backends.find((one) => (one.kind === kind || one.id === kind) && (url === undefined || sameAddress(one.url, url)));
  if (alike !== undefined) return alike.id;
  if (!session.own && option.own.length > 0) {
    throw new UsageError(
      `The running daemon has no backend ${option.text}; stop it and start it with: callsheet daemon --backend ${option.text}`,
    );
  }
  throw new UsageError(
    `Unknown backend "${option.text}". ${suggestion(
      option.text,
      backends.map(({ id }) => id),
    )}`,
  );
}

// --- helpers ---

function sameAddress(known: string | undefined, given: string): boolean {
  if (known === undefined) return false;
  try {
    const [a, b] = [new URL(known), new URL(given.includes('://') ? given : `http://${given}`)];
    return a.origin === b.origin && a.pathname.replace(/\/$/, '') === b.pathname.replace(/\/$/, '');
  } catch {
    return known === given;
  }
}
