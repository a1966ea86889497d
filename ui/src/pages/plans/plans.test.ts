import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { show } from '../../testing/host';
import PlansPage from './PlansPage.svelte';

test('the code of a venue is judged by the station while one types', async () => {
  const { heard } = show(PlansPage, '#/plans');
  await fireEvent.click(await screen.findByRole('button', { name: 'Add a venue' }));
  const dialog = await screen.findByRole('dialog');
  const code = within(dialog).getByLabelText('Code');
  expect(code).not.toHaveAttribute('aria-invalid');

  await fireEvent.input(code, { target: { value: 'CO' } });
  await waitFor(() => expect(code).toHaveAccessibleDescription(/exactly 4 letters or digits/));
  expect(code).toHaveAttribute('aria-invalid', 'true');
  await fireEvent.input(code, { target: { value: 'coro' } });
  await waitFor(() => expect(code).toHaveAccessibleDescription(/There is a venue CORO already/));

  await fireEvent.input(code, { target: { value: 'nova' } });
  await waitFor(() => expect(code).not.toHaveAttribute('aria-invalid'));
  expect(heard.commands).toEqual([]);
  await fireEvent.input(within(dialog).getByLabelText('Name'), { target: { value: 'Nova Track' } });
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  expect(await screen.findByRole('heading', { name: 'NOVA Nova Track' })).toBeInTheDocument();
});

test('a refused form keeps what was typed and goes to the field at fault', async () => {
  show(PlansPage, '#/plans');
  await fireEvent.click(await screen.findByRole('button', { name: 'Add a product' }));
  const dialog = await screen.findByRole('dialog');
  const name = within(dialog).getByLabelText('Name');
  await fireEvent.input(name, { target: { value: 'Scoreboard' } });
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  const code = within(dialog).getByLabelText('Code');
  await waitFor(() => expect(code).toHaveFocus());
  expect(code).toHaveAccessibleDescription(/1 to 16 letters/);
  expect(name).toHaveValue('Scoreboard');
});

test('a pattern is shown as a hostname', async () => {
  show(PlansPage, '#/plans');
  await fireEvent.click(await screen.findByRole('button', { name: 'Edit KXP2' }));
  const dialog = await screen.findByRole('dialog');
  const pattern = within(dialog).getByLabelText('Hostname pattern');
  expect(within(dialog).getByRole('status')).toHaveTextContent('KXP2-CORO-007');
  await fireEvent.input(pattern, { target: { value: '{venue}-{number:02}' } });
  expect(within(dialog).getByRole('status')).toHaveTextContent('CORO-07');
});
