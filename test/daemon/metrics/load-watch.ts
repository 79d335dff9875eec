/** Loaded with `--import`: writes down every module that the process resolves, for tests that say what must not be loaded. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env['CALLSHEET_TEST_LOADED'] ?? '';

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (found.url.includes('/node_modules/')) appendFileSync(file, `${found.url}\n`);
    return found;
  },
});
