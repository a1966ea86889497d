/** Which boards the bench shows, and in what order. */
import type { Board } from '../wire';
import { groupOf, GROUPS, STAGE_ORDER, type Group } from './stages';

/** Does a board have this text in its name, serial, address or place? Spaces separate words. */
export function matches(board: Board, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const own = [
    board.hostname,
    board.serial,
    board.id,
    board.mac,
    board.mac.replaceAll(':', ''),
    board.place,
    board.ip,
    board.model,
  ]
    .filter(Boolean)
    .join('\n')
    .toLowerCase();
  return words.every((word) => own.includes(word));
}

export interface Sorted {
  /** Boards found by the text, by group, before the group is chosen. */
  counts: Record<Group, number>;
  all: number;
  /** Ids to be shown, in order of appearance. */
  ids: string[];
}

/** Filters boards, which come in order of appearance and stay in it. */
export function filter(boards: Iterable<Board>, group: Group | null, text: string): Sorted {
  const counts = Object.fromEntries(GROUPS.map((g) => [g, 0])) as Record<Group, number>;
  const ids: string[] = [];
  let all = 0;
  for (const board of boards) {
    if (!matches(board, text)) continue;
    const of = groupOf(board);
    counts[of] += 1;
    all += 1;
    if (!group || of === group) ids.push(board.id);
  }
  return { counts, all, ids };
}

/** The old list when the new one says the same, so that nothing is drawn again for it. */
export function same<T>(old: T[], now: T[]): T[] {
  return old.length === now.length && old.every((item, i) => item === now[i]) ? old : now;
}

/** Columns of the list that can be sorted by. */
export type Column = 'hostname' | 'place' | 'model' | 'serial' | 'stage' | 'since';

const keys: Record<Column, (board: Board) => string | number> = {
  hostname: (b) => b.hostname ?? '',
  place: (b) => b.place ?? '',
  model: (b) => `${b.model} ${String(b.ram_mib ?? 0).padStart(8, '0')}`,
  serial: (b) => b.id,
  stage: (b) => GROUPS.indexOf(groupOf(b)) * 100 + STAGE_ORDER.indexOf(b.stage),
  since: (b) => b.stage_since,
};
const numeric = new Intl.Collator(undefined, { numeric: true });

/** Sorts by a column; what has nothing in it comes last, equals keep their order. */
export function sort(boards: Board[], column: Column, down: boolean): Board[] {
  const key = keys[column];
  const way = down ? -1 : 1;
  return boards
    .map((board) => ({ board, key: key(board) }))
    .sort((a, b) => {
      if (typeof a.key === 'number' && typeof b.key === 'number') return way * (a.key - b.key);
      const [one, two] = [String(a.key), String(b.key)];
      if (!one || !two) return Number(!one) - Number(!two);
      return way * numeric.compare(one, two);
    })
    .map(({ board }) => board);
}
