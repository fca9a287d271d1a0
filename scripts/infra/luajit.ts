import { join } from 'node:path';
import { findProgram, unpackedPackage } from './packages.js';

/**
 * LuaJIT, the machine's own or one unpacked from Debian packages: the plugin vectors run in it as they do inside Kong.
 * @returns `path` of the program and the environment it needs on top of the caller's.
 */
export async function luajit(options: { packages: string; tell?: (line: string) => void }): Promise<{ path: string; env: Record<string, string> }> {
  const own = await findProgram('luajit');
  if (own) return { path: own, env: {} };
  const unpacked = await unpackedPackage({ name: 'luajit', folder: options.packages, otherwise: 'or put luajit on the PATH', tell: options.tell });
  return { path: join(unpacked.root, 'usr/bin/luajit'), env: { LD_LIBRARY_PATH: unpacked.libraryPath } };
}
