import { expect, test } from 'vitest';
import type { Desk } from '../../lib/context';
import { listening } from '../../testing/host';
import { fromAddress, question } from './filters';
import { Pager } from './pager.svelte';

test('rows come in pages, all asked up to the same moment', async () => {
  const { station, heard } = listening();
  const desk = { station, bench: 'real' } as Desk;
  const pager = new Pager(() => desk);
  const now = Date.now() + 1000;
  await pager.begin(question(fromAddress(new URLSearchParams()), now, now));
  expect([pager.rows.length, pager.total]).toEqual([200, 500]);
  await Promise.all([pager.more(), pager.more()]);
  await pager.more();
  await pager.more();
  expect(pager.rows.length).toBe(500);
  expect(new Set(pager.rows.map((d) => d.id)).size).toBe(500);
  const pages = heard.queries.filter((q) => q.query === 'history');
  expect(pages.map((q) => q.offset)).toEqual([0, 200, 400]);
  expect(new Set(pages.map((q) => q.until))).toEqual(new Set([now]));
});
