import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { mockStation } from '../../lib/mock';
import { Refused, type Station } from '../../lib/station';
import { show } from '../../testing/host';
import Backups from './Backups.svelte';
import Profiles from './Profiles.svelte';

test('a backup is made and stands in the list', async () => {
  const { heard } = show(Backups, '#/settings');
  await screen.findByText('None yet');
  await fireEvent.click(screen.getByRole('button', { name: 'Back up now' }));
  await screen.findByText(/ ago\)/);
  expect(heard.commands).toEqual([{ command: 'backup_now' }]);
  await screen.findByText('All copies (2)');
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
