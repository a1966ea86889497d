/**
 * One person before one browser window. A sitting notes everything that must never happen on the page,
 * whatever it shows: an error in the console, a break of the content policy, a request that leaves the
 * origin. Ask `faults()` at the end of a test.
 */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let shared: Browser | undefined;

/** Starts the browser of a test file and ends it. */
export function withBrowser() {
  beforeAll(async () => {
    shared = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: FLAGS,
    });
  });
  afterAll(async () => {
    await shared?.close();
    shared = undefined;
  });
}

export interface Sitting {
  page: Page;
  /** Everything that must not happen and did. */
  faults: string[];
  /** Sets down what was said since, for a test that provokes an error on purpose. */
  forgive(what: RegExp): void;
  end(): Promise<void>;
}

export async function sit(origin: string, options: BrowserContextOptions = {}): Promise<Sitting> {
  if (!shared) throw new Error('withBrowser() was not called.');
  const context = await shared.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const sitting: Sitting = {
    page: await context.newPage(),
    faults: [],
    forgive(what) {
      sitting.faults = sitting.faults.filter((fault) => !what.test(fault));
    },
    async end() {
      await context.close();
      expect(sitting.faults).toEqual([]);
    },
  };
  const { page } = sitting;
  page.setDefaultTimeout(10_000);
  await context.route('**/*', (route) => {
    const { origin: asked, protocol } = new URL(route.request().url());
    if (asked === origin || protocol === 'data:' || protocol === 'blob:') return route.continue();
    sitting.faults.push(`a request left the origin: ${route.request().url()}`);
    return route.abort();
  });
  await page.exposeFunction('brokenPolicy', (text: string) => sitting.faults.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const said = `policy ${event.effectiveDirective} broken by ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`;
      void (window as unknown as { brokenPolicy(text: string): void }).brokenPolicy(said);
    });
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) sitting.faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => sitting.faults.push(`error on the page: ${error.message}`));
  page.on('dialog', (dialog) => {
    sitting.faults.push(`a dialog of the browser: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return sitting;
}
