/** The version as package.json says it; the file lies at the same place beside src/ and dist/. */
import { readFileSync } from 'node:fs';

export const VERSION: string = (() => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
})();
