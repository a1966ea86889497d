/** Boards and batches for tests: ordinary ones, and what is asked for over them. */
import { mockStation } from '../lib/mock';
import type { Station } from '../lib/station';
import type { Answer, Batch, Board, Command, Deployment, Query, Snapshot } from '../lib/wire';

/** The time of these boards. */
export const NOW = 1_800_000_000_000;

export const board = (over: Partial<Board> = {}): Board => ({
  id: '4c1f2a00',
  serial: null,
  mac: '2c:cf:67:00:00:01',
  ip: null,
  revision: 0xd04170,
  model: 'Raspberry Pi 5',
  ram_mib: 8192,
  stage: 'seen',
  stage_since: NOW,
  last_seen: NOW,
  hostname: null,
  batch: 1,
  deployment: null,
  attempt: 1,
  progress: null,
  hold: null,
  failure: null,
  stalled: null,
  disk: null,
  detail: null,
  place: null,
  rehearsal: false,
  ...over,
});

export const batch = (over: Partial<Batch> = {}): Batch => ({
  id: 1,
  plan: {
    product: 'KXP2',
    venue: 'CORO',
    count: 4,
    image: null,
    rules: { models: [], min_ram_mib: null, disks: [], boards: [] },
    disks: { kinds: ['nvme', 'sd'] },
    reimage: 'ask',
  },
  state: 'active',
  rank: 1,
  counters: { planned: 4, running: 0, done: 0, failed: 0, confirmed: 0 },
  created: NOW,
  started: NOW,
  ended: null,
  rehearsal: false,
  ...over,
});

export const deployment = (over: Partial<Deployment> = {}): Deployment => ({
  id: 'd1',
  board: '4c1f2a00',
  mac: '2c:cf:67:00:00:01',
  hostname: 'KXP2-CORO-001',
  batch: 1,
  product: 'KXP2',
  venue: 'CORO',
  image: 'a3'.repeat(32),
  attempt: 1,
  stage: 'done',
  verified: 'full_read_back',
  bytes_written: 1,
  bytes_read_back: 1,
  bytes_received: 1,
  transport: 'http',
  error: null,
  started: NOW - 100_000,
  ended: NOW,
  confirmed: null,
  ...over,
});

/** The mock station, seen through what a test changes of its bench; it keeps what it was told to do. */
export function stationWith(change: Partial<Snapshot>, answers?: (query: Query) => Answer | null) {
  const mock = mockStation();
  const told: Command[] = [];
  const station: Station = {
    ...mock,
    watch: (bench, update, lost) =>
      mock.watch(
        bench,
        (news) => {
          if (news.update === 'snapshot') update({ ...news, value: { ...news.value, ...change } });
          // The mock's own boards are not on this bench.
          else if (news.update !== 'board' && news.update !== 'batch') update(news);
        },
        lost,
      ),
    query: async (bench, query) => answers?.(query) ?? mock.query(bench, query),
    command: (bench, command) => {
      told.push(command);
      return mock.command(bench, command);
    },
  };
  return { station, told };
}
