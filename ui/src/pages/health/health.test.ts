import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { show } from '../../testing/host';
import HealthPage from './HealthPage.svelte';

test('DHCP is stopped with one button, and started again', async () => {
  const { heard } = show(HealthPage, '#/health');
  const [stop] = await screen.findAllByRole('button', { name: 'Stop DHCP' });
  if (!stop) throw new Error('there is no such button');
  await fireEvent.click(stop);
  await screen.findByText(/DHCP is stopped\. No board gets an address/);
  await fireEvent.click(await screen.findByRole('button', { name: 'Start DHCP' }));
  await screen.findByText('DHCP is starting.');
  expect(heard.commands).toEqual([
    { command: 'server_stop', server: 'dhcp' },
    { command: 'server_start', server: 'dhcp' },
  ]);
});

test('a restart stops first and starts then', async () => {
  const { heard } = show(HealthPage, '#/health');
  await fireEvent.click(await screen.findByRole('button', { name: 'Restart TFTP' }));
  await waitFor(() =>
    expect(heard.commands).toEqual([
      { command: 'server_stop', server: 'tftp' },
      { command: 'server_start', server: 'tftp' },
    ]),
  );
});

test('what was found comes with what to do', async () => {
  show(HealthPage, '#/health');
  await screen.findByText(/eth1 runs at 100 Mbit\/s/);
  expect(screen.getByText(/Use a gigabit switch/)).toBeInTheDocument();
});

test('the self-test says of each step what became of it and what to do', async () => {
  const { heard } = show(HealthPage, '#/health');
  await fireEvent.click(await screen.findByRole('button', { name: 'Run the self-test' }));
  await screen.findByText(/A board would not be served/);
  expect(screen.getByText(/would become KXP2-CORO-017/)).toBeInTheDocument();
  expect(screen.getByText('Import the image again.')).toBeInTheDocument();
  expect(screen.getAllByText('Not run').length).toBe(1);
  expect(heard.queries).toContainEqual({ query: 'self_test' });
});

test('the packets are saved with one button', async () => {
  const { heard } = show(HealthPage, '#/health');
  await fireEvent.click(await screen.findByRole('button', { name: 'Save packets' }));
  await waitFor(() => expect(heard.documents).toEqual([{ document: 'packets' }]));
});
