/**
 * Looks a state of the page over, as a technician with good or weak eyes has it before them: a picture in
 * every size, light, dark and in the colours a system forces upon pages. In none of them does anything
 * overlap, stick out or get cut off, and axe finds no barrier against WCAG 2.2 AA.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject, it } from 'vitest';
import { barriers } from './axe';
import { flaws } from './layout';
import { artefacts } from './places';
import { sit } from './sitting';
import type { State } from './states';

/** Two screens, and each of them at 200 %: half as many pixels of the page. */
const SIZES = {
  '1280x720': { width: 1280, height: 720 },
  '1920x1080': { width: 1920, height: 1080 },
  '1920x1080-at-200': { width: 960, height: 540 },
  '1280x720-at-200': { width: 640, height: 360 },
};

const drawn = (page: Page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

async function look(page: Page, { name, crowd }: State): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const note = (where: string, wrong: string[]) => {
    if (wrong.length > 0) found[where] = wrong;
  };
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const folder = join(artefacts, 'looks', colorScheme);
    mkdirSync(folder, { recursive: true });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await drawn(page);
      await page.screenshot({ path: join(folder, `${name}-${size}.png`) });
      // Colours move nothing.
      if (colorScheme === 'light') note(size, await flaws(page));
    }
    await page.setViewportSize(SIZES['1280x720']);
    if (crowd) continue;
    note(colorScheme, await barriers(page, colorScheme === 'dark'));
    await page.emulateMedia({ contrast: 'more' });
    note(`${colorScheme}, more contrast`, await barriers(page, true));
    await page.emulateMedia({ contrast: null });
  }
  await page.emulateMedia({ forcedColors: 'active' });
  await page.screenshot({ path: join(artefacts, 'looks', 'dark', `${name}-forced.png`) });
  return found;
}

const only = process.env.STATES ? new RegExp(process.env.STATES) : /./;

/** One test for each state. */
export function lookOver(states: State[]) {
  const chosen = states.filter((state) => only.test(state.name));
  it.each(chosen.map((state) => [state.name, state] as const))('%s', async (_, state) => {
    const origin = inject('madeUp');
    const sitting = await sit(origin, { reducedMotion: 'reduce' });
    const { page } = sitting;
    await page.goto(origin + state.address);
    await page.locator('h1').first().waitFor();
    await state.then?.(page);
    expect(await look(page, state)).toEqual({});
    await sitting.end();
  });
}
