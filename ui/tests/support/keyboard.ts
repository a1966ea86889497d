/** A person who has no mouse: everything is reached by Tab and pressed by Enter or Space. */
import { expect } from 'vitest';
import type { Locator, Page } from 'playwright-core';

/** No page has more places than this where Tab stops. */
const MOST = 150;

export class Keyboard {
  constructor(private readonly page: Page) {}

  /** Goes on by Tab until it is there. */
  async to(what: Locator) {
    await what.waitFor();
    for (let times = 0; times < MOST; times += 1) {
      if (await has(what)) return;
      await this.page.keyboard.press('Tab');
    }
    expect.fail(`Tab does not lead to ${String(what)}`);
  }

  /** Presses a button or follows a link. */
  async press(name: string | RegExp, role: 'button' | 'link' = 'button') {
    const what = this.before()
      .getByRole(role, { name, exact: typeof name === 'string' })
      .first();
    await this.to(what);
    await this.page.keyboard.press('Enter');
  }

  /** What can be reached: an open dialog, or else the page. Looked for anew until it holds what is meant. */
  private before(): Locator {
    return this.page.locator('dialog[open], body:not(:has(dialog[open]))');
  }

  /** Puts a text into a field, instead of what was there. */
  async fill(label: string | RegExp, text: string) {
    await this.to(
      this.before()
        .getByLabel(label, { exact: typeof label === 'string' })
        .first(),
    );
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.type(text);
  }
}

/** Is it where the keyboard is, and can that be seen? */
async function has(what: Locator): Promise<boolean> {
  return what.evaluate((element) => {
    if (element !== document.activeElement) return false;
    if (!element.matches(':focus-visible')) throw new Error('Nobody can see where the keyboard is.');
    return true;
  });
}
