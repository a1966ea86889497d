/** Rows of the record, newest first, fetched in pages as one scrolls. */
import type { Desk } from '../../lib/context';
import { ask, refusalOf } from '../../lib/station';
import type { Deed, DeedFilter, Refusal } from '../../lib/wire';

export const PAGE = 200;
type Wanted = Pick<DeedFilter, 'text' | 'outcome'>;

export class Record {
  /** Nothing before the station has answered. */
  rows: Deed[] | null = $state.raw(null);
  refusal: Refusal | null = $state.raw(null);
  #wanted: Wanted = { text: null, outcome: null };
  #turn = 0;
  #busy = false;
  #all = false;

  constructor(private readonly desk: () => Desk) {}

  /** Begins anew with another filter. The old rows stay until the new ones are there. */
  async begin(wanted: Wanted) {
    this.#wanted = wanted;
    this.#all = false;
    await this.#fetch(null);
  }

  /** Fetches the next page, when there is one. */
  async more() {
    const last = this.rows?.at(-1);
    if (!this.#busy && !this.#all && last) await this.#fetch(last.id);
  }

  async #fetch(before: number | null) {
    const turn = ++this.#turn;
    this.#busy = true;
    const { station } = this.desk();
    try {
      const query = { query: 'deeds' as const, who: null, ...this.#wanted, before, limit: PAGE };
      // The record is the station's own: a rehearsal has none that stays.
      const rows = await ask(station, 'real', query);
      if (turn !== this.#turn) return;
      this.#all = rows.length < PAGE;
      this.rows = before === null ? rows : [...(this.rows ?? []), ...rows];
      this.refusal = null;
    } catch (error) {
      if (turn === this.#turn) this.refusal = refusalOf(error);
    } finally {
      if (turn === this.#turn) this.#busy = false;
    }
  }
}
