import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import { identity } from '../lib/identity.svelte';
import { Live } from '../lib/live.svelte';
import { mockStation } from '../lib/mock';
import { Refused, type Station } from '../lib/station';
import type { Session } from '../lib/wire';
import LoginAsk from './LoginAsk.svelte';
import OwnPassword from './OwnPassword.svelte';
import Toasts from './Toasts.svelte';
import WhoIsHere from './WhoIsHere.svelte';

const nobody: Session = {
  door: 'nobody',
  name: null,
  role: null,
  open: false,
  operators: true,
  until: null,
};
afterEach(() => {
  identity.forget();
  identity.changesPassword = false;
});

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

/** Somebody logged in, who opened the dialog for another password. */
async function changing(change: Partial<Station> = {}) {
  const station = { ...mockStation(), ...change };
  identity.take({ ...nobody, door: 'login', name: 'tess', role: 'viewer' });
  render(WhoIsHere, { station });
  render(OwnPassword, { station });
  render(Toasts);
  await fireEvent.click(await screen.findByRole('button', { name: 'Change your password…' }));
  await screen.findByRole('dialog', { name: 'Change your password' });
  return async (present: string, password: string, again: string) => {
    const fill = (label: string, value: string) =>
      fireEvent.input(screen.getByLabelText(label), { target: { value } });
    await fill('Present password', present);
    await fill('New password', password);
    await fill('New password, again', again);
    await fireEvent.click(screen.getByRole('button', { name: 'Change the password' }));
  };
}

test('whoever is logged in changes their own password', async () => {
  const heard: string[][] = [];
  const mock = mockStation();
  const fill = await changing({
    changePassword: (...typed) => (heard.push(typed), mock.changePassword?.(...typed) ?? Promise.reject()),
  });
  expect(screen.getByRole('button', { name: 'Change the password' })).toBeDisabled();
  await fill('correct horse', 'four words in a row', 'four words in a row');
  await screen.findByText('Your password is changed. Your other logins have ended.');
  expect(screen.queryByRole('dialog', { name: 'Change your password' })).toBeNull();
  expect(heard).toEqual([['correct horse', 'four words in a row']]);
  await fireEvent.click(screen.getByRole('button', { name: 'Change your password…' }));
  expect(screen.getByLabelText('Present password')).toHaveValue('');
});

test('what is wrong with a password stands at its field, and nothing typed is lost', async () => {
  const fill = await changing();
  const field = (label: string) => screen.getByLabelText(label);
  const wrong = async (label: string, words: RegExp) => {
    await waitFor(() => expect(field(label)).toHaveAccessibleDescription(words));
    expect(field(label)).toHaveFocus();
    expect(document.querySelectorAll('[aria-invalid]')).toHaveLength(1);
  };
  await fill('correct horse', 'four words in a row', 'four words in a rov');
  await wrong('New password, again', /not the same/);
  await fill('guess', 'four words in a row', 'four words in a row');
  await wrong('Present password', /present password is wrong/);
  expect(field('New password')).toHaveValue('four words in a row');
  await fill('correct horse', 'short', 'short');
  await wrong('New password', /at least 10 characters/);
});

test('whoever guesses too often is told to wait', async () => {
  const wait = new Refused({ code: 'too_many', message: 'Too much was asked.', next: 'Try again in 3 s.' });
  const fill = await changing({ changePassword: () => Promise.reject(wait) });
  await fill('guess', 'four words in a row', 'four words in a row');
  await waitFor(() => expect(screen.getByRole('alert')).toHaveTextContent('Try again in 3 s.'));
});

test('who has no password is offered no other', async () => {
  const station = mockStation();
  identity.take({ ...nobody, door: 'token', role: 'admin' });
  render(WhoIsHere, { station });
  await screen.findByText('With the operator token');
  expect(screen.queryByRole('button', { name: 'Change your password…' })).toBeNull();
});
