/** Adopts a workflow with the node classes of a backend: the daemon asks it. */
import type { Adopted } from '#templates/adopt.ts';
import { backendOption, chooseBackend } from './choose-backend.ts';
import type { Arguments } from './command.ts';
import type { Io } from './io.ts';
import { openSession } from './open-session.ts';
import { upload } from './upload-media.ts';

/** `path` is absolute, `name` what the file is called in the template. Without `--backend` the first backend is asked. Throws BACKEND_UNREACHABLE. */
export async function adoptAtBackend(path: string, name: string, suggest: boolean, args: Arguments, io: Io): Promise<Adopted> {
  const option = backendOption(args);
  const session = await openSession(args, io, { scratch: true, backends: option?.own ?? [] });
  try {
    const chosen = await chooseBackend(session, option);
    const backend = chosen ?? (await session.client.call('backend/list')).backends.find(({ kind }) => kind !== 'wan2gp')?.id;
    const file = `asset:${await upload(path, session)}`;
    const answer = await session.client.call('template/adopt', { file, name, suggest, ...(backend === undefined ? {} : { backend }) });
    return { ...answer, manifest: answer.manifest, foreign: false };
  } finally {
    await session.close();
  }
}
