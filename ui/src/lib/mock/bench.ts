/** The mock's odd boards, its batches and its rehearsal, with a few of the station's rules. */
import { Refused } from '../station';
import type {
  Batch,
  Board,
  Command,
  Hold,
  Receipt,
  Rehearsal,
  RehearsalPlan,
  RehearsalReport,
  RehearsalState,
  Stage,
} from '../wire';
import type { World } from './world';

const invalid = (field: string, message: string, next?: string) =>
  new Refused({ code: 'invalid', field, message, next });
const open = (batch: Batch) => ['pending', 'active', 'paused'].includes(batch.state);

/** Every reason to hold a board. */
export const HOLDS: Hold[] = [
  { kind: 'disk_holds_system', disk: '/dev/nvme0n1', found: 'a partition table with 2 partitions' },
  { kind: 'no_matching_batch' },
  { kind: 'provisioned_before', hostname: 'KXP2-CORO-004', at: 0 },
  { kind: 'batch_paused', batch: 1 },
  { kind: 'no_names_left', product: 'KXP2', venue: 'CORO' },
  { kind: 'no_active_image', product: 'GATE' },
  { kind: 'needs_approval' },
  { kind: 'no_suitable_disk', why: 'it has only a USB disk' },
  { kind: 'image_too_big', disk: '/dev/mmcblk0', disk_bytes: 4e9, image_bytes: 5.8e9 },
  { kind: 'wrong_architecture', why: 'it is 32-bit only' },
  { kind: 'by_operator' },
  { kind: 'identity_conflict', why: 'another board has the same serial' },
];

/** Makes a board of each odd state out of ordinary ones: `?odd` in the address. */
export function oddities(world: World) {
  const stages: Stage[] = ['failed', 'not_ours', 'already_done', 'cancelled', 'unknown'];
  const plain = { hold: null, failure: null, stalled: null, progress: null };
  world.snapshot.boards.forEach((board, i) => {
    const hold = HOLDS[i];
    const stage = stages[i - HOLDS.length];
    if (hold) Object.assign(board, plain, { stage: 'on_hold', hold, hostname: null });
    else if (stage === 'failed') {
      Object.assign(board, plain, {
        stage,
        attempt: 2,
        failure: {
          stage: 'writing',
          what: 'Its disk refused a write at 1.2 GB.',
          next: 'Fit another card and try again.',
        },
      });
    } else if (stage) Object.assign(board, plain, { stage });
  });
}

/** Does what concerns batches and rehearsals; `null` for commands of others. */
export function benched(world: World, command: Command): Receipt | null {
  const find = (id: number) => world.snapshot.batches.find((b) => b.id === id);
  const tell = (batch: Batch): Receipt => {
    world.tell({ update: 'batch', value: batch });
    return { receipt: 'batch', ...batch };
  };
  switch (command.command) {
    case 'batch_cancel': {
      const batch = find(command.batch);
      return batch ? tell(Object.assign(batch, { state: 'cancelled', rank: 0, ended: Date.now() })) : null;
    }
    case 'batch_extend': {
      const batch = find(command.batch);
      if (!batch) return null;
      batch.plan.count += command.by;
      batch.counters.planned = batch.plan.count;
      return tell(batch);
    }
    case 'batch_reorder': {
      const order = world.snapshot.batches.filter(open).sort((a, b) => a.rank - b.rank);
      const batch = find(command.batch);
      if (!batch) return null;
      order.splice(order.indexOf(batch), 1);
      order.splice(command.rank - 1, 0, batch);
      order.forEach((one, at) => tell(Object.assign(one, { rank: at + 1 })));
      return { receipt: 'batch', ...batch };
    }
    case 'batch_retry':
      for (const board of world.snapshot.boards) {
        if (board.stage === 'failed' && board.batch === command.batch) retry(world, board);
      }
      return { receipt: 'done', text: 'Failed boards are tried again.' };
    case 'rehearsal_start': {
      const { boards, speed_percent, faulty, faults, models } = command;
      rehearse(world, { boards, speed_percent, faulty, faults, models });
      return { receipt: 'done', text: 'The rehearsal is being prepared.' };
    }
    case 'rehearsal_stop':
      become(world, { state: 'stopped', why: 'It was stopped.' });
      return { receipt: 'done', text: 'The rehearsal is stopped.' };
    default:
      return null;
  }
}

/** Why such a command is refused. */
export function benchForbids(world: World, command: Command): Refused | null {
  switch (command.command) {
    case 'batch_create': {
      if (!(command.count >= 1 && command.count <= 1000)) {
        return invalid('count', `A batch has 1 to 1000 boards, not ${command.count}.`);
      }
      if (command.disks.kinds.length === 0) return invalid('disks', 'The batch allows no kind of disk.');
      const { product, venue, count } = command;
      if (!world.products.find((p) => p.code === product)?.pattern.includes('{number')) return null;
      const free = world.names.filter(
        (n) => n.product === product && n.venue === venue && n.state === 'available',
      ).length;
      if (free >= count) return null;
      const message = `${count} ${product} names of ${venue} are needed and ${free} are free: ${count - free} are missing.`;
      return invalid('count', message, `Import at least ${count - free} more names, or plan fewer boards.`);
    }
    case 'batch_extend':
      return command.by >= 1 && command.by <= 1000
        ? null
        : invalid('by', `A batch is extended by 1 to 1000 boards, not ${command.by}.`);
    case 'rehearsal_start':
      if (!(command.boards >= 1 && command.boards <= 100)) {
        return invalid('boards', `A rehearsal has 1 to 100 boards, not ${command.boards}.`);
      }
      return command.faulty > command.boards
        ? invalid(
            'faulty',
            `Only ${command.boards} boards are rehearsed; ${command.faulty} cannot be faulty.`,
          )
        : null;
    default:
      return null;
  }
}

function retry(world: World, board: Board) {
  Object.assign(board, {
    stage: 'assigned',
    failure: null,
    stage_since: Date.now(),
    attempt: board.attempt + 1,
  });
  world.tell({ update: 'board', value: board });
}

function become(world: World, state: RehearsalState) {
  const { rehearsal } = world.snapshot;
  if (!rehearsal) return;
  world.snapshot.rehearsal = { ...rehearsal, state };
  world.tell({ update: 'rehearsal', value: world.snapshot.rehearsal });
}

/** Goes through the states of a rehearsal by a timer. */
function rehearse(world: World, plan: RehearsalPlan) {
  const rehearsal: Rehearsal = {
    plan,
    state: { state: 'preparing', doing: 'An image is being made.' },
    started: Date.now(),
  };
  world.snapshot.rehearsal = rehearsal;
  world.tell({ update: 'rehearsal', value: rehearsal });
  const way: [number, RehearsalState][] = [
    [2500, { state: 'running' }],
    [15_000, { state: 'proving' }],
    [18_000, { state: 'ended', report: report(plan) }],
  ];
  for (const [ms, state] of way) {
    setTimeout(() => {
      if (world.snapshot.rehearsal?.started === rehearsal.started && !stopped(world)) become(world, state);
    }, ms);
  }
}
const stopped = (world: World) => world.snapshot.rehearsal?.state.state === 'stopped';

export function report(plan: RehearsalPlan): RehearsalReport {
  const failed = Math.min(plan.faulty, 1);
  const hostname = (i: number) => `KXP2-REHE-${String(i + 1).padStart(3, '0')}`;
  return {
    boards: plan.boards,
    done: plan.boards - failed,
    failed,
    hostnames: Array.from({ length: plan.boards }, (_, i) => hostname(i)),
    seconds: 41.3,
    image_bytes: 96_000_000,
    wire_bytes: 96_000_000 * plan.boards * 0.6,
    verified: failed === 0,
    per_board: Array.from({ length: plan.boards }, (_, i) => ({
      serial: (0x4c1f2a00 + i).toString(16),
      hostname: hostname(i),
      state: i < failed ? ('failed' as const) : ('first_boot_confirmed' as const),
      seconds: 30 + i,
      bytes_written: 96_000_000,
      bytes_read_back: i < failed ? 0 : 96_000_000,
      transport: 'http',
      fault: i < failed ? 'Sectors 2,048 to 4,095 differ from the image.' : null,
    })),
  };
}
