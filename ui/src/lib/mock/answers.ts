/** The mock's answers. */
import { STAGE_ORDER } from '../board/stages';
import type { Answer, Query, Sheet, Stage, TestStep, TestVerdict } from '../wire';
import { keptAnswer } from './keep';
import { tally } from './names';
import { found as foundDeeds } from './people';
import { nics, would } from './plans';
import type { World } from './world';

const STAGE_TIMES = (
  ['loading_boot_files', 'preparing_storage', 'writing', 'verifying', 'personalising'] as Stage[]
).map((stage, i) => ({ stage, count: 480, median_ms: 9_000 + i * 17_000, p95_ms: 14_000 + i * 29_000 }));
const BY_MODEL = [
  { of: 'Raspberry Pi 5', done: 40, failed: 2 },
  { of: 'Raspberry Pi Compute Module 5', done: 12, failed: 0 },
];

/** The answer to a question; `null` for what does not exist. */
export function answer(world: World, query: Query): Answer | null {
  const { snapshot } = world;
  switch (query.query) {
    case 'boards':
      return { answer: 'boards', value: snapshot.boards };
    case 'products':
      return { answer: 'products', value: world.products };
    case 'venues':
      return { answer: 'venues', value: world.venues };
    case 'names': {
      const text = query.text?.toLowerCase() ?? '';
      const value = world.names.filter(
        (n) =>
          (!query.state || n.state === query.state) &&
          (!query.product || n.product === query.product) &&
          (!query.venue || n.venue === query.venue) &&
          n.hostname.toLowerCase().includes(text),
      );
      return { answer: 'names', value };
    }
    case 'batches':
      return { answer: 'batches', value: snapshot.batches };
    case 'images':
      return { answer: 'images', value: snapshot.images };
    case 'history': {
      const found = history(world, query);
      return { answer: 'history', value: found.slice(query.offset, query.offset + (query.limit || 1000)) };
    }
    case 'history_count':
      return { answer: 'history_count', value: history(world, query).length };
    case 'events':
      return { answer: 'events', value: world.events.filter((e) => !query.board || e.board === query.board) };
    case 'leases':
      return {
        answer: 'leases',
        value: snapshot.boards
          .filter((b) => b.ip)
          .map((b) => ({ mac: b.mac, board: b.id, ip: b.ip ?? '', until: Date.now() + 3e6 })),
      };
    case 'ready':
      return {
        answer: 'ready',
        value: {
          ready: false,
          at: Date.now(),
          subsystems: ['database', 'disk', 'nic', 'dhcp', 'tftp', 'http', 'image', 'pool'].map((name) => ({
            name,
            ready: name !== 'pool',
            detail: name === 'pool' ? 'KXP2 has 3 free names for CORO' : 'all is well',
          })),
        },
      };
    case 'self_test':
      return {
        answer: 'self_test',
        value: {
          fit: false,
          took_ms: 412,
          at: Date.now(),
          steps: [
            step('offer', 'passed', 'A board would be offered 192.168.151.100.'),
            step('boot_files', 'passed', '4 boot files came, 38.2 MB with the kernel and the installer.'),
            step('check_in', 'passed', 'A blank Raspberry Pi 5 would become KXP2-CORO-017.'),
            step(
              'manifest',
              'failed',
              'It did not come: the pack cannot be served.',
              'Import the image again.',
            ),
            step('range', 'not_run', 'There is no manifest to fetch by.'),
          ],
        },
      };
    case 'stats':
      return {
        answer: 'stats',
        value: {
          names: tally(world),
          recent: 42,
          recent_done: 40,
          venues: 2,
          stages: world.history.length ? STAGE_TIMES : [],
          by_model: world.history.length ? BY_MODEL : [],
          by_venue: world.history.length
            ? [
                { of: 'CORO', done: 38, failed: 1 },
                { of: 'ARIA', done: 9, failed: 0 },
              ]
            : [],
        },
      };
    case 'nics':
      return {
        answer: 'nics',
        value: nics(world),
      };
    case 'settings':
      return {
        answer: 'settings',
        value: {
          deployment: world.deployment,
          deployment_fixed_by: null,
          preferences: snapshot.preferences,
          data_dir: '/home/me/.local/share/punnet',
          page: 'http://127.0.0.1:5000',
          fingerprint: null,
        },
      };
    case 'works':
      return {
        answer: 'works',
        value: {
          transfers: snapshot.boards.slice(0, 3).map((b) => ({
            server: 'http',
            board: b.id,
            ip: b.ip ?? '192.168.151.9',
            what: 'a3a3a3a3a3a3',
            sent: 4e8,
            total: 1.1e9,
            since: Date.now() - 9000,
          })),
          disk: { total: 500e9, free: 210e9, packs: 9e9, database: 12e6 },
          sockets: [
            { what: 'DHCP', at: '192.168.151.1:67 on eth1' },
            { what: 'The page', at: '127.0.0.1:5000' },
          ],
          memory: 31e6,
          up_ms: 3_600_000,
        },
      };
    case 'try': {
      const refused = world.refusal(query.of);
      return {
        answer: 'try',
        value: refused
          ? { would: 'refuse', refusal: refused.refusal }
          : { would: 'do', receipt: would(world, query.of) },
      };
    }
    case 'operators':
      return { answer: 'operators', value: world.operators };
    case 'deeds':
      return { answer: 'deeds', value: foundDeeds(world.deeds, query) };
    case 'sheet': {
      const board = snapshot.boards.find((b) => b.id === query.board);
      return board ? { answer: 'sheet', value: sheet(world, board.id) } : null;
    }
    default:
      return keptAnswer(world, query);
  }
}

function step(step: string, verdict: TestVerdict, found: string, next: string | null = null): TestStep {
  return { step, verdict, found, next, took_ms: 40 };
}

function history(world: World, filter: Extract<Query, { query: 'history' | 'history_count' }>) {
  const text = filter.text?.toLowerCase() ?? '';
  return world.history.filter(
    (d) =>
      (!filter.venue || d.venue === filter.venue) &&
      (!filter.stage || d.stage === filter.stage) &&
      (!filter.board || d.board === filter.board) &&
      (!filter.product || d.product === filter.product) &&
      (!filter.batch || d.batch === filter.batch) &&
      (!filter.since || d.started >= filter.since) &&
      (!filter.until || d.started < filter.until) &&
      `${d.hostname} ${d.board} ${d.mac}`.toLowerCase().includes(text),
  );
}

function sheet(world: World, id: string): Sheet {
  const board = world.snapshot.boards.find((b) => b.id === id) ?? world.snapshot.boards[0];
  if (!board) throw new Error('no boards');
  const began = Date.now() - 200_000;
  const way = STAGE_ORDER.slice(0, STAGE_ORDER.indexOf('writing') + 1);
  const points = (base: number) =>
    Array.from({ length: 60 }, (_, i) => ({ at: i * 4e7, rate: base + 2e7 * Math.sin(i / 5) }));
  return {
    board,
    inventory: {
      board: board.id,
      serial: board.serial,
      revision: board.revision,
      model: board.model,
      arch: 'aarch64',
      ram_mib: board.ram_mib ?? 1024,
      mac: board.mac,
      macs: [board.mac],
      link_mbit: 1000,
      disks: board.disk ? [board.disk] : [],
      eeprom_version: '2025-09-23',
      boot_order: '0xf461',
      temperature_millicelsius: 48_200,
      throttled: 0,
    },
    timeline: way.map((stage, i) => ({
      stage,
      began: began + i * 9000,
      ended: i < way.length - 1 ? began + (i + 1) * 9000 : null,
      detail: stage === 'loading_boot_files' ? '14 files, 38 MB' : null,
    })),
    curve: { write: points(9e7), read: points(1.6e8) },
    deployments: world.history.slice(0, 2),
    advice:
      board.stage === 'failed' || board.stalled || board.stage === 'on_hold'
        ? [
            {
              rule: 'bad_medium',
              level: 'error',
              observed: 'What was read back differs from what was written, twice at the same place.',
              next: 'Fit another card and press “Try again”.',
            },
          ]
        : [],
  };
}
