/**
 * A station made of nothing, for working on the page: boards that go their way by a timer, a few
 * plans, an import. `VITE_MOCK=1 npm run dev` uses it. `?boards=100` in the address asks for a crowd,
 * `?odd` for a board of each odd state, `?storm` for ten updates a second of each, `?fresh` for a
 * station on which nothing was ever set up, `?trouble` for one that finds a rival on its wire.
 */
import type { Bench, Station } from './station';
import { Refused } from './station';
import { answer } from './mock/answers';
import { oddities } from './mock/bench';
import { someone, withPassword } from './mock/people';
import { trouble, unpack } from './mock/plans';
import { World } from './mock/world';

export function mockStation(): Station {
  const params = new URLSearchParams(location.search);
  const wanted = Number(params.get('boards') ?? '24');
  const worlds: Record<Bench, World> = { real: new World(wanted, false), rehearsal: new World(8, true) };
  if (params.has('storm')) worlds.real.beat = 100;
  if (params.has('odd')) oddities(worlds.real);
  if (params.has('fresh')) unpack(worlds.real);
  if (params.has('trouble')) trouble(worlds.real);
  return {
    about: () => Promise.resolve({ home: 'mock', engine: 'own' }),
    ...withPassword(someone(params)),
    logout: () => Promise.resolve(),
    command: (bench, command) => worlds[bench].command(command),
    query: async (bench, query) => {
      const found = answer(worlds[bench], query);
      if (!found) throw new Refused({ code: 'not_found', message: 'There is no such thing.' });
      return structuredClone(found);
    },
    watch: (bench, update) => worlds[bench].watch(update),
    save: (_, kind) => Promise.resolve({ path: '/home/me/Downloads/x', name: `${kind.document}.pdf` }),
    archive: () => Promise.resolve({ path: null, name: 'punnet-20270102-030405.punnet' }),
    pickFile: () => Promise.resolve('/home/me/golden.img.xz'),
    signals: () => () => {},
  };
}
