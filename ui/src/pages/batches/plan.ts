/** A plan in words, for the page of a batch and for the review of the wizard. */
import { t } from '../../lib/strings/en';
import type { BatchPlan, Image } from '../../lib/wire';

/** Which boards it takes. */
export function whoWords({ rules }: BatchPlan): string {
  const words = [
    rules.boards.length > 0 ? t.batches.onlyBoards(rules.boards.length) : '',
    rules.models.length > 0 ? t.batches.onlyModels(rules.models) : '',
    rules.min_ram_mib ? t.batches.onlyRam(rules.min_ram_mib) : '',
    rules.disks.length > 0 ? t.batches.onlyDisks(rules.disks.map((d) => t.disks[d])) : '',
  ].filter(Boolean);
  return words.length > 0 ? words.join('; ') : t.batches.anyBoard;
}

/** What it writes. */
export function imageWords(plan: BatchPlan, images: Image[]): string {
  if (plan.image === null) return t.batches.activeImage;
  const image = images.find((i) => i.id === plan.image);
  return image ? t.batches.pinned(image.file_name, image.version) : t.batches.pinnedGone(plan.image);
}

/** Which disk it writes. */
export const diskWords = (plan: BatchPlan): string =>
  t.batches.diskOrder(plan.disks.kinds.map((d) => t.disks[d]));

/** Where the names of a product come from: a pattern with a number needs a pool of names. */
export const usesPool = (pattern: string): boolean => /\{number\b/.test(pattern);
