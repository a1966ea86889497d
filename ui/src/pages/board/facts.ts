/** The inventory of a board, in words. */
import { t } from '../../lib/strings/en';
import type { Disk } from '../../lib/wire';

/** Bits of the firmware's throttling word: now in the low half, since the start in the high one. */
const UNDERVOLTAGE = 0x1_0001;

export function powerWords(throttled: number | null): string | null {
  if (throttled === null) return null;
  if (throttled === 0) return t.board.calm;
  return throttled & UNDERVOLTAGE ? t.board.undervoltage : t.board.throttled;
}

export function diskWords(disk: Disk, used: boolean): string {
  const { content } = disk;
  const holds =
    content.kind === 'blank'
      ? t.board.blank
      : content.kind === 'system'
        ? t.board.holds(content.found)
        : content.kind === 'unreadable'
          ? t.board.unreadable(content.why)
          : content.kind === 'unfinished'
            ? t.board.holds(t.board.unfinished)
            : '';
  return [
    t.board.diskLine(t.disks[disk.kind], disk.bytes, disk.model, disk.path),
    holds,
    disk.removable ? t.board.removable : '',
    disk.read_only ? t.board.readOnly : '',
    used ? t.board.used : '',
  ]
    .filter(Boolean)
    .join('; ');
}
