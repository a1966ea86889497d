/** The bench and the wall. */
import { bytes, count, ram, rate, span } from '../words';
import type { Column } from '../board/filter';
import type { Deed, Group, StepName, StepState, Way } from '../board/stages';
import type { BatchDeed } from '../batch';
import type { Board, LabelSheet, Stage } from '../wire';

const groups: Record<Group, string> = {
  needs: 'Needs you',
  working: 'Working',
  waiting: 'Waiting',
  done: 'Done',
  not_ours: 'Not ours',
};
const steps: Record<StepName, string> = {
  network: 'Network',
  boot_files: 'Boot files',
  storage: 'Storage',
  write: 'Write',
  verify: 'Verify',
  name: 'Name',
  done: 'Done',
};
const stepStates: Record<StepState, string> = {
  past: 'done',
  now: 'under way',
  ahead: 'to come',
  failed: 'failed here',
  stalled: 'quiet here',
  held: 'held here',
};
/** Stages in a word that is read from afar. */
const afar: Record<Stage, string> = {
  seen: 'Asks',
  addressed: 'Address',
  loading_boot_files: 'Boot files',
  checked_in: 'Checked in',
  assigned: 'Assigned',
  preparing_storage: 'Storage',
  writing: 'Write',
  verifying: 'Verify',
  personalising: 'Name',
  finishing: 'Finishing',
  done: 'Done',
  first_boot_confirmed: 'Confirmed',
  on_hold: 'On hold',
  already_done: 'Done before',
  failed: 'Failed',
  not_ours: 'Not ours',
  cancelled: 'Cancelled',
  unknown: '?',
};
const deeds: Record<Deed, string> = {
  approve: 'Approve',
  go_on: 'Let it go on',
  retry: 'Try again',
  accept: 'Accept it',
  reimage: 'Image again',
};
const ways: Record<Way['to'], string> = {
  batches: 'See batches',
  batch: 'See the batch',
  names: 'Import names',
  images: 'See images',
};
const columns: Record<Column, string> = {
  hostname: 'Name',
  place: 'Place',
  model: 'Model',
  serial: 'Serial, MAC',
  stage: 'Stage',
  since: 'Since',
};

/** `about 12 min left`: rounded, for it is a guess. */
function about(ms: number): string {
  const min = Math.round(ms / 60_000);
  if (min < 1) return 'less than a minute left';
  return `about ${span((min < 20 ? min : 5 * Math.round(min / 5)) * 60_000)} left`;
}

export const bench = {
  groups,
  steps,
  stepStates,
  afar,
  quiet: 'Quiet',
  deeds,
  ways,
  columns,
  about,
  noName: 'no name yet',
  virtual: 'Rehearsal',
  failedSomehow: 'It failed, and did not say why.',
  failedNext: 'Look at its events, then try again.',
  hold: 'Hold',
  heldSaid: (name: string) => `${name} is kept from being provisioned.`,
  heldSomehow: 'It is held, and the station did not say why.',
  notOurs: 'It asks for an address but does not look like a Raspberry Pi, so it is not answered.',
  cancelled: 'Its batch was cancelled. It keeps its name until it is released.',
  alreadyDone: 'It was finished before and starts from its own disk.',
  /** Model and memory as short as they can be understood: `Pi 5 · 8 GB`. */
  kind: (board: Board) =>
    [
      board.model.replace(/^Raspberry Pi /, 'Pi ').replace(/^Pi Compute Module /, 'CM'),
      board.ram_mib ? ram(board.ram_mib) : '',
    ]
      .filter(Boolean)
      .join(' · '),
  tail: (id: string) => `…${id.slice(-8)}`,
  stepLine: (n: number, of: number, name: string, state: string) => `Step ${n} of ${of}: ${name}, ${state}`,
  allSteps: 'All steps are done',
  noSteps: 'No step was taken',
  ofBytes: (done: number, total: number) => `${bytes(done)} of ${bytes(total)}`,
  speed: (n: number) => rate(n),
  attempt: (n: number) => `attempt ${n}`,
  progressOf: (what: string) => `Progress of ${what}`,
  quietFor: (ms: number) => `Quiet for ${span(ms)}.`,
  place: 'Place',
  placeAdd: 'Add place',
  placeOf: (board: string) => `Place of ${board}`,
  placeEdit: (board: string, place: string) => `Place of ${board}: ${place}. Change it`,
  placeHint: 'Slot or switch port',
  identify: 'Blink its LED',
  identifyOf: (board: string) => `Blink the LED of ${board}`,
  identified: (board: string) => `${board} blinks for 20 seconds once it listens.`,
  deedOf: (deed: string, board: string) => `${deed}: ${board}`,
  release: 'Release',
  releaseOf: (board: string) => `Release ${board}`,
  releaseTitle: (board: string) => `Release ${board}?`,
  releaseText: (host: string | null) =>
    host
      ? `The board leaves the bench and ${host} is free for another one. What is on its disk stays there; to come back, the board needs your approval.`
      : 'The board leaves the bench. To come back, it needs your approval.',
  open: 'Open',
  openOf: (board: string) => `Open ${board}`,
  boards: 'Boards',
  filter: 'Show boards',
  view: 'View',
  tiles: 'Tiles',
  list: 'List',
  keys: 'Keyboard',
  keysTitle: 'Keyboard on the bench',
  keyRows: [
    ['Arrow keys', 'Move from board to board'],
    ['Home, End', 'First and last board'],
    ['Enter', 'Open the board'],
    ['i', 'Blink its LED'],
    ['r', 'Try it again, when it has failed'],
    ['/', 'Search'],
    ['?', 'This list'],
  ] as [string, string][],
  searchHint: 'Search by name, serial, MAC or place',
  found: (n: number, all: number) => `${n} of ${count(all, 'board')} shown`,
  nothingFound: 'No board is like that',
  nothingFoundText: 'No board on the bench matches the search and the filter.',
  showAll: 'Show all boards',
  sortBy: (column: string) => `Sort by ${column}`,
  progress: 'Progress',
  actions: 'Actions',

  // Batches on the bench.
  batches: 'Batches at work',
  parts: {
    confirmed: 'First boot confirmed',
    done: 'Done',
    running: 'Running',
    failed: 'Failed',
    open: 'Still to come',
  },
  doneOf: (done: number, planned: number) => `${done} of ${planned} done`,
  outlook: {
    left: (ms: number) => about(ms),
    unknown: 'time left not known yet',
    boards: (n: number) => `waiting for ${count(n, 'board')}`,
    failed: (n: number) => `${count(n, 'failed board')} left to try again`,
    paused: 'paused',
    complete: 'complete',
    none: '',
  },
  guess: 'Drawn from the boards at work; better once the first one is done.',
  sure: 'Drawn from how long the finished boards took, if boards are powered as others finish.',
  mac: 'MAC',
  serial: 'Serial',
  throughput: 'Throughput',
  throughputOf: (now: number) => `${rate(now)} to all boards`,
  throughputText: (now: number, most: number, minutes: number) =>
    `Now ${rate(now)}; at most ${rate(most)} in the last ${count(minutes, 'minute')}.`,
  batchDeeds: {
    start: 'Start',
    pause: 'Pause',
    resume: 'Resume',
    retry: 'Retry failed',
    extend: 'Extend',
    cancel: 'Cancel batch',
  } satisfies Record<BatchDeed, string>,
  labels: 'Labels',
  certificate: 'Certificate',
  noBatch: 'No batch is running: boards that appear are held.',
  planBatch: 'Plan a batch',
  rehearsalReport: 'Progress and report',

  // Nothing on the bench yet.
  noNicTitle: 'Choose the network card for the boards',
  noNicText: 'The station serves nobody until it knows on which network card the boards hang.',
  noBatchTitle: 'Plan a batch first',
  noBatchText:
    'A batch says which boards get which image and which names. Without one, every board that appears is held.',
  startTitle: (batch: string) => `${batch} is ready`,
  startText: 'Start it, then power the boards. Until then they would be held.',
  waitTitle: 'Power the boards now',
  waitText: (nic: string) =>
    `Plug the switch with the boards into ${nic}, with an Ethernet cable, and power them. Each one appears here as soon as it asks for an address.`,
  noLinkTitle: (nic: string) => `There is no link on ${nic}`,
  noLinkText: (nic: string) =>
    `Plug an Ethernet cable from the switch into ${nic}, and see that the switch has power. The light at the socket comes on.`,
  dhcpTitle: 'DHCP is not serving',
  dhcpText: (why: string) => `Boards get no address: ${why}`,
  link: 'Link',
  linkUp: (listen: string) => `DHCP answers at ${listen}`,
  theNic: 'the deployment card',
  connecting: 'Waiting for the station.',

  // The wall.
  wallBack: 'Back to the bench',
  wallDone: 'done',
  wallOf: (n: number) => `of ${n}`,
  wallRunning: 'running',
  wallFailed: 'failed',
  wallConfirmed: 'confirmed',
  wallNobody: 'Nobody needs help.',
  wallHelp: (n: number) => `${count(n, 'board')} ${n === 1 ? 'needs' : 'need'} help`,
  wallMore: (n: number) => `and ${n} more`,
  wallNoBatch: 'No batch is running',
};

/** Papers for labels. */
export const papers: Record<Exclude<LabelSheet, 'unknown'>, string> = {
  a4x24: 'A4, 24 per sheet (70 × 36 mm)',
  a4x65: 'A4, 65 per sheet (38.1 × 21.2 mm)',
  letter_x30: 'US letter, 30 per sheet (66.7 × 25.4 mm)',
  single62x29: 'Label printer, one per page (62 × 29 mm)',
};

export const labels = {
  papers,
  title: 'Print labels',
  text: 'Each label bears the name, serial, MAC, a QR code and the date. They are drawn up as a PDF to print.',
  paper: 'Paper',
  save: 'Save labels',
  ofBatch: (n: number) => `Labels for ${count(n, 'finished board')}.`,
  ofBoard: (board: string) => `A label for ${board}.`,
};
