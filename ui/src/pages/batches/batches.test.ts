import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import BatchesPage from './BatchesPage.svelte';
import BatchWizard from './BatchWizard.svelte';
import { draft } from './wizard/draft.svelte';
import { t } from '../../lib/strings/en';
import { batch, stationWith } from '../../testing/boards';
import { show } from '../../testing/host';

beforeEach(() => draft.reset());
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }));

describe('the order of batches', () => {
  const three = [1, 2, 3].map((id) => batch({ id, rank: id }));
  async function list() {
    const { station, told } = stationWith({ batches: structuredClone(three) });
    show(BatchesPage, '#/', station);
    await screen.findByText('Batch 3: KXP2 for CORO');
    return told;
  }

  it('is changed with the arrow keys', async () => {
    const told = await list();
    const handle = screen.getByRole('button', { name: /Order of Batch 3.*number 3 of 3/ });
    await fireEvent.keyDown(handle, { key: 'ArrowUp' });
    expect(told).toEqual([{ command: 'batch_reorder', batch: 3, rank: 2 }]);
  });

  it('is changed with buttons, which end at the ends', async () => {
    const told = await list();
    expect(screen.getByRole('button', { name: /Move up: Batch 1/ })).toBeDisabled();
    await press(/Move down: Batch 1/);
    expect(told).toEqual([{ command: 'batch_reorder', batch: 1, rank: 2 }]);
  });

  it('a batch is cancelled only after asking', async () => {
    const told = await list();
    const [cancel] = screen.getAllByRole('button', { name: t.bench.batchDeeds.cancel });
    await fireEvent.click(cancel!);
    expect(told).toEqual([]);
    const dialog = screen.getByRole('dialog');
    await fireEvent.click(within(dialog).getByRole('button', { name: t.batches.cancel }));
    expect(told).toEqual([{ command: 'batch_cancel', batch: 1 }]);
  });
});

describe('the wizard', () => {
  const heading = () => screen.getByRole('heading', { level: 2 });
  /** To the next step, which comes once the station has nothing against this one. */
  async function goOn() {
    const before = heading().textContent;
    await press(t.common.next);
    await waitFor(() => expect(heading()).not.toHaveTextContent(before));
  }
  async function toNames() {
    const { station, told } = stationWith({});
    const shown = show(BatchWizard, '#/', station);
    await fireEvent.click(await screen.findByRole('radio', { name: /CORO/ }));
    await goOn();
    await fireEvent.click(screen.getByRole('radio', { name: /KXP2/ }));
    await goOn();
    return { told, shown };
  }
  const count = () => screen.getByLabelText(t.batches.count);

  it('shows the word of the station at the field and does not go on', async () => {
    await toNames();
    await fireEvent.input(count(), { target: { value: '0' } });
    expect(await screen.findByText('A batch has 1 to 1000 boards, not 0.')).toBeVisible();
    expect(count()).toHaveAttribute('aria-invalid', 'true');
    await press(t.common.next);
    expect(heading()).toHaveTextContent('Names');
  });

  it('keeps what was typed when going back, and when the page is left', async () => {
    const { shown } = await toNames();
    await fireEvent.input(count(), { target: { value: '7' } });
    await press(t.common.back);
    expect(screen.getByRole('radio', { name: /KXP2/ })).toBeChecked();
    await goOn();
    expect(count()).toHaveValue(7);
    shown.unmount();
    const { station } = stationWith({});
    show(BatchWizard, '#/', station);
    expect(count()).toHaveValue(7);
  });

  it('says exactly what will happen, then creates and starts', async () => {
    const { told } = await toNames();
    await fireEvent.input(count(), { target: { value: '5' } });
    await goOn();
    await fireEvent.click(screen.getByRole('radio', { name: /Overwrite foreign/ }));
    await fireEvent.input(screen.getByLabelText(t.batches.serials), {
      target: { value: '4c1f2a00\n4c1f2a01' },
    });
    await goOn();
    expect(await screen.findByText(/5 names from KXP2-CORO-\d+ on will be reserved now/)).toBeVisible();
    expect(screen.getByText(t.batches.willOverwrite)).toBeVisible();
    expect(screen.getByText(/only 2 listed serials/)).toBeVisible();
    const start = screen.getByRole('button', { name: t.batches.createStart });
    await waitFor(() => expect(start).toBeEnabled());
    await fireEvent.click(start);
    await waitFor(() => expect(told).toHaveLength(2));
    expect(told[0]).toMatchObject({
      command: 'batch_create',
      count: 5,
      reimage: 'overwrite_foreign',
      rules: { boards: ['4c1f2a00', '4c1f2a01'] },
    });
    expect(told[1]).toMatchObject({ command: 'batch_start' });
  });
});
