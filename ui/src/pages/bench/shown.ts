/** Which batches stand on top of the bench. */
import type { Batch, Board } from '../../lib/wire';

/** Running and paused ones, and those complete whose boards still lie there; planned ones when no other is. */
export function shown(batches: Batch[], boards: Iterable<Board>): Batch[] {
  const here = new Set<number | null>();
  for (const board of boards) here.add(board.batch);
  const top = batches.filter(
    (b) => b.state === 'active' || b.state === 'paused' || (b.state === 'completed' && here.has(b.id)),
  );
  if (top.length > 0) return top;
  return here.size > 0 ? batches.filter((b) => b.state === 'pending').slice(0, 1) : [];
}
