import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { identity } from '../../lib/identity.svelte';
import { mockStation } from '../../lib/mock';
import { World } from '../../lib/mock/world';
import { Refused, type Station } from '../../lib/station';
import { bytes } from '../../lib/words';
import { show } from '../../testing/host';
import Backups from './Backups.svelte';
import Profiles from './Profiles.svelte';

/** The size of all packs of the made-up station. */
const mockPacks = () => new World(0, false).snapshot.images.reduce((sum, image) => sum + image.pack_bytes, 0);

test('a backup is made and stands in the list', async () => {
  const { heard } = show(Backups, '#/settings');
  await screen.findByText('None yet');
  await fireEvent.click(screen.getByRole('button', { name: 'Back up now' }));
  await screen.findByText(/ ago\)/);
  expect(heard.commands).toEqual([{ command: 'backup_now' }]);
  await screen.findByText('All copies (2)');
});

test('everything is downloaded after it was said how large and how secret it is', async () => {
  const asked: boolean[] = [];
  const archive: Station['archive'] = (packs) => {
    asked.push(packs);
    return Promise.resolve({ path: null, name: 'punnet-1.punnet' });
  };
  show(Backups, '#/settings', { archive });
  const open = async () => {
    await fireEvent.click(await screen.findByRole('button', { name: 'Download everything…' }));
    return within(await screen.findByRole('dialog', { name: 'Download everything in one file' }));
  };
  let dialog = await open();
  dialog.getByText(/holds the station’s keys and the hashes of all passwords/);
  dialog.getByText(/punnet restore FILE/);
  const packed = mockPacks();
  await dialog.findByText(`About ${bytes(packed)}.`);
  await fireEvent.click(dialog.getByRole('button', { name: 'Download' }));
  await screen.findByText('punnet-1.punnet is being downloaded.');
  expect(screen.queryByRole('dialog')).toBeNull();
  dialog = await open();
  await fireEvent.click(dialog.getByLabelText('With the packs of the images'));
  await dialog.findByText('A few megabytes.');
  await fireEvent.click(dialog.getByRole('button', { name: 'Download' }));
  await waitFor(() => expect(asked).toEqual([true, false]));
});

test('an archive that is refused says why, and the dialog stays', async () => {
  const refusal = { code: 'conflict' as const, message: 'An archive is being downloaded already.' };
  show(Backups, '#/settings', { archive: () => Promise.reject(new Refused(refusal)) });
  await fireEvent.click(await screen.findByRole('button', { name: 'Download everything…' }));
  await fireEvent.click(await screen.findByRole('button', { name: 'Download' }));
  await screen.findByText('An archive is being downloaded already.');
  expect(screen.getByRole('dialog')).toBeVisible();
});

test('only an administrator downloads everything', async () => {
  identity.take({ door: 'login', name: 'tess', role: 'operator', open: false, operators: true, until: null });
  show(Backups, '#/settings');
  const button = await screen.findByRole('button', { name: 'Download everything…' });
  expect(button).toHaveAttribute('aria-disabled', 'true');
  identity.forget();
});

test('how the station is set is saved, looked at and applied', async () => {
  const { heard } = show(Profiles, '#/settings');
  await fireEvent.click(await screen.findByRole('button', { name: 'Save as a profile' }));
  await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'Hall 3' } });
  await fireEvent.change(await screen.findByLabelText('With the product'), { target: { value: 'KXP2' } });
  const saving = within(screen.getByRole('dialog'));
  await fireEvent.click(saving.getByRole('button', { name: 'Save' }));
  await screen.findByText('The profile Hall 3 is saved.');
  expect(heard.commands).toEqual([{ command: 'profile_save', name: 'Hall 3', product: 'KXP2', venue: null }]);
  await fireEvent.click(await screen.findByRole('button', { name: 'Apply: Hall 3' }));
  const dialog = await screen.findByRole('dialog', { name: 'Apply Hall 3' });
  await within(dialog).findByText('The station is set like that already.');
  await fireEvent.click(screen.getByRole('button', { name: 'Export: Hall 3' }));
  await waitFor(() => expect(heard.documents).toEqual([{ document: 'profile', name: 'Hall 3' }]));
});

test('a profile that would hurt a batch is not applied, and the page says why', async () => {
  const mock = mockStation();
  const refusal = {
    code: 'conflict' as const,
    message: 'Batch 1 takes boards on eth1.',
    next: 'Pause it first.',
  };
  const query: Station['query'] = async (bench, asked) => {
    if (asked.query === 'try') return { answer: 'try', value: { would: 'refuse', refusal } };
    return mock.query(bench, asked);
  };
  await mock.command('real', { command: 'profile_save', name: 'Hall 3', product: null, venue: null });
  show(Profiles, '#/settings', { query });
  await fireEvent.click(await screen.findByRole('button', { name: 'Apply: Hall 3' }));
  const dialog = await screen.findByRole('dialog');
  await within(dialog).findByText('Batch 1 takes boards on eth1. Pause it first.');
  expect(within(dialog).getByRole('button', { name: 'Apply' })).toBeDisabled();
});

test('a file that is wrong is refused by its lines and nothing is lost', async () => {
  const command: Station['command'] = () =>
    Promise.reject(new Refused({ code: 'invalid', message: 'line 3, column 1: did you mean address?' }));
  show(Profiles, '#/settings', { command });
  const file = new File(['profile = 1'], 'hall.toml');
  const picker = await screen.findByLabelText('Import a file', { selector: 'input' });
  await fireEvent.change(picker, { target: { files: [file] } });
  await screen.findByText('line 3, column 1: did you mean address?');
});
