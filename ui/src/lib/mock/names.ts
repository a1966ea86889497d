/** The mock's names: how an import is read, and how many there are. */
import type { Command, Name, NameLine, NamesReport, PoolCount } from '../wire';
import type { World } from './world';

type ImportNames = Extract<Command, { command: 'names_import' }>;

/** Names by pool and state. */
export function tally(world: World): PoolCount[] {
  const counts = new Map<string, PoolCount>();
  for (const { product, venue, state } of world.names) {
    const key = [product, venue, state].join(' ');
    const pool = counts.get(key) ?? { product, venue, state, count: 0 };
    pool.count += 1;
    counts.set(key, pool);
  }
  return [...counts.values()];
}

/** The verdict on every entry of an import. */
export function readNames(world: World, { product, venue, source, dry_run }: ImportNames): NamesReport {
  const lines: NameLine[] = [];
  const taken = new Set(world.names.map((n) => n.hostname));
  source.text.split('\n').forEach((text, at) => {
    if (source.from === 'csv' && at === 0) return;
    for (const found of text.matchAll(/[^\s,;]+/g)) {
      const [token] = found;
      const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(token);
      const where = { line: at + 1, column: found.index + 1, token };
      if (!range) {
        const message = 'it is neither a number nor a range such as 1-50';
        lines.push({ ...where, hostname: null, verdict: 'error', message });
        continue;
      }
      const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
      for (let n = from; n <= to; n++) {
        const hostname = `${product}-${venue}-${String(n).padStart(3, '0')}`;
        const verdict = taken.has(hostname) ? 'duplicate' : 'add';
        lines.push({ ...where, hostname, verdict, message: null });
      }
    }
  });
  if (!lines.length) {
    lines.push({
      line: 1,
      column: 1,
      token: '',
      hostname: null,
      verdict: 'error',
      message: 'the list is empty',
    });
  }
  const is = (verdict: NameLine['verdict']) => lines.filter((l) => l.verdict === verdict).length;
  lines.sort((a, b) => Number(b.verdict === 'error') - Number(a.verdict === 'error'));
  return { dry_run, added: is('add'), duplicates: is('duplicate'), errors: is('error'), lines };
}

/** Adds what an import found new. */
export function addNames(world: World, { product, venue }: ImportNames, report: NamesReport) {
  const fresh = report.lines.filter((l) => l.verdict === 'add');
  const made = fresh.map((line): Name => ({
    hostname: line.hostname ?? '',
    product,
    venue,
    number: Number(line.hostname?.split('-').at(-1)),
    state: 'available',
    batch: null,
    board: null,
    note: '',
    changed: Date.now(),
  }));
  world.names = [...world.names, ...made];
}
