/** Short messages at the edge of the page: what was done, with a way back where there is one. */
import { refusalOf, sentenceOf } from './station';

export interface Toast {
  id: number;
  kind: 'done' | 'error';
  text: string;
  /** A button on the message. */
  action?: { label: string; run: () => unknown };
}

/** How long a message without a fault stays, in milliseconds. Faults stay until they are closed. */
const STAYS_MS = 8000;

class Toasts {
  list: Toast[] = $state.raw([]);
  #next = 1;

  done(text: string, action?: Toast['action']) {
    const id = this.#add({ kind: 'done', text, action });
    setTimeout(() => this.close(id), STAYS_MS);
  }

  /** Why something is not done, without anything having gone wrong. */
  say(text: string) {
    const id = this.#add({ kind: 'error', text });
    setTimeout(() => this.close(id), STAYS_MS);
  }

  error(error: unknown) {
    this.#add({ kind: 'error', text: sentenceOf(refusalOf(error)) });
  }

  close(id: number) {
    this.list = this.list.filter((t) => t.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = this.#next++;
    // The same fault twice is one message.
    const others = this.list.filter((t) => t.kind !== toast.kind || t.text !== toast.text);
    this.list = [...others.slice(-3), { ...toast, id }];
    return id;
  }
}

export const toasts = new Toasts();
