/**
 * Every sentence of the page, in English. A second language is a second object of the same shape.
 * Sentences with a figure or a name in them are functions, so that each language orders its words.
 */
import { bytes, count, ram, span } from '../words';
import { health } from './en-health';
import { history } from './en-history';
import { images } from './en-images';
import { backups, profiles } from './en-keep';
import { people } from './en-people';
import { names, plans } from './en-plans';
import { settings, setup } from './en-setup';
import { batches } from './en-batches';
import { bench, labels } from './en-bench';
import { board } from './en-board';
import { rehearse } from './en-rehearse';
import type {
  Batch,
  BatchState,
  Board,
  DiskKind,
  Hold,
  Level,
  Limit,
  NameState,
  RehearsalFault,
  ServerKind,
  ServerStatus,
  Stage,
  VerifyLevel,
} from '../wire';

const stages: Record<Stage, string> = {
  seen: 'Asking for an address',
  addressed: 'Has an address',
  loading_boot_files: 'Loading boot files',
  checked_in: 'Checked in',
  assigned: 'Assigned',
  preparing_storage: 'Preparing storage',
  writing: 'Writing',
  verifying: 'Verifying',
  personalising: 'Personalising',
  finishing: 'Finishing',
  done: 'Done',
  first_boot_confirmed: 'First boot confirmed',
  on_hold: 'On hold',
  already_done: 'Already done',
  failed: 'Failed',
  not_ours: 'Not ours',
  cancelled: 'Cancelled',
  unknown: 'Unknown to this version',
};

const batchStates: Record<BatchState, string> = {
  pending: 'Not started',
  active: 'Running',
  paused: 'Paused',
  completed: 'Complete',
  cancelled: 'Cancelled',
  unknown: 'Unknown',
};

const nameStates: Record<NameState, string> = {
  available: 'Free',
  reserved: 'Reserved',
  assigned: 'Assigned',
  retired: 'Retired',
  unknown: 'Unknown',
};

const limits: Record<Limit, string> = {
  network: 'limited by the network',
  disk: 'limited by its disk',
  processor: 'limited by its processor',
  unknown: '',
};

const disks: Record<DiskKind, string> = {
  sd: 'SD card',
  emmc: 'eMMC',
  nvme: 'NVMe',
  usb: 'USB disk',
  virtual: 'Virtual disk',
  unknown: 'Disk',
};

const servers: Record<ServerKind, string> = { dhcp: 'DHCP', tftp: 'TFTP', http: 'HTTP' };

const levels: Record<Level, string> = {
  info: 'For the record',
  warning: 'Advice',
  error: 'Needs you',
  unknown: '',
};

const verified: Record<VerifyLevel, string> = {
  full_read_back: 'Read back in full',
  reported: 'Not read back',
  unknown: 'Unknown',
};

const faults: Record<RehearsalFault, string> = {
  disk_error_once: 'Its disk fails once',
  power_cut: 'Power cut while writing',
  packet_loss: 'Lost packets',
  small_disk: 'Disk too small',
  used_disk: 'Disk holds a system',
  goes_quiet: 'Goes quiet',
  unknown: 'Unknown',
};

function hold(why: Hold): string {
  switch (why.kind) {
    case 'no_matching_batch':
      return 'No running batch matches this board. Start a batch, or widen its rules.';
    case 'batch_paused':
      return `Batch ${why.batch} is paused. Resume it to go on.`;
    case 'no_names_left':
      return `Every ${why.product} name of ${why.venue} is taken. Import more names and extend the batch.`;
    case 'no_active_image':
      return `${why.product} has no active image. Activate one under Images.`;
    case 'disk_holds_system':
      return `${why.disk} already holds ${why.found}. Approve the board to overwrite it.`;
    case 'provisioned_before':
      return `It was provisioned before, as ${why.hostname}. Approve the board to image it again.`;
    case 'needs_approval':
      return 'It waits for your approval.';
    case 'by_operator':
      return 'An operator put it on hold. Let it go on when it is time.';
    case 'no_suitable_disk':
      return `No disk can be used: ${why.why}. Fit a card or an NVMe drive and power-cycle it.`;
    case 'image_too_big':
      return `The image needs ${bytes(why.image_bytes)} and ${why.disk} has ${bytes(why.disk_bytes)}. Fit a larger disk.`;
    case 'wrong_architecture':
      return `The image does not run on it: ${why.why}. Choose another image.`;
    case 'identity_conflict':
      return `Its identity is not unique: ${why.why}.`;
    default:
      return 'The station gave a reason this version does not know.';
  }
}

function server(status: ServerStatus): string {
  switch (status.state) {
    case 'serving':
      return 'Serving';
    case 'stopped':
      return 'Stopped';
    case 'waiting_for_link':
      return 'Waiting for a link';
    case 'probing':
      return 'Looking at the wire';
    case 'restarting':
      return `Starting again: ${status.why}`;
    case 'refused':
      return status.why;
    default:
      return 'Unknown';
  }
}

export const en = {
  stages,
  batchStates,
  nameStates,
  limits,
  disks,
  servers,
  levels,
  verified,
  faults,
  hold,
  server,
  bench,
  labels,
  board,
  batches,
  rehearse,
  app: {
    name: 'Punnet',
    skip: 'Skip to the page',
    menu: 'Pages',
    connecting: 'Connecting to the station …',
    lost: 'Reconnecting to the station …',
    lostLong: (why: string) => `${why} What you typed is kept. Boards that are being written go on.`,
    retryNow: 'Try now',
    rehearsal: 'Rehearsal: virtual boards. Nothing here is recorded.',
    backToReal: 'Back to the real bench',
    ended: 'The rehearsal has ended.',
    dropHere: 'Drop the image to import it',
    sending: (file: string) => `Sending ${file} to the station`,
    closeTitle: 'Boards are being provisioned',
    closeText:
      'If Punnet quits now, they stop where they are and begin again next time. Keep it in the tray and the batch goes on.',
    closeTray: 'Keep running in the tray',
    closeQuit: 'Quit all the same',
  },
  pages: {
    bench: 'Bench',
    wall: 'Wall',
    batches: 'Batches',
    images: 'Images',
    plans: 'Products & venues',
    names: 'Names',
    history: 'History',
    health: 'Health',
    settings: 'Settings',
    record: 'Who did what',
    setup: 'Set-up guide',
    rehearse: 'Rehearsal',
  },
  common: {
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    back: 'Back',
    next: 'Next',
    retry: 'Try again',
    more: 'More',
    none: 'None',
    all: 'All',
    reason: 'Reason',
    search: 'Search',
    clear: 'Clear',
    loading: 'Loading …',
    since: (ms: number) => `for ${span(ms)}`,
    left: (ms: number) => `${span(ms)} left`,
    saved: (name: string) => `${name} is in your downloads.`,
    show: 'Show it',
    required: 'required',
  },
  token: {
    text: 'For scripts and for the first steps: whoever has the token is an administrator.',
    label: 'Operator token',
    hint: 'It lies in operator.token in the data folder of the station.',
    use: 'Use it',
    wrong: 'That is not the token of this station.',
  },
  stopDhcp: {
    button: 'Stop DHCP',
    start: 'Start DHCP',
    stopped: 'DHCP is stopped. No board gets an address until it is started again.',
  },
  boardLine: (board: Board) =>
    [board.model, board.ram_mib ? ram(board.ram_mib) : ''].filter(Boolean).join(' · '),
  batchName: (batch: Batch) => `Batch ${batch.id}: ${batch.plan.product} for ${batch.plan.venue}`,
  boards: (n: number) => count(n, 'board'),
  copy: {
    button: 'Copy',
    label: (what: string) => `Copy ${what}`,
    copied: (what: string) => `Copied ${what}.`,
    failed: 'The clipboard cannot be used here. Mark the text and copy it yourself.',
  },
  images,
  people,
  plans,
  names,
  history,
  health,
  settings,
  backups,
  profiles,
  setup,
};

export type Strings = typeof en;
export const t: Strings = en;
