/**
 * The plan as it is being typed. It outlives the page, so that a look at another one, to import names
 * say, loses nothing.
 */
import type { BatchPlan, BoardId, DiskKind, ImageId, ReimagePolicy } from '../../../lib/wire';

export interface Draft {
  step: number;
  venue: string;
  product: string;
  image: ImageId | null;
  count: number | null;
  models: string;
  minRam: number | null;
  bootDisks: DiskKind[];
  /** All kinds, best first, each with whether it is used. */
  disks: { kind: DiskKind; use: boolean }[];
  serials: string;
  reimage: ReimagePolicy;
}

/** The station's own order; USB disks are the operator's until said otherwise. */
const fresh = (): Draft => ({
  step: 0,
  venue: '',
  product: '',
  image: null,
  count: 10,
  models: '',
  minRam: null,
  bootDisks: [],
  disks: [
    { kind: 'nvme', use: true },
    { kind: 'emmc', use: true },
    { kind: 'sd', use: true },
    { kind: 'virtual', use: true },
    { kind: 'usb', use: false },
  ],
  serials: '',
  reimage: 'ask',
});

class Kept {
  now: Draft = $state(fresh());
  reset() {
    this.now = fresh();
  }
}
export const draft = new Kept();

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** The serials of a list: separated by anything that is in none. */
export const serialsOf = (text: string): BoardId[] => text.split(/[\s,;]+/).filter(Boolean);

/** The plan of a draft; `null` before a venue and a product are chosen. */
export function planOf(d: Draft): BatchPlan | null {
  if (!d.venue || !d.product) return null;
  return {
    product: d.product,
    venue: d.venue,
    count: d.count ?? 0,
    image: d.image,
    rules: {
      models: lines(d.models),
      min_ram_mib: d.minRam,
      disks: [...d.bootDisks],
      boards: serialsOf(d.serials),
    },
    disks: { kinds: d.disks.filter((disk) => disk.use).map((disk) => disk.kind) },
    reimage: d.reimage,
  };
}

/** The fields of the command that each step asks for. */
export const FIELDS = [
  ['venue'],
  ['product', 'image'],
  ['count'],
  ['rules', 'disks', 'reimage'],
  [],
] as const;

/** The step at which a field is asked for; -1 for none. */
export const stepOf = (field: string): number =>
  FIELDS.findIndex((fields) => (fields as readonly string[]).includes(field));
