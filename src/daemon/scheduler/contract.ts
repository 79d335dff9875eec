/** What the scheduler is given, and what it gives. */
import type { BackendView } from '#protocol/views.ts';
import type { Places, RunMemory } from '#actors/deps.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, Store } from '#store/types.ts';
import type { BackendMonitor } from '../backend-monitor.ts';
import type { Contention } from '../contention.ts';
import type { Logger } from '../log.ts';
import type { Offers } from '../offers.ts';
import type { RunHead } from './run-heads.ts';
import type { PoolSettings } from './settings.ts';
import type { Slot } from './slots.ts';

export interface SchedulerOptions {
  readonly backends: readonly Backend[];
  readonly settings: PoolSettings;
  readonly store: Pick<Store, 'setting' | 'putSetting'>;
  readonly contention: Pick<Contention, 'write'>;
  readonly offers: Pick<Offers, 'known' | 'onChange'>;
  readonly monitor: Pick<BackendMonitor, 'views' | 'onHeard'>;
  /** Throws BACKEND_NOT_FOUND: nothing takes such a step. */
  readonly demandTaker: (memory: RunMemory, kind: Backend['kind']) => Backend;
  /** Begins a stored run. */
  readonly begin: (runId: string) => void;
  /** Milliseconds between looks at a backend that is to let go of a shared graphics card. */
  readonly lookMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface Scheduler {
  readonly places: Omit<Places, 'onAssumedLost' | 'workerDied'>;
  /** A run that begins when its turn comes. `isNew`: it has just been accepted. */
  enqueue(run: RunHead, isNew?: boolean): void;
  /** A run that has begun before, with the attempts that are still out. */
  know(run: RunHead, attempts: readonly AttemptRow[]): void;
  /** Takes a run out that has not begun; false when it has. */
  withdraw(runId: string): boolean;
  /** Begins a run before its turn: it asks for nothing that another one waits for. Not while the queue is paused. */
  hasten(runId: string): void;
  has(runId: string): boolean;
  /** Rows of attempts as they change. */
  note(rows: readonly AttemptRow[]): void;
  /** It waits for a person: until there is a pick it asks for no place. */
  asks(runId: string): void;
  ended(runId: string): void;
  /** Everything that was stored is known: from here on places are handed out. */
  open(): void;
  /** Throws STORAGE_BUSY, and then goes on. */
  pause(): Promise<void>;
  /** Throws STORAGE_BUSY, and then stays paused. */
  resume(): Promise<void>;
  status(): { readonly paused: boolean; readonly waitingRuns: number; readonly waitingItems: number };
  /** A person or a policy has decided that nothing of a backend that does not answer is left. */
  givenUp(backendId: string): void;
  /** Attempts of ours on a backend. */
  on(backendId: string): readonly Slot[];
  /** What a view of a backend tells beyond what the backend itself says. */
  loadOf(backendId: string): Pick<BackendView, 'inFlight' | 'ahead' | 'gpu' | 'models'>;
  close(): void;
}
