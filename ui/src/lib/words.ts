/** Figures in words. Decimal units, as on the boxes of disks and network cards. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `1_234_000` → `1.2 MB`. */
export function bytes(n: number): string {
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Bytes per second. */
export const rate = (n: number): string => `${bytes(n)}/s`;

/** A stretch of time: `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 10 && s % 60) return `${min} min ${s % 60} s`;
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return min % 60 ? `${h} h ${min % 60} min` : `${h} h`;
  return `${Math.floor(h / 24)} d`;
}

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The time of day. */
export const clock = (ms: number): string => time.format(ms);
/** Date and time. */
export const moment = (ms: number): string => dateTime.format(ms);

/** `n` with its noun: `1 board`, `3 boards`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** A share as a whole percentage; 100 only when it is all. */
export function percent(done: number, total: number): number {
  if (total <= 0) return 0;
  return done >= total ? 100 : Math.min(99, Math.floor((100 * done) / total));
}

/** Memory in MiB as it is sold: `8 GB`. */
export const ram = (mib: number): string => (mib >= 1024 ? `${mib / 1024} GB` : `${mib} MB`);
