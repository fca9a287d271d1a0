/**
 * Settings: each is declared with its type and a sentence that explains it, all are read once in main.ts, and all
 * faults are told at once. Values never appear in a fault: a setting may be a secret.
 */

/** How one setting is read. `parse` throws an Error whose message completes the sentence "<NAME> …". */
export interface Setting<T> {
  readonly explain: string;
  readonly optional: boolean;
  readonly fallback: T | undefined;
  parse(text: string): T;
}

interface SettingOptions<T> {
  /** What it is for, for the one who has to set it. */
  explain: string;
  default?: T;
  optional?: boolean;
}

type Spec = Record<string, Setting<unknown>>;

/** The typed values of a specification. */
export type Settings<S extends Spec> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** All faults of the environment, one a line. */
export class SettingsError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The environment is not complete:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/** Reads all settings of `spec` from `env`; an empty value counts as absent. @throws SettingsError with every fault. */
export function readSettings<S extends Spec>(spec: S, env: NodeJS.ProcessEnv = process.env): Settings<S> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(spec)) {
    const text = env[name];
    if (text === undefined || text === '') {
      if (setting.fallback !== undefined || setting.optional) values[name] = setting.fallback;
      else faults.push(`${name} is missing: ${setting.explain}`);
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (fault) {
      faults.push(`${name} ${(fault as Error).message} (${setting.explain})`);
    }
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return Object.freeze(values) as Settings<S>;
}

type Read<T, O> = O extends { optional: true } ? T | undefined : T;

function setting<T, O extends SettingOptions<T>>(options: O, parse: (text: string) => T): Setting<Read<T, O>> {
  return {
    explain: options.explain,
    optional: options.optional ?? false,
    fallback: options.default as Read<T, O> | undefined,
    parse: parse as (text: string) => Read<T, O>,
  };
}

/** Any text. */
export function text<const O extends SettingOptions<string>>(options: O): Setting<Read<string, O>> {
  return setting(options, (value) => value);
}

/** A secret of at least 16 characters; it has no default, ever. */
export function secret<const O extends Omit<SettingOptions<string>, 'default'>>(options: O): Setting<Read<string, O>> {
  return setting<string, O>(options, (value) => {
    if (value.length < 16) throw new Error('must have at least 16 characters');
    return value;
  });
}

/** An absolute URL, as text. */
export function url<const O extends SettingOptions<string>>(options: O): Setting<Read<string, O>> {
  return setting(options, (value) => {
    if (!URL.canParse(value)) throw new Error('must be an absolute URL');
    return value;
  });
}

/** A TCP port; 0 lets the system choose one. */
export function port<const O extends SettingOptions<number>>(options: O): Setting<Read<number, O>> {
  return setting(options, wholeNumber(0, 65535));
}

/** A whole number between `min` and `max`, both included. */
export function integer<const O extends SettingOptions<number> & { min: number; max: number }>(options: O): Setting<Read<number, O>> {
  return setting(options, wholeNumber(options.min, options.max));
}

function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^-?[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) throw new Error(`must be a whole number from ${min} to ${max}`);
    return number;
  };
}

/** `true` or `false`, nothing else. */
export function flag<const O extends SettingOptions<boolean>>(options: O): Setting<Read<boolean, O>> {
  return setting<boolean, O>(options, (value) => {
    if (value !== 'true' && value !== 'false') throw new Error('must be true or false');
    return value === 'true';
  });
}

/** One of the listed words. */
export function oneOf<const W extends string, const O extends SettingOptions<W>>(words: readonly W[], options: O): Setting<Read<W, O>> {
  return setting<W, O>(options, (value) => {
    if (!(words as readonly string[]).includes(value)) throw new Error(`must be one of ${words.join(', ')}`);
    return value as W;
  });
}

/** 32 bytes in base64: a key for AES-256 or HMAC-SHA-256. No default. */
export function bytes32<const O extends Omit<SettingOptions<Buffer>, 'default'>>(options: O): Setting<Read<Buffer, O>> {
  return setting<Buffer, O>(options, (value) => {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length !== 32) throw new Error('must be 32 bytes in base64');
    return bytes;
  });
}

/** A comma-separated list; blanks around entries and empty entries are dropped. */
export function list<const O extends SettingOptions<readonly string[]>>(options: O): Setting<Read<readonly string[], O>> {
  return setting<readonly string[], O>(options, (value) => value.split(',').map((entry) => entry.trim()).filter((entry) => entry !== ''));
}
