/**
 * What the page draws from a board's state: which group it belongs to, how far along the main path it
 * is, and the sentence that says what keeps it.
 */
import { t } from '../strings/en';
import type { Board, Hold, Stage } from '../wire';

/** Groups of the bench, as its filter offers them. */
export const GROUPS = ['needs', 'working', 'waiting', 'done', 'not_ours'] as const;
export type Group = (typeof GROUPS)[number];

/** The way of a board that meets no trouble. */
export const STAGE_ORDER: readonly Stage[] = [
  'seen',
  'addressed',
  'loading_boot_files',
  'checked_in',
  'assigned',
  'preparing_storage',
  'writing',
  'verifying',
  'personalising',
  'finishing',
  'done',
  'first_boot_confirmed',
];

/** The main path, condensed. */
export const STEPS = ['network', 'boot_files', 'storage', 'write', 'verify', 'name', 'done'] as const;
export type StepName = (typeof STEPS)[number];

/** How one step of the path stands. */
export type StepState = 'past' | 'now' | 'ahead' | 'failed' | 'stalled' | 'held';

export type Tone = 'act' | 'advice' | 'done' | 'work' | 'none';

const STEP_OF: Partial<Record<Stage, number>> = {
  seen: 0,
  addressed: 0,
  loading_boot_files: 1,
  checked_in: 1,
  assigned: 2,
  preparing_storage: 2,
  writing: 3,
  verifying: 4,
  personalising: 5,
  finishing: 5,
  done: 6,
  first_boot_confirmed: 6,
};

/** From the name to the last block. */
export const AT_WORK = STAGE_ORDER.slice(STAGE_ORDER.indexOf('assigned'), STAGE_ORDER.indexOf('done'));
const FINISHED: Stage[] = ['done', 'first_boot_confirmed', 'already_done'];

export const atWork = (board: Board): boolean => AT_WORK.includes(board.stage);
export const finished = (board: Board): boolean => FINISHED.includes(board.stage);

/** Nobody has to decide about it: its batch is paused, or an operator has decided already. */
const waitsByPlan = (board: Board) =>
  board.hold?.kind === 'batch_paused' || board.hold?.kind === 'by_operator';

/** Went quiet on its way; a board that is held, failed or finished waits for a person, not for a word. */
export const isQuiet = (board: Board): boolean =>
  board.stalled !== null && STEP_OF[board.stage] !== undefined && !finished(board);

/** The group a board belongs to: each to exactly one. */
export function groupOf(board: Board): Group {
  if (board.stage === 'not_ours') return 'not_ours';
  if (finished(board)) return 'done';
  if (board.stage === 'failed' || isQuiet(board)) return 'needs';
  if (board.stage === 'on_hold') return waitsByPlan(board) ? 'waiting' : 'needs';
  return atWork(board) ? 'working' : 'waiting';
}

/** Red only where a person must act, amber for advice, grey for what is not ours. */
export function toneOf(board: Board): Tone {
  if (board.stage === 'failed') return 'act';
  if (board.stage === 'on_hold') return waitsByPlan(board) ? 'advice' : 'act';
  if (finished(board)) return 'done';
  if (board.stage === 'not_ours' || board.stage === 'cancelled' || board.stage === 'unknown') return 'none';
  if (isQuiet(board)) return 'advice';
  return atWork(board) ? 'work' : 'none';
}

/** Where a board is along the main path, step by step. */
export function stepsOf(board: Board): StepState[] {
  if (finished(board)) return STEPS.map(() => 'past');
  let at = STEP_OF[board.stage];
  let there: StepState = isQuiet(board) ? 'stalled' : 'now';
  if (board.stage === 'failed') {
    at = STEP_OF[board.failure?.stage ?? 'unknown'] ?? 0;
    there = 'failed';
  } else if (board.stage === 'on_hold') {
    at = 2;
    there = 'held';
  }
  if (at === undefined) return STEPS.map(() => 'ahead');
  const here = at;
  return STEPS.map((_, i) => (i < here ? 'past' : i === here ? there : 'ahead'));
}

export interface Said {
  tone: Tone;
  /** What happened, and what to do next. */
  text: string;
}

/** What keeps a board from going on, as sentences; `null` while it goes its way. */
export function saidOf(board: Board): Said | null {
  const tone = toneOf(board);
  if (board.stage === 'failed') {
    const { what, next } = board.failure ?? { what: t.bench.failedSomehow, next: t.bench.failedNext };
    return { tone, text: `${what.replace(/[^.!?]$/, '$&.')} ${next}` };
  }
  if (board.stage === 'on_hold') {
    return { tone, text: board.hold ? t.hold(board.hold) : t.bench.heldSomehow };
  }
  if (board.stage === 'not_ours') return { tone, text: t.bench.notOurs };
  if (board.stage === 'cancelled') return { tone, text: t.bench.cancelled };
  if (board.stage === 'already_done') return { tone, text: t.bench.alreadyDone };
  if (board.stalled && isQuiet(board)) return { tone, text: board.stalled.advice };
  return null;
}

/** What a person may do about a board in its present state, the likeliest first. */
export type Deed = 'approve' | 'go_on' | 'retry' | 'accept' | 'reimage';

/** Holds that an approval ends; the others need something else to change. */
const APPROVED: (Hold['kind'] | undefined)[] = [
  'disk_holds_system',
  'provisioned_before',
  'needs_approval',
  'identity_conflict',
  'unknown',
  undefined,
];

export function deedOf(board: Board): Deed | null {
  if (board.stage === 'failed') return 'retry';
  if (board.stage === 'not_ours') return 'accept';
  if (board.hold?.kind === 'by_operator') return 'go_on';
  if (board.stage === 'on_hold') return APPROVED.includes(board.hold?.kind) ? 'approve' : null;
  return finished(board) ? 'reimage' : null;
}

/** Would it go on by itself, so that it can be kept from it? */
export const canBeHeld = (board: Board): boolean =>
  (STEP_OF[board.stage] ?? STEPS.length) < 2 || (board.stage === 'on_hold' && deedOf(board) === null);

/** Where a person goes to end a hold that is not about the board itself. */
export interface Way {
  to: 'batches' | 'names' | 'images' | 'batch';
  rest: number[];
}

export function wayOf(board: Board): Way | null {
  const hold = board.stage === 'on_hold' ? board.hold : null;
  switch (hold?.kind) {
    case 'no_matching_batch':
      return { to: 'batches', rest: [] };
    case 'batch_paused':
      return { to: 'batch', rest: [hold.batch] };
    case 'no_names_left':
      return { to: 'names', rest: [] };
    case 'no_active_image':
    case 'wrong_architecture':
      return { to: 'images', rest: [] };
    default:
      return null;
  }
}

/** Milliseconds until the present step is done, when its rate says so. */
export function stepLeft(board: Board): number | null {
  const { progress } = board;
  if (!progress || progress.rate <= 0 || progress.total <= 0 || board.stalled) return null;
  return (1000 * Math.max(0, progress.total - progress.done)) / progress.rate;
}

/** What to call a board: its name, or where it is, or its serial. */
export const called = (board: Board): string => board.hostname ?? board.place ?? board.id;
