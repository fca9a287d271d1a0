import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { ParseOption, XmlDocument, XmlElement, XsdValidator } from 'libxml2-wasm';

/**
 * Reading XML that somebody else wrote. One parser decides what the bytes mean (libxml2: well-formed, no entities, at most
 * 256 levels); its canonical form (C14N 1.0: UTF-8, no comments, no CDATA, no prefix games) is what is validated and read,
 * so that no second parser can understand the message differently.
 */

/** The messages we read or write. */
export const MESSAGES = [
  'pain.001.001.09', 'pain.002.001.10', 'pacs.008.001.08', 'pacs.002.001.10', 'pacs.004.001.09', 'pacs.028.001.03',
  'camt.029.001.09', 'camt.053.001.08', 'camt.054.001.08', 'camt.056.001.08',
  // Older and newer statements that banks still send: read, never written.
  'camt.053.001.02', 'camt.053.001.04', 'camt.053.001.10', 'camt.054.001.02', 'camt.054.001.04', 'camt.054.001.10', 'camt.054.001.12',
] as const;
export type MessageName = (typeof MESSAGES)[number];

const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:';

/** The XML namespace of a message. */
export function namespaceOf(message: MessageName): string {
  return NAMESPACE + message;
}

/** The sender's fault: what is wrong with a message, in a sentence without any of its content. */
export class MessageFault extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'MessageFault';
  }
}

/** The ISO 20022 schemas, if there are any. */
export interface Schemas {
  /** The messages that are validated against their schema; the others only by their readers. */
  readonly available: readonly MessageName[];
  /** @throws MessageFault when the element breaks the schema of `message`; does nothing without that schema. */
  validate(element: XmlElement, message: MessageName): void;
}

/** Loads `<dir>/<message>.xsd` of the messages that are read here. Without a directory, or a file in it, messages are validated by structure only. */
export function loadSchemas(dir: string | undefined, messages: readonly MessageName[] = MESSAGES): Schemas {
  // A validator borrows from the document it was made of, which must therefore live as long (libxml2 xmlSchemaNewDocParserCtxt).
  const validators = new Map<MessageName, { validator: XsdValidator; document: XmlDocument }>();
  for (const message of dir === undefined ? [] : messages) {
    const source = readSchema(join(dir ?? '', `${message}.xsd`));
    if (!source) continue;
    const document = XmlDocument.fromBuffer(source, { option: ParseOption.XML_PARSE_NONET });
    validators.set(message, { validator: XsdValidator.fromDoc(document), document });
  }
  return {
    available: [...validators.keys()],
    validate(element, message) {
      try {
        validators.get(message)?.validator.validate(element);
      } catch (fault) {
        throw new MessageFault(`the message breaks the schema of ${message}${where(fault)}`);
      }
    },
  };
}

function readSchema(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

/** The line of the first finding; its text may quote the message, so it stays here. */
function where(fault: unknown): string {
  const line = (fault as { details?: { line?: number }[] }).details?.[0]?.line;
  return line ? ` (line ${line})` : '';
}

/** An element as fast-xml-parser gives it: text, or members (attributes begin with `@`, text is `#text`). */
export type Node = string | { [member: string]: Node | Node[] };

/**
 * Opens a message: the ISO 20022 Document, or one inside a business message envelope whose header says the same.
 * @param wanted the messages that are taken here
 * @throws MessageFault for anything that is not well-formed, not of `wanted`, or breaks its schema
 */
export function openMessage<Wanted extends MessageName>(bytes: Uint8Array, schemas: Schemas, wanted: readonly Wanted[]): { message: Wanted; content: Node } {
  const document = parse(textOf(bytes));
  try {
    const root = documentElement(document);
    const message = wanted.find((name) => namespaceOf(name) === root.namespaceUri);
    if (!message) throw new MessageFault(`the Document is none of ${wanted.join(', ')}`);
    checkHeader(document, message);
    schemas.validate(root, message);
    return { message, content: read(root.canonicalizeToString()) };
  } finally {
    document.dispose();
  }
}

/** Bytes to text: UTF-8, or UTF-16 with a byte order mark; without the XML declaration, which has done its work then. */
function textOf(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new MessageFault('the bytes are not UTF-8 or UTF-16');
  }
  const declaration = /^<\?xml\s[^>]*?\?>/.exec(text)?.[0] ?? '';
  const declared = /encoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1]?.toLowerCase();
  if (declared !== undefined && !['utf-8', 'utf8', 'us-ascii', 'utf-16'].includes(declared))
    throw new MessageFault('only UTF-8 and UTF-16 are understood');
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new MessageFault('a document type declaration is not allowed');
  return text.slice(declaration.length);
}

function parse(text: string): XmlDocument {
  try {
    return XmlDocument.fromString(text, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE });
  } catch (fault) {
    throw new MessageFault(`the message is not well-formed XML${where(fault)}`);
  }
}

function documentElement(document: XmlDocument): XmlElement {
  const root = document.root;
  if (root.name === 'Document') return root;
  const inside = document.find('//*[local-name()="Document"]');
  if (inside.length !== 1 || !(inside[0] instanceof XmlElement)) throw new MessageFault('there is no ISO 20022 Document in the message');
  return inside[0];
}

/** A business application header (head.001) must name the message it comes with. */
function checkHeader(document: XmlDocument, message: MessageName): void {
  const named = document.get('//*[local-name()="AppHdr"]/*[local-name()="MsgDefIdr"]');
  if (named && named.content !== message) throw new MessageFault('MsgDefIdr of the header is not the message that follows');
}

const REPEATED = new Set(['CdtTrfTxInf', 'TxInfAndSts', 'OrgnlGrpInfAndSts', 'StsRsnInf', 'AddtlInf', 'Ustrd']);

const parser = new XMLParser({
  ignoreAttributes: false, attributeNamePrefix: '@', removeNSPrefix: true, parseTagValue: false, parseAttributeValue: false,
  processEntities: false, trimValues: false, ignorePiTags: true, ignoreDeclaration: true, isArray: (name) => REPEATED.has(name),
});

function read(canonical: string): Node {
  const tree = parser.parse(canonical) as { Document: Node };
  return tree.Document;
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#xD;': '\r', '&#xA;': '\n', '&#x9;': '\t' };

/** Canonical XML escapes exactly these (C14N 1.0 §2.3). */
function unescape(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#xD|#xA|#x9);/g, (entity) => ENTITIES[entity] ?? entity);
}

/**
 * Text as xmlbuilder2 must be given it: it takes `&amp;` and `&#65;` in a text for escapes already made (xmlbuilder2 4.0.3,
 * tried), so a name that contains them would arrive changed.
 */
export function verbatim(text: string): string {
  return text.replaceAll('&', '&amp;');
}

/** The elements at `path`; every step but the last must be there once at most. */
export function all(node: Node | undefined, ...path: string[]): Node[] {
  let here: Node | undefined = node;
  for (const [i, step] of path.entries()) {
    if (here === undefined || typeof here === 'string' || !Object.hasOwn(here, step)) return [];
    const found: Node | Node[] | undefined = here[step];
    if (i === path.length - 1) return Array.isArray(found) ? found : found === undefined ? [] : [found];
    if (Array.isArray(found)) throw new MessageFault(`${step} stands there more than once`);
    here = found;
  }
  return here === undefined ? [] : [here];
}

/** The one element at `path`, or undefined. */
export function one(node: Node | undefined, ...path: string[]): Node | undefined {
  const found = all(node, ...path);
  if (found.length > 1) throw new MessageFault(`${path.at(-1)} stands there more than once`);
  return found[0];
}

/** The text of the element at `path`, or undefined. @throws MessageFault when it is empty or longer than `most` */
export function textAt(node: Node | undefined, most: number, ...path: string[]): string | undefined {
  const found = one(node, ...path);
  if (found === undefined) return undefined;
  const raw = typeof found === 'string' ? found : found['#text'];
  const text = typeof raw === 'string' ? unescape(raw) : '';
  if (text === '' || [...text].length > most) throw new MessageFault(`${path.at(-1)} must have 1 to ${most} characters`);
  return text;
}

/** As `textAt`, for what must be there. */
export function requiredText(node: Node | undefined, most: number, ...path: string[]): string {
  const text = textAt(node, most, ...path);
  if (text === undefined) throw new MessageFault(`${path.at(-1)} is missing`);
  return text;
}

/** The attribute of an element. */
export function attribute(node: Node | undefined, name: string): string | undefined {
  const value = node === undefined || typeof node === 'string' ? undefined : node[`@${name}`];
  return typeof value === 'string' ? unescape(value) : undefined;
}

/** The instant at `path`. @throws MessageFault when it is no ISO 8601 date and time, or no day of the calendar. */
export function dateTimeAt(node: Node | undefined, ...path: string[]): string {
  const text = requiredText(node, 40, ...path);
  if (!/T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/.test(text) || !isDay(text.slice(0, text.indexOf('T'))) || Number.isNaN(Date.parse(text)))
    throw new MessageFault(`${path.at(-1)} is no date and time`);
  return text;
}

/** The day at `path`, or undefined. @throws MessageFault when the calendar does not have it */
export function dateAt(node: Node | undefined, ...path: string[]): string | undefined {
  const text = textAt(node, 16, ...path);
  if (text !== undefined && !isDay(text)) throw new MessageFault(`${path.at(-1)} is no date`);
  return text;
}

/** Whether the calendar has the day (`YYYY-MM-DD`). */
export function isDay(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [, year, month, day] = match.map(Number) as [number, number, number, number];
  const found = new Date(Date.UTC(year, month - 1, day));
  return found.getUTCMonth() === month - 1 && found.getUTCDate() === day;
}
