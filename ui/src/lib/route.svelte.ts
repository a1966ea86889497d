/**
 * Where the page is: the part of the address behind `#`. `#/board/4c1f2a90` shows a board,
 * `#/rehearsal/board/4c1f2a90` the same page over the rehearsal's bench.
 */
import type { Bench } from './station';

export interface Place {
  bench: Bench;
  /** First part of the path: which page. */
  page: string;
  /** The parts behind it. */
  rest: string[];
  /** What stands behind `?`. */
  params: URLSearchParams;
}

/** Reads an address. An empty one is the bench. */
export function parse(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const bench: Bench = parts[0] === 'rehearsal' ? 'rehearsal' : 'real';
  if (bench === 'rehearsal') parts.shift();
  const [page = 'bench', ...rest] = parts;
  return { bench, page, rest, params: new URLSearchParams(query) };
}

/** The address of a page: `to('real', 'board', id)`. */
export function to(bench: Bench, ...parts: (string | number)[]): string {
  const path = parts.map((part) => encodeURIComponent(part)).join('/');
  return bench === 'rehearsal' ? `#/rehearsal/${path}` : `#/${path}`;
}

class Route {
  now: Place = $state.raw(parse(location.hash));
  constructor() {
    addEventListener('hashchange', () => {
      this.now = parse(location.hash);
    });
  }
  go(address: string) {
    location.hash = address;
  }
}

export const route = new Route();
