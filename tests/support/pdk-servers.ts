/** The plugin servers of a private Kong, to be broken: Kong starts each through a script that a test may exchange. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPdkHost } from '../../plugins/host-pdk/build.js';
import { PDK_PLUGINS } from '../../plugins/host-pdk/parts.js';
import { pdkSettings, socketOf } from '../../scripts/gateway/kong-pdk.js';

export interface PluginServers {
  /** `KONG_…` settings of the Kong that starts them. */
  settings: Record<string, string>;
  /** What a plugin's server is from its next start on: a line of shell. */
  starts(plugin: string, line: string): Promise<void>;
  /** The server itself. @param option of node */
  whole(plugin: string, option?: string): string;
  /** The server with a program loaded before it. */
  with(plugin: string, program: string): Promise<string>;
  /** Something else on the server's socket. */
  garbage(plugin: string, kind: 'bytes' | 'messages' | 'drip' | 'over'): Promise<string>;
  pid(plugin: string): Promise<number>;
  kill(plugin: string, signal: NodeJS.Signals): Promise<void>;
}

/** @param folder a new one is made there; sockets lie in it, so its path must be short */
export async function pluginServers(folder: string): Promise<PluginServers> {
  await mkdir(folder, { mode: 0o700 });
  const host = join(folder, 'host');
  await buildPdkHost(host);
  const settings = pdkSettings({ host, sockets: folder, startCommand: (plugin) => join(folder, `${plugin}.sh`) });
  const servers: PluginServers = {
    settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [`KONG_${name.toUpperCase()}`, value])),
    async starts(plugin, line) {
      await writeFile(join(folder, `${plugin}.sh`), `#!/bin/sh\necho $$ > ${join(folder, `${plugin}.pid`)}\n${line}\n`);
      await chmod(join(folder, `${plugin}.sh`), 0o700);
    },
    whole: (plugin, option = '') => `exec ${process.execPath} ${option} ${join(host, plugin, 'server.cjs')} --socket ${socketOf(folder, plugin)}`,
    async with(plugin, program) {
      const file = join(folder, `before-${plugin}.cjs`);
      await writeFile(file, program);
      return servers.whole(plugin, `--require ${file}`);
    },
    async garbage(plugin, kind) {
      await writeFile(join(folder, 'garbage.cjs'), GARBAGE);
      return `exec ${process.execPath} ${join(folder, 'garbage.cjs')} ${socketOf(folder, plugin)} ${kind}`;
    },
    pid: async (plugin) => Number(await readFile(join(folder, `${plugin}.pid`), 'utf8')),
    async kill(plugin, signal) { process.kill(await servers.pid(plugin), signal); },
  };
  for (const plugin of PDK_PLUGINS) await servers.starts(plugin, servers.whole(plugin));
  return servers;
}

/** A server that is not one of ours: `garbage.cjs <socket> bytes|messages|drip|over`. */
const GARBAGE = `
const net = require('node:net'), fs = require('node:fs');
const [path, kind] = process.argv.slice(2);
fs.rmSync(path, { force: true });
const random = () => Buffer.from(Array.from({ length: 64 }, () => Math.floor(Math.random() * 256)));
net.createServer((socket) => {
  socket.on('error', () => undefined);
  let count = 0;
  socket.on('data', (data) => {
    count += 1;
    if (kind === 'bytes') socket.write(random());
    else if (kind === 'messages') socket.write(Buffer.from([[0xc3], [0xa2, 0x6f, 0x6b], [0x94, 1, 0, 0xc0, 0xc0], [0x90]][count % 4]));
    else if (kind === 'drip') { socket.write(Buffer.from([0x94])); setInterval(() => socket.write(Buffer.from([0x93])), 50); }
    // [1, id, nil, { Id = 7, Data = 'ret', EventId = 7 }]: the id is read from Kong's message [0, id, …].
    else {
      const width = { 0xcc: 2, 0xcd: 3, 0xce: 5 }[data[2]] ?? 1;
      socket.write(Buffer.concat([Buffer.from([0x94, 1]), data.subarray(2, 2 + width), Buffer.from([0xc0, 0x83, 0xa2]), Buffer.from('Id'), Buffer.from([7, 0xa4]),
        Buffer.from('Data'), Buffer.from([0xa3]), Buffer.from('ret'), Buffer.from([0xa7]), Buffer.from('EventId'), Buffer.from([7])]));
    }
  });
}).listen(path);
`;
