/** Sentences of the set-up guide and of the settings. */
import type { Nic } from '../wire';

/** A card in a line: its link and its addresses. */
function nicLine(nic: Nic): string {
  const link = !nic.up
    ? 'switched off'
    : !nic.carrier
      ? 'no cable, or nothing at its other end'
      : nic.speed_mbit
        ? `linked at ${nic.speed_mbit} Mbit/s`
        : 'linked';
  return [link, nic.addresses.join(', ') || 'no address'].join(' · ');
}

export const setup = {
  note: 'From a bare laptop to the first batch. You can leave at any step and come back.',
  steps: {
    nic: 'Network card',
    wire: 'Wire check',
    image: 'Golden image',
    product: 'Product',
    venue: 'Venue',
    names: 'Names',
    batch: 'First batch',
  },
  states: { done: 'done', todo: 'to do', attention: 'needs you', busy: 'under way' },
  list: 'Steps',
  step: (n: number, of: number) => `Step ${n} of ${of}`,
  change: 'Change',
  next: 'Next step',
  back: 'Step before',
  leave: 'To the bench',
  another: 'Add another',
  kept: (code: string) => `${code} is kept.`,
  nic: {
    text: 'Which network card leads to the switch with the boards? Choose one that leads nowhere else.',
    chosen: (name: string) => `Boards hang on ${name}.`,
    none: 'None for now: no board is served',
    legend: 'Network card',
    chosenBadge: 'In use',
    line: nicLine,
    noNics: 'No network card was found',
    noNicsText: 'Plug in a USB network card; it appears here by itself.',
    address: 'Address of the station',
    addressHint: 'With its prefix length, such as 192.168.151.1/24.',
    leases: 'Addresses for boards',
    leasesHint: 'From–to, such as 192.168.151.100-192.168.151.250.',
    force: 'I know. Serve boards on this card all the same',
    forceHint: 'Every Raspberry Pi that boots from the network there gets an address from this station.',
    forceFirst: 'Tick the box above first.',
    use: (name: string | null) => (name ? `Use ${name}` : 'Serve no board'),
    used: (name: string | null) => (name ? `Boards are served on ${name}.` : 'No board is served now.'),
    fixed: (by: string) => `This is decided by ${by}, and is changed there.`,
    loading: 'Looking for network cards …',
  },
  wire: {
    text: 'Before a board is answered, the station looks whether it is alone on the wire.',
    noCard: 'Choose a network card first.',
    looking: 'Looking at the wire …',
    clear: 'The wire looks clear. Boards can be plugged in.',
    attention: 'Something must be put right first:',
    stopped: 'DHCP is stopped, so no board gets an address.',
  },
  image: {
    text: 'The image that boards get. It is checked, and packed once for all of them.',
    productFirst: 'An image belongs to a product: what its boards become. Describe that first.',
    found: 'Imported. This is what was found inside:',
    running: 'It is being imported. You can go on with the next step meanwhile.',
  },
  product: { text: 'What do the boards become, and how are they called?' },
  venue: { text: 'Where do the boards go?' },
  names: {
    text: 'The numbers that boards may get at this venue. A batch takes as many as it needs.',
    first: 'Describe a product and a venue first.',
    have: (free: number, all: number) => `${all} names, ${free} of them free.`,
    fromBoard: 'The names of this product are made from the board itself, so there are none to import.',
    all: 'See all names',
    kept: 'The names are imported.',
  },
  batch: {
    text: 'Say how many boards you want, start it, and power them on.',
    first: 'The steps before this one come first.',
    create: 'Create the first batch',
    done: 'There is a batch. Power on the boards and watch them on the bench.',
    rehearse: 'No board at hand? Rehearse with virtual ones.',
  },
  result: (code: string, name: string) => `${code}, ${name}`,
};

export const settings = {
  deployment: 'Where boards hang',
  notifications: 'Notifications',
  quiet: 'Quiet mode',
  quietHint: 'No desktop notifications. The page still shows everything.',
  quietOn: 'Quiet mode is on.',
  quietOff: 'Quiet mode is off.',
  namesLow: 'Warn when fewer free names are left than',
  diskLow: 'Warn when less room is left on the disk than (GB)',
  saved: 'The settings are saved.',
  appearance: 'Appearance',
  appearanceNote: 'For this screen only.',
  theme: 'Theme',
  themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
  contrast: 'Contrast',
  contrasts: { system: 'As the system', more: 'More' },
  about: 'About',
  version: 'Version',
  here: 'This page',
  homes: {
    windowOwn: 'In the window, with a station of its own: it ends with the window',
    windowDaemon: 'In the window, attached to the service that runs on this machine',
    browser: 'In a browser, at the service of the station',
    mock: 'A made-up station for working on the page',
  },
  page: 'In a browser',
  noPage: 'Not offered',
  fingerprint: 'Fingerprint of its certificate (SHA-256)',
  fingerprintCopy: 'the fingerprint',
  dataDir: 'Data folder',
  address: 'the address',
  folder: 'the folder',
  guide: 'Open the set-up guide',
};
