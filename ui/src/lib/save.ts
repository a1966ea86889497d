/** Saving a file, said in one way everywhere: what was saved, and the way to it where there is one. */
import type { Desk } from './context';
import type { Saved, Station } from './station';
import { t } from './strings/en';
import { toasts } from './toasts.svelte';
import type { DocumentKind } from './wire';

/** Has a document drawn up and saved, and says so; `true` when it was. */
export const save = ({ station, bench }: Desk, document: DocumentKind) =>
  saved(station, () => station.save(bench, document), t.common.saved);

/** The same with everything that the station knows. */
export const saveArchive = ({ station }: Desk, packs: boolean) =>
  saved(
    station,
    () => station.archive?.(packs),
    (name, path) => (path === null ? t.backups.archive.begun(name) : t.common.saved(name)),
  );

async function saved(
  station: Station,
  doing: () => Promise<Saved> | undefined,
  said: (name: string, path: string | null) => string,
): Promise<boolean> {
  try {
    const done = await doing();
    if (!done) return false;
    const { name, path } = done;
    const show = path !== null && station.reveal ? () => reveal(station, path) : undefined;
    toasts.done(said(name, path), show && { label: t.common.show, run: show });
    return true;
  } catch (error) {
    toasts.error(error);
    return false;
  }
}

async function reveal(station: Station, path: string) {
  try {
    await station.reveal?.(path);
  } catch (error) {
    toasts.error(error);
  }
}
