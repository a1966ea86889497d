import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identity } from '../../lib/identity.svelte';
import type { Role, Session } from '../../lib/wire';
import { show } from '../../testing/host';
import BatchesPage from '../batches/BatchesPage.svelte';
import SettingsPage from '../settings/SettingsPage.svelte';
import Operators from './Operators.svelte';
import RecordPage from './RecordPage.svelte';

const as = (role: Role | null): Session => ({
  door: role ? 'login' : 'nobody',
  name: role && 'tess',
  role,
  open: false,
  operators: true,
  until: null,
});
beforeEach(() => identity.take(as('admin')));
afterEach(() => identity.forget());

test('an administrator adds an operator, and a weak password is refused at its field', async () => {
  const { heard } = show(Operators, '#/settings');
  expect(await screen.findByRole('row', { name: /tess.*Operator/ })).toBeVisible();
  await fireEvent.click(screen.getByRole('button', { name: 'Add an operator' }));
  const dialog = await screen.findByRole('dialog', { name: 'Add an operator' });
  const field = (label: string) => within(dialog).getByLabelText(label);
  await fireEvent.input(field('Name'), { target: { value: 'bess' } });
  await fireEvent.change(field('Role'), { target: { value: 'viewer' } });
  await fireEvent.input(field('Password'), { target: { value: 'short' } });
  await within(dialog).findByText('A password has at least 10 characters.');
  const add = within(dialog).getByRole('button', { name: 'Add an operator' });
  expect(add).toBeDisabled();
  await fireEvent.input(field('Password'), { target: { value: 'four words in a row' } });
  await waitFor(() => expect(add).toBeEnabled());
  await fireEvent.click(add);
  await screen.findByText('bess may log in now.');
  expect(heard.commands).toEqual([
    { command: 'operator_add', name: 'bess', role: 'viewer', password: 'four words in a row' },
  ]);
  expect(await screen.findByRole('row', { name: /bess.*Viewer/ })).toBeVisible();
});

test('the last administrator stays, and the role that was chosen goes back', async () => {
  show(Operators, '#/settings');
  const role = await screen.findByLabelText('Role of ada');
  await fireEvent.change(role, { target: { value: 'viewer' } });
  await screen.findByText('ada is the last administrator.');
  expect(role).toHaveValue('admin');
});

test('removing asks first and says what stays', async () => {
  const { heard } = show(Operators, '#/settings');
  const row = await screen.findByRole('row', { name: /wall/ });
  await fireEvent.click(within(row).getByRole('button', { name: 'Remove' }));
  const dialog = await screen.findByRole('dialog', { name: 'Remove wall?' });
  expect(within(dialog).getByText(/stays on the record/)).toBeVisible();
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Remove' }));
  await waitFor(() => expect(screen.queryByRole('row', { name: /wall/ })).toBeNull());
  expect(heard.commands).toEqual([{ command: 'operator_remove', name: 'wall' }]);
});

test('an operator is told that operators are an administrator’s', async () => {
  identity.take(as('operator'));
  const { heard } = show(SettingsPage, '#/settings');
  await screen.findByRole('heading', { name: 'Operators' });
  await screen.findByText(/Only an administrator may do this/);
  expect(heard.queries.map((q) => q.query)).not.toContain('operators');
});

test('a button that a viewer may not press says why, and does nothing', async () => {
  identity.take(as('viewer'));
  const { heard } = show(BatchesPage, '#/batches');
  const [pause] = await screen.findAllByRole('button', { name: 'Pause' });
  expect(pause).toHaveAttribute('aria-disabled', 'true');
  expect(pause).toHaveAttribute('title', expect.stringContaining('viewer'));
  if (pause) await fireEvent.click(pause);
  await screen.findByText(/Ask an administrator for the role operator/);
  expect(heard.commands).toEqual([]);
});

test('the record is asked in pages and filtered by the station', async () => {
  const { heard } = show(RecordPage, '#/record');
  expect(await screen.findByRole('table', { name: 'Who did what' })).toHaveAttribute('aria-rowcount', '201');
  await fireEvent.change(screen.getByLabelText('Result'), { target: { value: 'refused' } });
  await waitFor(() =>
    expect(heard.queries.at(-1)).toMatchObject({ query: 'deeds', outcome: 'refused', before: null }),
  );
  await fireEvent.input(screen.getByLabelText(/Person, address/), { target: { value: 'nobody at all' } });
  await screen.findByText('Nothing matches');
  await fireEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  await screen.findByRole('table', { name: 'Who did what' });
});
