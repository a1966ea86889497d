import { expect, test } from 'vitest';
import type { Import } from '../../lib/wire';
import { aside, pace, shownImports } from './imports.svelte';

const begun: Import = {
  id: 'a',
  file_name: 'golden.img',
  read: 500e6,
  total: 2000e6,
  state: { state: 'running' },
  started: 1_000_000,
};

test('the pace says how long it will still take', () => {
  expect(pace(begun, 1_005_000)).toEqual({ rate: 100e6, left: 15_000 });
  expect(pace({ ...begun, read: 0 }, 1_005_000).left).toBeNull();
  expect(pace({ ...begun, read: begun.total }, 1_005_000).left).toBeNull();
});

test('a failed import is shown until it is put aside', () => {
  const failed: Import = { ...begun, id: 'b', started: 2, state: { state: 'failed', why: 'no' } };
  const done: Import = { ...begun, id: 'c', state: { state: 'done', image: '00' } };
  expect(shownImports([failed, done, begun]).map((i) => i.id)).toEqual(['a', 'b']);
  aside.add('b');
  expect(shownImports([failed, done, begun]).map((i) => i.id)).toEqual(['a']);
});
