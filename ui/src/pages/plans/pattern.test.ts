import { expect, test } from 'vitest';
import { example, isNumbered } from './pattern';

test('a pattern is shown as the name it makes', () => {
  expect(example('{product}-{venue}-{number:03}', 'kxp2', 'coro')).toBe('KXP2-CORO-007');
  expect(example('gate{serial:8}', 'GATE', 'CORO')).toBe('gate4C1F2A90');
  expect(example('cam{mac:4}', '', '')).toBe('cam1122');
});

test('what is no hostname has no example', () => {
  for (const text of ['', '{kart}-{number}', '-{number}', '{number}_x', 'a{number', 'x'.repeat(64)]) {
    expect(example(text, 'KXP2', 'CORO'), text).toBeNull();
  }
});

test('numbered patterns want an import of names', () => {
  expect(isNumbered('{product}-{number:03}')).toBe(true);
  expect(isNumbered('{product}-{serial}')).toBe(false);
});
