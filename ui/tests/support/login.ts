/** Sits down before a station and logs in, without a mouse. */
import { t } from '../../src/lib/strings/en';
import { Keyboard } from './keyboard';
import { sit } from './sitting';
import { TESS, type Station } from './station';

export async function openAt(station: Station, address: string) {
  const sitting = await sit(station.origin);
  const { page } = sitting;
  const keys = new Keyboard(page);
  await page.goto(`${station.origin}/${address}`);
  await page.getByRole('dialog', { name: t.people.login.title }).waitFor();
  await keys.fill(t.people.login.name, TESS.name);
  await keys.fill(t.people.login.password, TESS.password);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').getByText(TESS.name).waitFor();
  // The browser notes that nothing was shown before the login.
  sitting.forgive(/401/);
  return { sitting, page, keys };
}
