import { describe, expect, it } from 'vitest';
import { next } from './roving';

// Three columns; the last row has two.
const boxes = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({ top: 100 * Math.floor(i / 3), left: 100 * (i % 3) }));

describe('arrow keys', () => {
  it('go along the row and on to the next one', () => {
    expect(next('ArrowRight', 2, boxes)).toBe(3);
    expect(next('ArrowLeft', 0, boxes)).toBe(0);
    expect(next('ArrowRight', 7, boxes)).toBe(7);
  });
  it('go up and down within the column, to the nearest where it ends', () => {
    expect(next('ArrowDown', 1, boxes)).toBe(4);
    expect(next('ArrowUp', 5, boxes)).toBe(2);
    expect(next('ArrowDown', 5, boxes)).toBe(7);
    expect(next('ArrowDown', 7, boxes)).toBe(7);
    expect(next('ArrowUp', 1, boxes)).toBe(1);
  });
  it('know the ends and leave other keys alone', () => {
    expect(next('End', 0, boxes)).toBe(7);
    expect(next('Home', 5, boxes)).toBe(0);
    expect(next('x', 5, boxes)).toBeNull();
  });
});
