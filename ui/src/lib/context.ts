/** What every page gets: the station, the bench it looks at, and what is live of it. */
import { createContext } from 'svelte';
import type { Live } from './live.svelte';
import type { Bench, Station } from './station';
import type { Command, Receipt } from './wire';
import { toasts } from './toasts.svelte';

export interface Desk {
  readonly station: Station;
  readonly bench: Bench;
  readonly live: Live;
}

/** A getter, because the bench changes with the address. */
const [get, set] = createContext<() => Desk>();
export const setDesk = set;
export const getDesk = get;

/** Has something changed and says what came of it; `true` when it was done. */
export async function act(
  desk: Desk,
  command: Command,
  said?: string | ((receipt: Receipt) => string),
): Promise<boolean> {
  try {
    const receipt = await desk.station.command(desk.bench, command);
    const own = receipt.receipt === 'done' ? receipt.text : '';
    const text = typeof said === 'function' ? said(receipt) : (said ?? own);
    if (text) toasts.done(text);
    return true;
  } catch (error) {
    toasts.error(error);
    return false;
  }
}
