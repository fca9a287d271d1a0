/**
 * Kong's schema language, as far as the state needs it: a value is checked field by field and its defaults are filled in.
 * Anything the schema does not name is a fault, never ignored, because a misspelt `allow` would be an open door.
 */

/** One field. The same shape our own plugins use (plugins/plugin.ts), with the kinds Kong's plugins need beside them. */
export interface FieldSpec {
  type: string;
  description?: string;
  required?: boolean;
  default?: unknown;
  one_of?: readonly unknown[];
  between?: readonly number[];
  len_min?: number;
  elements?: FieldSpec;
  /** Of a `map`. */
  values?: FieldSpec;
  fields?: readonly Record<string, FieldSpec>[];
  referenceable?: boolean;
  encrypted?: boolean;
  /** Kong knows the field with more values; the embedded gateway implements only these. */
  only?: readonly unknown[];
}

/** The fields of a record, as Kong lists them: one object with one key each. */
export type Fields = readonly Record<string, FieldSpec>[];

/** Where a value stands and what is wrong with it. */
export interface Fault {
  /** `kong.yaml: route "getPayment": plugin "acl": config.allow` */
  where: string;
  what: string;
}

/**
 * Checks a record and gives it back with its defaults.
 * @param at name of the record inside `where`, e.g. `config`; empty for the entity itself
 * @param faults every fault found is appended; the value given back is good only if none was
 */
export function checkRecord(value: unknown, fields: Fields, where: string, at: string, faults: Fault[]): Record<string, unknown> {
  if (!isObject(value)) {
    faults.push({ where, what: `${at || 'entity'} must be a record` });
    return {};
  }
  const known = new Map(fields.map((field) => Object.entries(field)[0]!));
  for (const name of Object.keys(value)) {
    if (!known.has(name)) faults.push({ where, what: `${join(at, name)} is not known to the embedded gateway` });
  }
  const checked: Record<string, unknown> = {};
  for (const [name, spec] of known) {
    const given = value[name];
    const found = given === undefined || given === null ? structuredClone(spec.default) : given;
    if (found === undefined) {
      if (spec.type === 'record' && spec.fields && hasDefaults(spec.fields)) checked[name] = checkRecord({}, spec.fields, where, join(at, name), faults);
      else if (spec.required) faults.push({ where, what: `${join(at, name)} is required` });
      continue;
    }
    checked[name] = checkValue(found, spec, where, join(at, name), faults);
  }
  return checked;
}

function hasDefaults(fields: Fields): boolean {
  return fields.some((field) => Object.values(field).some((spec) => spec.default !== undefined))
    && !fields.some((field) => Object.values(field).some((spec) => spec.required && spec.default === undefined));
}

function checkValue(value: unknown, spec: FieldSpec, where: string, at: string, faults: Fault[]): unknown {
  const fault = (what: string) => void faults.push({ where, what: `${at} ${what}` });
  switch (spec.type) {
    case 'record':
      return checkRecord(value, spec.fields ?? [], where, at, faults);
    case 'array':
    case 'set':
      if (!Array.isArray(value)) return fault('must be a list');
      if (value.length < (spec.len_min ?? 0)) return fault('must not be empty');
      return value.map((entry, index) => checkValue(entry, spec.elements ?? { type: 'string' }, where, `${at}[${index}]`, faults));
    case 'map':
      if (!isObject(value)) return fault('must be a map');
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, checkValue(entry, spec.values ?? { type: 'string' }, where, join(at, key), faults)]));
    default:
      checkScalar(value, spec, fault);
      return value;
  }
}

function checkScalar(value: unknown, spec: FieldSpec, fault: (what: string) => void): void {
  const sound = spec.type === 'integer' ? Number.isSafeInteger(value)
    : spec.type === 'number' ? typeof value === 'number' && Number.isFinite(value)
      : typeof value === spec.type;
  if (!sound) return fault(`must be of type ${spec.type}`);
  if (spec.type === 'string' && (value as string).length < (spec.len_min ?? 1)) return fault('must not be empty');
  if (spec.one_of && !spec.one_of.includes(value)) return fault(`must be one of ${spec.one_of.join(', ')}`);
  if (spec.between && !((value as number) >= spec.between[0]! && (value as number) <= spec.between[1]!)) {
    return fault(`must be ${spec.between[0] === Number.MIN_VALUE ? 'above 0, at most' : `between ${spec.between[0]} and`} ${spec.between[1]}`);
  }
  if (spec.only && !spec.only.includes(value)) {
    fault(`is not supported by the embedded gateway with this value (only: ${spec.only.join(', ')})`);
  }
}

function join(at: string, name: string): string {
  return at ? `${at}.${name}` : name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
