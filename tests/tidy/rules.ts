import { importsOf, isCode, isTest, resolveImport, workspaceOf, type Import, type SourceFile } from './source.js';

/** A rule of the house: what it finds, each with what to do instead. */
export interface Rule {
  /** A sentence that completes "the house: …". */
  title: string;
  instead: string;
  /** `path:line what` for each crime. */
  find(files: readonly SourceFile[]): string[];
}

/** One finding a line of a file that matches. */
function linesMatching(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${line.trim().slice(0, 120)}`] : [])));
}

const isProduct = (file: SourceFile): boolean => isCode(file) && !isTest(file) && /^(kernel|services|adapters|portal|kong|plugins|deck)\//.test(file.path);

/** The comments and strings a rule would otherwise trip over are its own: these files speak about crimes. */
const isTidy = ({ path }: SourceFile): boolean => path.startsWith('tests/tidy/');

/** What may import what beyond its own workspace and the kernel. The gateway stand-in runs the plugins' cores. */
const MAY_REACH: Record<string, readonly string[]> = { kong: ['plugins'], deck: ['plugins', 'kong'], kernel: [] };

function reaches({ path }: SourceFile, { specifier }: Import): string | undefined {
  if (specifier.startsWith('.')) {
    const to = workspaceOf(resolveImport(path, specifier));
    return to === workspaceOf(path) ? undefined : to;
  }
  return /^@kontor\/([\w-]+)/.exec(specifier)?.[1];
}

const workspaceImports: Rule = {
  title: 'a workspace imports itself and @kontor/kernel/<file>, nothing else of ours',
  instead: 'move what both need into the kernel (if two kinds of workspace use it), or tell it by an event',
  find: (files) => files.filter(isProduct).flatMap((file) => importsOf(file).flatMap((found) => {
    const to = reaches(file, found);
    const own = workspaceOf(file.path);
    if (to === undefined || (to === 'kernel' && found.specifier.startsWith('@')) || MAY_REACH[own]?.includes(to)) return [];
    return [`${file.path}:${found.line} imports ${found.specifier}`];
  })),
};

const testingOnlyInTests: Rule = {
  title: 'only tests import @kontor/testing',
  instead: 'production code must run without the tests folder',
  find: (files) => files.filter((file) => isCode(file) && !isTest(file)).flatMap((file) =>
    importsOf(file).filter(({ specifier }) => specifier.startsWith('@kontor/testing/')).map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`)),
};

/** What a rules file may take from the kernel: values without effects. */
const PURE_KERNEL = new Set(['money', 'problem', 'events', 'ids', 'consent-decision', 'cursor'].map((file) => `@kontor/kernel/${file}`));
const IMPURE = /^(sequelize|pg|express|amqplib|ioredis|undici|mongodb|soap|node:(fs|net|http|https|child_process|timers).*)$/;

function ruleFileOf(path: string): string | undefined {
  const match = /^(?:services|adapters)\/([\w-]+)\/src\/([\w-]+)\.ts$/.exec(path);
  return match && match[1] === match[2] ? match[1] : undefined;
}

const pureRules: Rule = {
  title: 'the rules of a service (src/<service>.ts) are pure: they import values only from kernel money, problem, events, ids, cursor, consent-decision',
  instead: 'declare the port the rules need, and let repository.ts or main.ts provide it',
  find: (files) => files.filter(({ path }) => ruleFileOf(path) !== undefined && path.startsWith('services/')).flatMap((file) =>
    importsOf(file)
      .filter(({ specifier, typesOnly }) => IMPURE.test(specifier) || (!typesOnly && specifier.startsWith('@kontor/') && !PURE_KERNEL.has(specifier))
        || /^\.\/(routes|subscriptions|repository|main)\.js$/.test(specifier))
      .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`)),
};

const edgesApart: Rule = {
  title: 'routes, subscriptions and repository import the rules file, never each other (a type of the repository may be named)',
  instead: 'put what both need into the rules file; main.ts passes the repository in',
  find: (files) => files.filter(({ path }) => /^(services|adapters)\/[\w-]+\/src\/(routes|subscriptions|repository)\.ts$/.test(path)).flatMap((file) =>
    importsOf(file)
      .filter(({ specifier, typesOnly }) => /^\.\/(routes|subscriptions|repository|main)\.js$/.test(specifier) && !(typesOnly && specifier === './repository.js'))
      .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`)),
};

const sqlInRepositories: Rule = {
  title: 'only repository.ts, main.ts and the kernel touch sequelize or pg',
  instead: 'add a function to repository.ts; elsewhere import the type Tx or Database from @kontor/kernel/database',
  find: (files) => files.filter((file) => /^(services|adapters|portal)\//.test(file.path) && isProduct(file) && !/\/src\/([\w-]+-)?repository\.ts$|\/src\/main\.ts$/.test(file.path)).flatMap((file) =>
    importsOf(file).filter(({ specifier }) => /^(sequelize|pg)$/.test(specifier)).map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`)),
};

const environmentInMain: Rule = {
  title: 'process.env is read only in main.ts, scripts, the kernel\'s config and service, and test support',
  instead: 'declare a setting in main.ts and pass its value on',
  find: (files) => linesMatching(
    files.filter((file) => isCode(file) && !isTidy(file) && !/(^|\/)main\.ts$|^scripts\/|^kernel\/src\/(config|service)\.ts$|^tests\/|(^|\/)test\//.test(file.path)), /\bprocess\.env\b/),
};

const noConsole: Rule = {
  title: 'nothing that runs in production writes to the console (simulators and build steps may)',
  instead: 'use the logger of the kernel, which writes allowed fields only',
  find: (files) => linesMatching(files.filter((file) => isProduct(file) && !/\/simulator\/|^plugins\/build\.ts$/.test(file.path)), /\bconsole\.\w+\(/),
};

const MOST_LINES = 500;
const shortFiles: Rule = {
  title: `a file of code has at most ${MOST_LINES} lines`,
  instead: 'split it by what it is about',
  find: (files) => files.filter((file) => isCode(file) || file.path.endsWith('.sql')).flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MOST_LINES ? [`${path} has ${lines} lines`] : [];
  }),
};

const SETTING = /^\s*([A-Z][A-Z0-9_]{2,}):\s*(?:text|secret|url|port|integer|flag|oneOf|bytes32|list)\(/;
const READ = /process\.env\.([A-Z][A-Z0-9_]{2,})|process\.env\[['"]([A-Z][A-Z0-9_]{2,})['"]\]/g;
/** Set by the system or by npm, or by the test runner for the tests it starts. */
const NOT_OURS = /^(PATH|HOME|USER|SHELL|TMPDIR|CI|NODE_\w+|npm_\w+|LD_LIBRARY_PATH|LANG|TERM|NO_COLOR|FORCE_COLOR|UID)$/;

const explainedSettings: Rule = {
  title: 'every setting named in code is explained in .env.example',
  instead: 'add a line `NAME=` (or `# NAME=`) with a comment above it',
  find: (files) => {
    const example = files.find(({ path }) => path === '.env.example')?.text ?? '';
    const explained = new Set([...example.matchAll(/^#?\s*([A-Z][A-Z0-9_]{2,})=/gm)].map(([, name]) => name));
    const named = files.filter((file) => isCode(file) && !isTidy(file) && !/(^|\/)test\//.test(file.path)).flatMap(({ path, text }) => [
      ...text.split('\n').flatMap((line) => SETTING.exec(line)?.[1] ?? []), ...[...text.matchAll(READ)].map((match) => match[1] ?? match[2] ?? ''),
    ].map((name) => `${path} ${name}`));
    return [...new Set(named)].filter((found) => {
      const name = found.split(' ')[1] ?? '';
      return !explained.has(name) && !NOT_OURS.test(name);
    });
  },
};

const noMachinePaths: Rule = {
  title: 'no file names a folder of one machine',
  instead: 'use a path from the repository, os.tmpdir() or a setting',
  find: (files) => linesMatching(files.filter((file) => !isTidy(file)), /(^|[\s'"`(=:])\/(home|Users|root|w[o]rk)\/[\w.-]+/),
};

const noRegistryHosts: Rule = {
  title: 'package-lock.json names no registry',
  instead: 'run npm install with omit-lockfile-registry-resolved=true (.npmrc)',
  find: (files) => linesMatching(files.filter(({ path }) => path === 'package-lock.json'), /"resolved":\s*"(https?|git)/),
};

const noLeftovers: Rule = {
  title: 'nothing is left to do in the code',
  instead: 'do it, or write an issue',
  find: (files) => linesMatching(files.filter((file) => (isCode(file) || /\.(ya?ml|sql|sh|lua|eta)$/.test(file.path)) && !isTidy(file)), /\b(TODO|FIXME|XXX|HACK)\b(?!')/),
};

const noDefaultExports: Rule = {
  title: 'nothing is exported as default',
  instead: 'export it by its name',
  find: (files) => linesMatching(files.filter((file) => isCode(file) && !isTidy(file) && !/^eslint\.config\.js$/.test(file.path)), /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/),
};

/** All rules of the house. */
export const RULES: readonly Rule[] = [
  workspaceImports, testingOnlyInTests, pureRules, edgesApart, sqlInRepositories, environmentInMain, noConsole, shortFiles, explainedSettings,
  noMachinePaths, noRegistryHosts, noLeftovers, noDefaultExports,
];
