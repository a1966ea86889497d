import { expect, test } from 'vitest';
import { fromAddress, question, since, toAddress, type Choice } from './filters';

const chosen: Choice = {
  venue: 'CORO',
  product: 'KXP2',
  result: 'failed',
  batch: '3',
  range: 'week',
  text: 'card & disk',
};

test('the address holds the whole filter', () => {
  expect(fromAddress(new URLSearchParams(toAddress(chosen)))).toEqual(chosen);
});

test('an empty filter leaves nothing in the address', () => {
  expect(toAddress(fromAddress(new URLSearchParams()))).toBe('');
});

test('nonsense in the address is ignored', () => {
  const read = fromAddress(new URLSearchParams('result=banana&range=ever&batch=x'));
  expect(read).toMatchObject({ result: '', range: 'all', batch: '' });
});

test('what is chosen is asked, all of it together', () => {
  const now = new Date(2026, 10, 20, 15, 30).getTime();
  expect(question(chosen, now, now)).toEqual({
    board: null,
    batch: 3,
    product: 'KXP2',
    venue: 'CORO',
    stage: 'failed',
    since: new Date(2026, 10, 14).getTime(),
    until: now,
    text: 'card & disk',
    limit: 0,
    offset: 0,
  });
});

test('today begins at midnight', () => {
  const now = new Date(2026, 10, 20, 15, 30).getTime();
  expect(since('today', now)).toBe(new Date(2026, 10, 20).getTime());
  expect(since('all', now)).toBeNull();
});
