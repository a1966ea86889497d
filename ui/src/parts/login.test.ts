import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import { identity } from '../lib/identity.svelte';
import { Live } from '../lib/live.svelte';
import { mockStation } from '../lib/mock';
import type { Station } from '../lib/station';
import type { Session } from '../lib/wire';
import LoginAsk from './LoginAsk.svelte';
import WhoIsHere from './WhoIsHere.svelte';

const nobody: Session = {
  door: 'nobody',
  name: null,
  role: null,
  open: false,
  operators: true,
  until: null,
};
afterEach(() => identity.forget());

async function asked(session: Session): Promise<Station> {
  const station = { ...mockStation(), session: () => Promise.resolve(session) };
  await identity.look(station);
  render(LoginAsk, { station, live: new Live(station, 'real') });
  return station;
}

test('a page that shows nothing without a login asks for it until it is right', async () => {
  await asked(nobody);
  const dialog = await screen.findByRole('dialog', { name: 'Log in' });
  expect(screen.queryByRole('button', { name: 'Close' })).toBeNull();
  const cancel = new Event('cancel', { cancelable: true });
  dialog.dispatchEvent(cancel);
  expect(cancel.defaultPrevented).toBe(true);
  const enter = screen.getByRole('button', { name: 'Log in' });
  expect(enter).toBeDisabled();
  await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'tess' } });
  await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'guess' } });
  await fireEvent.click(enter);
  await waitFor(() => expect(screen.getByRole('alert')).toHaveTextContent('is wrong'));
  expect(screen.getByLabelText('Name')).toHaveValue('tess');
  expect(screen.getByLabelText('Password')).toHaveValue('');
  await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'correct horse' } });
  await fireEvent.click(enter);
  await waitFor(() => expect(screen.queryByRole('dialog', { name: 'Log in' })).toBeNull());
  expect(identity.may('operator')).toBe(true);
  expect(identity.may('admin')).toBe(false);
});

test('where nobody can log in yet, the page says how the first administrator is made', async () => {
  await asked({ ...nobody, operators: false });
  expect(await screen.findByText('punnet operator add NAME --role admin')).toBeVisible();
  expect(screen.getByLabelText('Operator token')).toBeVisible();
});

test('whoever may look can go on looking', async () => {
  await asked({ ...nobody, open: true });
  expect(screen.queryByRole('dialog', { name: 'Log in' })).toBeNull();
  identity.refused();
  await screen.findByRole('dialog', { name: 'Log in' });
  await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog', { name: 'Log in' })).toBeNull());
});

test('the rail says who is logged in', async () => {
  const station = mockStation();
  identity.take({ ...nobody, door: 'login', name: 'tess', role: 'operator' });
  render(WhoIsHere, { station });
  expect(await screen.findByText('tess, operator')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Log out' })).toBeVisible();
});
