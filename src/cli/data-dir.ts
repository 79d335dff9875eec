/** Which data directory a command means: `--data`, else CALLSHEET_DATA, else the one of this user. */
import { resolve } from 'node:path';
import { defaultDataDir } from '#daemon/places.ts';
import type { Arguments } from './command.ts';
import type { Io } from './io.ts';

export function dataDirOf(args: Arguments, io: Io): string {
  const given = args.text('data');
  return given === undefined ? defaultDataDir(io.env) : resolve(io.cwd, given);
}
