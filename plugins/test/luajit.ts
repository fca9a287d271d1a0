/** Runs the compiled cores in LuaJIT, as Kong does. */
import { execFileSync } from 'node:child_process';
import { compileToLua } from '../build.js';
import { comparable, type Json, type Vector } from './vectors.js';

/** LuaJIT as the environment names it (`LUAJIT`, `LUAJIT_LIBRARY_PATH`; scripts/infra sets both). */
export const LUAJIT = process.env.LUAJIT;

const DRIVER = `
local function quote(text)
  return '"' .. text:gsub('[%c"\\\\\\127-\\255]', function(c) return string.format('\\\\u%04x', c:byte()) end) .. '"'
end
local function encode(value)
  local kind = type(value)
  if kind == 'nil' then return 'null' end
  if kind == 'string' then return quote(value) end
  if kind ~= 'table' then return tostring(value) end
  local parts = {}
  if #value > 0 then
    for _, item in ipairs(value) do parts[#parts + 1] = encode(item) end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for name, item in pairs(value) do parts[#parts + 1] = quote(name) .. ':' .. encode(item) end
  return '{' .. table.concat(parts, ',') .. '}'
end
local results = {}
for _, vector in ipairs(vectors) do
  results[#results + 1] = encode(cores[vector.plugin][vector.call](nil, vector.facts, vector.config, vector.third))
end
io.write('[', table.concat(results, ','), ']')
`;

/** What each vector's core answers in LuaJIT, in the order of the vectors. */
export function runInLua(vectors: Vector[]): Json[] {
  const cores = [...new Set(vectors.map((vector) => vector.plugin))]
    .map((plugin) => `cores[${literal(plugin)}] = (function(...)\n${compileToLua(`${plugin}/core.ts`)}\nend)()`);
  const given = vectors.map(({ plugin, call, facts, config, third }) => literal({ plugin, call, facts, config, third }));
  const program = `local cores = {}\n${cores.join('\n')}\nlocal vectors = {\n${given.join(',\n')}\n}\n${DRIVER}`;
  const out = execFileSync(LUAJIT as string, ['-'], {
    input: program, encoding: 'utf8', maxBuffer: 1 << 26, env: { LD_LIBRARY_PATH: process.env.LUAJIT_LIBRARY_PATH ?? '' },
  });
  return (JSON.parse(out) as Json[]).map(comparable);
}

/** A JSON value as a Lua expression; null is nil, and nil fields are absent. */
function literal(value: Json): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return `"${[...Buffer.from(value, 'utf8')].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`;
  return `{${Object.entries(value).map(([name, field]) => `[${literal(name)}]=${literal(field)}`).join(',')}}`;
}
