import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { show } from '../../testing/host';
import ImagesPage from './ImagesPage.svelte';

test('a dropped file is proposed with its version, and imported', async () => {
  const { heard } = show(ImagesPage, '#/images?add=%2Fdata%2Fkart-2026.12.img.xz');
  const dialog = await screen.findByRole('dialog');
  expect(await within(dialog).findByLabelText('File')).toHaveValue('/data/kart-2026.12.img.xz');
  expect(within(dialog).getByLabelText('Version')).toHaveValue('2026.12');
  await fireEvent.change(within(dialog).getByLabelText('Product'), { target: { value: 'KXP2' } });
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Import' }));
  await screen.findByRole('progressbar', { name: 'Import of kart-2026.12.img.xz' });
  expect(heard.commands).toMatchObject([
    { command: 'image_add', path: '/data/kart-2026.12.img.xz', version: '2026.12', activate: true },
  ]);
  await waitFor(() => expect(location.hash).toBe('#/images'));
});

test('a dropped file that is no image says why', async () => {
  show(ImagesPage, '#/images?add=%2Fdata%2Fnotes.txt');
  const dialog = await screen.findByRole('dialog');
  const path = await within(dialog).findByLabelText('File');
  await waitFor(() => expect(path).toHaveAccessibleDescription(/notes\.txt is not a disk image/));
});

test('going back to an older image asks first', async () => {
  const { heard } = show(ImagesPage, '#/images');
  await fireEvent.click(await screen.findByRole('button', { name: 'Roll back to this: 2026.09' }));
  const dialog = await screen.findByRole('dialog');
  expect(heard.commands).toEqual([]);
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Roll back to this' }));
  await screen.findByText('Version 2026.09 is active now.');
  expect(heard.commands).toMatchObject([{ command: 'image_activate' }]);
});

test('a failed import says why until it is put aside', async () => {
  show(ImagesPage, '#/images');
  expect(await screen.findByText(/this is not an image of a whole disk/)).toBeInTheDocument();
  await fireEvent.click(screen.getByRole('button', { name: 'Dismiss: holiday.iso' }));
  await waitFor(() => expect(screen.queryByText(/holiday\.iso/)).toBeNull());
});
