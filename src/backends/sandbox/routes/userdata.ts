/** /userdata: small files that the front end keeps, below user/default/. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HttpFailure, readBody, type Route, sendEmpty, sendJson } from '../http.ts';
import type { ServerState } from '../server-state.ts';

export function userdataRoutes({ environment }: ServerState): Route[] {
  const base = path.join(environment.storage.dir, 'user', 'default');
  mkdirSync(base, { recursive: true });
  const root = realpathSync(base);

  const resolve = (name: string): string => {
    const full = path.resolve(root, name.replaceAll('\\', '/'));
    if (name.includes('\0') || !full.startsWith(root + path.sep)) throw new HttpFailure(403, { error: 'The path leaves the user folder.' });
    let parent = path.dirname(full);
    while (!existsSync(parent)) parent = path.dirname(parent);
    const real = existsSync(full) ? realpathSync(full) : realpathSync(parent);
    if (real !== root && !real.startsWith(root + path.sep)) throw new HttpFailure(403, { error: 'The path leaves the user folder.' });
    return full;
  };
  const existing = (name: string): string => {
    const file = resolve(name);
    if (!existsSync(file) || !statSync(file).isFile()) throw new HttpFailure(404, { error: 'There is no such file.' });
    return file;
  };
  const describe = (file: string): Record<string, string | number> => {
    const { size, mtimeMs, birthtimeMs } = statSync(file);
    return { path: relative(file), size, modified: Math.floor(mtimeMs), created: Math.floor(birthtimeMs) };
  };
  const relative = (file: string): string => path.relative(root, file).split(path.sep).join('/');

  return [
    {
      method: 'GET',
      pattern: '/userdata',
      handler({ response, query }) {
        const dir = query.get('dir');
        if (dir === null || dir === '') throw new HttpFailure(400, { error: 'Directory not provided' });
        const folder = resolve(dir);
        if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new HttpFailure(404, { error: 'There is no such folder.' });
        const recursive = query.get('recurse') === 'true';
        const files = readdirSync(folder, { recursive, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name));
        const inFolder = (file: string): string => path.relative(folder, file).split(path.sep).join('/');
        if (query.get('full_info') === 'true')
          return sendJson(
            response,
            files.map((file) => ({ ...describe(file), path: inFolder(file) })),
          );
        if (query.get('split') === 'true')
          return sendJson(
            response,
            files.map((file) => [inFolder(file), ...inFolder(file).split('/')]),
          );
        sendJson(response, files.map(inFolder));
      },
    },
    {
      method: 'GET',
      pattern: '/userdata/{file}',
      handler({ response, params }) {
        const bytes = readFileSync(existing(params['file'] ?? ''));
        response
          .writeHead(200, {
            'Content-Type': 'application/octet-stream',
            'X-Content-Type-Options': 'nosniff',
            'Content-Length': bytes.length,
          })
          .end(bytes);
      },
    },
    {
      method: 'POST',
      pattern: '/userdata/{file}',
      async handler(call) {
        const file = resolve(call.params['file'] ?? '');
        if (call.query.get('overwrite') === 'false' && existsSync(file)) throw new HttpFailure(409, { error: 'File already exists' });
        const bytes = await readBody(call);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, bytes);
        sendJson(call.response, call.query.get('full_info') === 'true' ? describe(file) : relative(file));
      },
    },
    {
      method: 'DELETE',
      pattern: '/userdata/{file}',
      handler({ response, params }) {
        rmSync(existing(params['file'] ?? ''));
        sendEmpty(response, 204);
      },
    },
    {
      method: 'POST',
      pattern: '/userdata/{file}/move/{dest}',
      handler({ response, params, query }) {
        const source = existing(params['file'] ?? '');
        const target = resolve(params['dest'] ?? '');
        if (query.get('overwrite') === 'false' && existsSync(target)) throw new HttpFailure(409, { error: 'File already exists' });
        mkdirSync(path.dirname(target), { recursive: true });
        renameSync(source, target);
        sendJson(response, query.get('full_info') === 'true' ? describe(target) : relative(target));
      },
    },
  ];
}
