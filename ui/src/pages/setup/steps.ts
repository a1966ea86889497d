/** The steps of the set-up guide: which are done, which comes next, and when the guide opens itself. */
import type { Bench } from '../../lib/station';
import type { Batch, Finding, Image, Import, PoolCount, Product, ServerStatus, Venue } from '../../lib/wire';
import { isNumbered } from '../plans/pattern';

export const steps = ['nic', 'wire', 'image', 'product', 'venue', 'names', 'batch'] as const;
export type Step = (typeof steps)[number];
/** `attention`: a person must act before boards can be served. */
export type StepState = 'done' | 'todo' | 'busy' | 'attention';

/** What the guide goes by. */
export interface Known {
  nic: string | null;
  servers: ServerStatus[];
  findings: Finding[];
  images: Image[];
  imports: Import[];
  products: Product[];
  venues: Venue[];
  /** Names by pool and state. */
  names: PoolCount[];
  batches: Batch[];
}

/** How the wire is, as far as boards are concerned. */
export function wireState({ nic, servers, findings }: Known): StepState {
  if (!nic) return 'todo';
  const refused = servers.some((s) => s.state === 'refused');
  if (refused || findings.some((f) => f.level === 'error')) return 'attention';
  if (servers.length && servers.every((s) => s.state === 'serving')) return 'done';
  const looking = servers.some((s) => s.state === 'probing' || s.state === 'restarting');
  return looking ? 'busy' : 'todo';
}

/** How each step stands. */
export function stand(known: Known): Record<Step, StepState> {
  const products = known.products.filter((p) => !p.archived);
  const has = (yes: boolean): StepState => (yes ? 'done' : 'todo');
  const runs = known.imports.some((i) => i.state.state === 'running');
  return {
    nic: has(known.nic !== null),
    wire: wireState(known),
    image: known.images.length ? 'done' : runs ? 'busy' : 'todo',
    product: has(products.length > 0),
    venue: has(known.venues.some((v) => !v.archived)),
    names: has(
      known.names.some((pool) => pool.count > 0) ||
        (products.length > 0 && products.every((p) => !isNumbered(p.pattern))),
    ),
    batch: has(known.batches.length > 0),
  };
}

/** The first step that is not done; the last one when all are. */
export function nextStep(standing: Record<Step, StepState>): Step {
  return steps.find((step) => standing[step] !== 'done' && standing[step] !== 'busy') ?? 'batch';
}

/**
 * Does the guide open by itself? On a station on which nothing was ever set up, once, and only over
 * the page that a person did not choose.
 */
export function opensByItself(now: {
  bench: Bench;
  page: string;
  isRehearsal: boolean;
  opened: boolean;
  nic: string | null;
  products: number;
}): boolean {
  const bare = now.nic === null && now.products === 0;
  return bare && !now.opened && now.bench === 'real' && now.page === 'bench' && !now.isRehearsal;
}
