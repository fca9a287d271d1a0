// Plain Node, no dependency: this runs before anything is installed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const NODE_NEEDED = [20, 19];

/** Ends with one sentence when this Node is older than the platform needs. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return;
  console.error(`Kontor needs Node ${NODE_NEEDED.join('.')} or newer, this is ${version}: install a newer Node (https://nodejs.org) and start again.`);
  process.exit(1);
}

/**
 * Whether node_modules holds what package-lock.json asks for: npm writes what it installed to node_modules/.package-lock.json at
 * the end of an install, so a missing, interrupted or older one is seen.
 */
export function dependenciesAreCurrent(root) {
  const read = (...path) => {
    try { return JSON.parse(readFileSync(join(root, ...path), 'utf8')).packages; } catch { return null; }
  };
  const wanted = read('package-lock.json');
  const installed = read('node_modules', '.package-lock.json');
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, { version, link, optional, devOptional, peer }]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const there = installed[path];
    if (!there) return Boolean(link ? false : optional || devOptional || peer);
    return link ? true : there.version === version;
  });
}

/** Runs `npm ci` when packages are missing or package-lock.json changed since, with a line every 5 s at most. */
export async function ensureDependencies(root) {
  if (dependenciesAreCurrent(root)) return;
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  console.log('Installing packages (npm ci), about a minute the first time');
  const heartbeat = setInterval(() => console.log(`  … npm ci, ${seconds()}`), 5000);
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  npm.stdout.on('data', (chunk) => { output += chunk; });
  npm.stderr.on('data', (chunk) => { output += chunk; });
  const stop = (signal) => npm.kill(signal);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const code = await new Promise((resolve) => {
    npm.once('error', (error) => { output += error.message; resolve(1); });
    npm.once('close', resolve);
  });
  clearInterval(heartbeat);
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (code !== 0) {
    const hint = /ENOSPC/.test(output) ? 'the disk is full: free at least 1 GiB' : /EACCES|EPERM/.test(output) ? 'this user may not write here' : 'see above';
    console.error(`${output.trim().split('\n').slice(-12).join('\n')}\nThe packages could not be installed (npm ci ended with ${code}; ${hint}). Start again afterwards.`);
    process.exit(1);
  }
  console.log(`Packages are installed (${seconds()})`);
}
