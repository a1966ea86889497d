import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { show } from '../../testing/host';
import HistoryPage from './HistoryPage.svelte';

test('the filters of the address and of the page go into the question together', async () => {
  const { heard } = show(HistoryPage, '#/history?venue=CORO');
  await screen.findByText(/deployments$/);
  await fireEvent.change(screen.getByLabelText('Result'), { target: { value: 'failed' } });
  await fireEvent.input(screen.getByLabelText('Name, board, address or error'), {
    target: { value: 'card' },
  });
  await waitFor(() => expect(location.hash).toBe('#/history?venue=CORO&result=failed&text=card'));
  const wanted = { venue: 'CORO', stage: 'failed', text: 'card', product: null, batch: null, since: null };
  await waitFor(() => {
    expect(heard.queries).toContainEqual(
      expect.objectContaining({ query: 'history', ...wanted, limit: 200, offset: 0 }),
    );
    expect(heard.queries).toContainEqual(expect.objectContaining({ query: 'history_count', ...wanted }));
  });
  await fireEvent.click(screen.getByRole('button', { name: 'Export JSON' }));
  expect(heard.documents).toEqual([expect.objectContaining({ document: 'history_json', ...wanted })]);
});

test('where nothing matches, the filter can be cleared', async () => {
  show(HistoryPage, '#/history?text=nosuchboard');
  await screen.findByText('No deployment matches');
  await fireEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  await screen.findByText('500 deployments');
  expect(location.hash).toBe('#/history');
});
