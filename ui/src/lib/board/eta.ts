/**
 * When a batch will be complete. Drawn from how long its finished boards took and from how far its
 * running ones are; a word instead of a figure where there is nothing to draw it from.
 */
import type { Batch, Board, Deployment, Stage } from '../wire';
import { atWork, stepLeft } from './stages';

/** What is known of how long boards of this batch take. */
export interface Pace {
  /** Half of the finished boards took at most this long, in milliseconds; `null` before the first. */
  typical: number | null;
  /** When the deployments began, by their ids. */
  began: Map<string, number>;
}

export type Outlook =
  /** So many milliseconds; `sure` once a finished board has shown the pace. */
  | { kind: 'left'; ms: number; sure: boolean }
  /** Boards are at work, and nothing says yet how fast. */
  | { kind: 'unknown' }
  /** Nothing is at work; so many boards are still to be powered. */
  | { kind: 'boards'; n: number }
  /** Only failed boards are left. */
  | { kind: 'failed'; n: number }
  | { kind: 'paused' }
  | { kind: 'complete' }
  | { kind: 'none' };

const GOOD: Stage[] = ['done', 'first_boot_confirmed'];
/** Names and the last block, after the read-back, in milliseconds. */
const TAIL_MS = 15_000;
/** Reading back goes about this much faster than writing. */
const READ_FASTER = 1.6;

/** The pace of a batch from its deployments. */
export function paceOf(deployments: Deployment[]): Pace {
  const took = deployments
    .filter((d) => d.ended !== null && GOOD.includes(d.stage))
    .map((d) => (d.ended ?? 0) - d.started)
    .filter((ms) => ms > 0)
    .sort((a, b) => a - b);
  return {
    typical: took[Math.floor((took.length - 1) / 2)] ?? null,
    began: new Map(deployments.map((d) => [d.id, d.started])),
  };
}

/** What the progress of a board alone says: the rest of its step, and the steps behind it. */
function byProgress(board: Board): number | null {
  const left = stepLeft(board);
  if (left === null || !board.progress) return null;
  if (board.stage === 'writing') {
    return left + (1000 * board.progress.total) / (board.progress.rate * READ_FASTER) + TAIL_MS;
  }
  return left + TAIL_MS;
}

/** What the pace of the others says about a board. */
function byPace(board: Board, pace: Pace, now: number): number | null {
  const began = board.deployment ? pace.began.get(board.deployment) : undefined;
  if (pace.typical === null || began === undefined) return null;
  return Math.max(0, pace.typical - (now - began));
}

/** Counts what no board holds yet. */
export const toCome = ({ counters: c }: Batch): number =>
  Math.max(0, c.planned - c.done - c.running - c.failed);

/** When the batch is complete. `boards` are those of the bench; others are passed over. */
export function outlook(batch: Batch, boards: Iterable<Board>, pace: Pace, now: number): Outlook {
  if (batch.state === 'completed') return { kind: 'complete' };
  if (batch.state === 'paused' && batch.counters.running === 0) return { kind: 'paused' };
  if (batch.state !== 'active' && batch.state !== 'paused') return { kind: 'none' };
  const lefts: number[] = [];
  const wholes: number[] = [];
  let lanes = 0;
  for (const board of boards) {
    if (board.batch !== batch.id || !atWork(board) || board.stalled) continue;
    lanes += 1;
    const progress = byProgress(board);
    const left = progress ?? byPace(board, pace, now);
    if (left !== null) lefts.push(left);
    const began = board.deployment ? pace.began.get(board.deployment) : undefined;
    if (progress !== null && began !== undefined) wholes.push(now - began + progress);
  }
  const open = batch.state === 'paused' ? 0 : toCome(batch);
  if (lanes === 0) {
    if (open > 0) return { kind: 'boards', n: open };
    return batch.counters.failed > 0 ? { kind: 'failed', n: batch.counters.failed } : { kind: 'none' };
  }
  if (lefts.length === 0) return { kind: 'unknown' };
  const slowest = Math.max(...lefts);
  if (open === 0) return { kind: 'left', ms: slowest, sure: pace.typical !== null };
  const each = pace.typical ?? (wholes.length > 0 ? Math.max(...wholes) : null);
  if (each === null) return { kind: 'unknown' };
  return { kind: 'left', ms: slowest + Math.ceil(open / lanes) * each, sure: pace.typical !== null };
}
