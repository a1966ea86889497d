import { describe, expect, it } from 'vitest';
import { board } from '../../testing/boards';
import { filter, matches, same, sort } from './filter';

const named = board({ id: 'a1', hostname: 'KXP2-CORO-010', place: 'Slot 3', stage: 'writing' });
const held = board({ id: 'b2', stage: 'on_hold', hold: { kind: 'needs_approval' } });
const done = board({ id: 'c3', hostname: 'KXP2-CORO-002', stage: 'done', serial: '9d00ce41000000c3' });
const quiet = board({ id: 'd4', stage: 'writing', stalled: { since: 0, advice: '' } });

describe('search', () => {
  it('finds a board by name, place, serial and MAC, in any case, with or without colons', () => {
    expect(matches(named, 'coro-010')).toBe(true);
    expect(matches(named, 'SLOT 3')).toBe(true);
    expect(matches(done, '9D00CE41')).toBe(true);
    expect(matches(named, '2ccf67')).toBe(true);
    expect(matches(named, 'slot 4')).toBe(false);
  });
});

describe('the filter', () => {
  it('counts every group and keeps the order of appearance', () => {
    const found = filter([named, held, done, quiet], null, '');
    expect(found.ids).toEqual(['a1', 'b2', 'c3', 'd4']);
    expect(found.counts).toEqual({ needs: 2, working: 1, waiting: 0, done: 1, not_ours: 0 });
    expect(filter([named, held, done, quiet], 'needs', '').ids).toEqual(['b2', 'd4']);
  });
  it('counts what the search finds, whatever group is shown', () => {
    expect(filter([named, held, done], 'needs', 'kxp2')).toMatchObject({ ids: [], all: 2 });
  });
  it('gives the same list back when nothing moved, so that nothing is drawn again', () => {
    const old = ['a', 'b'];
    expect(same(old, ['a', 'b'])).toBe(old);
    expect(same(old, ['b', 'a'])).toEqual(['b', 'a']);
  });
});

describe('sorting', () => {
  it('sorts names as people count, and puts nameless boards last both ways', () => {
    const ids = (down: boolean) => sort([held, named, done], 'hostname', down).map((b) => b.id);
    expect(ids(false)).toEqual(['c3', 'a1', 'b2']);
    expect(ids(true)).toEqual(['a1', 'c3', 'b2']);
  });
});
