/**
 * Who is at the page, as the station says, and what that allows.
 *
 * Until the station has said it, everything may be tried: the station refuses what is not allowed, here
 * it is only said beforehand.
 */
import type { Station } from './station';
import type { Role, Session } from './wire';

const ORDER: Role[] = ['unknown', 'viewer', 'operator', 'admin'];

class Identity {
  session: Session | null = $state.raw(null);
  /** Somebody wants to change something and has to be known for it. */
  asked = $state(false);
  /** Somebody wants another password. */
  changesPassword = $state(false);
  #station: Station | null = null;
  #known = false;

  /** True while nothing can be seen without a login. */
  get mustLogIn(): boolean {
    return this.session !== null && this.session.role === null && !this.session.open;
  }

  /** True when there was a login and it ended by itself. */
  get ended(): boolean {
    return this.mustLogIn && this.#known;
  }

  /** Asks the station. A station that does not answer says nothing new. */
  async look(station: Station | null = this.#station) {
    this.#station = station;
    const session = await station?.session().catch(() => null);
    if (session) this.take(session);
  }

  take(session: Session) {
    this.session = session;
    if (session.role === null) return;
    this.asked = false;
    this.#known = true;
  }

  /** The station refused something for want of a login. */
  refused() {
    void this.look().then(() => (this.asked = this.session?.role === null));
  }

  /** May this be done? */
  may(role: Role): boolean {
    const own = this.session?.role;
    return own === null || own === undefined || ORDER.indexOf(own) >= ORDER.indexOf(role);
  }

  /** Nobody is known any more. */
  forget() {
    this.session = null;
    this.#known = false;
  }
}

export const identity = new Identity();
