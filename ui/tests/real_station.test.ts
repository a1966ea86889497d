/** The page in a browser before a real station: the way of a batch, and what must not break it. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { t } from '../src/lib/strings/en';
import { openAt } from './support/login';
import { withBrowser } from './support/sitting';
import { smallImage, Station, TESS } from './support/station';

withBrowser();

let station: Station;
beforeAll(async () => {
  station = await Station.serving();
});
afterAll(async () => {
  await station.end();
});

it('leads without a mouse from a bare station to boards that are done', async () => {
  const { sitting, page, keys } = await openAt(station, '#/setup/image');

  await keys.fill(t.plans.code, 'kxp2');
  await keys.fill(t.plans.name, 'Kart display');
  await keys.press(t.plans.addProduct);
  await keys.fill(t.images.path, smallImage());
  await keys.press(t.images.start);
  await page.getByText(t.setup.image.found).waitFor({ timeout: 120_000 });
  await keys.press(t.setup.next);
  await page.getByRole('heading', { name: t.setup.steps.product, exact: true }).waitFor();
  await keys.press(t.setup.next);
  await keys.fill(t.plans.code, 'coro');
  await keys.fill(t.plans.name, 'Corona Raceway');
  await keys.press(t.plans.addVenue);
  await page.getByText(t.setup.kept('CORO')).waitFor();
  await keys.press(t.setup.next);
  await keys.fill(t.names.list, '1-3');
  await keys.press(/^Import 3/);
  await page.getByText(t.setup.names.kept).waitFor();
  await keys.press(t.setup.next);

  await keys.press(t.setup.batch.create, 'link');
  for (const step of t.batches.steps.slice(0, -1)) {
    await page.getByRole('heading', { name: step, exact: true }).waitFor();
    if (step === t.batches.steps[0] || step === t.batches.steps[1]) {
      await keys.to(page.getByRole('main').getByRole('radio').first());
      await page.keyboard.press('Space');
    }
    if (step === t.batches.steps[2]) await keys.fill(t.batches.count, '2');
    await keys.press(t.common.next);
  }
  await keys.press(t.batches.createStart);
  await page.getByText('is running. Power the boards now.').waitFor();

  await keys.press(t.pages.bench, 'link');
  const boards = station.boards(2);
  const tiles = page.getByRole('list', { name: t.bench.boards }).getByRole('listitem');
  await boards;
  const named = tiles
    .filter({ hasText: /KXP2-CORO-00[12]/ })
    .filter({ hasText: t.stages.first_boot_confirmed });
  await named.nth(1).waitFor();
  expect(await tiles.count()).toBe(2);

  const [first, second] = [tiles.nth(0).getByRole('link').first(), tiles.nth(1).getByRole('link').first()];
  await keys.to(first);
  await page.keyboard.press('ArrowRight');
  await keys.to(second);
  const name = /KXP2-CORO-00[12]/.exec(await tiles.nth(1).innerText())?.[0] ?? 'no name';
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name }).waitFor();

  await keys.press(t.pages.history, 'link');
  await page.getByText(name).first().waitFor();
  const saved = page.waitForEvent('download');
  await keys.press(/CSV/);
  expect((await saved).suggestedFilename()).toMatch(/\.csv$/);
  await sitting.end();
}, 300_000);

it('keeps what was typed while the station is away, and goes on when it is back', async () => {
  const { sitting, page } = await openAt(station, '#/plans');
  await page.getByRole('button', { name: t.plans.addVenue }).click();
  await page.getByLabel(t.plans.code, { exact: true }).fill('BRNO');
  await page.getByLabel(t.plans.name, { exact: true }).fill('Masaryk Circuit');
  await station.kill();
  await page.getByText(t.app.lost).waitFor();
  await station.start();
  await page.getByText(t.app.lost).waitFor({ state: 'hidden' });
  expect(await page.getByLabel(t.plans.name, { exact: true }).inputValue()).toBe('Masaryk Circuit');
  await page.getByRole('dialog').getByRole('button', { name: t.common.save }).click();
  await page.getByRole('main').getByText('Masaryk Circuit').waitFor();
  sitting.forgive(/ERR_CONNECTION_REFUSED|Failed to load resource|ERR_/);
  await sitting.end();
});

it('shows what a device says of itself as text, whatever it says', async () => {
  const { sitting, page } = await openAt(station, '#/bench');
  station.discovers('2c:cf:67:de:ad:01', '<img src=x onerror="document.title=1"><b>bold</b>');
  await page.getByText('<b>bold</b>').first().waitFor();
  const tile = page.getByRole('listitem').filter({ hasText: '2c:cf:67:de:ad:01' });
  await tile.getByRole('link').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByText('<b>bold</b>').first().waitFor();
  expect(await page.locator('b, img[src=x]').count()).toBe(0);
  expect(await page.title()).not.toBe('1');
  await sitting.end();
});

it('downloads everything in one file, which brings the station to another machine', async () => {
  const { sitting, page, keys } = await openAt(station, '#/settings');
  await keys.press(t.backups.archive.button);
  const download = page.waitForEvent('download');
  await keys.press(t.backups.archive.download);
  const file = join(station.folder, (await download).suggestedFilename());
  await (await download).saveAs(file);
  const elsewhere = await Station.restored(file);
  try {
    const images = (of: Station) => JSON.parse(of.cli(['--json', 'image', 'list'])) as unknown;
    expect(images(elsewhere)).toEqual(images(station));
  } finally {
    await elsewhere.end();
  }
  await sitting.end();
});

it('lets a person change the own password, by which the other logins end', async () => {
  const { sitting, page, keys } = await openAt(station, '#/bench');
  const other = await openAt(station, '#/bench');
  await keys.press(t.people.rail.password);
  await keys.fill(t.people.own.present, TESS.password);
  await keys.fill(t.people.own.password, 'staple battery horse');
  await keys.fill(t.people.own.again, 'staple battery horse');
  await keys.press(t.people.own.change);
  await page.getByText(t.people.own.changed).waitFor();
  await page.getByRole('navigation').getByText(TESS.name).waitFor();
  await other.page.getByRole('dialog', { name: t.people.login.title }).waitFor();
  other.sitting.forgive(/401/);
  await other.sitting.end();
  await sitting.end();
});
