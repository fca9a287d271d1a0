import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { plugins } from '../index.js';
import { luaOffences } from './lua-safe.js';

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, strict: true, types: [],
};

describe('plugin cores keep to what means the same in Lua', function () {
  this.timeout(30_000);

  it('finds no offence in the cores, schemas and what they share', () => {
    const files = ['plugin.ts', 'problems.ts', 'priorities.ts', ...Object.keys(plugins).flatMap((name) => [`${name}/core.ts`, `${name}/schema.ts`])];
    expect(luaOffences(files.map((file) => fileURLToPath(new URL(`../${file}`, import.meta.url))), OPTIONS)).to.deep.equal([]);
  });

  describe('catches', () => {
    const crimes: Record<string, string> = {
      Date: 'export const x = Date.now();',
      JSON: 'export const x = JSON.stringify([]);',
      'a regular expression': 'export const x = (s: string): boolean => /a/.test(s);',
      'a bigint': 'export const x = 1n;',
      Map: 'export const x = new Map<string, string>();',
      Set: 'export const x = new Set<string>();',
      null: 'export const x = null;',
      'the remainder operator': 'export const x = (n: number): number => n % 3;',
      async: 'export async function x(): Promise<void> {}',
      '==': 'export const x = (n: number): boolean => n == 3;',
      '.sort()': 'export const x = (n: string[]): string[] => n.sort();',
      'the truth of s': 'export const x = (s: string): number => s ? 1 : 0;',
      'the truth of n': 'export const x = (n: number): number => { if (n) return 1; return 0; };',
      'the truth of o': 'export const x = (o: string | undefined): string => o || "default";',
      'the truth of t': 'export const x = (t?: string): boolean => !t;',
      try: 'export function x(): void { try { x(); } catch { x(); } }',
      'for … in': 'export function x(o: object): void { for (const k in o) x({ k }); }',
      encodeURIComponent: 'export const x = (s: string): string => encodeURIComponent(s);',
    };
    let folder: string;
    let offences: string[];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kontor-lua-safe-'));
      const files = Object.values(crimes).map((_, index) => join(folder, `crime-${index}.ts`));
      await Promise.all(Object.values(crimes).map((text, index) => writeFile(files[index] as string, text)));
      offences = luaOffences(files, OPTIONS);
    });
    after(() => rm(folder, { recursive: true }));

    Object.keys(crimes).forEach((crime, index) => {
      it(crime, () => {
        const own = offences.filter((offence) => offence.startsWith(`${join(folder, `crime-${index}.ts`)}:`));
        expect(own.map((offence) => offence.slice(offence.indexOf(' ') + 1).split(': use ')[0])).to.include(crime);
      });
    });
  });
});
