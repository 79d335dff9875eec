/** Saved answers of a server's `/object_info`: beside a workflow, in the directory of templates, or kept by the daemon. */
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from './source-files.ts';
import { stampOf } from './stamp.ts';

export const OBJECT_INFO_FILE = 'object_info.json';

export interface NamedInfo {
  readonly info: ObjectInfo;
  /** How it is called in `origin` and messages. */
  readonly name: string;
}

/** A server's answer has some megabytes; few are in use at one time. */
const MAX_KEPT = 4;
const NOT_THERE = stampOf(['']).text;
const kept = new Map<string, { readonly stamp: string; readonly info: ObjectInfo | undefined }>();

/** The first that is there and can be read. */
export function savedInfo(places: readonly string[]): NamedInfo | undefined {
  for (const path of places) {
    const stamp = stampOf([path]).text;
    if (stamp === NOT_THERE) continue;
    let known = kept.get(path);
    if (known?.stamp !== stamp) {
      const read = readTextFile(path, MAX_WORKFLOW_BYTES);
      known = { stamp, info: 'text' in read ? parseObjectInfo(read.text).info : undefined };
    }
    kept.delete(path);
    kept.set(path, known);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    if (known.info !== undefined) return { info: known.info, name: OBJECT_INFO_FILE };
  }
  return undefined;
}
