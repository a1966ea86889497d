import { afterEach, expect, test, vi } from 'vitest';
import { browserStation } from './browser';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('an archive is begun by the page alone, and the browser is led to it', async () => {
  const fetch = vi.fn(() =>
    Promise.resolve(new Response(JSON.stringify({ key: 'ab12', file_name: 'punnet-1.punnet' }))),
  );
  vi.stubGlobal('fetch', fetch);
  const led: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    led.push(`${this.pathname} as ${this.download}`);
  });
  const saved = await browserStation().archive?.(true);
  expect(saved).toEqual({ path: null, name: 'punnet-1.punnet' });
  expect(fetch).toHaveBeenCalledWith(
    '/api/v1/archive',
    expect.objectContaining({
      method: 'POST',
      body: '{"packs":true}',
      headers: expect.objectContaining({ 'x-punnet': 'page' }) as unknown,
    }),
  );
  expect(led).toEqual(['/api/v1/archive/ab12 as punnet-1.punnet']);
});
