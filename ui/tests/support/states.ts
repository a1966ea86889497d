/**
 * Every page of the made-up station in every state that looks different, dialogs included. Who adds a page
 * or a dialog adds it here, and it is looked at, measured and checked with the others.
 */
import type { Page } from 'playwright-core';
import { t } from '../../src/lib/strings/en';

export interface State {
  /** Also the name of its pictures. */
  name: string;
  /** What stands behind the origin. */
  address: string;
  /** A crowd: looked at, but made of what is checked elsewhere, and slow to check. */
  crowd?: boolean;
  /** How one gets there from the address. */
  then?: (page: Page) => Promise<unknown>;
}

const press =
  (name: string | RegExp, at = 0) =>
  (page: Page) =>
    page
      .getByRole('button', { name, exact: typeof name === 'string' })
      .nth(at)
      .click();
/** Goes through the wizard up to a step, from 0. */
const wizard = (step: number) => async (page: Page) => {
  const go = page.getByRole('button', { name: t.common.next, exact: true });
  for (let at = 0; at < step; at += 1) {
    if (at < 2) await page.locator('main input[type=radio]').first().check({ force: true });
    await go.click();
    await page.getByRole('heading', { name: t.batches.steps[at + 1] ?? '' }).waitFor();
  }
};
const list = async (page: Page) => {
  await page.getByRole('radio', { name: t.bench.list }).check({ force: true });
  await page.getByRole('table').waitFor();
};
/** Two points make a line: the plot of the throughput comes after two seconds. */
const plotted = (page: Page) => page.locator('.uplot canvas').waitFor();
const firstRow = async (page: Page) => page.locator('[role=row].item').first().click();

const BOARD = '#/board/4c1f2a';

export const STATES: State[] = [
  { name: 'bench', address: '/#/bench', then: plotted },
  { name: 'bench-1', address: '/?boards=1#/bench' },
  { name: 'bench-8', address: '/?boards=8#/bench' },
  { name: 'bench-100', address: '/?boards=100#/bench', crowd: true, then: plotted },
  { name: 'bench-empty', address: '/?boards=0#/bench' },
  { name: 'bench-odd', address: '/?odd#/bench' },
  { name: 'bench-trouble', address: '/?trouble#/bench' },
  { name: 'bench-list', address: '/#/bench', then: list },
  { name: 'bench-list-odd', address: '/?odd#/bench', then: list },
  { name: 'bench-list-100', address: '/?boards=100#/bench', crowd: true, then: list },
  {
    name: 'bench-nothing-found',
    address: '/#/bench',
    then: (page) => page.getByRole('searchbox').fill('no such board'),
  },
  { name: 'bench-keys', address: '/#/bench', then: (page) => page.keyboard.press('?') },
  { name: 'bench-release', address: '/#/bench', then: press(/^Release/) },
  { name: 'bench-labels', address: '/#/bench', then: press(t.bench.labels) },
  { name: 'bench-extend', address: '/#/bench', then: press(t.bench.batchDeeds.extend) },
  {
    name: 'bench-place',
    address: '/#/bench',
    then: press(/Add place/),
  },
  { name: 'wall', address: '/#/wall' },
  { name: 'wall-8', address: '/?boards=8#/wall' },
  { name: 'wall-100', address: '/?boards=100#/wall', crowd: true },
  { name: 'wall-empty', address: '/?boards=0#/wall' },
  { name: 'wall-odd', address: '/?odd#/wall' },
  { name: 'board-at-work', address: `/${BOARD}0b` },
  { name: 'board-failed', address: `/${BOARD}04` },
  { name: 'board-held', address: `/?odd${BOARD}00` },
  { name: 'board-to-come', address: `/${BOARD}00` },
  { name: 'board-put-on-hold', address: `/?odd${BOARD}0a` },
  { name: 'board-done', address: `/${BOARD}02` },
  { name: 'board-gone', address: '/#/board/00000000' },
  { name: 'board-label', address: `/${BOARD}02`, then: press(t.board.label) },
  { name: 'batches', address: '/#/batches' },
  { name: 'batches-none', address: '/?fresh#/batches' },
  { name: 'batches-cancel', address: '/#/batches', then: press(t.bench.batchDeeds.cancel) },
  { name: 'batch', address: '/#/batch/1' },
  { name: 'batch-waiting', address: '/#/batch/2' },
  { name: 'batch-gone', address: '/#/batch/77' },
  { name: 'wizard-venue', address: '/#/new-batch' },
  { name: 'wizard-product', address: '/#/new-batch', then: wizard(1) },
  { name: 'wizard-names', address: '/#/new-batch', then: wizard(2) },
  {
    name: 'wizard-names-wrong',
    address: '/#/new-batch',
    then: async (page) => {
      await wizard(2)(page);
      await page.getByRole('spinbutton').fill('9000');
      await page.locator('[aria-invalid=true]').waitFor();
    },
  },
  { name: 'wizard-rules', address: '/#/new-batch', then: wizard(3) },
  { name: 'wizard-review', address: '/#/new-batch', then: wizard(4) },
  { name: 'wizard-fresh', address: '/?fresh#/new-batch' },
  { name: 'images', address: '/#/images' },
  {
    name: 'images-inside',
    address: '/#/images',
    then: (page) => page.getByText(t.images.inside).first().click(),
  },
  { name: 'images-none', address: '/?fresh#/images' },
  { name: 'images-add', address: '/#/images?add=%2Fmedia%2Fusb%2Fkart-2027.01.img.xz' },
  { name: 'images-remove', address: '/#/images', then: press(/^Remove/) },
  { name: 'images-roll-back', address: '/#/images', then: press(/^Roll back/) },
  { name: 'plans', address: '/#/plans' },
  { name: 'plans-none', address: '/?fresh#/plans' },
  { name: 'plans-product', address: '/#/plans', then: press(t.plans.addProduct) },
  {
    name: 'plans-product-wrong',
    address: '/#/plans',
    then: async (page) => {
      await press(t.plans.addProduct)(page);
      await page.getByRole('textbox', { name: t.plans.code }).fill('no good');
      await page.locator('[aria-invalid=true]').first().waitFor();
    },
  },
  { name: 'plans-venue', address: '/#/plans', then: press(t.plans.addVenue) },
  { name: 'plans-archive', address: '/#/plans', then: press(/Archive/) },
  { name: 'names', address: '/#/names' },
  { name: 'names-none', address: '/?fresh#/names' },
  { name: 'names-import', address: '/#/names', then: press(t.names.import) },
  {
    name: 'names-import-wrong',
    address: '/#/names',
    then: async (page) => {
      await press(t.names.import)(page);
      await page.getByRole('textbox', { name: t.names.list }).fill('1-20, 7000-7010, 20000, x');
      await page.getByText(t.names.verdicts.error, { exact: true }).first().waitFor();
    },
  },
  { name: 'names-sheet', address: '/#/names', then: firstRow },
  { name: 'history', address: '/#/history' },
  {
    name: 'history-figures',
    address: '/#/history',
    then: press(t.history.figures),
  },
  { name: 'history-none', address: '/?fresh#/history' },
  {
    name: 'history-nothing-found',
    address: '/#/history',
    then: async (page) => {
      await page.getByRole('searchbox').fill('no such thing');
      await page.getByText(t.history.nothingTitle).waitFor();
    },
  },
  { name: 'health', address: '/#/health' },
  { name: 'health-trouble', address: '/?trouble#/health' },
  { name: 'health-fresh', address: '/?fresh#/health' },
  {
    name: 'health-tested',
    address: '/#/health',
    then: async (page) => {
      await press(t.health.selfTestRun)(page);
      await page.getByRole('button', { name: t.health.selfTestRun, disabled: false }).waitFor();
    },
  },
  { name: 'settings', address: '/#/settings' },
  { name: 'settings-backed-up', address: '/#/settings', then: press(t.backups.now) },
  { name: 'settings-archive', address: '/#/settings', then: press(t.backups.archive.button) },
  { name: 'settings-profile', address: '/#/settings', then: press(t.profiles.save) },
  { name: 'settings-operator', address: '/#/settings', then: press(t.people.operators.add) },
  { name: 'settings-viewer', address: '/?as=viewer#/settings' },
  { name: 'bench-viewer', address: '/?as=viewer#/bench' },
  { name: 'password', address: '/?as=viewer#/bench', then: press(t.people.rail.password) },
  {
    name: 'password-wrong',
    address: '/?as=viewer#/bench',
    then: async (page) => {
      await press(t.people.rail.password)(page);
      await page.getByLabel(t.people.own.present, { exact: true }).fill('not it');
      await page.getByLabel(t.people.own.password, { exact: true }).fill('four words in a row');
      await page.getByLabel(t.people.own.again, { exact: true }).fill('four words in a row');
      await page.keyboard.press('Enter');
      await page.locator('[aria-invalid=true]').waitFor();
    },
  },
  { name: 'record', address: '/#/record' },
  { name: 'login', address: '/?login#/bench' },
  {
    name: 'login-wrong',
    address: '/?login#/bench',
    then: async (page) => {
      await page.getByLabel(t.people.login.name, { exact: true }).fill('tess');
      await page.getByLabel(t.people.login.password, { exact: true }).fill('not it');
      await page.keyboard.press('Enter');
      await page.getByText('The name or the password is wrong.').waitFor();
    },
  },
  { name: 'guide', address: '/#/setup' },
  { name: 'guide-fresh', address: '/?fresh#/setup' },
  { name: 'rehearse', address: '/#/rehearse' },
  {
    name: 'rehearse-at-work',
    address: '/#/rehearse',
    then: press(t.rehearse.start),
  },
  { name: 'rehearsal-bench', address: '/#/rehearsal/bench' },
  { name: 'rehearsal-wall', address: '/#/rehearsal/wall' },
  { name: 'rehearsal-board', address: '/#/rehearsal/board/4c1f2a02' },
];

/** Two files look at them, so that two browsers do it at once. */
export const aboutBoards = (state: State) => /^(bench|wall|board|rehears)/.test(state.name);
