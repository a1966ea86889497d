/**
 * A station of its own for a test: the real `punnet --daemon` on the loopback, without any rights, and
 * virtual boards that hang on it. It keeps its ports when it is killed and started again.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './places';

const run = promisify(execFile);
const target = process.env.CARGO_TARGET_DIR ?? join(repository, 'target');
const punnet = process.env.PUNNET ?? join(target, 'debug/punnet');
const examples = process.env.PUNNET_EXAMPLES ?? join(target, 'debug/examples');

/** The person who logs in. */
export const TESS = { name: 'tess', password: 'correct horse battery' };

interface Doors {
  dhcp: number;
  tftp: number;
  boards: number;
  operators: number;
}

export class Station {
  readonly folder = mkdtempSync(join(tmpdir(), 'punnet-browser-'));
  private daemon: ChildProcess | undefined;

  private constructor(readonly doors: Doors) {
    const text = [
      `data_dir = "${join(this.folder, 'data')}"`,
      '[deployment]',
      `dhcp_port = ${doors.dhcp}`,
      `tftp_port = ${doors.tftp}`,
      `http_port = ${doors.boards}`,
      '[management]',
      `listen = "127.0.0.1:${doors.operators}"`,
    ];
    writeFileSync(this.configuration, text.join('\n'));
  }

  private static async somewhere(): Promise<Station> {
    const ports = await Promise.all([udp(), udp(), tcp(), tcp()]);
    const [dhcp, tftp, boards, operators] = ports as [number, number, number, number];
    return new Station({ dhcp, tftp, boards, operators });
  }

  /** A station that was brought here in an archive. Nobody has started it. */
  static async restored(archive: string): Promise<Station> {
    const station = await Station.somewhere();
    station.cli(['restore', archive]);
    return station;
  }

  /** A station that serves, and on which {@link TESS} may do everything. */
  static async serving(): Promise<Station> {
    const station = await Station.somewhere();
    await station.start();
    station.cli(['operator', 'add', TESS.name, '--role', 'admin'], TESS.password);
    return station;
  }

  get origin() {
    return `http://127.0.0.1:${this.doors.operators}`;
  }

  private get configuration() {
    return join(this.folder, 'station.toml');
  }

  /** Starts the daemon and waits until its door for operators answers. */
  async start() {
    const log = createWriteStream(this.log, { flags: 'a' });
    await new Promise((open) => log.once('open', open));
    const daemon = spawn(punnet, ['--daemon', '--rehearsal', '--config', this.configuration], {
      stdio: ['ignore', log, log],
    });
    this.daemon = daemon;
    for (;;) {
      if (daemon.exitCode !== null) throw new Error(`The daemon ended.\n${this.said()}`);
      // A definite answer of the station is its own sign that it is there.
      const ready = await fetch(`${this.origin}/health`).catch(() => null);
      if (ready) return;
      await new Promise((again) => setTimeout(again, 20));
    }
  }

  /** SIGKILL: no farewell. */
  async kill() {
    const daemon = this.daemon;
    if (!daemon) return;
    this.daemon = undefined;
    const ended = new Promise((end) => daemon.once('exit', end));
    daemon.kill('SIGKILL');
    await ended;
  }

  /** The command line on this station's machine; what it printed. */
  cli(words: string[], input = ''): string {
    const env = { ...process.env, PUNNET_CONFIG: this.configuration };
    return execFileSync(punnet, words, { env, input, encoding: 'utf8' });
  }

  /** Switches boards on and waits until all of them are finished or given up. */
  async boards(count: number) {
    await run(join(examples, 'boards'), [
      ...['--dhcp', `127.0.0.1:${this.doors.dhcp}`, '--tftp', `127.0.0.1:${this.doors.tftp}`],
      ...['--boards', String(count), '--disk-bytes', '536870912', '--timeout', '240', '--json'],
    ]);
  }

  /** Asks for an address as a device of this vendor class does (RFC 2131 section 2, RFC 2132). */
  discovers(mac: string, vendorClass: string) {
    const bytes = Buffer.alloc(240);
    bytes.set([1, 1, 6, 0], 0);
    bytes.writeUInt32BE(0x50756e, 4);
    bytes.set(
      mac.split(':').map((pair) => Number.parseInt(pair, 16)),
      28,
    );
    bytes.set([0x63, 0x82, 0x53, 0x63], 236);
    const text = Buffer.from(vendorClass);
    const options = Buffer.from([53, 1, 1, 60, text.length, ...text, 255]);
    const socket = createSocket('udp4');
    socket.send(Buffer.concat([bytes, options], 320), this.doors.dhcp, '127.0.0.1', () => socket.close());
  }

  /** The end of the daemon's log. */
  said(): string {
    return readFileSync(this.log, 'utf8').split('\n').slice(-40).join('\n');
  }

  async end() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get log() {
    return join(this.folder, 'daemon.log');
  }
}

/** The small system image; made when it is missing. */
export function smallImage(): string {
  return execFileSync(join(repository, 'packaging/image/small.sh'), { encoding: 'utf8' }).trim();
}

/** A UDP port that was free a moment ago. */
function udp(): Promise<number> {
  return new Promise((found) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => found(port));
    });
  });
}

/** A TCP port that was free a moment ago. */
function tcp(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
