import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPlugins, compileToLua } from '../build.js';
import { PLUGIN_NAMES } from '../names.js';
import { priorities } from '../priorities.js';
import { LUAJIT } from './luajit.js';

describe('the Lua build of the plugins', function () {
  this.timeout(60_000);
  let folder: string;
  let written: string[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kontor-plugins-'));
    written = await buildPlugins(join(folder, 'lua'));
  });
  after(() => rm(folder, { recursive: true }));

  it('type-checks and writes a handler and a schema of each plugin where Kong looks for them', () => {
    expect(written).to.have.members(PLUGIN_NAMES.flatMap((name) => [`kong/plugins/${name}/handler.lua`, `kong/plugins/${name}/schema.lua`]));
  });

  it('needs nothing but what Kong has: every other module is inside', async () => {
    for (const path of written) {
      const lua = await readFile(join(folder, 'lua', path), 'utf8');
      const inside = [...lua.matchAll(/^\["([^"]+)"\] = function/gm)].map((match) => match[1]);
      const outside = [...lua.matchAll(/\brequire\("([^"]+)"/g)].map((match) => match[1] as string).filter((name) => !inside.includes(name));
      for (const name of outside) expect(name, path).to.match(/^(resty\.(redis|http|lrucache|openssl\.pkey)|cjson\.safe|ngx\.(base64|semaphore)|kong\.plugins\.(acl\.groups|rate-limiting\.(handler|schema))|kong\.tools\.table)$/);
    }
  });

  it('gives LuaJIT a handler with its priority and phases, and a schema with its name', function () {
    if (!LUAJIT) {
      console.log('      skipped: LUAJIT names no luajit; the launcher (scripts/infra) provides one');
      this.skip();
    }
    const program = `
      package.path = ${JSON.stringify(join(folder, 'lua/?.lua'))}
      local stub = setmetatable({}, { __index = function() return function() return '' end end })
      for _, name in ipairs({ 'resty.redis', 'resty.http', 'resty.lrucache', 'resty.openssl.pkey', 'cjson.safe', 'ngx.base64', 'ngx.semaphore', 'kong.plugins.acl.groups' }) do package.loaded[name] = stub end
      package.loaded['kong.plugins.rate-limiting.handler'], package.loaded['kong.plugins.rate-limiting.schema'] = stub, { name = 'rate-limiting', fields = { {}, {} } }
      package.loaded['kong.tools.table'] = { deep_copy = function(it) return { name = it.name, fields = it.fields } end }
      for _, name in ipairs({ ${PLUGIN_NAMES.map((name) => JSON.stringify(name)).join(', ')} }) do
        local handler, schema = require('kong.plugins.' .. name .. '.handler'), require('kong.plugins.' .. name .. '.schema')
        io.write(name, ' ', handler.PRIORITY, ' ', handler.VERSION, ' ', type(handler.access or handler.header_filter), ' ', schema.name, ' ', #schema.fields, '\\n')
      end`;
    const out = execFileSync(LUAJIT as string, ['-'], { input: program, encoding: 'utf8', env: { LD_LIBRARY_PATH: process.env.LUAJIT_LIBRARY_PATH ?? '' } });
    expect(out.trim().split('\n')).to.deep.equal(Object.entries(priorities).map(([name, priority]) => `${name} ${priority} 1.0.0 function ${name} 2`));
  });

  it('is loaded whole by the image of kong/Dockerfile', async () => {
    expect(await readFile(new URL('../../kong/Dockerfile', import.meta.url), 'utf8')).to.include(` KONG_PLUGINS=bundled,${PLUGIN_NAMES.join(',')} `);
  });

  it('fails on what does not type-check, and on what Lua cannot say', async () => {
    const crimes: [text: string, caught: RegExp][] = [
      ['export const x: string = 1;', /not assignable to type 'string'/],
      ['export const x = 1n;', /[Uu]nsupported|BigInt/],
      ['export const x = kong.request.get_everything();', /get_everything/],
    ];
    for (const [index, [text, caught]] of crimes.entries()) {
      const file = join(folder, `crime-${index}.ts`);
      await writeFile(file, text);
      expect(() => compileToLua(relative(fileURLToPath(new URL('..', import.meta.url)), file)), text).to.throw(caught);
    }
  });
});
