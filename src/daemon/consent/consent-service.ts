/** What clients see of the consent to send files to other machines, and how they change it. */
import type { Backend } from '#backends/contract.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { BackendView } from '#protocol/views.ts';
import { backendById } from '../takers.ts';
import { isElsewhere } from './consents.ts';
import type { Consents } from './consents.ts';

export interface ConsentService {
  takesFiles(this: void, id: string): boolean;
  /** The view with `takesFiles`, where the backend is on another machine. */
  shown(this: void, view: BackendView): BackendView;
  /** Throws BACKEND_NOT_FOUND, STORAGE_FAILED. */
  set(id: string, allowed: boolean): Promise<{ readonly id: string; readonly url: string; readonly takesFiles: boolean }>;
}

export interface ConsentServiceOptions {
  readonly backends: readonly Backend[];
  readonly consents: Consents;
  readonly decided: (id: string) => void;
}

export function createConsentService({ backends, consents, decided }: ConsentServiceOptions): ConsentService {
  const takesFiles = (id: string): boolean => consents.allows(backendById(backends, id).url);
  return {
    takesFiles,
    shown: (view) => (view.url !== undefined && isElsewhere(view.url) ? { ...view, takesFiles: takesFiles(view.id) } : view),
    async set(id, allowed) {
      const { url } = backendById(backends, id);
      // On this machine there is nothing to decide.
      if (isElsewhere(url)) {
        await consents.set(url, allowed).catch((error: unknown) => {
          throw new CallsheetError('STORAGE_FAILED', 'The consent could not be written down.', {
            hint: 'Check the free space and the rights of the data directory.',
            cause: error,
          });
        });
        decided(id);
      }
      return { id, url, takesFiles: consents.allows(url) };
    },
  };
}
