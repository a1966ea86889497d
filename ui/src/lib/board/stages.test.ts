import { describe, expect, it } from 'vitest';
import { HOLDS } from '../mock/bench';
import { board } from '../../testing/boards';
import type { Hold, Stage } from '../wire';
import { canBeHeld, deedOf, groupOf, saidOf, stepsOf, toneOf, wayOf } from './stages';

describe('the stepper', () => {
  it('shows where a board failed, went quiet or is held', () => {
    const failed = board({ stage: 'failed', failure: { stage: 'verifying', what: '', next: '' } });
    expect(stepsOf(failed)).toEqual(['past', 'past', 'past', 'past', 'failed', 'ahead', 'ahead']);
    const quiet = board({ stage: 'writing', stalled: { since: 0, advice: '' } });
    expect(stepsOf(quiet)[3]).toBe('stalled');
    expect(stepsOf(board({ stage: 'on_hold' }))[2]).toBe('held');
    expect(new Set(stepsOf(board({ stage: 'already_done' })))).toEqual(new Set(['past']));
    expect(new Set(stepsOf(board({ stage: 'not_ours' })))).toEqual(new Set(['ahead']));
  });
});

describe('colours', () => {
  it('keep red for what a person must do', () => {
    expect(toneOf(board({ stage: 'failed' }))).toBe('act');
    expect(toneOf(board({ stage: 'writing', stalled: { since: 0, advice: '' } }))).toBe('advice');
    expect(toneOf(board({ stage: 'on_hold', hold: { kind: 'batch_paused', batch: 1 } }))).toBe('advice');
    expect(toneOf(board({ stage: 'not_ours' }))).toBe('none');
    expect(toneOf(board({ stage: 'seen' }))).toBe('none');
  });
});

describe('a hold', () => {
  it.each(HOLDS.map((hold) => [hold.kind, hold] as const))('for %s says why', (_, hold) => {
    const held = board({ stage: 'on_hold', hold });
    expect(saidOf(held)?.text).toMatch(/\.$/);
    expect(deedOf(held) && wayOf(held)).toBeNull();
  });
  it('by an operator is for boards that would go on by themselves, and ends when the operator says so', () => {
    const held = board({ stage: 'on_hold', hold: { kind: 'by_operator' } });
    expect([groupOf(held), toneOf(held), deedOf(held)]).toEqual(['waiting', 'advice', 'go_on']);
    const could = (stage: Stage, hold: Hold | null = null) => canBeHeld(board({ stage, hold }));
    expect([could('seen'), could('checked_in'), could('on_hold', { kind: 'no_matching_batch' })]).toEqual([
      true,
      true,
      true,
    ]);
    expect([
      could('on_hold', { kind: 'by_operator' }),
      could('writing'),
      could('done'),
      could('failed'),
    ]).toEqual([false, false, false, false]);
  });
  it('of a paused batch waits, it does not need somebody at the board', () => {
    expect(groupOf(board({ stage: 'on_hold', hold: { kind: 'batch_paused', batch: 1 } }))).toBe('waiting');
  });
});
