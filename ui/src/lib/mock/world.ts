/** The state of the mock, and how it moves. */
import { STAGE_ORDER } from '../board/stages';
import { nothing } from '../fold';
import { benched, benchForbids } from './bench';
import { peopled, peopleForbid, someDeeds, someOperators } from './people';
import { forbidden, importsMove, olderImage, planned, quietLink, someImports } from './plans';
import { kept, keptForbids } from './keep';
import { Refused } from '../station';
import type {
  Batch,
  Board,
  Command,
  Deed,
  Deployment,
  DeploymentChoice,
  Event,
  Image,
  Name,
  Operator,
  Product,
  Profile,
  Receipt,
  Snapshot,
  Stage,
  Update,
  Venue,
} from '../wire';

const IMAGE = 'a3'.repeat(32);
const TOTAL = 2_600_000_000;

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

export class World {
  snapshot: Snapshot = nothing();
  products: Product[] = [
    {
      code: 'KXP2',
      name: 'Kart display',
      pattern: '{product}-{venue}-{number:03}',
      image: IMAGE,
      archived: false,
    },
    {
      code: 'GATE',
      name: 'Gate controller',
      pattern: '{product}-{venue}-{serial:8}',
      image: null,
      archived: false,
    },
  ];
  venues: Venue[] = [
    {
      code: 'CORO',
      name: 'Corona Raceway',
      location: 'Corona, CA',
      contact: 'ops@example.org',
      archived: false,
    },
    { code: 'ARIA', name: 'Aria Speedpark', location: '', contact: '', archived: false },
  ];
  names: Name[] = [];
  events: Event[] = [];
  history: Deployment[] = [];
  operators: Operator[] = someOperators(Date.now());
  deeds: Deed[] = someDeeds(Date.now());
  profiles: Profile[] = [];
  deployment: DeploymentChoice = {
    interface: 'eth1',
    address: '192.168.151.1/24',
    leases: '192.168.151.100-192.168.151.250',
    force_default_route: false,
  };
  /** Milliseconds between two moves of every board. */
  beat = 1000;
  #readers = new Set<(update: Update) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(boards: number, rehearsal: boolean) {
    const now = Date.now();
    this.snapshot = {
      ...nothing(),
      protocol: 1,
      version: '0.1.0',
      at: now,
      is_rehearsal: rehearsal,
      images: [this.#image(now), olderImage(this.#image(now))],
      findings: [quietLink(now)],
      imports: someImports(now),
      preferences: { quiet: false, names_low: 5, disk_low: 5e9 },
      servers: (['http', 'tftp', 'dhcp'] as const).map((server) => ({
        server,
        state: 'serving',
        listen: `192.168.151.1:${{ http: 5001, tftp: 69, dhcp: 67 }[server]} on eth1`,
        since: now - 600_000,
      })),
      batches: [this.#batch(1, 'active', boards, now), { ...this.#batch(2, 'pending', 10, now), rank: 2 }],
      boards: Array.from({ length: boards }, (_, i) => this.#board(i, now, rehearsal)),
    };
    this.#count();
    this.names = Array.from({ length: 5000 }, (_, i) => this.#name(i + 1, boards, now));
    this.history = Array.from({ length: 500 }, (_, i) => this.#deployment(i, now));
    this.events = this.snapshot.boards.flatMap((b, i) => [
      this.#event(i * 2 + 1, b, `${b.model} with serial ${b.id} asks for an address.`, now - 300_000),
      this.#event(i * 2 + 2, b, `It is now ${b.stage}.`, now - 200_000),
    ]);
  }

  watch(read: (update: Update) => void): () => void {
    this.#readers.add(read);
    read({ update: 'snapshot', value: structuredClone({ ...this.snapshot, at: Date.now() }) });
    this.#timer ??= setInterval(() => this.#move(), this.beat);
    return () => {
      this.#readers.delete(read);
      if (this.#readers.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  /** What a command does here; enough for the page to be tried. */
  async command(command: Command): Promise<Receipt> {
    const refused = this.refusal(command);
    if (refused) throw refused;
    switch (command.command) {
      case 'board_retry':
      case 'board_approve':
        this.#change(command.board, { stage: 'assigned', hold: null, failure: null, stalled: null });
        break;
      case 'board_hold':
        this.#change(command.board, { stage: 'on_hold', hold: { kind: 'by_operator' } });
        break;
      case 'board_release':
        this.snapshot.boards = this.snapshot.boards.filter((b) => b.id !== command.board);
        this.tell({ update: 'board_gone', value: command.board });
        break;
      case 'board_place':
        this.#change(command.board, { place: command.place || null });
        break;
      case 'server_start':
      case 'server_stop': {
        const server = this.snapshot.servers.find((s) => s.server === command.server);
        if (!server) break;
        const next = {
          server: server.server,
          listen: server.listen,
          since: Date.now(),
          state: command.command === 'server_stop' ? ('stopped' as const) : ('serving' as const),
        };
        this.snapshot.servers = this.snapshot.servers.map((s) => (s === server ? next : s));
        this.tell({ update: 'server', value: next });
        break;
      }
      case 'batch_create': {
        const { product, venue, count, image, rules, disks, reimage } = command;
        const plan = { product, venue, count, image, rules, disks, reimage };
        const batch = {
          ...this.#batch(this.snapshot.batches.length + 1, 'pending', count, Date.now()),
          plan,
        };
        this.snapshot.batches.push(batch);
        this.tell({ update: 'batch', value: batch });
        return { receipt: 'batch', ...batch };
      }
      case 'batch_start':
      case 'batch_pause':
      case 'batch_resume': {
        const state = command.command === 'batch_pause' ? 'paused' : 'active';
        const batch = this.snapshot.batches.find((b) => b.id === command.batch);
        if (batch) this.tell({ update: 'batch', value: { ...Object.assign(batch, { state }) } });
        break;
      }
      default: {
        const receipt =
          planned(this, command) ?? kept(this, command) ?? benched(this, command) ?? peopled(this, command);
        if (receipt) return receipt;
      }
    }
    return { receipt: 'done', text: 'Done.' };
  }

  /** What would come of a command: a few of the station's rules. */
  refusal(command: Command): Refused | null {
    return (
      forbidden(this, command) ??
      keptForbids(this, command) ??
      benchForbids(this, command) ??
      peopleForbid(this, command)
    );
  }

  tell(update: Update) {
    for (const read of this.#readers) read(structuredClone(update));
  }

  #change(id: string, change: Partial<Board>) {
    const board = this.snapshot.boards.find((b) => b.id === id);
    if (!board) return;
    Object.assign(board, change, { stage_since: Date.now(), last_seen: Date.now() });
    this.tell({ update: 'board', value: board });
  }

  #move() {
    importsMove(this);
    for (const board of this.snapshot.boards) {
      const at = STAGE_ORDER.indexOf(board.stage);
      if (at < 0 || board.stalled || at === STAGE_ORDER.length - 1) continue;
      const { progress } = board;
      if (progress && progress.done < progress.total) {
        const done = Math.min(progress.total, progress.done + progress.rate);
        board.progress = { ...progress, done };
        board.last_seen = Date.now();
        this.tell({ update: 'board', value: board });
        continue;
      }
      if (Math.random() < 0.7) continue;
      const stage = STAGE_ORDER[at + 1] ?? board.stage;
      const long = stage === 'writing' || stage === 'verifying';
      this.#change(board.id, {
        stage,
        hostname: at >= 3 ? (board.hostname ?? this.#host(board)) : board.hostname,
        progress: long ? { done: 0, total: TOTAL, rate: 8e7 + Math.random() * 4e7, limit: 'disk' } : null,
      });
    }
    const batch = this.#count();
    if (batch) this.tell({ update: 'batch', value: batch });
  }

  /** Counts the boards of the running batch, which it gives back. */
  #count(): Batch | undefined {
    const batch = this.snapshot.batches.find((b) => b.id === 1);
    if (!batch || batch.ended !== null) return undefined;
    const is = (...stages: Stage[]) => this.snapshot.boards.filter((b) => stages.includes(b.stage)).length;
    batch.counters = {
      planned: batch.plan.count,
      running: is('assigned', 'preparing_storage', 'writing', 'verifying', 'personalising', 'finishing'),
      done: is('done', 'first_boot_confirmed'),
      failed: is('failed'),
      confirmed: is('first_boot_confirmed'),
    };
    return batch;
  }

  #host = (board: Board) => `KXP2-CORO-${String(parseInt(board.id, 16) % 1000).padStart(3, '0')}`;

  #board(i: number, now: number, rehearsal: boolean): Board {
    const id = hex(0x4c1f2a00 + i, 8);
    const models: [string, number][] = [
      ['Raspberry Pi 5', 8192],
      ['Raspberry Pi 4B', 4096],
      ['Raspberry Pi Compute Module 5', 2048],
    ];
    const [model, ram] = models[i % 3] ?? models[0] ?? ['Raspberry Pi', 1024];
    const odd: Stage[] = ['failed', 'on_hold', 'not_ours', 'already_done'];
    const stage =
      i % 11 === 4 ? (odd[Math.floor(i / 11) % 4] ?? 'failed') : (STAGE_ORDER[(i * 5) % 12] ?? 'seen');
    const at = STAGE_ORDER.indexOf(stage);
    const board: Board = {
      id,
      serial: at > 2 ? `9d00ce41${id}` : null,
      mac: `2c:cf:67:00:${hex(i >> 8, 2)}:${hex(i & 255, 2)}`,
      ip: at > 0 ? `192.168.151.${100 + (i % 150)}` : null,
      revision: 0xd04170,
      model,
      ram_mib: ram,
      stage,
      stage_since: now - 1000 * (5 + i * 3),
      last_seen: now - 500,
      hostname: null,
      batch: 1,
      deployment: at > 3 ? `d${i}` : null,
      attempt: 1,
      progress:
        stage === 'writing' || stage === 'verifying'
          ? {
              done: (TOTAL * ((i * 37) % 100)) / 100,
              total: TOTAL,
              rate: 9e7,
              limit: i % 2 ? 'disk' : 'network',
            }
          : null,
      hold:
        stage === 'on_hold'
          ? { kind: 'disk_holds_system', disk: '/dev/nvme0n1', found: 'a partition table with 2 partitions' }
          : null,
      failure:
        stage === 'failed'
          ? {
              stage: 'verifying',
              what: 'Its disk read back something else than was written, at sectors 81,920 to 90,111.',
              next: 'Fit another card and try again.',
            }
          : null,
      stalled:
        i % 13 === 7 && at < 8
          ? { since: now - 45_000, advice: 'It stopped reporting. Check its power and its cable.' }
          : null,
      disk:
        at > 3
          ? {
              path: '/dev/nvme0n1',
              kind: 'nvme',
              bytes: 256e9,
              sector: 512,
              model: 'Example 256',
              serial: 'S1',
              removable: false,
              read_only: false,
              content: { kind: 'blank' },
            }
          : null,
      detail: stage === 'loading_boot_files' ? 'kernel_2712.img' : null,
      place: i % 4 === 0 ? `Slot ${i + 1}` : null,
      rehearsal,
    };
    if (at > 3 || stage === 'failed' || stage === 'already_done') board.hostname = this.#host(board);
    return board;
  }

  #batch(id: number, state: Batch['state'], count: number, now: number): Batch {
    return {
      id,
      plan: {
        product: 'KXP2',
        venue: 'CORO',
        count,
        image: null,
        rules: { models: [], min_ram_mib: null, disks: [], boards: [] },
        disks: { kinds: ['nvme', 'emmc', 'sd', 'virtual'] },
        reimage: 'ask',
      },
      state,
      rank: id,
      counters: { planned: count, running: 0, done: 0, failed: 0, confirmed: 0 },
      created: now - 900_000,
      started: state === 'pending' ? null : now - 800_000,
      ended: null,
      rehearsal: false,
    };
  }

  #image(now: number): Image {
    return {
      id: IMAGE,
      product: 'KXP2',
      file_name: 'kart-display-2026.11.img.xz',
      version: '2026.11',
      description: 'Release with the new timing screen',
      raw_bytes: 5_800_000_000,
      data_bytes: TOTAL,
      pack_bytes: 1_100_000_000,
      sha256: 'b7'.repeat(32),
      contents: {
        table: 'mbr',
        partitions: ['1: FAT, 512 MiB, bootfs', '2: Linux, 4.9 GiB, rootfs'],
        os: 'Raspberry Pi OS (Debian 13)',
        kernel: 'kernel_2712.img',
        arch: 'arm64',
        device_trees: ['bcm2712-rpi-5-b.dtb', 'bcm2712-rpi-cm5-cm5io.dtb'],
        grow: 'agent',
      },
      active: true,
      pack_fault: null,
      imported: now - 86_400_000,
    };
  }

  #name(n: number, boards: number, now: number): Name {
    const state =
      n <= boards ? 'assigned' : n <= boards + 10 ? 'reserved' : n % 97 === 0 ? 'retired' : 'available';
    return {
      hostname: `KXP2-CORO-${String(n).padStart(3, '0')}`,
      product: 'KXP2',
      venue: 'CORO',
      number: n,
      state,
      batch: state === 'reserved' ? 2 : null,
      board: state === 'assigned' ? hex(0x4c1f2a00 + n, 8) : null,
      note: '',
      changed: now - n * 60_000,
    };
  }

  #deployment(i: number, now: number): Deployment {
    const failed = i % 17 === 3;
    return {
      id: `d${i}`,
      board: hex(0x4c1f2a00 + i, 8),
      mac: `2c:cf:67:00:${hex(i >> 8, 2)}:${hex(i & 255, 2)}`,
      hostname: `KXP2-CORO-${String(i + 1).padStart(3, '0')}`,
      batch: 1,
      product: 'KXP2',
      venue: i % 5 ? 'CORO' : 'ARIA',
      image: IMAGE,
      attempt: 1,
      stage: failed ? 'failed' : 'first_boot_confirmed',
      verified: failed ? null : 'full_read_back',
      bytes_written: TOTAL,
      bytes_read_back: failed ? 0 : TOTAL,
      bytes_received: 1_100_000_000,
      transport: 'http',
      error: failed ? 'The disk did not take the data. Fit another card.' : null,
      started: now - i * 3_600_000,
      ended: now - i * 3_600_000 + 150_000,
      confirmed: failed ? null : now - i * 3_600_000 + 200_000,
    };
  }

  #event(id: number, board: Board, text: string, at: number): Event {
    return { id, at, level: 'info', board: board.id, deployment: null, batch: null, kind: 'stage', text };
  }
}
