import { describe, expect, it } from 'vitest';
import { batch, board, deployment, NOW } from '../../testing/boards';
import { outlook, paceOf } from './eta';

const counters = (over: object) => ({ planned: 4, running: 0, done: 0, failed: 0, confirmed: 0, ...over });
const writing = (over = {}) =>
  board({
    stage: 'writing',
    deployment: 'd9',
    progress: { done: 1e9, total: 2e9, rate: 1e8, limit: 'disk' },
    ...over,
  });

describe('the pace', () => {
  it('is the middle of what finished boards took, failed and running ones aside', () => {
    const took = (id: string, ms: number, over = {}) =>
      deployment({ id, started: NOW - ms, ended: NOW, ...over });
    const pace = paceOf([
      took('a', 60_000),
      took('b', 90_000),
      took('c', 500_000),
      took('d', 1_000, { stage: 'failed' }),
      took('e', 5_000, { ended: null, stage: 'writing' }),
    ]);
    expect(pace.typical).toBe(90_000);
    expect(pace.began.get('e')).toBe(NOW - 5_000);
  });
});

describe('the outlook', () => {
  it('follows the progress of the slowest running board when none is left to come', () => {
    const slow = writing({ id: 'b', progress: { done: 0, total: 2e9, rate: 5e7, limit: 'disk' } });
    const seen = outlook(
      batch({ counters: counters({ running: 2, done: 2 }) }),
      [writing(), slow],
      paceOf([]),
      NOW,
    );
    // 40 s of writing, 25 s of reading back, and the end.
    expect(seen).toEqual({ kind: 'left', ms: 80_000, sure: false });
  });

  it('adds a round at the shown pace for boards that are still to come', () => {
    const pace = paceOf([
      deployment({ started: NOW - 100_000 }),
      deployment({ id: 'd9', started: NOW, ended: null }),
    ]);
    const seen = outlook(batch({ counters: counters({ running: 1, done: 1 }) }), [writing()], pace, NOW);
    expect(seen).toMatchObject({ kind: 'left', sure: true });
    expect(seen.kind === 'left' && seen.ms).toBeGreaterThan(200_000);
  });

  it('uses the pace for a board that has no progress to show', () => {
    const pace = paceOf([
      deployment(),
      deployment({ id: 'd9', started: NOW - 40_000, ended: null, stage: 'assigned' }),
    ]);
    const all = batch({ counters: counters({ running: 1, done: 3 }) });
    expect(outlook(all, [board({ stage: 'assigned', deployment: 'd9' })], pace, NOW)).toEqual({
      kind: 'left',
      ms: 60_000,
      sure: true,
    });
  });

  it('says what it waits for instead of guessing', () => {
    const idle = batch({ counters: counters({ done: 1 }) });
    expect(outlook(idle, [], paceOf([]), NOW)).toEqual({ kind: 'boards', n: 3 });
    const rest = batch({ counters: counters({ done: 2, failed: 2 }) });
    expect(outlook(rest, [], paceOf([]), NOW)).toEqual({ kind: 'failed', n: 2 });
    expect(outlook(batch({ state: 'completed' }), [], paceOf([]), NOW)).toEqual({ kind: 'complete' });
    expect(outlook(batch({ state: 'paused' }), [], paceOf([]), NOW)).toEqual({ kind: 'paused' });
  });

  it('leaves out boards of other batches and boards that went quiet', () => {
    const quiet = writing({ stalled: { since: NOW, advice: '' } });
    const seen = outlook(
      batch({ counters: counters({ running: 1, done: 3 }) }),
      [quiet, writing({ id: 'x', batch: 2 })],
      paceOf([]),
      NOW,
    );
    expect(seen).toEqual({ kind: 'none' });
  });
});
