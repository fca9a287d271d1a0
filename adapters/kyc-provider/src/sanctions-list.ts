import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';

/** A name or an alias of an entry of a sanctions list. */
export interface ListedName {
  /** File name of the list the entry stands on. */
  readonly list: string;
  /** The entry's number on the list. */
  readonly entryId: string;
  readonly name: string;
}

const EMPTY = '-0-';
const ALIAS_KINDS = new Set(['aka', 'fka', 'nka']);

/**
 * Reads lists in OFAC's CSV format (Treasury, "SDN data specification": no header row, `-0-` is empty). A primary file
 * has 12 columns (number, name, type, …), an alias file 5 (number, alias number, kind, name, remarks).
 * @throws Error when a file is missing, empty or of another form: screening without its list would clear everybody.
 */
export function readSanctionsLists(files: readonly string[]): ListedName[] {
  if (files.length === 0) throw new Error('No sanctions list is configured.');
  return files.flatMap((file) => {
    const names = parseSanctionsList(readFileSync(file, 'utf8'), basename(file));
    if (names.length === 0) throw new Error(`The sanctions list ${basename(file)} holds no entry.`);
    return names;
  });
}

/** The names in the text of one list file. @throws Error naming the line whose form is wrong. */
export function parseSanctionsList(text: string, list: string): ListedName[] {
  const rows: string[][] = parse(text, { relax_column_count: true, skip_empty_lines: true, trim: true, bom: true, relax_quotes: true });
  // OFAC ends its files with a lone SUB character (0x1A).
  const entries = rows.filter((row) => !(row.length === 1 && row[0] === '\u001a'));
  return entries.flatMap((row, i) => namesOf(row, list, i + 1));
}

function namesOf(row: readonly string[], list: string, line: number): ListedName[] {
  const [entryId, second, third, fourth] = row;
  if (entryId === undefined || !/^[0-9]{1,9}$/.test(entryId)) throw new Error(`${list}, record ${line}: no entry number.`);
  if (row.length === 12) return [{ list, entryId, name: present(second, list, line) }, ...weakAliases(row[11], list, entryId)];
  if (row.length === 5 && third !== undefined && ALIAS_KINDS.has(third)) return [{ list, entryId, name: present(fourth, list, line) }];
  throw new Error(`${list}, record ${line}: neither an entry (12 columns) nor an alias (5 columns).`);
}

function present(name: string | undefined, list: string, line: number): string {
  if (name === undefined || name === '' || name === EMPTY) throw new Error(`${list}, record ${line}: no name.`);
  return name;
}

/** Weak aliases stand in the remarks of the primary file: `a.k.a. 'EL CHAPO'`. One word alone is too little to go by. */
function weakAliases(remarks: string | undefined, list: string, entryId: string): ListedName[] {
  const quoted = [...(remarks ?? '').matchAll(/a\.k\.a\. '([^']{5,})'/g)].map((match) => match[1]!);
  return quoted.filter((name) => name.includes(' ')).map((name) => ({ list, entryId, name }));
}
