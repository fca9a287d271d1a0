import { spawn } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Fault } from '../platform/fault.js';

/** Programs of a Debian package, unpacked in a directory of ours; nothing of the machine is changed. */
export interface UnpackedPackage {
  /** The directory that stands for `/` of the packages. */
  root: string;
  /** LD_LIBRARY_PATH for its programs. */
  libraryPath: string;
}

export interface PackageRequest {
  /** Debian package name. */
  name: string;
  /** Folder that keeps the unpacked packages, one subfolder each. */
  folder: string;
  /** What the sentence says when the package cannot be had, e.g. "or set REDIS_URL to a running one". */
  otherwise: string;
  /** Called with one line before a slow step. */
  tell?: (line: string) => void;
  /** Last changes in the unpacked tree; `finalRoot` is where it will stand. */
  adapt?: (root: string, finalRoot: string) => Promise<void>;
}

/** The first executable of that name on PATH or in one of the further directories, or null. */
export async function findProgram(name: string, further: string[] = []): Promise<string | null> {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), ...further]) {
    if (!directory) continue;
    const candidate = join(directory, name);
    if (await access(candidate, constants.X_OK).then(() => true, () => false)) return candidate;
  }
  return null;
}

/** Runs a program to its end. Answers stdout; a Fault with the last line of its errors when it fails. */
export function runProgram(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number; what?: string } = {}): Promise<string> {
  const { what, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => { out += chunk; });
    child.stderr.on('data', (chunk: Buffer) => { err += chunk; });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) { resolve(out); return; }
      const reason = (err.trim() || out.trim()).split('\n').slice(-3).join(' | ');
      reject(new Fault(`${what ?? `${command} ${args[0] ?? ''}`} failed (exit ${code}): ${reason}`));
    });
  });
}

/**
 * A Debian package with everything it needs beyond what the machine has, fetched with `apt-get download` into directories of
 * our own and unpacked with `dpkg -x`: no root, no change to the machine. Already unpacked ones are used again at once.
 * @throws Fault without apt-get and dpkg, or when the package cannot be fetched.
 */
export async function unpackedPackage(request: PackageRequest): Promise<UnpackedPackage> {
  const finalRoot = join(request.folder, request.name);
  if (!await exists(join(finalRoot, '.complete'))) await fetchAndUnpack(request, finalRoot);
  return { root: finalRoot, libraryPath: await libraryPath(finalRoot) };
}

async function fetchAndUnpack(request: PackageRequest, finalRoot: string): Promise<void> {
  const missing = [];
  for (const tool of ['apt-get', 'dpkg']) if (!await findProgram(tool)) missing.push(tool);
  if (missing.length > 0) {
    throw new Fault(`${request.name} is not on the PATH and this machine has no ${missing.join(' and no ')} to fetch it with: install ${request.name}, ${request.otherwise}.`);
  }
  request.tell?.(`fetching ${request.name} as Debian packages (no root needed)`);
  await mkdir(request.folder, { recursive: true });
  const work = await mkdtemp(join(request.folder, `.${request.name}-`));
  try {
    const apt = await privateApt(work);
    await runProgram('apt-get', [...apt, 'update'], { what: 'apt-get update' }).catch(() => undefined);
    const plan = await runProgram('apt-get', [...apt, '-s', '--no-install-recommends', 'install', request.name], { what: 'apt-get' })
      .catch((error: Error) => { throw new Fault(`${request.name} cannot be found among the Debian packages (${error.message}): check the network, ${request.otherwise}.`); });
    const names = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!).filter((name) => !/^libc6(:|$)/.test(name));
    if (names.length === 0) names.push(request.name);
    const archives = join(work, 'archives');
    await mkdir(archives);
    await runProgram('apt-get', [...apt, 'download', ...names], { cwd: archives, what: 'apt-get download' })
      .catch((error: Error) => { throw new Fault(`${request.name} could not be downloaded (${error.message}): check the network, ${request.otherwise}.`); });
    const root = join(work, 'root');
    await mkdir(root);
    request.tell?.(`unpacking ${names.length} packages for ${request.name}`);
    for (const file of await readdir(archives)) {
      if (file.endsWith('.deb')) await runProgram('dpkg', ['-x', join(archives, file), root], { what: `unpacking ${file}` });
    }
    await request.adapt?.(root, finalRoot);
    await writeFile(join(root, '.complete'), `${names.join('\n')}\n`);
    await rename(root, finalRoot).catch(async (error: Error) => {
      if (!await exists(join(finalRoot, '.complete'))) throw error; // another process of ours was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Options that point apt at state and cache of our own, with the machine's sources, keys and list of installed packages. */
async function privateApt(work: string): Promise<string[]> {
  await mkdir(join(work, 'lists/partial'), { recursive: true });
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
  const options = ['-q', '-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`, '-o', 'Debug::NoLocking=1',
    '-o', 'Acquire::Languages=none', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::https::Timeout=20',
    '-o', 'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false', '-o', 'APT::Update::Post-Invoke-Success=', '-o', 'Dir::Etc::Main=/dev/null'];
  if (process.getuid?.() === 0) options.push('-o', 'APT::Sandbox::User=root');
  return options;
}

async function libraryPath(root: string): Promise<string> {
  const found: string[] = [];
  for (const base of ['usr/lib', 'lib']) {
    for (const entry of await readdir(join(root, base)).catch(() => [])) {
      if (entry.includes('-linux-gnu')) found.push(join(root, base, entry));
    }
    found.push(join(root, base));
  }
  return found.join(delimiter);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
