/**
 * Deployments, fetched in pages as one scrolls. Every page is asked up to the moment at which the
 * first was: what begins meanwhile shifts nothing, and is counted as newer.
 */
import type { Desk } from '../../lib/context';
import { ask, refusalOf } from '../../lib/station';
import type { Deployment, HistoryFilter, Refusal } from '../../lib/wire';

const PAGE = 200;

export class Pager {
  rows: Deployment[] = $state.raw([]);
  /** How many there are; `null` before the station said so. */
  total: number | null = $state(null);
  /** How many began since the first page was asked. */
  newer = $state(0);
  refusal: Refusal | null = $state.raw(null);
  #filter: HistoryFilter | null = null;
  #turn = 0;
  #busy = false;

  constructor(private readonly desk: () => Desk) {}

  /** Begins anew with another filter. The old rows stay until the new ones are there. */
  async begin(filter: HistoryFilter) {
    const turn = ++this.#turn;
    this.#filter = filter;
    this.#busy = true;
    const { station, bench } = this.desk();
    try {
      const [rows, total] = await Promise.all([
        ask(station, bench, { query: 'history', ...filter, limit: PAGE }),
        ask(station, bench, { query: 'history_count', ...filter }),
      ]);
      if (turn !== this.#turn) return;
      this.rows = rows;
      this.total = total;
      this.newer = 0;
      this.refusal = null;
    } catch (error) {
      if (turn === this.#turn) this.refusal = refusalOf(error);
    } finally {
      if (turn === this.#turn) this.#busy = false;
    }
  }

  /** Fetches the next page, when there is one. */
  async more() {
    if (this.#busy || !this.#filter || this.rows.length >= (this.total ?? 0)) return;
    const turn = this.#turn;
    this.#busy = true;
    const { station, bench } = this.desk();
    try {
      const next = { ...this.#filter, limit: PAGE, offset: this.rows.length };
      const rows = await ask(station, bench, { query: 'history', ...next });
      if (turn !== this.#turn) return;
      if (rows.length) this.rows = [...this.rows, ...rows];
      else this.total = this.rows.length;
    } catch (error) {
      if (turn === this.#turn) this.refusal = refusalOf(error);
    } finally {
      if (turn === this.#turn) this.#busy = false;
    }
  }

  /** Counts what began since. */
  async lookForNewer() {
    const filter = this.#filter;
    if (!filter?.until || this.#busy) return;
    const turn = this.#turn;
    const { station, bench } = this.desk();
    try {
      const after = { ...filter, since: Math.max(filter.until, filter.since ?? 0), until: null };
      const newer = await ask(station, bench, { query: 'history_count', ...after });
      if (turn === this.#turn) this.newer = newer;
    } catch {
      // The next look says it; the rows that are shown are still right.
    }
  }
}
