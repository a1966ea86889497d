/** What a person has done to a board. */
import { act, type Desk } from '../context';
import { t } from '../strings/en';
import type { Board, Command } from '../wire';
import { called, type Deed } from './stages';

/** For how long a board blinks, in seconds. */
const BLINK_S = 20;

export function identify(desk: Desk, board: Board): Promise<boolean> {
  const command: Command = { command: 'board_identify', board: board.id, seconds: BLINK_S };
  return act(desk, command, t.bench.identified(called(board)));
}

export function doDeed(desk: Desk, board: Board, deed: Deed): Promise<boolean> {
  switch (deed) {
    case 'retry':
      return act(desk, { command: 'board_retry', board: board.id });
    case 'accept':
      return act(desk, { command: 'board_accept', mac: board.mac });
    default:
      return act(desk, { command: 'board_approve', board: board.id });
  }
}

export function hold(desk: Desk, board: Board): Promise<boolean> {
  return act(desk, { command: 'board_hold', board: board.id }, t.bench.heldSaid(called(board)));
}

export function release(desk: Desk, board: Board, reason: string): Promise<boolean> {
  return act(desk, { command: 'board_release', board: board.id, reason });
}
