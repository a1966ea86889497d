/**
 * The one interface through which the page speaks to a station. Three homes implement it: the window
 * (Tauri), a browser (HTTP) and a mock; which one it is, is decided once, in `main.ts`.
 */
import type { Answer, Command, DocumentKind, Query, Receipt, Refusal, Session, Update } from './wire';

/** Whose bench: the real one, or the one of the rehearsal beside it. */
export type Bench = 'real' | 'rehearsal';

/** Where the page is at home. */
export interface About {
  home: 'window' | 'browser' | 'mock';
  /** Is the station a service of its own, or does it end with the window? */
  engine: 'daemon' | 'own';
}

/** What became of a document. */
export interface Saved {
  /** Where it was written; `null` when the browser takes care of it. */
  path: string | null;
  name: string;
}

/** News from the surroundings of the page. */
export interface Signals {
  /** Files were dragged over the window (`over`), dropped, or dragged away. */
  files?(what: 'over' | 'away', paths?: string[]): void;
  dropped?(paths: string[]): void;
  /** A notification was clicked: go there. */
  open?(target: string): void;
  /** The window was asked to close while boards are being provisioned. */
  closing?(): void;
}

export interface Station {
  about(): Promise<About>;
  /** Who is asking, and what that allows. */
  session(): Promise<Session>;
  /** Logs in and out. Only where there is something to log in to: in a browser. */
  login?(name: string, password: string): Promise<Session>;
  logout?(): Promise<void>;
  /** Gives whoever is logged in another password; their other logins end. Rejects with a {@link Refused}. */
  changePassword?(present: string, password: string): Promise<Session>;
  /** Changes something. Rejects with a {@link Refused}. */
  command(bench: Bench, command: Command): Promise<Receipt>;
  /** Asks something. Rejects with a {@link Refused}. */
  query(bench: Bench, query: Query): Promise<Answer>;
  /**
   * Follows everything: a snapshot first, then changes. `lost` is called once when the line ends; the
   * caller decides when to watch again. The result ends the watch.
   */
  watch(bench: Bench, update: (update: Update) => void, lost: (why: string) => void): () => void;
  /** Draws a document up and saves it where the person finds it. */
  save(bench: Bench, document: DocumentKind): Promise<Saved>;
  /**
   * Has everything that the station knows saved in one file, with its packs or without. In a window it
   * has been saved then; a browser has begun to download it.
   */
  archive?(packs: boolean): Promise<Saved>;
  /** Shows a saved document in the file manager. */
  reveal?(path: string): Promise<void>;
  /** Lets the person choose a file of the station's machine; `null` when they think better of it. */
  pickFile?(): Promise<string | null>;
  /**
   * Sends a file to the station; the result is its path there. Only where the page has files and no
   * paths: in a browser.
   */
  upload?(file: File, progress: (sent: number) => void): Promise<string>;
  signals(signals: Signals): () => void;
  /** Really closes the window, or hides it while the boards go on. */
  close?(how: 'quit' | 'tray'): Promise<void>;
}

/** A refusal as one reads it: what happened, and what to do. */
export const sentenceOf = ({ message, next }: Refusal): string => (next ? `${message} ${next}` : message);

/** A refusal, as an error. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(sentenceOf(refusal));
    this.name = 'Refused';
  }
}

/** Turns whatever was thrown into a refusal. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message };
}

type Of<K extends Query['query']> = Extract<Answer, { answer: K }>['value'];

/** Asks, and unwraps the answer that belongs to the question. */
export async function ask<Q extends Query & { query: Answer['answer'] }>(
  station: Station,
  bench: Bench,
  query: Q,
): Promise<Of<Q['query']>> {
  const answer = await station.query(bench, query);
  if (answer.answer !== query.query) {
    throw new Refused({
      code: 'internal',
      message: 'The station gave another answer than was asked for; it may be of another version.',
    });
  }
  return answer.value as Of<Q['query']>;
}
