import { readdirSync, readFileSync } from 'node:fs';

/** A file of the repository: its path from the root, with forward slashes, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

const OUTSIDE = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.kontor', '.ci']);
const TEXT = /\.(ts|tsx|js|mjs|cjs|json|ya?ml|sql|md|lua|sh|eta|css|html|conf|csv|xml|xsd|wsdl|example|dockerignore)$|(^|\/)(Dockerfile|\.npmrc|\.gitignore|\.mocharc\.json)$/;

/** All text files of the repository. */
export function repository(root: URL): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(new URL(folder || '.', root), { withFileTypes: true })) {
      if (OUTSIDE.has(entry.name)) continue;
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory()) walk(`${path}/`);
      else if (entry.isFile() && TEXT.test(path)) files.push({ path, text: readFileSync(new URL(path, root), 'utf8') });
    }
  };
  walk('');
  return files;
}

/** Hand-written code: not derived, not data. */
export function isCode({ path }: SourceFile): boolean {
  return /\.(ts|js|mjs|cjs)$/.test(path) && !isDerived(path);
}

/** Files that `npm run generate` writes. */
export function isDerived(path: string): boolean {
  return /\.generated\.(ts|js|mjs)$/.test(path);
}

/** Test code: what never runs in production. */
export function isTest({ path }: SourceFile): boolean {
  return /(^|\/)test\//.test(path) || path.startsWith('tests/');
}

/** The workspace a path belongs to: `services/payment`, `kernel`, … */
export function workspaceOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'services' || first === 'adapters' ? `${first}/${second}` : first;
}

/** What a module imports: its specifier, and whether only types come from there. */
export interface Import {
  specifier: string;
  typesOnly: boolean;
  line: number;
}

const IMPORT = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[\w*{}\s,$]*?\sfrom\s+)?['"]([^'"\n]+)['"]|import\(\s*['"]([^'"\n]+)['"]\s*\)/g;

/** The imports of a TypeScript or JavaScript file, dynamic ones too. */
export function importsOf({ text }: SourceFile): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    specifier: match[3] ?? match[4] ?? '',
    typesOnly: match[2] !== undefined,
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** The path a relative specifier leads to, with the extension as written. */
export function resolveImport(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
