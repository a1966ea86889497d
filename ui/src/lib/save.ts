/** Saving a document, said in one way everywhere: what was saved, and the way to it where there is one. */
import type { Desk } from './context';
import { t } from './strings/en';
import { toasts } from './toasts.svelte';
import type { DocumentKind } from './wire';

/** Has a document drawn up and saved, and says so; `true` when it was. */
export async function save({ station, bench }: Desk, document: DocumentKind): Promise<boolean> {
  try {
    const { name, path } = await station.save(bench, document);
    const show = path !== null && station.reveal ? () => reveal(station, path) : undefined;
    toasts.done(t.common.saved(name), show && { label: t.common.show, run: show });
    return true;
  } catch (error) {
    toasts.error(error);
    return false;
  }
}

async function reveal(station: Desk['station'], path: string) {
  try {
    await station.reveal?.(path);
  } catch (error) {
    toasts.error(error);
  }
}
