/** A file on its way from a browser to the station. One at a time. */
import { toasts } from './toasts.svelte';
import type { Station } from './station';

class Sending {
  /** The file under way; `null` when none is. */
  now: { name: string; sent: number; total: number } | null = $state(null);

  /** Sends a file; its path on the station, or `null` when it was not sent. Trouble is said. */
  async send(station: Station, file: File): Promise<string | null> {
    if (!station.upload || this.now) return null;
    const now = $state({ name: file.name, sent: 0, total: file.size });
    this.now = now;
    try {
      return await station.upload(file, (sent) => (now.sent = sent));
    } catch (error) {
      toasts.error(error);
      return null;
    } finally {
      this.now = null;
    }
  }
}

export const sending = new Sending();
