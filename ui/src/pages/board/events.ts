/** The events of one board: asked for once, the newer ones from what is live. */
import type { Event, Level } from '../../lib/wire';

/** Which levels are shown. */
export type From = 'all' | 'warning' | 'error';
const RANK: Record<Level, number> = { unknown: 0, info: 0, warning: 1, error: 2 };
const LEAST: Record<From, number> = { all: 0, warning: 1, error: 2 };

/** Newest first, each once. */
export function merged(asked: Event[], live: Event[], board: string, from: From): Event[] {
  const all = new Map<number, Event>();
  for (const event of [...asked, ...live]) {
    if (event.board === board && RANK[event.level] >= LEAST[from]) all.set(event.id, event);
  }
  return [...all.values()].sort((a, b) => b.id - a.id);
}
