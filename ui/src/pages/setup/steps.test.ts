import { expect, test } from 'vitest';
import { World } from '../../lib/mock/world';
import type { ServerStatus } from '../../lib/wire';
import { nextStep, opensByItself, stand, wireState, type Known } from './steps';

const bare: Known = {
  nic: null,
  servers: [],
  findings: [],
  images: [],
  imports: [],
  products: [],
  venues: [],
  names: [],
  batches: [],
};
const server = (state: 'serving' | 'probing' | 'stopped'): ServerStatus => ({
  server: 'dhcp',
  listen: null,
  since: 0,
  state,
});
const world = new World(2, false);
const full: Known = {
  ...bare,
  nic: 'eth1',
  servers: [server('serving')],
  images: world.snapshot.images,
  products: world.products,
  venues: world.venues,
  names: [{ product: 'KXP2', venue: 'CORO', state: 'available', count: 4 }],
  batches: world.snapshot.batches,
};

test('a bare station has everything to do, and begins with the network card', () => {
  expect(new Set(Object.values(stand(bare)))).toEqual(new Set(['todo']));
  expect(nextStep(stand(bare))).toBe('nic');
});

test('what is done is passed over', () => {
  expect(nextStep(stand({ ...full, venues: [] }))).toBe('venue');
  expect(nextStep(stand({ ...full, batches: [] }))).toBe('batch');
  expect(new Set(Object.values(stand(full)))).toEqual(new Set(['done']));
});

test('an import under way holds nobody up', () => {
  const [one] = world.snapshot.imports;
  if (!one) throw new Error('the mock has an import');
  const known: Known = {
    ...full,
    images: [],
    venues: [],
    imports: [{ ...one, state: { state: 'running' } }],
  };
  expect(stand(known).image).toBe('busy');
  expect(nextStep(stand(known))).toBe('venue');
});

test('the wire wants attention as long as something must be put right', () => {
  const rival = { check: 'rival_dhcp', level: 'error' as const, text: '', next: null, at: 0 };
  expect(wireState({ ...full, findings: [rival] })).toBe('attention');
  expect(wireState({ ...full, findings: [{ ...rival, level: 'warning' }] })).toBe('done');
  expect(wireState({ ...full, servers: [server('serving'), server('probing')] })).toBe('busy');
  expect(wireState({ ...full, servers: [server('stopped')] })).toBe('todo');
});

test('names that boards make themselves need no import', () => {
  const products = world.products.map((p) => ({ ...p, pattern: 'gate-{serial}' }));
  expect(stand({ ...full, names: [], products }).names).toBe('done');
  expect(stand({ ...full, names: [] }).names).toBe('todo');
});

test('archived products and venues do not count', () => {
  const products = world.products.map((p) => ({ ...p, archived: true }));
  expect(stand({ ...full, products }).product).toBe('todo');
});

test('the guide opens once, by itself, on a bare station only', () => {
  const first = {
    bench: 'real' as const,
    page: 'bench',
    isRehearsal: false,
    opened: false,
    nic: null,
    products: 0,
  };
  expect(opensByItself(first)).toBe(true);
  expect(opensByItself({ ...first, opened: true })).toBe(false);
  expect(opensByItself({ ...first, nic: 'eth1' })).toBe(false);
  expect(opensByItself({ ...first, products: 1 })).toBe(false);
  expect(opensByItself({ ...first, bench: 'rehearsal' })).toBe(false);
  expect(opensByItself({ ...first, isRehearsal: true })).toBe(false);
  expect(opensByItself({ ...first, page: 'history' })).toBe(false);
});
