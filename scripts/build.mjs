import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What is bundled: every program of the platform, found by its folder, and the launcher itself. */
export function entryPoints(root) {
  const entries = [];
  const add = (source, target) => { if (existsSync(join(root, source))) entries.push({ in: join(root, source), out: target }); };
  for (const kind of ['services', 'adapters']) {
    for (const name of readdirSync(join(root, kind)).sort()) {
      add(`${kind}/${name}/src/main.ts`, `${kind}/${name}/dist/main`);
      // Threads of a service lie beside its main, under the same name.
      for (const file of readdirSync(join(root, kind, name, 'src')).filter((each) => each.endsWith('-thread.ts')))
        add(`${kind}/${name}/src/${file}`, `${kind}/${name}/dist/${file.slice(0, -'.ts'.length)}`);
      add(`${kind}/${name}/simulator/main.ts`, `${kind}/${name}/dist/simulator`);
    }
  }
  add('portal/src/main.ts', 'portal/dist/main');
  add('kong/embedded/main.ts', 'kong/dist/main');
  add('scripts/platform/launch.ts', 'build/launch');
  add('scripts/platform/seed.ts', 'build/seed');
  add('scripts/staff/main.ts', 'build/staff');
  add('scripts/dead-letters/main.ts', 'build/dead-letters');
  add('scripts/testing/main.ts', 'build/test');
  add('scripts/testing/demo.ts', 'build/demo');
  return entries;
}

/**
 * Bundles every program to `<workspace>/dist/main.js` (ESM for Node 20; npm packages stay outside, the kernel goes in): a program
 * then starts without a TypeScript compiler in its memory.
 * @param {{ only?: 'scripts', tell?: (line: string) => void }} options `only: 'scripts'` bundles the launcher and its like alone
 */
export async function build(root, options = {}) {
  const esbuild = await import('esbuild');
  const started = Date.now();
  const entries = entryPoints(root).filter(({ out }) => options.only !== 'scripts' || out.startsWith('build/'));
  try {
    await esbuild.build({
      entryPoints: entries, outdir: root, bundle: true, platform: 'node', target: 'node20', format: 'esm', packages: 'external',
      sourcemap: 'linked', sourcesContent: false, logLevel: 'silent', absWorkingDir: root, tsconfig: join(root, 'tsconfig.json'),
    });
  } catch (error) {
    const lines = (error.errors ?? []).map(({ text, location }) => `  ${location ? `${relative(root, join(root, location.file))}:${location.line}: ` : ''}${text}`);
    throw Object.assign(new Error(lines.length > 0 ? `The programs do not build:\n${lines.join('\n')}` : error.message), { name: 'BuildError' });
  } finally {
    await esbuild.stop();
  }
  options.tell?.(`${entries.length} programs built in ${Date.now() - started} ms`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  await build(root, { tell: console.log }).catch((error) => { console.error(error.message); process.exit(1); });
}
