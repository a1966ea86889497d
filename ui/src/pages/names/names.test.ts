import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { show } from '../../testing/host';
import NamesPage from './NamesPage.svelte';

async function open() {
  const shown = show(NamesPage, '#/names');
  const button = await screen.findByRole('button', { name: 'Import names' });
  await waitFor(() => expect(button).toBeEnabled());
  await fireEvent.click(button);
  const dialog = await screen.findByRole('dialog');
  const list = await within(dialog).findByLabelText('Numbers and ranges');
  const send = () => within(dialog).getByRole('button', { name: /^Import/ });
  return { ...shown, dialog, list, send };
}

test('an error is shown at its entry, and nothing can be imported', async () => {
  const { dialog, list, send, heard } = await open();
  await fireEvent.input(list, { target: { value: '6001-6003\n6010, 12a' } });
  const row = await within(dialog).findByRole('row', { name: /12a/ });
  expect(row).toHaveTextContent('2, column 7');
  expect(row).toHaveTextContent('neither a number nor a range');
  expect(within(dialog).getAllByRole('row')[1]).toBe(row);
  expect(list).toHaveAccessibleDescription(/Nothing is imported while an entry is wrong/);
  expect(dialog).toHaveTextContent('1 entry is wrong, 4 new');
  expect(send()).toBeDisabled();

  await fireEvent.input(list, { target: { value: '6001-6003, 1' } });
  await waitFor(() => expect(send()).toBeEnabled());
  expect(send()).toHaveTextContent('Import 3 names');
  expect(heard.commands).toEqual([]);
  await fireEvent.click(send());
  await screen.findByText('3 names imported; 1 was there already.');
  expect(heard.commands).toMatchObject([
    { command: 'names_import', source: { from: 'spec', text: '6001-6003, 1' }, dry_run: false },
  ]);
});

test('a CSV file is read and previewed', async () => {
  const { dialog } = await open();
  await fireEvent.click(within(dialog).getByLabelText('CSV'));
  const file = new File(['number\n7001\nx\n'], 'names.csv', { type: 'text/csv' });
  await fireEvent.change(within(dialog).getByLabelText('Choose a CSV file'), { target: { files: [file] } });
  const row = await within(dialog).findByRole('row', { name: /^3, column 1/ });
  expect(row).toHaveTextContent('Wrong');
});

test('the filter of the names is asked, and exported', async () => {
  const { heard } = show(NamesPage, '#/names?product=KXP2');
  await fireEvent.input(await screen.findByLabelText('Name, board or note'), { target: { value: ' 014 ' } });
  await fireEvent.change(screen.getByLabelText('State'), { target: { value: 'assigned' } });
  const wanted = { product: 'KXP2', venue: null, state: 'assigned', text: '014' };
  await waitFor(() => expect(heard.queries).toContainEqual({ query: 'names', ...wanted }));
  await fireEvent.click(screen.getByRole('button', { name: 'Export CSV' }));
  expect(heard.documents).toEqual([{ document: 'names_csv', ...wanted }]);
});
