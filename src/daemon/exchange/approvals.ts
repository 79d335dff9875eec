/**
 * Which imported templates a person has approved, by content. A file and not a table: it fails closed, survives a rebuilt database,
 * is read without opening one, and can be looked at and taken back with an editor. The lock of the data directory keeps other writers out.
 */
import { readFileSync, renameSync } from 'node:fs';
import { isCode, writeWhole } from '#results/durable.ts';
import type { Logger } from '../log.ts';

export interface Approval {
  readonly id: string;
  readonly version: string;
  /** sha256 over manifest and workflows: any change of them makes another. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Approvals {
  has(hash: string): boolean;
  /** Answers once it is on disk. */
  add(approval: Approval): Promise<void>;
}

/** A file that cannot be read as approvals approves nothing; it is moved aside and told. */
export function openApprovals(file: string, log: Pick<Logger, 'warn'>): Approvals {
  const approved = new Map(readApprovals(file, log).map((approval) => [approval.hash, approval]));
  let writing: Promise<unknown> = Promise.resolve();
  return {
    has: (hash) => approved.has(hash),
    async add(approval) {
      const turn = writing.then(async () => {
        const next = [...approved.values(), approval].filter((one, at, all) => all.findLastIndex(({ hash }) => hash === one.hash) === at);
        await writeWhole(file, `${JSON.stringify({ format: 1, approved: next }, null, 2)}\n`);
        approved.set(approval.hash, approval);
      });
      writing = turn.catch(() => undefined);
      await turn;
    },
  };
}

// --- helpers ---

function readApprovals(file: string, log: Pick<Logger, 'warn'>): readonly Approval[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT'))
      log.warn({ err: error, file }, 'the approvals of imported templates cannot be read; all of them wait again');
    return [];
  }
  try {
    const { format, approved } = JSON.parse(text) as { readonly format?: unknown; readonly approved?: unknown };
    if (format !== 1 || !Array.isArray(approved)) throw new Error('it has another form');
    return approved.filter(isApproval);
  } catch (error) {
    const aside = `${file}.damaged`;
    log.warn({ err: error, file, movedTo: aside }, 'the approvals of imported templates are damaged; all of them wait again');
    renameSync(file, aside);
    return [];
  }
}

function isApproval(value: unknown): value is Approval {
  if (typeof value !== 'object' || value === null) return false;
  const { id, version, hash, at } = value as Readonly<Record<string, unknown>>;
  return (
    typeof id === 'string' &&
    typeof version === 'string' &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof at === 'number'
  );
}
