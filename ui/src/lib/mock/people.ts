/** The mock's operators, logins and record. `?as=viewer` is somebody who may only look, `?login` asks. */
import { Refused } from '../station';
import type { Command, Deed, DeedFilter, Operator, Receipt, Role, Session } from '../wire';
import type { World } from './world';

const DAY = 86_400_000;

/** The password of everybody at the made-up station. */
const PASSWORD = 'correct horse';

/** Logs in, changes the password: what needs one. */
export function withPassword(session: Session) {
  let password = PASSWORD;
  return {
    session: () => Promise.resolve(session),
    login(name: string, typed: string): Promise<Session> {
      const wrong = new Refused({ code: 'login_needed', message: 'The name or the password is wrong.' });
      if (typed !== password) return Promise.reject(wrong);
      session = { ...session, door: 'login', name, role: 'operator' };
      return Promise.resolve(session);
    },
    changePassword(present: string, next: string): Promise<Session> {
      const wrong = new Refused({
        code: 'invalid',
        field: 'present',
        message: 'The present password is wrong.',
        next: 'Try again. An administrator can give you a new password.',
      });
      const fault = present === password ? short(next) : wrong;
      if (fault) return Promise.reject(fault);
      password = next;
      return Promise.resolve(session);
    },
  };
}

export function someOperators(now: number): Operator[] {
  const of = (name: string, role: Role, sessions: number): Operator => ({
    name,
    role,
    disabled: false,
    created: now - 30 * DAY,
    last_login: sessions ? now - 3_600_000 : null,
    sessions,
  });
  return [of('ada', 'admin', 1), of('tess', 'operator', 1), of('wall', 'viewer', 0)];
}

export function someDeeds(now: number): Deed[] {
  const actions = ['batch_start', 'board_approve', 'image_activate', 'login', 'names_import'];
  return Array.from({ length: 900 }, (_, i) => ({
    id: 900 - i,
    at: now - i * 61_000,
    who: i % 3 ? 'tess' : 'ada',
    door: i % 7 ? 'login' : 'socket',
    origin: i % 7 ? '192.168.7.21' : 'this machine',
    action: actions[i % 5] ?? 'login',
    subject: i % 5 === 3 ? '' : `batch ${i % 9}`,
    outcome: i % 11 === 4 ? 'refused' : 'done',
    why: i % 11 === 4 ? 'The name or the password is wrong.' : null,
  }));
}

/** Who is at the made-up station, by the address of the page. */
export function someone(params: URLSearchParams): Session {
  const as = params.get('as') as Role | null;
  if (params.has('login')) {
    return { door: 'nobody', name: null, role: null, open: false, operators: true, until: null };
  }
  const name = as ? 'tess' : null;
  return { door: as ? 'login' : 'here', name, role: as ?? 'admin', open: true, operators: true, until: null };
}

export function found(deeds: Deed[], filter: DeedFilter): Deed[] {
  const text = filter.text?.toLowerCase() ?? '';
  const all = deeds.filter(
    (d) =>
      (!filter.outcome || d.outcome === filter.outcome) &&
      (!filter.who || d.who === filter.who) &&
      (filter.before === null || d.id < filter.before) &&
      `${d.who} ${d.origin} ${d.action} ${d.subject} ${d.why ?? ''}`.toLowerCase().includes(text),
  );
  return all.slice(0, filter.limit || 1000);
}

const wrong = (field: string, message: string) => new Refused({ code: 'invalid', field, message });
const short = (password: string) =>
  password.length < 10 ? wrong('password', 'A password has at least 10 characters.') : null;

/** A few of the station's rules. */
export function peopleForbid(world: World, command: Command): Refused | null {
  switch (command.command) {
    case 'operator_add':
      if (!command.name) return wrong('name', 'An operator’s name cannot be empty.');
      if (world.operators.some((o) => o.name === command.name.toLowerCase()))
        return wrong('name', `There is an operator ${command.name} already.`);
      return short(command.password);
    case 'operator_password':
      return short(command.password);
    case 'operator_role':
    case 'operator_disable':
    case 'operator_remove': {
      const admins = world.operators.filter((o) => o.role === 'admin' && !o.disabled);
      const last = admins.length === 1 && admins[0]?.name === command.name;
      const keeps = command.command === 'operator_role' && command.role === 'admin';
      return last && !keeps ? wrong('name', `${command.name} is the last administrator.`) : null;
    }
    default:
      return null;
  }
}

/** Does what is about operators; `null` for commands of others. */
export function peopled(world: World, command: Command): Receipt | null {
  const change = (name: string, part: Partial<Operator>) => {
    world.operators = world.operators.map((o) => (o.name === name ? { ...o, ...part } : o));
  };
  switch (command.command) {
    case 'operator_add': {
      const { role } = command;
      const name = command.name.toLowerCase();
      const added = { name, role, disabled: false, created: Date.now(), last_login: null, sessions: 0 };
      world.operators = [...world.operators, added].sort((a, b) => a.name.localeCompare(b.name));
      break;
    }
    case 'operator_role':
      change(command.name, { role: command.role });
      break;
    case 'operator_disable':
      change(command.name, { disabled: command.disabled });
      break;
    case 'operator_password':
      change(command.name, { sessions: 0 });
      break;
    case 'operator_remove':
      world.operators = world.operators.filter((o) => o.name !== command.name);
      break;
    default:
      return null;
  }
  world.tell({ update: 'plans' });
  return { receipt: 'done', text: 'Done.' };
}
