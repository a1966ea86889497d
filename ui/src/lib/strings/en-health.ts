/** Sentences of the page about how the station is. */
import { bytes, span } from '../words';
import type { ServerKind, ServerStatus } from '../wire';

const purposes: Record<ServerKind, string> = {
  dhcp: 'gives boards their addresses',
  tftp: 'gives boards their boot files',
  http: 'gives boards their image and takes their reports',
};

/** What to do about a server that does not serve. */
function help({ state, server }: ServerStatus): string {
  switch (state) {
    case 'waiting_for_link':
      return 'Plug the cable of the switch into the chosen network card and switch the switch on.';
    case 'probing':
      return 'It serves as soon as the wire is found clear; that takes a few seconds.';
    case 'restarting':
      return 'If this goes on, look into the log of the station.';
    case 'refused':
      return server === 'dhcp'
        ? 'Put right what it names, then start DHCP again.'
        : 'Put right what it names, then start it again.';
    default:
      return '';
  }
}

export const health = {
  servers: 'Servers',
  /** In a word, where the reason stands below. */
  states: { refused: 'Not serving', restarting: 'Starting again' } as Record<string, string | undefined>,
  purposes,
  help,
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  startOf: (name: string) => `Start ${name}`,
  stopOf: (name: string) => `Stop ${name}`,
  restartOf: (name: string) => `Restart ${name}`,
  started: (name: string) => `${name} is starting.`,
  stopped: (name: string) => `${name} is stopped.`,
  noServers: 'No network card is chosen, so nothing is served.',
  chooseCard: 'Choose a network card',
  findings: 'What the checks found',
  clear: 'The wire looks clear.',
  unchecked: 'No network card is chosen, so nothing is checked.',
  parts: 'Parts of the station',
  fit: 'Fit',
  unfit: 'Not fit',
  partNames: {
    database: 'Database',
    disk: 'Disk',
    nic: 'Network card',
    dhcp: 'DHCP',
    tftp: 'TFTP',
    http: 'HTTP',
    image: 'Images',
    pool: 'Names',
    wire: 'Wire',
  } as Record<string, string>,
  selfTest: 'Self-test',
  selfTestWhat:
    'A made-up board asks the servers for an address, its boot files and a piece of its image. It uses up nothing.',
  selfTestRun: 'Run the self-test',
  selfTestResult: (fit: boolean, ms: number) =>
    `${fit ? 'A board would be served.' : 'A board would not be served.'} It took ${(ms / 1000).toFixed(1)} s.`,
  selfTestSteps: {
    offer: 'Address',
    boot_files: 'Boot files',
    check_in: 'Check-in',
    manifest: 'Manifest',
    range: 'Image',
    wire: 'Cable',
    page: 'Page',
  } as Record<string, string>,
  verdicts: { passed: 'Passed', failed: 'Failed', not_run: 'Not run', unknown: 'Unknown' },
  packets: 'Save packets',
  leases: 'Addresses given out',
  leaseHeads: ['Address', 'Board', 'Ethernet address', 'Promised'],
  promised: (ms: number) => (ms > 0 ? `for another ${span(ms)}` : 'no longer; kept for it'),
  noLeases: 'No board has an address yet. Power one on.',
  transfers: 'On its way to boards',
  noTransfers: 'Nothing is being sent at this moment.',
  transfer: (what: string, board: string) => `${what} to ${board}`,
  sent: (sent: number, total: number | null) => (total ? `${bytes(sent)} of ${bytes(total)}` : bytes(sent)),
  station: 'The station',
  version: 'Version',
  uptime: 'Runs',
  memory: 'Memory',
  disk: 'Room on the disk',
  diskWords: (free: number, total: number) => `${bytes(free)} free of ${bytes(total)}`,
  packs: 'Images',
  database: 'Database',
  diskLow: 'The disk is nearly full. Remove images that are no longer used.',
  sockets: 'Listens at',
  diagnose: 'Something does not work?',
  symptoms: [
    [
      'A board does not appear at all',
      'Look at the lights of its network socket and of the switch. Is DHCP serving above? The board must be set to boot from the network: prepare a boot-order card if it never was.',
    ],
    [
      'It has an address but loads no file',
      'Usually another DHCP server answered it first. The checks above name it. Unplug it from this switch.',
    ],
    [
      'It stops while loading boot files',
      'Its boot firmware may be old. Update it with a boot-order card, then power-cycle the board.',
    ],
    ['It waits and nothing is written', 'It is on hold: its tile on the bench says why, and what to press.'],
    [
      'Everything is slow',
      'Look at the speed of the network card under Settings: it should be 1000 Mbit/s or more, and the switch as well.',
    ],
  ] as const,
};
