/**
 * What the page knows of one bench at this moment: the folded watch, reconnecting by itself.
 *
 * Updates are gathered and folded once per frame, so that a hundred boards reporting at once cost one
 * rendering. Boards sit in a reactive map of their own: a tile renders again only when its own board
 * changed.
 */
import { SvelteMap } from 'svelte/reactivity';
import { fold, nothing } from './fold';
import type { Bench, Station } from './station';
import type { Board, Event, Snapshot, Update } from './wire';

/** Waits between attempts to connect again, in milliseconds; the last one repeats. */
const AGAIN_MS = [250, 500, 1000, 2000];
/** Points of the throughput plot: ten minutes, one a second. */
const PLOT = 600;

export class Live {
  /** Everything but the boards. */
  snapshot: Snapshot = $state.raw(nothing());
  readonly boards = new SvelteMap<string, Board>();
  /** `connecting` before the first snapshot; `lost` while the station does not answer. */
  line: 'connecting' | 'up' | 'lost' = $state('connecting');
  /** Why the line is down. */
  why = $state('');
  /** The newest events, newest first, at most 200. */
  events: Event[] = $state.raw([]);
  /** Counts changes of plans (products, venues, names, the NIC), for whoever has to ask again. */
  plans = $state(0);
  /** The time by the station's clock; moves once a second. */
  now = $state(Date.now());
  /** Bytes per second to all boards, one point a second: [milliseconds, rate]. */
  throughput: [number, number][] = $state.raw([]);

  /** Station's clock minus ours. */
  #skew = 0;
  #queue: Update[] = [];
  #frame = 0;
  #tries = 0;
  #end: () => void = () => {};
  #again: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly station: Station,
    readonly bench: Bench,
  ) {}

  start(): () => void {
    this.#connect();
    this.#tick = setInterval(() => this.#second(), 1000);
    return () => {
      clearInterval(this.#tick);
      clearTimeout(this.#again);
      this.#end();
    };
  }

  /** Connects again now, instead of waiting. */
  retry() {
    clearTimeout(this.#again);
    this.#end();
    this.#connect();
  }

  #connect() {
    this.#end = this.station.watch(
      this.bench,
      (update) => this.#take(update),
      (why) => {
        this.line = 'lost';
        this.why = why;
        const wait = AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)];
        this.#again = setTimeout(() => this.#connect(), wait);
      },
    );
  }

  #take(update: Update) {
    this.#queue.push(update);
    // A hidden page gets no frames and must not let the queue grow.
    if (document.hidden) this.#fold();
    else this.#frame ||= requestAnimationFrame(() => this.#fold());
  }

  #fold() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    let next = this.snapshot;
    let events = this.events;
    for (const update of this.#queue.splice(0)) {
      switch (update.update) {
        case 'snapshot':
          this.#skew = update.value.at - Date.now();
          this.now = update.value.at;
          this.line = 'up';
          this.#tries = 0;
          this.#replaceBoards(update.value.boards);
          next = { ...update.value, boards: [] };
          this.plans += 1;
          break;
        case 'board':
          this.boards.set(update.value.id, update.value);
          break;
        case 'board_gone':
          this.boards.delete(update.value);
          break;
        case 'plans':
          this.plans += 1;
          break;
        case 'event':
          events = [update.value, ...events].slice(0, 200);
          break;
        default:
          next = fold(next, update);
      }
    }
    this.snapshot = next;
    this.events = events;
  }

  #replaceBoards(boards: Board[]) {
    const here = new Set(boards.map((b) => b.id));
    for (const id of [...this.boards.keys()]) if (!here.has(id)) this.boards.delete(id);
    for (const board of boards) this.boards.set(board.id, board);
  }

  #second() {
    this.now = Date.now() + this.#skew;
    if (this.line !== 'up') return;
    let rate = 0;
    for (const board of this.boards.values()) {
      if (board.stage === 'writing' && !board.stalled) rate += board.progress?.rate ?? 0;
    }
    this.throughput = [...this.throughput.slice(1 - PLOT), [this.now, rate]];
  }
}
