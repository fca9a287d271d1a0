import type { Letter, LetterBox } from './letter-box.js';
import { Fault } from '../platform/fault.js';

export const USAGE = `npm run dead-letters -- list [--queue=<queue>]     what services could not work on, oldest first
                       show <id> [--data]         one letter: its envelope and cause; with --data what is in it too (personal data)
                       replay <id>|--all|--queue=<queue>   back to the queue it came from, to be worked on again
                       discard <id> --reason=<text>        for good; the reason goes to the audit trail: name no person in it
<id> is the event's; --queue=<queue> beside it means the letter of that queue alone. <queue> is the one the letter came from, without ".dead".`;

export interface Command { name: 'list' | 'show' | 'replay' | 'discard'; id?: string; queue?: string; all: boolean; data: boolean; reason?: string }

const TAKES: Record<Command['name'], readonly string[]> = { list: ['queue'], show: ['queue', 'data'], replay: ['queue', 'all'], discard: ['queue', 'reason'] };

/** Reads what follows `npm run dead-letters --`. @throws Fault that says what is wrong, with the usage */
export function readCommand(words: readonly string[]): Command {
  const wrong = (what: string): Fault => new Fault(`${what}\n\n${USAGE}`);
  const [word, id, ...rest] = words.filter((one) => !one.startsWith('--'));
  const name = (Object.keys(TAKES) as Command['name'][]).find((known) => known === word);
  if (!name) throw wrong(word === undefined ? 'Say what to do.' : `There is no command ${word}.`);
  if (rest.length > 0) throw wrong(`One id at a time: ${rest.join(' ')} is too much.`);
  const command: Command = { name, all: false, data: false, ...(id === undefined ? {} : { id }) };
  for (const option of words.filter((one) => one.startsWith('--'))) {
    const [, key, value] = /^--(queue|all|data|reason)(?:=(.+))?$/s.exec(option) ?? [];
    if (!key || !TAKES[name].includes(key) || (key === 'queue' || key === 'reason') !== (value !== undefined)) throw wrong(`${name} does not understand ${option}.`);
    if (key === 'queue') command.queue = value!.replace(/\.dead$/, '');
    else if (key === 'reason') command.reason = value!.trim();
    else command[key as 'all' | 'data'] = true;
  }
  if (name === 'list' && id !== undefined) throw wrong('list takes no id.');
  if ((name === 'show' || name === 'discard') && id === undefined) throw wrong(`Say which: ${name} <id>.`);
  if (name === 'discard' && (command.reason === undefined || command.reason.length < 3 || command.reason.length > 200)) throw wrong('Say why, in 3 to 200 characters: --reason=<text>.');
  if (name === 'replay' && [id !== undefined, command.all].filter(Boolean).length + (id === undefined && !command.all && command.queue !== undefined ? 1 : 0) !== 1) throw wrong('Say which: replay <id>, --all or --queue=<queue>.');
  return command;
}

/** Does it. @returns lines for the operator @throws Fault */
export async function carryOut(command: Command, box: LetterBox, now: Date): Promise<string[]> {
  const found = (await box.letters(command.queue)).filter(({ id }) => command.id === undefined || id === command.id);
  if (command.id !== undefined && found.length === 0) throw new Fault(`There is no dead letter ${command.id}${command.queue ? ` of ${command.queue}` : ''}.`);
  if (command.name === 'list') return found.length === 0 ? ['There are no dead letters.'] : [HEADING, ...found.map((letter) => lineOf(letter, now))];
  if (command.name === 'show') return found.flatMap((letter) => shown(letter, command.data));
  let done = 0;
  for (const letter of found) {
    if (command.name === 'replay') await box.replay(letter);
    else await box.discard(letter, command.reason!);
    done++;
  }
  return [`${done} dead letter${done === 1 ? '' : 's'} ${command.name === 'replay' ? 'went back to work' : 'discarded'}.`];
}

const COLUMNS = [37, 22, 32, 37, 36, 9];
const row = (cells: readonly string[]): string => cells.map((cell, at) => cell.padEnd(COLUMNS[at] ?? 0)).join(' ').trimEnd();
const HEADING = row(['id', 'queue', 'type', 'subject', 'cause', 'attempts', 'age']);

function lineOf({ id, queue, event, cause, attempts, failedAt }: Letter, now: Date): string {
  return row([id, queue, event?.type ?? 'no event', event?.subject ?? '-', cause, attempts === undefined ? '-' : String(attempts), failedAt ? age(now.getTime() - failedAt.getTime()) : '-']);
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  return minutes < 60 ? `${minutes} min` : minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

function shown({ id, queue, event, cause, thrownAt, attempts, failedAt, text }: Letter, data: boolean): string[] {
  const fields: [string, unknown][] = [
    ['id', id], ['queue', queue], ['cause', cause], ['thrown at', thrownAt], ['attempts', attempts], ['failed at', failedAt?.toISOString()],
    ...(event ? (['type', 'source', 'subject', 'time', 'correlationid', 'traceparent', 'clientid'] as const).map((name): [string, unknown] => [name, event[name]]) : [['size', `${Buffer.byteLength(text)} bytes that are no event`] as [string, unknown]]),
  ];
  const lines = fields.filter(([, value]) => value !== undefined).map(([name, value]) => `${name.padEnd(15)}${String(value)}`);
  return [...lines, ...(data ? ['', event ? JSON.stringify(event.data, null, 2) : text] : []), ''];
}
