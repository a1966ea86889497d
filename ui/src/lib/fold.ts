/** Folds updates into a snapshot: the same rule as `Snapshot::fold` of the station. */
import type { Batch, Snapshot, Update } from './wire';

export const nothing = (): Snapshot => ({
  protocol: 0,
  version: '',
  at: 0,
  boards: [],
  batches: [],
  images: [],
  servers: [],
  findings: [],
  imports: [],
  rehearsal: null,
  preferences: { quiet: false, names_low: 0, disk_low: 0 },
  backup: { last: null, running: null, trouble: null },
  is_rehearsal: false,
});

function put<T, K>(list: T[], item: T, key: (item: T) => K): T[] {
  const at = list.findIndex((old) => key(old) === key(item));
  return at < 0 ? [...list, item] : list.with(at, item);
}

/** Open batches by rank, then ended ones, newest first. */
const place = (a: Batch, b: Batch) =>
  Number(a.rank === 0) - Number(b.rank === 0) || a.rank - b.rank || b.id - a.id;

/** The snapshot after an update. The old one is left as it is. */
export function fold(now: Snapshot, update: Update): Snapshot {
  switch (update.update) {
    case 'snapshot':
      return update.value;
    case 'board':
      return { ...now, boards: put(now.boards, update.value, (b) => b.id) };
    case 'board_gone':
      return { ...now, boards: now.boards.filter((b) => b.id !== update.value) };
    case 'batch':
      return { ...now, batches: put(now.batches, update.value, (b) => b.id).sort(place) };
    case 'images':
      return { ...now, images: update.value };
    case 'server':
      return { ...now, servers: put(now.servers, update.value, (s) => s.server) };
    case 'findings':
      return { ...now, findings: update.value };
    case 'import':
      return { ...now, imports: put(now.imports, update.value, (i) => i.id) };
    case 'rehearsal':
      return { ...now, rehearsal: update.value };
    case 'preferences':
      return { ...now, preferences: update.value };
    case 'backup':
      return { ...now, backup: update.value };
    default:
      return now;
  }
}
