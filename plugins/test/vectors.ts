/** Test vectors of the cores: what is given, what is expected, and how a result is compared. */
import { readFileSync } from 'node:fs';
import { plugins } from '../index.js';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Fields = { [name: string]: Json };

/** One call of a core: `core[call](facts, config, third)`. */
export interface Vector {
  plugin: string;
  title: string;
  call: string;
  facts: Json;
  config: Json;
  third: Json;
  /** Part of the result; null: must be absent; `clears`: the whole of clearRequestHeaders, in any order. */
  expect: Fields;
}

interface VectorFile { base: Fields; vectors: (Fields & { title: string; expect: Fields })[] }

/** All vectors, each with its plugin's base under it. In a vector null takes a field of the base away. */
export function readVectors(): Vector[] {
  return Object.keys(plugins).flatMap((plugin) => {
    const { base, vectors } = JSON.parse(readFileSync(new URL(`../${plugin}/vectors.json`, import.meta.url), 'utf8')) as VectorFile;
    return vectors.map((vector) => ({
      plugin,
      title: vector.title,
      call: typeof vector.call === 'string' ? vector.call : 'decide',
      facts: merged(base.facts, vector.facts),
      config: merged(base.config, vector.config),
      third: 'third' in vector ? merged(base.third, vector.third) : base.third ?? null,
      expect: vector.expect,
    }));
  });
}

/** `patch` laid over `base`, objects field by field (RFC 7396). */
function merged(base: Json | undefined, patch: Json | undefined): Json {
  if (patch === undefined) return base ?? null;
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result: Fields = isFields(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A result in the form both languages can have: nothing undefined, no difference between an empty list and an empty
 * object (Lua has one table for both), and header lists in one order (Lua's tables have none).
 */
export function comparable(result: unknown): Json {
  return plain(JSON.parse(JSON.stringify(result ?? null)) as Json);
}

function plain(value: Json): Json {
  if (Array.isArray(value)) return value.length === 0 ? {} : value.map(plain);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, name === 'clearRequestHeaders' && Array.isArray(field) && field.length > 0 ? [...field].sort() : plain(field)]));
}

/** Where a result is not as a vector expects; empty when it is. */
export function differences(actual: Json, expected: Json, at = ''): string[] {
  if (expected === null) return actual === null || actual === undefined ? [] : [`${at} is there`];
  if (!isFields(expected)) return JSON.stringify(actual) === JSON.stringify(plain(expected)) ? [] : [`${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`];
  const fields = isFields(actual) ? actual : {};
  return Object.entries(expected).flatMap(([name, wanted]) => {
    if (name === 'clears') return differences(fields.clearRequestHeaders ?? null, [...wanted as string[]].sort(), `${at}.clearRequestHeaders`);
    return differences(fields[name] ?? null, wanted, `${at}.${name}`);
  });
}
