/** Imports as a person follows them: their pace, and which of them were seen and put aside. */
import { SvelteSet } from 'svelte/reactivity';
import type { Import } from '../../lib/wire';

/** Bytes per second since the start, and milliseconds left; `null` while that cannot be told. */
export function pace({ read, total, started }: Import, now: number): { rate: number; left: number | null } {
  const spent = now - started;
  if (spent < 1000 || read <= 0) return { rate: 0, left: null };
  const rate = (read / spent) * 1000;
  return { rate, left: total > read ? ((total - read) / rate) * 1000 : null };
}

/** Ended imports that were put aside on this page. */
export const aside = new SvelteSet<string>();

/** The imports to be shown: running ones, and failed ones until they are put aside. Newest first. */
export const shownImports = (imports: Import[]): Import[] =>
  imports.filter((i) => i.state.state !== 'done' && !aside.has(i.id)).sort((a, b) => b.started - a.started);
