/**
 * Every state of every page: a picture in every size, light and dark, and in each of them nothing overlaps,
 * is cut off or sticks out. The pictures are in tests/artefacts/browser/looks, to be looked at.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { flaws } from './support/layout';
import { artefacts } from './support/places';
import { sit, withBrowser } from './support/sitting';
import { STATES } from './support/states';

withBrowser();

/** Two screens, and each of them at 200 %: half as many pixels of the page. */
const SIZES = {
  '1280x720': { width: 1280, height: 720 },
  '1920x1080': { width: 1920, height: 1080 },
  '1920x1080-at-200': { width: 960, height: 540 },
  '1280x720-at-200': { width: 640, height: 360 },
};
const only = process.env.STATES ? new RegExp(process.env.STATES) : /./;

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  const folder = join(artefacts, 'looks', colorScheme);
  mkdirSync(folder, { recursive: true });

  it.each(STATES.filter((s) => only.test(s.name)).map((s) => [s.name, s] as const))('%s', async (name, state) => {
    const sitting = await sit(inject('madeUp'), { colorScheme, reducedMotion: 'reduce' });
    const { page } = sitting;
    await page.goto(inject('madeUp') + state.address);
    await page.locator('h1').first().waitFor();
    await state.then?.(page);
    const found: Record<string, string[]> = {};
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await page.screenshot({ path: join(folder, `${name}-${size}.png`) });
      const wrong = await flaws(page);
      if (wrong.length > 0) found[size] = wrong;
    }
    expect(found).toEqual({});
    await sitting.end();
  });
});
