import { isUsername, STAFF_ROLES, type Staff, type StaffCredentials, type StaffRole } from '../../portal/src/staff.js';
import type { StaffRepository } from '../../portal/src/staff-repository.js';
import { Fault } from '../platform/fault.js';

export const USAGE = `npm run staff -- add <username> --role=${STAFF_ROLES.join('|')}
                renew <username>     new password and one-time-code secret; the old ones and all sessions end
                remove <username>    takes the access away; consents' histories keep the id
                list`;

export type Command = { name: 'add'; username: string; role: StaffRole } | { name: 'renew' | 'remove'; username: string } | { name: 'list' };

/** Reads what follows `npm run staff --`. @throws Fault that says what is wrong, with the usage */
export function readCommand(words: readonly string[]): Command {
  const options = words.filter((word) => word.startsWith('--'));
  const [name, username, ...rest] = words.filter((word) => !word.startsWith('--'));
  const wrong = (what: string): Fault => new Fault(`${what}\n\n${USAGE}`);
  if (name === 'list' && username === undefined && options.length === 0) return { name };
  if (name !== 'add' && name !== 'renew' && name !== 'remove') throw wrong(name === undefined ? 'Say what to do.' : `There is no command like this: ${words.join(' ')}.`);
  if (username === undefined || rest.length > 0) throw wrong('Give one username.');
  if (!isUsername(username)) throw wrong(`${username} is no username: lower-case letters, digits, dots and dashes, a letter first, 2 to 40 in all.`);
  if (name !== 'add') {
    if (options.length > 0) throw wrong(`${name} takes no ${options.join(' ')}.`);
    return { name, username };
  }
  const role = STAFF_ROLES.find((known) => options.length === 1 && options[0] === `--role=${known}`);
  if (!role) throw wrong(`Give the role: --role=${STAFF_ROLES.join(' or --role=')}.`);
  return { name, username, role };
}

/** Does it. @returns lines for the administrator; credentials are in them once and nowhere else @throws Fault */
export async function carryOut(command: Command, { staff, repository }: { staff: Staff; repository: StaffRepository }): Promise<string[]> {
  const issued = (username: string, { password, totpSecret }: StaffCredentials): string[] => [
    `Username        ${username}`, `Password        ${password}`, `TOTP secret     ${totpSecret}`,
    `                otpauth://totp/Kontor%20back%20office:${username}?secret=${totpSecret}&issuer=Kontor%20back%20office`,
    'Hand these over now: they are shown once.',
  ];
  if (command.name === 'list') return (await repository.all()).map(({ username, role, id, leftAt }) => `${username.padEnd(24)}${role.padEnd(20)}${id}${leftAt ? `   removed ${leftAt.toISOString().slice(0, 10)}` : ''}`);
  const { username } = command;
  if (command.name === 'remove') {
    if (!(await repository.leave(username))) throw new Fault(`There is nobody of this name: ${username}.`);
    return [`${username} has no access any more.`];
  }
  const credentials = command.name === 'add' ? await staff.add(username, command.role) : await staff.renew(username);
  if (!credentials) throw new Fault(command.name === 'add' ? `The username ${username} is or was somebody's. To let him in (again): renew ${username}.` : `There is nobody of this name: ${username}.`);
  return issued(username, credentials);
}
