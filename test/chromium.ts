/** The Chromium of this machine, headless, through playwright-core. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** CALLSHEET_CHROMIUM, else the first on PATH; undefined when there is none. */
export const CHROMIUM =
  process.env['CALLSHEET_CHROMIUM'] ??
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

if (CHROMIUM === undefined) {
  console.warn('SKIPPED: nothing is tried in a browser, because no Chromium is on PATH. Debian: apt-get install chromium.');
}

export function launchChromium(...args: readonly string[]): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium');
  // Its own sandbox needs rights that containers and root do not have.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...args] });
}
