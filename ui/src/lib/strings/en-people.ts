/** Sentences about who is at the page: logging in, operators, and the record of what they did. */
import { count } from '../words';
import type { DeedOutcome, Door, Role } from '../wire';

const roles: Record<Role, string> = {
  viewer: 'Viewer',
  operator: 'Operator',
  admin: 'Administrator',
  unknown: 'Unknown',
};

const doors: Record<Door, string> = {
  here: 'the program itself',
  socket: 'command line or window',
  login: 'browser',
  token: 'token',
  nobody: 'unknown',
  unknown: 'unknown',
};

const outcomes: Record<DeedOutcome, string> = { done: 'Done', refused: 'Refused', unknown: 'Unknown' };

export const people = {
  roles,
  rolesLong: {
    viewer: 'Viewer: looks, and changes nothing',
    operator: 'Operator: boards, batches, images, names',
    admin: 'Administrator: also operators, the network card and removing images',
  } as Record<Exclude<Role, 'unknown'>, string>,
  doors,
  outcomes,
  /** Why a button cannot be pressed. */
  needs: (role: Role) =>
    role === 'admin'
      ? 'Only an administrator may do this. Ask one, or log in as one.'
      : 'You are logged in as a viewer, who may look and change nothing. Ask an administrator for the role operator.',
  login: {
    title: 'Log in',
    text: 'This station wants to know who is asking.',
    again: 'Your login has ended. What you typed on the page is still there.',
    change: 'You may look. To change something, log in.',
    name: 'Name',
    password: 'Password',
    button: 'Log in',
    tokenInstead: 'Use the operator token instead',
    noOperators: 'Nobody can log in yet. Make the first administrator on the station’s own machine:',
    command: 'punnet operator add NAME --role admin',
    tokenText: 'Until then the operator token opens the page.',
  },
  rail: {
    who: (name: string, role: Role) => `${name}, ${roles[role].toLowerCase()}`,
    token: 'With the operator token',
    password: 'Change your password…',
    logout: 'Log out',
    forget: 'Forget the token',
    loggedOut: 'You are logged out.',
    login: 'Log in',
  },
  own: {
    title: 'Change your password',
    text: 'Your other logins end; this one stays.',
    present: 'Present password',
    password: 'New password',
    again: 'New password, again',
    differ: 'This is not the same as the new password.',
    change: 'Change the password',
    changed: 'Your password is changed. Your other logins have ended.',
  },
  operators: {
    title: 'Operators',
    note: 'Who may use this page from a browser. The window and the command line on the station’s own machine need no login.',
    none: 'Nobody can log in yet. A browser on this machine may look, and changes something with the operator token.',
    heads: ['Name', 'Role', 'Logged in', 'Last login', 'Change'],
    add: 'Add an operator',
    added: (name: string) => `${name} may log in now.`,
    name: 'Name',
    nameHint: 'Letters, digits, dots, hyphens; no spaces.',
    role: 'Role',
    roleOf: (name: string) => `Role of ${name}`,
    roleSet: (name: string, role: Role) => `${name} is ${roles[role].toLowerCase()} now.`,
    password: 'Password',
    passwordHint: 'At least 10 characters. A few words one after the other are easily remembered.',
    passwordOf: (name: string) => `New password for ${name}`,
    passwordText: 'Open logins of this operator end.',
    passwordSet: (name: string) => `${name} has a new password.`,
    newPassword: 'New password',
    disable: 'Suspend',
    enable: 'Let in again',
    disabled: 'suspended',
    disabledDone: (name: string) => `${name} may not log in for now.`,
    enabledDone: (name: string) => `${name} may log in again.`,
    remove: 'Remove',
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: 'This operator can log in no more. What was done stays on the record.',
    sessions: (n: number) => (n ? count(n, 'login') : 'no'),
    never: 'never',
    record: 'Who did what',
  },
  record: {
    note: 'Every command, login and upload, the newest first. Nothing here can be changed or removed.',
    search: 'Person, address, action or subject',
    outcome: 'Result',
    anyOutcome: 'All',
    heads: ['When', 'Who', 'From', 'What', 'Result'],
    from: (origin: string, door: Door) => `${origin} (${doors[door]})`,
    empty: 'Nothing is on the record yet',
    nothing: 'Nothing matches',
    clear: 'Clear the filter',
  },
};
