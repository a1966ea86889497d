/**
 * Everything about one board, asked for when its page opens and again whenever the live board changes
 * its stage or stops being quiet; not more often than every two seconds.
 */
import type { Desk } from '../../lib/context';
import { ask, refusalOf } from '../../lib/station';
import type { Refusal, Sheet } from '../../lib/wire';

const PAUSE_MS = 2000;

export class SheetOf {
  sheet: Sheet | null = $state.raw(null);
  refusal: Refusal | null = $state.raw(null);
  #asked = 0;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: () => Desk,
    private readonly id: () => string,
  ) {
    let shown = '';
    const moves = $derived.by(() => {
      const { live } = this.desk();
      const board = live.boards.get(this.id());
      return [this.id(), live.line === 'up', board?.stage, board?.attempt, board?.stalled?.since].join();
    });
    $effect(() => {
      void moves;
      if (shown !== this.id()) {
        shown = this.id();
        this.sheet = null;
        this.refusal = null;
        this.#asked = 0;
      }
      clearTimeout(this.#timer);
      const wait = Math.max(0, this.#asked + PAUSE_MS - Date.now());
      this.#timer = setTimeout(() => void this.#ask(), wait);
    });
    $effect(() => () => clearTimeout(this.#timer));
  }

  async #ask() {
    const turn = ++this.#turn;
    this.#asked = Date.now();
    const { station, bench } = this.desk();
    try {
      const sheet = await ask(station, bench, { query: 'sheet', board: this.id() });
      if (turn === this.#turn) [this.sheet, this.refusal] = [sheet, null];
    } catch (error) {
      // What was known stays on the page when only the line was lost.
      if (turn === this.#turn) this.refusal = refusalOf(error);
    }
  }
}
