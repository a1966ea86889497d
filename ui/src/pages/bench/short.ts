/** The shortest thing that tells a board from the others of its batch. */
import type { Board } from '../../lib/wire';

export function short(board: Board): string {
  const end = board.hostname?.split('-').at(-1);
  return end ?? board.place ?? board.id.slice(-4);
}
