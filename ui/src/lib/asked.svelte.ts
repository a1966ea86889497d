/**
 * A question that a page keeps an answer to: asked again when the question changes, when the plans of
 * the station changed, and, where wanted, every few seconds while the page is looked at.
 *
 * The last answer stays while a new one is on its way, and while the line is lost.
 */
import type { Desk } from './context';
import { ask, refusalOf } from './station';
import type { Answer, Query, Refusal } from './wire';

type Question = Query & { query: Answer['answer'] };
type AnswerTo<Q extends Question> =
  Extract<Answer, { answer: Q['query'] }> extends { value: infer V } ? V : never;

export class Asked<Q extends Question> {
  value = $state.raw<AnswerTo<Q> | undefined>();
  /** Why there is no newer answer. */
  refusal: Refusal | null = $state.raw(null);
  #turn = 0;
  /** The question as it stands. */
  #now: (() => Promise<void>) | null = null;

  constructor(
    desk: () => Desk,
    /** The question; `null` for none at present. */
    question: () => Q | null,
    /** Milliseconds between questions; without it only changes make it ask again. */
    every?: number,
  ) {
    $effect(() => {
      const { station, bench, live } = desk();
      const query = question();
      void live.plans;
      this.#now = query && (() => this.#ask(station, bench, query));
      void this.#now?.();
    });
    if (!every) return;
    $effect(() => {
      const again = () => {
        if (!document.hidden) void this.#now?.();
      };
      const timer = setInterval(again, every);
      document.addEventListener('visibilitychange', again);
      return () => {
        clearInterval(timer);
        document.removeEventListener('visibilitychange', again);
      };
    });
  }

  /** Asks again now. */
  async again() {
    await this.#now?.();
  }

  async #ask(station: Desk['station'], bench: Desk['bench'], query: Q) {
    const turn = ++this.#turn;
    try {
      const value = await ask(station, bench, query);
      if (turn !== this.#turn) return;
      this.value = value as AnswerTo<Q>;
      this.refusal = null;
    } catch (error) {
      if (turn === this.#turn) this.refusal = refusalOf(error);
    }
  }
}
