/** What an empty bench waits for. */
import type { Batch, ServerStatus } from '../../lib/wire';

export type Waiting =
  | { for: 'station' }
  | { for: 'nic' }
  | { for: 'dhcp'; server: ServerStatus }
  | { for: 'link'; nic: string | null }
  | { for: 'batch' }
  | { for: 'start'; batch: Batch }
  | { for: 'boards'; nic: string | null; listen: string | null };

/** `192.168.151.1:67 on eth1` → `eth1`. */
const nicOf = (listen: string | null) => /\son\s(\S+)$/.exec(listen ?? '')?.[1] ?? null;

/**
 * The first thing that keeps boards from coming. `chosen` is the network card of the settings: `null`
 * for none, undefined while they are not known.
 */
export function waitingFor(
  up: boolean,
  servers: ServerStatus[],
  batches: Batch[],
  chosen: string | null | undefined,
): Waiting {
  if (!up) return { for: 'station' };
  const dhcp = servers.find((s) => s.server === 'dhcp');
  const nic = chosen ?? nicOf(dhcp?.listen ?? null);
  if (chosen === null) return { for: 'nic' };
  if (dhcp?.state === 'waiting_for_link') return { for: 'link', nic };
  if (dhcp && dhcp.state !== 'serving' && dhcp.state !== 'probing' && dhcp.state !== 'unknown') {
    return { for: 'dhcp', server: dhcp };
  }
  const ready = batches.find((b) => b.state === 'active' || b.state === 'paused');
  if (ready) return { for: 'boards', nic, listen: dhcp?.listen ?? null };
  const pending = batches.find((b) => b.state === 'pending');
  return pending ? { for: 'start', batch: pending } : { for: 'batch' };
}
