import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { mockStation } from '../../lib/mock';
import type { Station } from '../../lib/station';
import { show } from '../../testing/host';
import SettingsPage from './SettingsPage.svelte';

test('quiet mode takes effect at once', async () => {
  const { heard } = show(SettingsPage, '#/settings');
  const quiet = await screen.findByRole('switch', { name: 'Quiet mode' });
  await waitFor(() => expect(screen.getByLabelText(/fewer free names/)).toHaveValue(5));
  await fireEvent.click(quiet);
  await screen.findByText('Quiet mode is on.');
  expect(heard.commands).toEqual([{ command: 'preferences_set', quiet: true, names_low: 5, disk_low: 5e9 }]);
  await waitFor(() => expect(quiet).toBeChecked());
});

test('the card with the default route warns, and needs to be meant', async () => {
  const { heard } = show(SettingsPage, '#/settings');
  const card = await screen.findByRole('radio', { name: /eth0/ });
  expect(card).toHaveAccessibleDescription(/leads to other networks \(default route\)/);
  expect(screen.getByRole('radio', { name: /wlan0/ })).toBeDisabled();
  await fireEvent.click(card);
  const use = await screen.findByRole('button', { name: 'Use eth0' });
  expect(use).toBeDisabled();
  await fireEvent.click(screen.getByLabelText(/Serve boards on this card all the same/));
  await waitFor(() => expect(use).toBeEnabled());
  await fireEvent.click(use);
  await screen.findByText('Boards are served on eth0.');
  expect(heard.commands).toMatchObject([
    { command: 'deployment_set', interface: 'eth0', force_default_route: true },
  ]);
});

test('another card takes the confirmation back', async () => {
  show(SettingsPage, '#/settings');
  await fireEvent.click(await screen.findByRole('radio', { name: /eth0/ }));
  await fireEvent.click(await screen.findByLabelText(/Serve boards on this card all the same/));
  await fireEvent.click(screen.getByRole('radio', { name: /eth1/ }));
  await fireEvent.click(screen.getByRole('radio', { name: /eth0/ }));
  expect(await screen.findByRole('button', { name: 'Use eth0' })).toBeDisabled();
});

test('what a file decides cannot be changed here, and the page says why', async () => {
  const mock = mockStation();
  const query: Station['query'] = async (bench, asked) => {
    const answer = await mock.query(bench, asked);
    if (answer.answer === 'settings') answer.value.deployment_fixed_by = 'the file station.toml';
    return answer;
  };
  show(SettingsPage, '#/settings', { query });
  await screen.findByText('This is decided by the file station.toml, and is changed there.');
  expect(screen.getByLabelText('Address of the station')).toHaveAttribute('readonly');
  expect(screen.getByRole('radio', { name: /eth1/ })).toBeDisabled();
  expect(screen.queryByRole('button', { name: /^Use/ })).toBeNull();
});
