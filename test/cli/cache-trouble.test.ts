// A result cache whose place cannot be used: whoever asks is told why.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cacheCommand } from '#cli/commands/cache.ts';
import { checkDaemon } from '#cli/doctor/data-directory.ts';
import { parseArguments } from '#cli/parse-arguments.ts';
import { openPlace } from '../daemon/exchange/exchange-harness.ts';
import { createFakeIo } from './fake-io.ts';

it('is told by `callsheet cache`, the doctor and daemon/status, and by none of them where all is well', async () => {
  await using place = await openPlace();
  const env = { HOME: place.dir, CALLSHEET_DATA: place.data, CALLSHEET_RUNTIME_DIR: join(place.dir, 'rt') };
  const said = async () => {
    const io = createFakeIo({ env });
    await cacheCommand.run(parseArguments(cacheCommand, []), io);
    const findings = await checkDaemon(place.data, createFakeIo({ env }));
    const { cache } = await place.client.call('daemon/status', {});
    return { text: io.stdout(), finding: findings.find(({ check }) => check === 'cache'), trouble: cache.trouble };
  };
  expect(await said()).toEqual({ text: expect.stringMatching(/^0 results kept, /), finding: undefined, trouble: undefined });
  const folder = join(place.data, 'cache', 'results');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  await place.restart();
  const { text, finding, trouble } = await said();
  expect(trouble).toContain(folder);
  expect(text).toContain(`The result cache does not work: ${trouble ?? ''}. Runs go on; what they make is not kept.\n0 results kept, `);
  expect(finding).toMatchObject({ status: 'warning', message: expect.stringContaining(trouble ?? '-') });
});
