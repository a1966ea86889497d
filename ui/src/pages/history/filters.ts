/** The filter of the history: as it stands in the address, and as the station is asked. */
import { AT_WORK } from '../../lib/board/stages';
import type { HistoryFilter, Stage } from '../../lib/wire';

export type Range = 'today' | 'week' | 'month' | 'all';
export const ranges: Range[] = ['today', 'week', 'month', 'all'];

/** How a deployment can have ended. */
export const endedStages: Stage[] = ['first_boot_confirmed', 'done', 'failed', 'cancelled'];

/** What a person chose; empty fields match all. */
export interface Choice {
  venue: string;
  product: string;
  result: Stage | '';
  batch: string;
  range: Range;
  text: string;
}

const DAY = 86_400_000;
const isRange = (text: string | null): text is Range => ranges.includes(text as Range);
const isStage = (text: string | null): text is Stage => [...endedStages, ...AT_WORK].includes(text as Stage);

/** Reads the choice from the address; what is none there is left out. */
export function fromAddress(params: URLSearchParams): Choice {
  const result = params.get('result');
  const range = params.get('range');
  const batch = params.get('batch') ?? '';
  return {
    venue: params.get('venue') ?? '',
    product: params.get('product') ?? '',
    result: isStage(result) ? result : '',
    batch: /^\d+$/.test(batch) ? batch : '',
    range: isRange(range) ? range : 'all',
    text: params.get('text') ?? '',
  };
}

/** The part of the address behind `?`; empty when nothing is chosen. */
export function toAddress(choice: Choice): string {
  const chosen = Object.entries(choice).filter(
    ([key, value]) => value && !(key === 'range' && value === 'all'),
  );
  return new URLSearchParams(chosen).toString();
}

/** The moment at which a range begins; whole days by the clock on the wall. */
export function since(range: Range, now: number): number | null {
  if (range === 'all') return null;
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  return range === 'today' ? midnight : midnight - (range === 'week' ? 6 : 29) * DAY;
}

/** The question to the station, for rows up to `until`. */
export function question(choice: Choice, now: number, until: number | null = null): HistoryFilter {
  return {
    board: null,
    batch: choice.batch ? Number(choice.batch) : null,
    product: choice.product || null,
    venue: choice.venue || null,
    stage: choice.result || null,
    since: since(choice.range, now),
    until,
    text: choice.text.trim() || null,
    limit: 0,
    offset: 0,
  };
}
