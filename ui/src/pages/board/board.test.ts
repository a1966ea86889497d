import { describe, expect, it } from 'vitest';
import { merged } from './events';
import { powerWords } from './facts';
import { bars } from './timeline';
import { join } from '../../lib/plot';
import { rowsOf } from '../batches/rows';
import { board, deployment } from '../../testing/boards';
import type { Event, Level } from '../../lib/wire';

const event = (id: number, level: Level, of = 'a'): Event => ({
  id,
  at: id,
  level,
  board: of,
  deployment: null,
  batch: null,
  kind: 'stage',
  text: '',
});

describe('the events of a board', () => {
  it('are each there once, newest first, from the level asked for on', () => {
    const asked = [event(1, 'info'), event(2, 'warning')];
    const live = [event(4, 'error'), event(3, 'info', 'b'), event(2, 'warning')];
    expect(merged(asked, live, 'a', 'all').map((e) => e.id)).toEqual([4, 2, 1]);
    expect(merged(asked, live, 'a', 'warning').map((e) => e.id)).toEqual([4, 2]);
  });
});

describe('the timeline', () => {
  it('draws each stretch in its place, the last one up to now', () => {
    const { bars: drawn, ms } = bars(
      [
        { stage: 'seen', began: 0, ended: 250, detail: null },
        { stage: 'writing', began: 250, ended: null, detail: null },
      ],
      1000,
    );
    expect(ms).toBe(1000);
    expect(drawn.map(({ from, share, lasts }) => [from, share, lasts])).toEqual([
      [0, 0.25, false],
      [0.25, 0.75, true],
    ]);
  });
});

describe('the curve', () => {
  it('puts two curves onto one axis', () => {
    expect(
      join([
        [
          { at: 0, rate: 5 },
          { at: 2, rate: 6 },
        ],
        [{ at: 1, rate: 9 }],
      ]),
    ).toEqual([
      [0, 1, 2],
      [5, undefined, 6],
      [undefined, 9, undefined],
    ]);
  });
});

it('says what the firmware says of power and heat', () => {
  expect(powerWords(0)).toMatch(/Neither/);
  expect(powerWords(0x50000)).toMatch(/voltage/);
  expect(powerWords(0x40000)).toMatch(/slowed/);
});

it('shows the newest deployment of each board of a batch, with its live stage', () => {
  const rows = rowsOf(
    [
      deployment({ id: 'new', board: 'a', stage: 'writing', ended: null, hostname: 'K-10' }),
      deployment({ id: 'old', board: 'a', stage: 'failed', hostname: 'K-10' }),
      deployment({ id: 'other', board: 'b', hostname: 'K-9' }),
    ],
    (id) => (id === 'a' ? board({ id, stage: 'verifying', deployment: 'new' }) : undefined),
  );
  expect(rows.map((r) => [r.hostname, r.stage])).toEqual([
    ['K-9', 'done'],
    ['K-10', 'verifying'],
  ]);
});
