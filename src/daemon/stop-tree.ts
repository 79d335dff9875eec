/** Ends a run whose machine failed: XState alone would leave its children at work. */
import type { AnyActorRef } from 'xstate';

/** A machine that errs leaves its children running; they are stopped one by one (xstate.md 6.2). */
export function stopTree(actor: AnyActorRef): void {
  const { children = {} } = (actor.getSnapshot() ?? {}) as {
    readonly children?: Readonly<Record<string, AnyActorRef & { _stop?: () => void }>>;
  };
  for (const child of Object.values(children)) {
    stopTree(child);
    child._stop?.();
  }
}
