import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { WrongTurn } from './journal.js';

/** The first person of the list the platform screens against (OFAC's SDN format: number, "FAMILY, Given", "individual", …). */
export async function sanctionedPerson(files: string): Promise<{ given: string; family: string }> {
  for (const file of files.split(',')) {
    const rows = parse(await readFile(file.trim(), 'utf8'), { relax_column_count: true, relax_quotes: true }) as string[][];
    const name = rows.find((row) => row[2]?.trim() === 'individual' && /^[A-Za-z' -]+, [A-Za-z' -]+$/.test(row[1] ?? ''))?.[1];
    const [family, given] = name?.split(', ') ?? [];
    if (family && given) return { family, given };
  }
  throw new WrongTurn(`No person was found in the sanctions list (${files}).`);
}
