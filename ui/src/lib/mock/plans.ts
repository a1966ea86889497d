/** The mock's products, venues, names, images and settings, with a few of the station's rules. */
import { keptWould } from './keep';
import { Refused } from '../station';
import { addNames, readNames } from './names';
import type { Command, Finding, Image, Import, Name, Nic, Receipt } from '../wire';
import type { World } from './world';

/** What each running import becomes. */
const wanted = new Map<string, Extract<Command, { command: 'image_add' }>>();
const done = (text: string): Receipt => ({ receipt: 'done', text });
const invalid = (field: string, message: string, next?: string) =>
  new Refused({ code: 'invalid', field, message, next });
const fileName = (path: string) => path.split('/').at(-1) ?? path;

/** Nothing was ever set up. */
export function unpack(world: World) {
  Object.assign(world, { products: [], venues: [], names: [], events: [], history: [] });
  world.deployment = { ...world.deployment, interface: null };
  const none = { boards: [], batches: [], images: [], servers: [], findings: [], imports: [] };
  world.snapshot = { ...world.snapshot, ...none };
}

/** Another DHCP server answers, a cable is out, and the disk is nearly full. */
export function trouble(world: World) {
  const at = Date.now() - 90_000;
  const rival = 'Another DHCP server answers on eth1: 192.168.151.254 (52:54:00:00:00:99).';
  world.snapshot.findings = [
    {
      check: 'rival_dhcp',
      level: 'error',
      text: `${rival} Boards would get their address from it, so DHCP here is stopped.`,
      next: 'Unplug it from this switch or switch its DHCP off, then start DHCP again.',
      at,
    },
    ...world.snapshot.findings,
  ];
  const listen = null;
  world.snapshot.servers = [
    { server: 'http', state: 'restarting', why: 'the address is in use', times: 3, listen, since: at },
    { server: 'tftp', state: 'waiting_for_link', listen, since: at },
    { server: 'dhcp', state: 'refused', why: rival, listen, since: at },
  ];
  world.snapshot.preferences = { ...world.snapshot.preferences, disk_low: 400e9 };
}

/** Does what is planned; `null` for commands of others. */
export function planned(world: World, command: Command): Receipt | null {
  switch (command.command) {
    case 'product_add': {
      const product = { ...command, code: command.code.toUpperCase(), image: null, archived: false };
      world.products = [...world.products, product];
      break;
    }
    case 'venue_add':
      world.venues = [...world.venues, { ...command, code: command.code.toUpperCase(), archived: false }];
      break;
    case 'product_edit':
    case 'product_archive':
      world.products = world.products.map((p) => (p.code === command.code ? { ...p, ...given(command) } : p));
      break;
    case 'venue_edit':
    case 'venue_archive':
      world.venues = world.venues.map((v) => (v.code === command.code ? { ...v, ...given(command) } : v));
      break;
    case 'names_import': {
      const report = readNames(world, command);
      if (!command.dry_run && !report.errors) addNames(world, command, report);
      if (!command.dry_run) world.tell({ update: 'plans' });
      return { receipt: 'names', ...report };
    }
    case 'name_release':
      rename(world, command.hostname, { state: 'available', board: null, batch: null });
      break;
    case 'name_retire':
      rename(world, command.hostname, { state: 'retired', board: null, batch: null });
      break;
    case 'name_reinstate':
      rename(world, command.hostname, { state: 'available' });
      break;
    case 'name_replace':
      rename(world, command.hostname, { state: 'assigned', board: command.board });
      break;
    case 'name_delete':
      world.names = world.names.filter((n) => n.hostname !== command.hostname);
      break;
    case 'image_add': {
      const id = `i${world.snapshot.imports.length + 1}-${Date.now()}`;
      wanted.set(id, command);
      const file_name = fileName(command.path);
      begin(world, { id, file_name, read: 0, total: 3e9, state: { state: 'running' }, started: Date.now() });
      return { receipt: 'import', import: id };
    }
    case 'import_cancel':
      end(world, command.import, { state: 'failed', why: 'It was cancelled.' });
      break;
    case 'image_activate': {
      const product = world.snapshot.images.find((i) => i.id === command.image)?.product;
      shelve(
        world,
        world.snapshot.images.map((i) =>
          i.product === product ? { ...i, active: i.id === command.image } : i,
        ),
      );
      break;
    }
    case 'image_remove':
      shelve(
        world,
        world.snapshot.images.filter((i) => i.id !== command.image),
      );
      break;
    case 'deployment_set':
      world.deployment = {
        interface: command.interface,
        address: command.address,
        leases: command.leases,
        force_default_route: command.force_default_route,
      };
      serve(world, command.interface);
      break;
    case 'preferences_set': {
      const { quiet, names_low, disk_low } = command;
      world.snapshot.preferences = { quiet, names_low, disk_low };
      world.tell({ update: 'preferences', value: world.snapshot.preferences });
      return done('The settings are saved.');
    }
    default:
      return null;
  }
  world.tell({ update: 'plans' });
  return done('Done.');
}

/** What a command would be answered with. */
export function would(world: World, command: Command): Receipt {
  if (command.command === 'names_import') return { receipt: 'names', ...readNames(world, command) };
  return keptWould(world, command) ?? done('');
}

/** Why a command is refused; a few of the station's rules. */
export function forbidden(world: World, command: Command): Refused | null {
  switch (command.command) {
    case 'venue_add':
      if (!/^[A-Za-z0-9]{4}$/.test(command.code)) {
        const message = `a venue code has exactly 4 letters or digits, "${command.code}" has ${command.code.length}`;
        return invalid('code', message);
      }
      if (world.venues.some((v) => v.code === command.code.toUpperCase())) {
        return invalid('code', `There is a venue ${command.code.toUpperCase()} already.`);
      }
      return command.name.trim()
        ? null
        : invalid('name', 'The name has 1 to 100 characters, this one has 0.');
    case 'product_add':
      if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,15}$/.test(command.code)) {
        return invalid('code', 'a product code has 1 to 16 letters, digits or inner hyphens');
      }
      if (!command.name.trim()) return invalid('name', 'The name has 1 to 100 characters, this one has 0.');
      return /\{(number|serial|mac)(:\d+)?\}/.test(command.pattern)
        ? null
        : invalid('pattern', 'the pattern holds nothing that differs from board to board');
    case 'image_add':
      if (!command.path.startsWith('/')) return invalid('path', 'Give the whole path of the file.');
      if (!/\.(img|xz|gz|zst|bz2|zip)$/.test(command.path)) {
        const message = `${fileName(command.path)} is not a disk image: it begins like a text`;
        return invalid('path', message, 'Give the image of a whole disk.');
      }
      return command.product ? null : invalid('product', 'Choose the product it is for.');
    case 'deployment_set': {
      const nic = nics(world).find((n) => n.name === command.interface);
      if (nic?.default_route && !command.force_default_route) {
        const message = `${nic.name} leads to other networks (default route).`;
        return invalid('force_default_route', message, 'Choose another card, or confirm that you mean it.');
      }
      return /^[\d.]+\/\d+$/.test(command.address)
        ? null
        : invalid('address', 'This is no address with a prefix length.', 'Write it like 192.168.151.1/24.');
    }
    default:
      return null;
  }
}

/** The network cards of the machine. */
export function nics(world: World): Nic[] {
  const card = (n: number, name: string, more: Partial<Nic>): Nic => ({
    name,
    mac: `52:54:00:00:00:0${n}`,
    up: true,
    carrier: true,
    speed_mbit: 1000,
    addresses: [],
    default_route: false,
    chosen: world.deployment.interface === name,
    advice: null,
    ...more,
  });
  return [
    card(1, 'eth0', {
      addresses: ['10.0.0.5/24'],
      default_route: true,
      advice: {
        level: 'warning',
        text: 'It leads to other networks (default route). Boards there would be imaged too.',
      },
    }),
    card(2, 'eth1', {
      addresses: world.deployment.interface === 'eth1' ? ['192.168.151.1/24'] : [],
      advice: { level: 'info', text: 'Fit for boards.' },
    }),
    card(3, 'wlan0', {
      carrier: false,
      speed_mbit: null,
      advice: { level: 'error', text: 'Boards cannot boot over wireless.' },
    }),
  ];
}

/** Imports as a day leaves them: one that runs, one that failed. */
export const someImports = (now: number): Import[] => [
  {
    id: 'i0',
    file_name: 'holiday.iso',
    read: 2048,
    total: 7e8,
    state: {
      state: 'failed',
      why: 'holiday.iso: this is not an image of a whole disk: it is the image of a CD; give the image of a whole disk',
    },
    started: now - 60_000,
  },
];

/** A version before another. */
export const olderImage = (image: Image): Image => ({
  ...image,
  id: 'a2'.repeat(32),
  version: '2026.09',
  file_name: 'kart-display-2026.09.img.xz',
  description: '',
  active: false,
  imported: image.imported - 60 * 86_400_000,
});

/** Something that is good to know. */
export const quietLink = (now: number): Finding => ({
  check: 'link_speed',
  level: 'warning',
  text: 'eth1 runs at 100 Mbit/s; every board shares that.',
  next: 'Use a gigabit switch and a cable with all four pairs.',
  at: now - 300_000,
});

/** Moves running imports on. */
export function importsMove(world: World) {
  for (const running of world.snapshot.imports) {
    if (running.state.state !== 'running') continue;
    const read = Math.min(running.total, running.read + 4e8);
    begin(world, { ...running, read });
    if (read < running.total) continue;
    const command = wanted.get(running.id);
    const image = world.snapshot.images[0] ?? template(command?.product ?? 'KXP2');
    const id = running.id.padEnd(64, '0').slice(0, 64);
    const imported: Image = {
      ...image,
      id,
      product: command?.product ?? image.product,
      version: command?.version ?? '1',
      description: command?.description ?? '',
      file_name: running.file_name,
      active: command?.activate ?? false,
      imported: Date.now(),
    };
    const others = world.snapshot.images.map((i) =>
      imported.active && i.product === imported.product ? { ...i, active: false } : i,
    );
    shelve(world, [...others, imported]);
    end(world, running.id, { state: 'done', image: id });
  }
}

const template = (product: string): Image => ({
  id: '00'.repeat(32),
  product,
  file_name: 'golden.img',
  version: '1',
  description: '',
  raw_bytes: 5.8e9,
  data_bytes: 2.6e9,
  pack_bytes: 1.1e9,
  sha256: 'b7'.repeat(32),
  contents: {
    table: 'mbr',
    partitions: ['1: FAT, 512 MiB, bootfs', '2: Linux, 4.9 GiB, rootfs'],
    os: 'Raspberry Pi OS (Debian 13)',
    kernel: 'kernel_2712.img',
    arch: 'arm64',
    device_trees: ['bcm2712-rpi-5-b.dtb'],
    grow: 'image',
  },
  active: true,
  pack_fault: null,
  imported: 0,
});

const given = (command: object) =>
  Object.fromEntries(Object.entries(command).filter(([key, value]) => key !== 'command' && value !== null));

function rename(world: World, hostname: string, change: Partial<Name>) {
  world.names = world.names.map((n) =>
    n.hostname === hostname ? { ...n, ...change, changed: Date.now() } : n,
  );
}

function begin(world: World, value: Import) {
  const others = world.snapshot.imports.filter((i) => i.id !== value.id);
  world.snapshot.imports = [...others, value];
  world.tell({ update: 'import', value });
}

function end(world: World, id: string, state: Import['state']) {
  const running = world.snapshot.imports.find((i) => i.id === id);
  if (running) begin(world, { ...running, state });
}

function shelve(world: World, images: Image[]) {
  world.snapshot.images = images;
  world.products = world.products.map((p) => ({
    ...p,
    image: images.find((i) => i.product === p.code && i.active)?.id ?? null,
  }));
  world.tell({ update: 'images', value: images });
  world.tell({ update: 'plans' });
}

function serve(world: World, nic: string | null) {
  const ports = { http: 5001, tftp: 69, dhcp: 67 };
  world.snapshot.servers = (['http', 'tftp', 'dhcp'] as const).map((server) => ({
    server,
    state: nic ? 'serving' : 'stopped',
    listen: nic && `192.168.151.1:${ports[server]} on ${nic}`,
    since: Date.now(),
  }));
  for (const value of world.snapshot.servers) world.tell({ update: 'server', value });
}
