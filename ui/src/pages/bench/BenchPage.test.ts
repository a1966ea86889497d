import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import BenchPage from './BenchPage.svelte';
import { HOLDS } from '../../lib/mock/bench';
import { t } from '../../lib/strings/en';
import { batch, board, stationWith } from '../../testing/boards';
import { show } from '../../testing/host';
import type { Board, Snapshot } from '../../lib/wire';

beforeEach(() => localStorage.clear());

async function bench(boards: Board[], change: Partial<Snapshot> = {}) {
  const { station, told } = stationWith({ boards, batches: [batch()], ...change });
  show(BenchPage, '#/', station);
  if (boards.length > 0) await screen.findByRole('list', { name: t.bench.boards });
  return told;
}
const tile = (id: string) => document.querySelector<HTMLElement>(`[data-tile="${id}"]`)!;

describe('a tile', () => {
  it.each(HOLDS.map((hold) => [hold.kind, hold] as const))('held for %s says why', async (_, hold) => {
    await bench([board({ stage: 'on_hold', hold })]);
    expect(within(tile('4c1f2a00')).getByText(t.hold(hold), { exact: false })).toBeVisible();
  });

  it('that waits for approval is approved from it', async () => {
    const told = await bench([board({ stage: 'on_hold', hold: HOLDS[0] ?? null })]);
    await fireEvent.click(screen.getByRole('button', { name: 'Approve: 4c1f2a00' }));
    expect(told).toEqual([{ command: 'board_approve', board: '4c1f2a00' }]);
  });

  it('held because its batch is paused leads to the batch', async () => {
    await bench([board({ stage: 'on_hold', hold: { kind: 'batch_paused', batch: 1 } })]);
    expect(screen.getByRole('link', { name: t.bench.ways.batch })).toHaveAttribute('href', '#/batch/1');
  });

  it('that failed says what and what next, where, and tries again', async () => {
    const failure = { stage: 'verifying' as const, what: 'It read back wrong.', next: 'Fit another card.' };
    const told = await bench([board({ stage: 'failed', hostname: 'KXP2-CORO-001', failure })]);
    expect(screen.getByText('It read back wrong. Fit another card.')).toBeVisible();
    expect(screen.getByRole('img', { name: /Step 5 of 7: Verify, failed here/ })).toBeVisible();
    await fireEvent.click(screen.getByRole('button', { name: 'Try again: KXP2-CORO-001' }));
    expect(told).toEqual([{ command: 'board_retry', board: '4c1f2a00' }]);
  });

  it('that went quiet says since when and what to look at', async () => {
    await bench([board({ stage: 'writing', stalled: { since: 0, advice: 'Check its cable.' } })]);
    expect(screen.getByText(/Quiet for .* Check its cable\./)).toBeVisible();
  });

  it('that is not ours can be accepted by its MAC', async () => {
    const told = await bench([board({ stage: 'not_ours' })]);
    await fireEvent.click(screen.getByRole('button', { name: /Accept it/ }));
    expect(told).toEqual([{ command: 'board_accept', mac: '2c:cf:67:00:00:01' }]);
  });

  it('says how far it is, how fast, how long and what limits it', async () => {
    await bench([board({ stage: 'writing', progress: { done: 1e9, total: 2e9, rate: 1e8, limit: 'disk' } })]);
    const words = tile('4c1f2a00').textContent?.replace(/\s+/g, ' ');
    expect(words).toContain('1.0 GB of 2.0 GB · 100 MB/s');
    expect(words).toContain('10 s left · limited by its disk');
  });

  it('of a rehearsal says so', async () => {
    await bench([board({ rehearsal: true })]);
    expect(within(tile('4c1f2a00')).getByText(t.bench.virtual)).toBeVisible();
  });

  it('shows what a board says of itself as text, never as markup', async () => {
    await bench([board({ model: '<img src=x onerror=alert(1)>', place: '<b>Slot</b>' })]);
    expect(tile('4c1f2a00').querySelector('img, b')).toBeNull();
    expect(tile('4c1f2a00').textContent).toContain('<b>Slot</b>');
  });

  it('takes the place of its board, typed in it', async () => {
    const told = await bench([board()]);
    await fireEvent.click(screen.getByRole('button', { name: /Add place/ }));
    const field = screen.getByRole('textbox', { name: /Place of/ });
    await fireEvent.input(field, { target: { value: 'Port 7' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(told).toEqual([{ command: 'board_place', board: '4c1f2a00', place: 'Port 7' }]);
  });

  it('lets its board go only with a reason', async () => {
    const told = await bench([board({ hostname: 'KXP2-CORO-001', stage: 'done' })]);
    await fireEvent.click(screen.getByRole('button', { name: 'Release KXP2-CORO-001' }));
    const dialog = screen.getByRole('dialog', { name: 'Release KXP2-CORO-001?' });
    const yes = within(dialog).getByRole('button', { name: 'Release' });
    expect(yes).toBeDisabled();
    await fireEvent.input(within(dialog).getByLabelText(t.common.reason), { target: { value: 'broken' } });
    await fireEvent.click(yes);
    expect(told).toEqual([{ command: 'board_release', board: '4c1f2a00', reason: 'broken' }]);
  });
});

describe('the bench', () => {
  const crowd = [
    board({ id: 'a1', hostname: 'KXP2-CORO-001', stage: 'writing' }),
    board({ id: 'b2', stage: 'failed' }),
    board({ id: 'c3', hostname: 'KXP2-CORO-003', stage: 'done' }),
  ];

  it('filters by group and searches, and says when nothing is found', async () => {
    await bench(crowd);
    await fireEvent.click(screen.getByRole('radio', { name: /Needs you/ }));
    expect([...document.querySelectorAll('[data-tile]')].map((e) => e.getAttribute('data-tile'))).toEqual([
      'b2',
    ]);
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'coro-003' } });
    expect(screen.getByText(t.bench.nothingFound)).toBeVisible();
    await fireEvent.click(screen.getByRole('button', { name: t.bench.showAll }));
    expect(document.querySelectorAll('[data-tile]')).toHaveLength(3);
  });

  it('retries, identifies and moves by keys, with one board in the order of Tab', async () => {
    const told = await bench(crowd);
    const links = [...document.querySelectorAll<HTMLElement>('[data-roving]')];
    expect(links.map((link) => link.tabIndex)).toEqual([0, -1, -1]);
    links[0]?.focus();
    await fireEvent.keyDown(links[0]!, { key: 'ArrowRight' });
    expect(document.activeElement).toBe(links[1]);
    await fireEvent.keyDown(links[1]!, { key: 'r' });
    await fireEvent.keyDown(links[1]!, { key: 'i' });
    expect(told.map((c) => c.command)).toEqual(['board_retry', 'board_identify']);
    await fireEvent.keyDown(links[0]!, { key: 'r' });
    expect(told).toHaveLength(2);
  });

  it('says what its keys are', async () => {
    await bench(crowd);
    await fireEvent.keyDown(document.body, { key: '?' });
    expect(screen.getByRole('dialog', { name: t.bench.keysTitle })).toBeVisible();
  });

  it('sorts the list by a column, one way, the other way, and not at all', async () => {
    await bench(crowd);
    await fireEvent.click(screen.getByRole('radio', { name: t.bench.list }));
    const rows = () =>
      [...document.querySelectorAll('[data-board]')].map((e) => e.getAttribute('data-board'));
    const name = screen.getByRole('button', { name: t.bench.columns.hostname });
    await fireEvent.click(name);
    expect(rows()).toEqual(['a1', 'c3', 'b2']);
    await fireEvent.click(name);
    expect(rows()).toEqual(['c3', 'a1', 'b2']);
    await fireEvent.click(name);
    expect(rows()).toEqual(['a1', 'b2', 'c3']);
  });

  it('says what to plug when no board is there', async () => {
    await bench([], {
      servers: [{ server: 'dhcp', state: 'waiting_for_link', listen: '192.168.151.1:67 on eth1', since: 0 }],
    });
    expect(await screen.findByText(t.bench.noLinkTitle('eth1'))).toBeVisible();
  });
});
