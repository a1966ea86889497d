/** What the page draws from a batch. */
import type { Batch, BatchState, Command } from './wire';

/** Is it still to do, or at it? */
export const isOpen = ({ state }: Batch): boolean =>
  state === 'pending' || state === 'active' || state === 'paused';

/** What can be done with a batch, by its state; the same rule as the station's. */
export type BatchDeed = 'start' | 'pause' | 'resume' | 'retry' | 'extend' | 'cancel';
const DEEDS: Record<BatchState, BatchDeed[]> = {
  pending: ['start', 'extend', 'cancel'],
  active: ['pause', 'retry', 'extend', 'cancel'],
  paused: ['resume', 'retry', 'extend', 'cancel'],
  completed: ['extend'],
  cancelled: [],
  unknown: [],
};

export function deedsOf(batch: Batch): BatchDeed[] {
  return DEEDS[batch.state].filter((deed) => deed !== 'retry' || batch.counters.failed > 0);
}

export function commandOf(batch: Batch, deed: Exclude<BatchDeed, 'extend'>): Command {
  return { command: `batch_${deed}`, batch: batch.id };
}

/** The state in a colour. */
export function batchTone({ state }: Batch): 'work' | 'advice' | 'done' | 'none' {
  if (state === 'active') return 'work';
  if (state === 'paused') return 'advice';
  return state === 'completed' ? 'done' : 'none';
}

/** The parts of a batch's bar. They add up to what was planned, or to more when a batch shrank. */
export function partsOf({ counters: c }: Batch) {
  return {
    confirmed: c.confirmed,
    done: Math.max(0, c.done - c.confirmed),
    running: c.running,
    failed: c.failed,
    open: Math.max(0, c.planned - c.done - c.running - c.failed),
  };
}

/** Moves one of a list to another place. */
export function moved<T>(list: T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined) return list;
  const rest = list.toSpliced(from, 1);
  return rest.toSpliced(to, 0, item);
}
