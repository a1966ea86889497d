/** What the mock keeps: backups and profiles. */
import { Refused } from '../station';
import type { Answer, Change, Command, Profile, Query, Receipt } from '../wire';
import type { World } from './world';

const DAY = 86_400_000;

/** The answer to a question about what is kept; `null` for questions of others. */
export function keptAnswer(world: World, query: Query): Answer | null {
  const last = world.snapshot.backup.last;
  switch (query.query) {
    case 'backups':
      return {
        answer: 'backups',
        value: {
          folder: '/home/me/.local/share/punnet/backups',
          every_hours: 24,
          keep: 14,
          warn_days: 7,
          next: last && last + DAY,
          list: last
            ? [last, last - DAY].map((at) => ({ file: `punnet-${at}.db`, at, bytes: 12_400_000 }))
            : [],
        },
      };
    case 'profiles':
      return { answer: 'profiles', value: world.profiles };
    case 'configuration':
      return { answer: 'configuration', value: { file: null, values: [] } };
    default:
      return null;
  }
}

/** Does what is kept; `null` for commands of others. */
export function kept(world: World, command: Command): Receipt | null {
  switch (command.command) {
    case 'backup_now':
      world.snapshot.backup = { last: Date.now(), running: null, trouble: null };
      world.tell({ update: 'backup', value: world.snapshot.backup });
      return { receipt: 'done', text: 'A backup is being made.' };
    case 'profile_save':
    case 'profile_import': {
      const profile = asSaved(world, command);
      world.profiles = [...world.profiles.filter((p) => p.name !== profile.name), profile];
      break;
    }
    case 'profile_remove':
      world.profiles = world.profiles.filter((p) => p.name !== command.name);
      break;
    case 'profile_apply': {
      const profile = world.profiles.find((p) => p.name === command.name);
      const receipt = keptWould(world, command);
      if (profile?.deployment) world.deployment = profile.deployment;
      world.tell({ update: 'plans' });
      return receipt;
    }
    default:
      return null;
  }
  world.tell({ update: 'plans' });
  return keptWould(world, command) ?? { receipt: 'done', text: 'Done.' };
}

/** What a command about what is kept would be answered with. */
export function keptWould(world: World, command: Command): Receipt | null {
  if (command.command === 'profile_save' || command.command === 'profile_import') {
    return { receipt: 'profile', profile: asSaved(world, command), changes: [] };
  }
  if (command.command !== 'profile_apply') return null;
  const profile = world.profiles.find((p) => p.name === command.name);
  if (!profile) return null;
  const changes: Change[] = [];
  const now = world.deployment;
  const then = profile.deployment ?? now;
  const put = (key: string, from: string | null, to: string | null) => {
    if (from !== to) changes.push({ key, from: from ?? 'none', to: to ?? 'none', waits: null });
  };
  put('network card', now.interface, then.interface);
  put('address', now.address, then.address);
  put('leases', now.leases, then.leases);
  return { receipt: 'profile', profile, changes };
}

/** Why a command is refused. */
export function keptForbids(world: World, command: Command): Refused | null {
  if (command.command !== 'profile_import') return null;
  if (!command.text.includes('profile = 1')) {
    const message = 'The profile is not taken in: line 1, column 1: this is no profile.';
    return new Refused({ code: 'invalid', field: 'text', message });
  }
  const there = world.profiles.some((p) => p.name === asSaved(world, command).name);
  if (!there || command.replace) return null;
  return new Refused({ code: 'conflict', field: 'text', message: 'There is such a profile already.' });
}

function asSaved(
  world: World,
  command: Extract<Command, { command: 'profile_save' | 'profile_import' }>,
): Profile {
  const product = world.products[0];
  const saves = command.command === 'profile_save';
  const name = saves ? command.name : (/name = "(.*)"/.exec(command.text)?.[1] ?? 'a profile');
  return {
    name,
    deployment: world.deployment,
    product:
      saves && command.product && product
        ? { code: command.product, name: product.name, pattern: product.pattern }
        : null,
    venue: null,
    preferences: world.snapshot.preferences,
  };
}
