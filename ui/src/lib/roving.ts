/**
 * Arrow keys between the items of a grid that wraps: one item is in the order of Tab, the arrows move
 * from there. Looks at where the items stand only when a key is pressed.
 */

/** The item that a key leads to, given the top edges and left edges of all; `null` for other keys. */
export function next(key: string, at: number, boxes: { top: number; left: number }[]): number | null {
  const here = boxes[at];
  if (!here) return null;
  const last = boxes.length - 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, at - 1);
    case 'ArrowRight':
      return Math.min(last, at + 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'ArrowUp':
    case 'ArrowDown': {
      const way = key === 'ArrowUp' ? -1 : 1;
      let row: number | null = null;
      let best = at;
      for (let i = at + way; i >= 0 && i <= last; i += way) {
        const box = boxes[i];
        if (!box || Math.abs(box.top - here.top) < 2) continue;
        row ??= box.top;
        if (Math.abs(box.top - row) >= 2) break;
        if (best === at || Math.abs(box.left - here.left) < Math.abs((boxes[best]?.left ?? 0) - here.left)) {
          best = i;
        }
      }
      return best;
    }
    default:
      return null;
  }
}

/** True while somebody types: single letters are text then. */
export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type=radio], [type=checkbox]), textarea, select')
  );
}
