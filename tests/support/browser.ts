/** A headless Chromium for tests of pages. */
import { type Browser, chromium } from 'playwright-core';
import { cleanup, type Scope } from './cleanup.js';
import { provisionChromium } from './provision.js';

/** Starts a browser, which closes with the test or the file. A hook that calls it needs `PROVISION_TIMEOUT_MS`. */
export async function openBrowser({ scope }: { readonly scope?: Scope } = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: provisionChromium(),
    // Chromium's sandbox does not work as root, and tests often run as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  cleanup(() => browser.close(), scope);
  return browser;
}
