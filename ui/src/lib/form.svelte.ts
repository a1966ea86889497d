/**
 * A form that asks the station, while a person types, what would come of it. The rules are the
 * station's own (the question `try` runs the command and takes it back), so the page has none.
 *
 * An error is shown at its field once that field was touched, or once the form was sent; an error of
 * no field of the form is shown at its end.
 */
import type { Desk } from './context';
import { ask, refusalOf, sentenceOf } from './station';
import { toasts } from './toasts.svelte';
import type { Command, Receipt, Refusal } from './wire';

/** The pause in typing after which the station is asked, in milliseconds. */
const PAUSE_MS = 150;

export class Form {
  #touched: Record<string, boolean> = $state({});
  #sent = $state(false);
  /** What the station last said; `null` when it would do it. */
  refusal: Refusal | null = $state.raw(null);
  /** What would come of it, when it would be done. */
  would: Receipt | null = $state.raw(null);
  busy = $state(false);
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: () => Desk,
    /** The command as it stands; `null` while the form is not open. */
    private readonly command: () => Command | null,
    /** The fields that show their own errors, by their names in the command. */
    private readonly fields: string[],
  ) {
    $effect(() => {
      const command = this.command();
      clearTimeout(this.#timer);
      if (!command) {
        this.reset();
        return;
      }
      // Read here, so that every field of it is followed.
      const asked = JSON.parse(JSON.stringify(command)) as Command;
      this.#timer = setTimeout(() => void this.#ask(asked), PAUSE_MS);
    });
  }

  /** A field was left: from now on its errors are shown. */
  touch(field: string) {
    this.#touched[field] = true;
  }

  /** The error of a field, when it is to be shown. */
  error(field: string): string | null {
    if (this.refusal?.field !== field || !(this.#sent || this.#touched[field])) return null;
    return this.#sentence();
  }

  /** The error that belongs to no field. */
  get other(): string | null {
    const field = this.refusal?.field;
    if (!this.refusal || (field && this.fields.includes(field))) return null;
    return this.#sent || !field ? this.#sentence() : null;
  }

  /** True when the station would do it. */
  get sound(): boolean {
    return this.would !== null;
  }

  /** Does it. On a refusal nothing is lost: the form stays as it is, with the error at its field. */
  async send(said?: string | ((receipt: Receipt) => string)): Promise<Receipt | null> {
    const command = this.command();
    if (!command || this.busy) return null;
    this.#sent = true;
    this.busy = true;
    try {
      const { station, bench } = this.desk();
      // Plain data: what is reactive cannot be handed over to a window.
      const receipt = await station.command(bench, $state.snapshot(command) as Command);
      const text = typeof said === 'function' ? said(receipt) : said;
      if (text) toasts.done(text);
      this.reset();
      return receipt;
    } catch (error) {
      this.refusal = refusalOf(error);
      this.would = null;
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Asks about the form as it stands, without waiting for a pause in typing. */
  async settle() {
    const command = this.command();
    clearTimeout(this.#timer);
    if (command) await this.#ask($state.snapshot(command) as Command);
  }

  reset() {
    this.#touched = {};
    this.#sent = false;
    this.refusal = null;
    this.would = null;
  }

  async #ask(of: Command) {
    const turn = ++this.#asked;
    const { station, bench } = this.desk();
    try {
      const tried = await ask(station, bench, { query: 'try', of });
      if (turn !== this.#asked) return;
      this.refusal = tried.would === 'refuse' ? tried.refusal : null;
      this.would = tried.would === 'do' ? tried.receipt : null;
    } catch (error) {
      if (turn === this.#asked) this.refusal = refusalOf(error);
    }
  }

  #sentence(): string {
    return this.refusal ? sentenceOf(this.refusal) : '';
  }
}
