/** Sentences of the page about images. */
import { bytes, count, rate, span } from '../words';
import type { Grow, PackFault } from '../wire';

const grow: Record<Grow, string> = {
  image: 'It grows by itself at its first boot',
  agent: 'The station grows it to fill the disk',
  never: 'Never: it keeps its size',
  unknown: 'Unknown',
};

const packFault: Record<PackFault, string> = {
  missing: 'Pack missing',
  damaged: 'Pack damaged',
  unknown: 'Pack unusable',
};

const damaged = (file: string) =>
  `Its bytes on this station are damaged, so no board is given it. Import ${file} again, and boards get it as before.`;

const importAgain: Record<PackFault, (file: string) => string> = {
  missing: (file) =>
    `Its bytes are not on this station: they were deleted, or not in the backup. Import ${file} again, and boards get it as before.`,
  damaged,
  unknown: damaged,
};

export const images = {
  note: 'Golden images, newest first. One of each product is active: new boards get that one.',
  packFault,
  importAgain,
  add: 'Add an image',
  dropTitle: 'Drop a golden image here',
  dropText: 'Drop it anywhere on this window, or choose the file.',
  pathText: 'Give the path of the image on the machine of the station.',
  formats:
    'The image of a whole disk: .img, or packed as .xz, .gz, .zst, .bz2 or .zip. The file stays as it is.',
  path: 'File',
  pathHint: 'Its full path on the machine of the station.',
  choose: 'Choose …',
  send: 'Or send one from this computer',
  product: 'Product',
  chooseProduct: 'Choose a product',
  needProduct: 'An image belongs to a product. Describe the product first.',
  version: 'Version',
  versionHint: 'Taken from the name of the file; change it as you like.',
  description: 'Description',
  activate: 'Make it the active image of the product as soon as it is imported',
  start: 'Import',
  started: (file: string) => `The import of ${file} has begun.`,
  running: 'Imports',
  importing: (file: string) => `Import of ${file}`,
  progress: (read: number, total: number) => `${bytes(read)} of ${bytes(total)}`,
  pace: (perSecond: number, left: number | null) =>
    `${rate(perSecond)}${left === null ? '' : `, ${span(left)} left`}`,
  reading: 'Reading the file',
  cancelImport: 'Cancel the import',
  cancelled: 'The import is being cancelled.',
  failed: (file: string) => `${file} was not imported`,
  dismiss: 'Dismiss',
  active: 'Active',
  activateIt: 'Activate',
  activated: (version: string) => `Version ${version} is active now.`,
  rollBack: 'Roll back to this',
  rollBackTitle: (version: string) => `Roll back to version ${version}?`,
  rollBackText: (product: string, from: string) =>
    `Boards of ${product} that are provisioned from now on get the older image instead of ${from}. Boards at work finish with what they have.`,
  remove: 'Remove',
  removeTitle: (version: string) => `Remove version ${version}?`,
  removeText: 'Its data is deleted from this station. To use it again, import the file once more.',
  removed: (version: string) => `Version ${version} is removed.`,
  noVersion: 'no version',
  inside: 'What is inside',
  facts: {
    os: 'System',
    file: 'Imported from',
    when: 'Imported',
    table: 'Partition table',
    partitions: 'Partitions',
    kernel: 'Kernel',
    arch: 'Processor',
    trees: 'Made for',
    grow: 'Fills its disk',
    sizes: 'Sizes',
    sha: 'SHA-256',
  },
  sizes: (raw: number, data: number, pack: number) =>
    `${bytes(raw)} on the disk, ${bytes(data)} of it data, ${bytes(pack)} over the wire for one board`,
  short: (raw: number, pack: number) => `${bytes(raw)} on the disk, ${bytes(pack)} over the wire`,
  trees: (all: string[]) =>
    all.length <= 6
      ? all.join('\n')
      : `${all.slice(0, 6).join('\n')}\nand ${count(all.length - 6, 'more', 'more')}`,
  grow,
  none: 'No image of this product yet.',
};
