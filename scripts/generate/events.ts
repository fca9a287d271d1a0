import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

interface Schema {
  $ref?: string;
  type?: string;
  description?: string;
  enum?: string[];
  items?: Schema;
  required?: string[];
  properties?: Record<string, Schema>;
}

interface EventContract {
  components: { messages: Record<string, { summary: string; payload: Schema }>; schemas: Record<string, Schema> };
}

const CONTRACT = new URL('../../kernel/events.asyncapi.yaml', import.meta.url);

/**
 * Derives the event types from kernel/events.asyncapi.yaml.
 * @returns path from the root of the repository → content; the same for the same contract.
 */
export async function generateEvents(): Promise<Map<string, string>> {
  return new Map([['kernel/src/events.generated.ts', eventTypes(await readFile(CONTRACT, 'utf8'))]]);
}

/** The TypeScript of an event contract: one interface a named schema, a map from event type to payload, the list of types. */
export function eventTypes(contractText: string): string {
  const { messages, schemas } = (parse(contractText) as EventContract).components;
  const lines = ['// Derived from kernel/events.asyncapi.yaml by `npm run generate`. Do not edit.', ''];
  for (const [name, schema] of Object.entries(schemas)) {
    if (name in messages || name === 'Envelope') continue;
    if (schema.description) lines.push(`/** ${schema.description} */`);
    lines.push(schema.type === 'object' ? `export interface ${name} ${typeOf(schema, '')}` : `export type ${name} = ${typeOf(schema, '')};`, '');
  }
  lines.push('/** The payload of each event type. */', 'export interface EventPayloads {');
  for (const [type, message] of Object.entries(messages)) {
    const reference = nameOf(message.payload);
    const payload = reference in messages ? typeOf(required(schemas, reference), '  ') : reference;
    lines.push(`  /** ${message.summary} */`, `  '${type}': ${payload};`);
  }
  lines.push('}', '', '/** Every event type there is. */', 'export const EVENT_TYPES = [');
  for (const type of Object.keys(messages)) lines.push(`  '${type}',`);
  lines.push('] as const satisfies readonly (keyof EventPayloads)[];', '');
  return lines.join('\n');
}

function nameOf(schema: Schema): string {
  const name = schema.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1];
  if (!name) throw new Error('a payload must be a $ref into components/schemas');
  return name;
}

function required(schemas: Record<string, Schema>, name: string): Schema {
  const schema = schemas[name];
  if (!schema) throw new Error(`the event contract names a schema ${name} it does not have`);
  return schema;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref) return nameOf(schema);
  if (schema.enum) return schema.enum.map((word) => `'${word}'`).join(' | ');
  if (schema.type === 'array' && schema.items) return `${typeOf(schema.items, indent)}[]`;
  if (schema.type === 'string' || schema.type === 'boolean' || schema.type === 'number') return schema.type;
  if (schema.type === 'integer') return 'number';
  if (schema.type !== 'object') throw new Error(`the generator of event types does not know ${JSON.stringify(schema)}`);
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const mark = schema.required?.includes(name) ? '' : '?';
    return `${indent}  ${name}${mark}: ${typeOf(member, `${indent}  `)};`;
  });
  return `{\n${members.join('\n')}\n${indent}}`;
}
