/** The venues and products to choose from, and the names they have; asked again when plans change. */
import type { Desk } from '../../../lib/context';
import { ask } from '../../../lib/station';
import { toasts } from '../../../lib/toasts.svelte';
import type { Product, Venue } from '../../../lib/wire';
import { draft } from './draft.svelte';

export class Plans {
  venues: Venue[] = $state.raw([]);
  products: Product[] = $state.raw([]);
  /** Free names of the chosen product and venue; `null` while they are not known. */
  free: number | null = $state(null);
  /** The first of them. */
  first: string | null = $state(null);
  loaded = $state(false);

  constructor(private readonly desk: () => Desk) {
    $effect(() => {
      const { station, bench, live } = this.desk();
      void live.plans;
      if (live.line === 'connecting') return;
      Promise.all([
        ask(station, bench, { query: 'venues' }),
        ask(station, bench, { query: 'products' }),
      ]).then(
        ([venues, products]) => {
          this.venues = venues.filter((v) => !v.archived);
          this.products = products.filter((p) => !p.archived);
          this.loaded = true;
        },
        (error) => toasts.error(error),
      );
    });
    $effect(() => {
      const { station, bench, live } = this.desk();
      void live.plans;
      const { product, venue } = draft.now;
      this.free = null;
      if (!product || !venue) return;
      const query = { query: 'names' as const, product, venue, state: 'available' as const, text: null };
      ask(station, bench, query).then(
        (names) => {
          if (product !== draft.now.product || venue !== draft.now.venue) return;
          this.free = names.length;
          this.first = names[0]?.hostname ?? null;
        },
        () => {},
      );
    });
  }

  get product(): Product | undefined {
    return this.products.find((p) => p.code === draft.now.product);
  }
}
