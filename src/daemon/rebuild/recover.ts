/** After the store had to put another database in place of the one that was there: what is lost of it is made again, and what is not is said. */
import type { DaemonStatus } from '#protocol/methods/system.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Recovery, Store } from '#store/types.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import type { Logger } from '../log.ts';
import { RESTORED_SETTING } from '../run-memory.ts';
import { checkLater } from './check-later.ts';
import { rebuildRuns, type RebuildOptions } from './rebuild.ts';

/** As many are named in daemon/status; all of them are in run/list. */
const MOST_NAMED = 1000;

export interface Recovered {
  readonly report: NonNullable<DaemonStatus['recovery']>;
  /** Reads, in the background, what there was no time for. */
  check(tell: (runId: string, body: RunEventBody) => void, signal: AbortSignal): void;
}

export interface RecoverParts extends Pick<RebuildOptions, 'store' | 'outputDir' | 'storeId' | 'isOwn' | 'now'> {
  readonly recovery: Recovery;
  readonly library: Pick<TemplateLibrary, 'get'>;
  readonly log: Logger;
}

export async function recoverRuns({ recovery, library, log, ...parts }: RecoverParts): Promise<Recovered> {
  const { store, now } = parts;
  log.error({ recovery }, 'the database was lost; runs are made again of their files');
  const open = store.openRuns().length;
  // Whatever was sent for these runs after the backup is in no database: looks are taken before anything is sent again.
  store.putSetting(RESTORED_SETTING, String(Math.max(now(), newestOf(store))));
  const templateOf = (id: string, version: string, hash: string) => {
    const template = library.get(id, version)?.template;
    return template?.hash === hash ? JSON.stringify(template.source) : undefined;
  };
  const { runs, leftOut, unread } = await rebuildRuns({ ...parts, log, lostSince: recovery.lostSince, templateOf });
  log.warn({ rebuilt: runs.length, leftOut: leftOut.length, open }, 'runs were made again of their files');
  return {
    report: {
      ...recovery,
      rebuilt: runs.length,
      runs: runs.slice(0, MOST_NAMED).map(({ runId, template, status, files, missing, damaged }) => ({
        runId,
        template,
        status,
        files: [...files],
        missing: [...missing],
        damaged: [...damaged],
      })),
      leftOut: leftOut.slice(0, MOST_NAMED).map(({ runId, files, why }) => ({ runId, files: [...files], why })),
      open,
    },
    check(tell, signal) {
      checkLater(unread, tell, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, 'files of rebuilt runs could not be read');
      });
    },
  };
}

function newestOf(store: Pick<Store, 'runs'>): number {
  return store.runs({ limit: 1000 }).reduce((newest, { createdAt }) => Math.max(newest, createdAt), 0);
}
