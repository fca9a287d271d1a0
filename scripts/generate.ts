/**
 * `npm run generate` writes every file that is derived from a contract; `npm run generate -- --check` names the stale ones
 * and fails. The same contracts give the same files, byte for byte.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { absent, operationsOf, readContracts, ROOT } from './generate/contracts.js';
import { authorisationMatrix, operationsPage } from './generate/documents.js';
import { generateEvents } from './generate/events.js';
import { kongState } from './generate/kong-state.js';
import { contractTypes } from './generate/types.js';

/** Every derived file: path from the root of the repository → content. */
export async function derivedFiles(root: URL = ROOT): Promise<Map<string, string>> {
  const contracts = await readContracts(root);
  const operations = operationsOf(contracts);
  const files = new Map<string, string>();
  for (const contract of contracts) files.set(`${contract.folder}/src/openapi.generated.ts`, await contractTypes(contract));
  files.set('deck/kong.yaml', kongState(contracts, operations));
  files.set('docs/operations.md', operationsPage(operations));
  files.set('tests/gateway/operations.generated.json', authorisationMatrix(operations));
  for (const [path, content] of await generateEvents()) files.set(path, content);
  return files;
}

/** Paths of derived files whose content on disk is not what the contracts give. */
export async function staleFiles(files: Map<string, string>, root: URL = ROOT): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, content] of files) {
    if (await readFile(new URL(path, root), 'utf8').catch(absent) !== content) stale.push(path);
  }
  return stale;
}

async function main(): Promise<void> {
  const files = await derivedFiles();
  const stale = await staleFiles(files);
  if (process.argv.includes('--check')) {
    for (const path of stale) console.error(`stale: ${path}`);
    if (stale.length > 0) {
      console.error('Run `npm run generate` and commit what it writes.');
      process.exitCode = 1;
    }
    return;
  }
  for (const path of stale) {
    const target = new URL(path, ROOT);
    await mkdir(new URL('.', target), { recursive: true });
    await writeFile(target, files.get(path) as string);
    console.log(`wrote ${path}`);
  }
  console.log(`${files.size} derived files, ${stale.length} written`);
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) await main();
