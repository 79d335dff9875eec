/** The last door before a file leaves this machine: whatever was judged before, without consent nothing goes, and what goes is written down. */
import type { Backend } from '#backends/contract.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { Logger } from '../log.ts';
import { isElsewhere } from './consents.ts';
import type { Consents } from './consents.ts';

/** Its `upload` throws CONSENT_NEEDED. */
export function guardUploads(backend: Backend, consents: Pick<Consents, 'allows'>, log: Pick<Logger, 'info'>): Backend {
  if (!isElsewhere(backend.url)) return backend;
  // Everything else, getters and methods alike, stays that of the backend itself.
  return new Proxy(backend, {
    get(target, name) {
      if (name === 'upload') return upload;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

  async function upload(...[file, signal]: Parameters<Backend['upload']>): Promise<string> {
    if (!consents.allows(backend.url)) throw consentNeeded(backend, file.path);
    log.info({ backend: backend.id, url: backend.url, path: file.path, sha256: file.sha256 }, 'a file is sent to another machine');
    return backend.upload(file, signal);
  }
}

function consentNeeded({ id, url }: Backend, path: string): CallsheetError {
  return new CallsheetError('CONSENT_NEEDED', `The file ${path} would be sent to ${url}, another machine, and nobody has allowed that.`, {
    hint: `Allow it once: callsheet backends allow ${id}`,
  });
}
