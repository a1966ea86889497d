/**
 * Keeps the pace of a batch: its deployments are asked for when it opens and whenever another board
 * began or was finished, at most every few seconds.
 */
import type { Desk } from '../context';
import { ask } from '../station';
import type { Batch, HistoryFilter } from '../wire';
import { paceOf, type Pace } from './eta';

const PAUSE_MS = 3000;

export const noFilter: HistoryFilter = {
  board: null,
  batch: null,
  product: null,
  venue: null,
  stage: null,
  since: null,
  until: null,
  text: null,
  limit: 0,
  offset: 0,
};

export class Pacer {
  pace: Pace = $state.raw(paceOf([]));
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: () => Desk,
    private readonly batch: () => Batch | undefined,
  ) {
    const moves = $derived.by(() => {
      const batch = this.batch();
      if (!batch) return '';
      const { done, running, failed } = batch.counters;
      return [batch.id, done, running, failed].join();
    });
    $effect(() => {
      if (moves === '') return;
      clearTimeout(this.#timer);
      const wait = Math.max(0, this.#asked + PAUSE_MS - Date.now());
      this.#timer = setTimeout(() => void this.#ask(), wait);
    });
    $effect(() => () => clearTimeout(this.#timer));
  }

  async #ask() {
    const batch = this.batch();
    if (!batch) return;
    this.#asked = Date.now();
    const { station, bench } = this.desk();
    try {
      const found = await ask(station, bench, {
        query: 'history',
        ...noFilter,
        batch: batch.id,
        limit: 1000,
      });
      this.pace = paceOf(found);
    } catch {
      // Without it the outlook is drawn from progress alone.
    }
  }
}
