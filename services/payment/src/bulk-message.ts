/**
 * Reads a customer's credit transfers (ISO 20022 pain.001.001.09) as they arrive: only the transfer that is being read is held as text.
 *
 * What makes the file another than it says it is refuses it whole (`FileFault`): not well-formed, cut off, another encoding than UTF-8,
 * another namespace, a document type or an entity, a structure the schema does not have, sums that differ from the headers. What is
 * wrong with one transfer (`judge`) refuses that transfer, and the others go on.
 */
import { createHash } from 'node:crypto';
import { isValidBIC } from 'ibantools';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { namespaceOf } from '@kontor/kernel/iso20022';
import { decimalOf, judge, MOST_TRANSFERS, sumOf, type Batch, type Decimal, type Field, type Transfer } from './bulk.js';

/** The sender's fault. `line` of the file (from 1) and `path` of the element: /Document/CstmrCdtTrfInitn/PmtInf[2]/CdtTrfTxInf[17]/Amt */
export class FileFault extends Error {
  constructor(sentence: string, readonly line: number, readonly path: string) {
    super(sentence);
    this.name = 'FileFault';
  }
}

export interface BulkMessage {
  messageId: string;
  createdAt: string;
  /** CtrlSum of the group header, as it stands there. */
  controlSum?: string;
  batches: Batch[];
  /** SHA-256 of the file, base64url. */
  digest: string;
}

const NAMESPACE = namespaceOf('pain.001.001.09');
/** Deeper than any ISO 20022 message, and far from what a stack bears. */
const MOST_LEVELS = 32;
/** A supplementary text may have 2048 characters; identifications, names and addresses have far fewer. */
const MOST_TEXT = 4096;
const MOST_ATTRIBUTES = 16;
/** The parser holds what it has not told of yet: one tag, one text. More than this without news is no payment file. */
const MOST_UNTOLD = 64 * 1024;
const PIECE = 16 * 1024;

/** The children of an element in their order: `!` once, `?` once at most, `+` and `*` any number; `|` one of these. Elements not named here are not read. */
const SHAPES: Record<string, string> = {
  'Document': 'CstmrCdtTrfInitn!',
  'CstmrCdtTrfInitn': 'GrpHdr! PmtInf+ SplmtryData*',
  'GrpHdr': 'MsgId! CreDtTm! Authstn* NbOfTxs! CtrlSum? InitgPty! FwdgAgt?',
  'PmtInf': 'PmtInfId! PmtMtd! BtchBookg? NbOfTxs? CtrlSum? PmtTpInf? ReqdExctnDt! PoolgAdjstmntDt? Dbtr! DbtrAcct! DbtrAgt! DbtrAgtAcct? InstrForDbtrAgt? UltmtDbtr? ChrgBr? ChrgsAcct? ChrgsAcctAgt? CdtTrfTxInf+',
  'CdtTrfTxInf': 'PmtId! PmtTpInf? Amt! XchgRateInf? ChrgBr? ChqInstr? UltmtDbtr? IntrmyAgt1? IntrmyAgt1Acct? IntrmyAgt2? IntrmyAgt2Acct? IntrmyAgt3? IntrmyAgt3Acct? CdtrAgt? CdtrAgtAcct? Cdtr? CdtrAcct? UltmtCdtr? InstrForCdtrAgt* InstrForDbtrAgt? Purp? RgltryRptg* Tax? RltdRmtInf* RmtInf? SplmtryData*',
  'CdtTrfTxInf/PmtId': 'InstrId? EndToEndId! UETR?',
  'CdtTrfTxInf/Amt': 'InstdAmt|EqvtAmt',
  'PmtInf/ReqdExctnDt': 'Dt|DtTm',
  'PmtInf/PmtTpInf': 'InstrPrty? SvcLvl* LclInstrm? CtgyPurp?',
  'CdtTrfTxInf/PmtTpInf': 'InstrPrty? SvcLvl* LclInstrm? CtgyPurp?',
  'PmtTpInf/LclInstrm': 'Cd|Prtry',
  'PmtInf/Dbtr': 'Nm? PstlAdr? Id? CtryOfRes? CtctDtls?',
  'CdtTrfTxInf/Cdtr': 'Nm? PstlAdr? Id? CtryOfRes? CtctDtls?',
  'PmtInf/DbtrAcct': 'Id! Tp? Ccy? Nm? Prxy?',
  'CdtTrfTxInf/CdtrAcct': 'Id! Tp? Ccy? Nm? Prxy?',
  'DbtrAcct/Id': 'IBAN|Othr',
  'CdtrAcct/Id': 'IBAN|Othr',
  'PmtInf/DbtrAgt': 'FinInstnId! BrnchId?',
  'CdtTrfTxInf/CdtrAgt': 'FinInstnId! BrnchId?',
  'DbtrAgt/FinInstnId': 'BICFI? ClrSysMmbId? LEI? Nm? PstlAdr? Othr?',
  'CdtrAgt/FinInstnId': 'BICFI? ClrSysMmbId? LEI? Nm? PstlAdr? Othr?',
  'CdtTrfTxInf/RmtInf': 'Ustrd* Strd*',
  'RmtInf/Strd': 'RfrdDocInf* RfrdDocAmt? CdtrRefInf? Invcr? Invcee? TaxRmt? GrnshmtRmt? AddtlRmtInf*',
  'Strd/CdtrRefInf': 'Tp? Ref?',
};

interface Child { name: string; required: boolean; many: boolean }
interface Shape { choice: boolean; children: readonly Child[] }

const SHAPE_OF = new Map(Object.entries(SHAPES).map(([key, text]): [string, Shape] => {
  const choice = text.includes('|');
  const children = text.split(/[ |]/).map((word) => ({ name: word.replace(/\W$/, ''), required: /[!+]$/.test(word), many: /[+*]$/.test(word) }));
  return [key, { choice, children }];
}));

/** Where an element that is read stands in the file. */
interface Leaf { text: string; line: number; currency?: string }

interface Frame {
  name: string;
  line: number;
  /** Position among its siblings of the same name, where they are counted; else 0. */
  index: number;
  shape: Shape | undefined;
  /** The child that came last, by its place in the shape; -1 before the first. */
  last: number;
  seen: Map<string, number>;
  text: string;
  children: number;
  currency?: string;
}

/** The texts of the elements of one record (group header, batch header, transfer) by their path inside it. */
type Leaves = Map<string, Leaf[]>;
const RECORDS = new Set(['GrpHdr', 'PmtInf', 'CdtTrfTxInf']);

interface Totals { number: number; sum: Decimal }

/**
 * @param today first day a batch may be made on, `latest` the last one (YYYY-MM-DD)
 * @throws FileFault
 */
export async function readBulkMessage(bytes: AsyncIterable<Buffer>, { today, latest }: { today: string; latest: string }): Promise<BulkMessage> {
  const reader = messageReader({ today, latest });
  const hash = createHash('sha256');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let first = true;
  const decode = (chunk?: Buffer): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw reader.fault('The bytes are not UTF-8.');
    }
  };
  for await (const chunk of bytes) {
    if (first && chunk.length > 1 && ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff))) throw reader.fault('The file is in UTF-16: send it in UTF-8.');
    first = false;
    hash.update(chunk);
    reader.write(decode(chunk));
  }
  reader.write(decode());
  return { ...reader.close(), digest: hash.digest('base64url') };
}

function messageReader(days: { today: string; latest: string }) {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const frames: Frame[] = [];
  const leaves = new Map<string, Leaves>();
  const batches: Batch[] = [];
  const endToEndIds = new Set<string>();
  const instructionIds = new Set<string>();
  let header: Leaves | undefined;
  let batch: Batch | undefined;
  let inBatch: Totals = { number: 0, sum: 0n };
  const inFile: Totals = { number: 0, sum: 0n };
  let untold = 0;
  let attributes = 0;

  const pathOf = (more = ''): string => `${frames.map(({ name, index }) => `/${name}${index > 0 ? `[${index}]` : ''}`).join('')}${more && `/${more}`}` || '/';
  const fault = (sentence: string, line = parser.line, path = pathOf()): FileFault => new FileFault(sentence, line, path);
  /** A fault of an element that was read before, of the record that is being read. */
  const faultAt = (record: Leaves, element: string, sentence: string, upTo: string): FileFault => {
    const depth = frames.findLastIndex(({ name }) => name === upTo);
    const path = frames.slice(0, depth + 1).map(({ name, index }) => `/${name}${index > 0 ? `[${index}]` : ''}`).join('');
    return new FileFault(sentence, record.get(element)?.[0]?.line ?? frames[depth]?.line ?? parser.line, `${path}/${element}`);
  };

  function opened({ local, uri, attributes: given }: SaxesTagNS): void {
    const parent = frames.at(-1);
    const inEnvelope = frames.some(({ name }) => name === 'SplmtryData');
    if (frames.length === 0 && (uri !== NAMESPACE || local !== 'Document')) {
      throw fault(`The root element is not Document of the namespace ${NAMESPACE}.`, parser.line, '/');
    }
    if (uri !== NAMESPACE && !inEnvelope) throw fault('An element is of another namespace than the message.');
    if (frames.length >= MOST_LEVELS) throw fault(`Elements are nested more than ${MOST_LEVELS} levels deep.`);
    const counted = local === 'PmtInf' || local === 'CdtTrfTxInf';
    const index = counted && parent ? (parent.seen.get(local) ?? 0) + 1 : 0;
    if (local === 'CdtTrfTxInf' && inFile.number >= MOST_TRANSFERS) throw fault(`A file may have ${MOST_TRANSFERS} transactions.`);
    if (parent) follow(parent, local);
    const shape = parent && !parent.shape ? undefined : SHAPE_OF.get(`${parent?.name ?? ''}/${local}`) ?? SHAPE_OF.get(local);
    const currency = given.Ccy?.value;
    frames.push({ name: local, line: parser.line, index, shape, last: -1, seen: new Map(), text: '', children: 0, ...(currency === undefined ? {} : { currency }) });
    if (shape && RECORDS.has(local)) leaves.set(local, new Map());
    if (shape && local === 'CdtTrfTxInf' && index === 1) beginBatch();
  }

  /** Whether a child may stand where it does. */
  function follow(parent: Frame, child: string): void {
    const { shape } = parent;
    parent.children++;
    if (shape) {
      const place = shape.children.findIndex(({ name }) => name === child);
      const many = shape.children[place]?.many;
      if (place < 0) throw fault(`${child.slice(0, 35)} has no place in ${parent.name}.`);
      if (shape.choice ? parent.children > 1 : place < parent.last) throw fault(`${child} stands in the wrong place in ${parent.name}.`);
      if (place === parent.last && !many) throw fault(`${child} stands twice in ${parent.name}.`);
      const missing = shape.choice ? undefined : shape.children.slice(parent.last + 1, place).find(({ required }) => required);
      if (missing) throw fault(`${missing.name} is missing in ${parent.name}.`);
      parent.last = place;
    }
    parent.seen.set(child, (parent.seen.get(child) ?? 0) + 1);
  }

  function told(text: string): void {
    const frame = frames.at(-1);
    if (!frame) return;
    if (frame.shape || frame.children > 0) {
      if (frame.shape && /[^ \t\r\n]/.test(text)) throw fault(`There is text between the elements of ${frame.name}.`);
      return;
    }
    frame.text += text;
    if (frame.text.length > MOST_TEXT) throw fault(`A text has more than ${MOST_TEXT} characters.`);
  }

  function closed(): void {
    const frame = frames.at(-1)!;
    const { name, shape, text, line, last } = frame;
    if (shape) {
      const missing = shape.choice ? (frame.children === 0 ? shape.children[0] : undefined) : shape.children.slice(last + 1).find(({ required }) => required);
      if (missing) throw fault(`${missing.name} is missing in ${name}.`, parser.line, pathOf(missing.name));
    } else if (frames.at(-2)?.shape && frame.children === 0) {
      const depth = frames.findLastIndex((one) => RECORDS.has(one.name) && one.shape);
      const record = leaves.get(frames[depth]?.name ?? '');
      const key = frames.slice(depth + 1).map((one) => one.name).join('/');
      const found = record?.get(key);
      const leaf: Leaf = { text, line, ...(frame.currency === undefined ? {} : { currency: frame.currency }) };
      if (found) found.push(leaf);
      else record?.set(key, [leaf]);
    }
    if (shape && name === 'GrpHdr') endHeader();
    if (shape && name === 'CdtTrfTxInf') endTransfer(frame);
    if (shape && name === 'PmtInf') endBatch();
    frames.pop();
  }

  /** The text of an identification. @throws FileFault when it is empty or longer than 35 characters */
  function identification(record: Leaves, element: string, upTo: string): string {
    const text = record.get(element)?.[0]?.text ?? '';
    if (text === '' || [...text].length > 35) throw faultAt(record, element, `${element.split('/').at(-1)} must have 1 to 35 characters.`, upTo);
    return text;
  }

  function dayAt(record: Leaves, element: string, upTo: string): string {
    const text = (record.get(element)?.[0]?.text ?? '').trim();
    const withTime = element.endsWith('Tm');
    const form = withTime ? /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/ : /^\d{4}-\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?$/;
    const day = text.slice(0, 10);
    const date = new Date(`${day}T00:00:00Z`);
    if (!form.test(text) || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== day || (withTime && Number.isNaN(Date.parse(text)))) {
      throw faultAt(record, element, `${element.split('/').at(-1)} is no ${withTime ? 'date and time' : 'date'}.`, upTo);
    }
    return day;
  }

  function endHeader(): void {
    header = leaves.get('GrpHdr')!;
    identification(header, 'MsgId', 'GrpHdr');
    dayAt(header, 'CreDtTm', 'GrpHdr');
    const number = header.get('NbOfTxs')?.[0]?.text ?? '';
    if (!/^[0-9]{1,15}$/.test(number)) throw faultAt(header, 'NbOfTxs', 'NbOfTxs is no number.', 'GrpHdr');
    if (Number(number) > MOST_TRANSFERS) throw faultAt(header, 'NbOfTxs', `A file may have ${MOST_TRANSFERS} transactions.`, 'GrpHdr');
  }

  /** The header of a batch is whole when its first transfer begins. */
  function beginBatch(): void {
    const record = leaves.get('PmtInf')!;
    const at = (element: string, sentence: string): FileFault => faultAt(record, element, sentence, 'PmtInf');
    const frame = frames.at(-2)!;
    const batchId = identification(record, 'PmtInfId', 'PmtInf');
    if (batches.some((one) => one.batchId === batchId)) throw at('PmtInfId', 'PmtInfId stands in the file twice.');
    if (record.get('PmtMtd')?.[0]?.text !== 'TRF') throw at('PmtMtd', 'PmtMtd must be TRF: only credit transfers are made.');
    if (record.get('PmtTpInf/LclInstrm/Cd')?.[0]?.text === 'INST') throw at('PmtTpInf/LclInstrm/Cd', 'Instant payments cannot come in a file: initiate each by itself.');
    const element = record.has('ReqdExctnDt/Dt') ? 'ReqdExctnDt/Dt' : 'ReqdExctnDt/DtTm';
    const date = dayAt(record, element, 'PmtInf');
    if (date < days.today) throw at(element, 'ReqdExctnDt is over.');
    if (date > days.latest) throw at(element, 'ReqdExctnDt may be at most a year ahead.');
    const bic = record.get('DbtrAgt/FinInstnId/BICFI')?.[0]?.text;
    if (bic !== undefined && !isValidBIC(bic)) throw at('DbtrAgt/FinInstnId/BICFI', 'BICFI is no BIC.');
    const iban = record.get('DbtrAcct/Id/IBAN')?.[0]?.text;
    if (iban === undefined) throw at('DbtrAcct/Id/IBAN', 'The account of the debtor must be named by its IBAN.');
    const currency = record.get('DbtrAcct/Ccy')?.[0]?.text;
    batch = {
      batchId, requestedExecutionDate: date, debtorIban: iban, line: frame.line, path: `/Document/CstmrCdtTrfInitn/PmtInf[${frame.index}]`, transfers: [],
      ...(currency === undefined ? {} : { currency }),
    };
    inBatch = { number: 0, sum: 0n };
  }

  function endTransfer(frame: Frame): void {
    const record = leaves.get('CdtTrfTxInf')!;
    const of = (element: string): string | undefined => record.get(element)?.[0]?.text;
    const amount = record.get('Amt/InstdAmt')?.[0];
    const exact = amount ? decimalOf(amount.text.trim(), { digits: 18, fraction: 5 }) : 0n;
    if (exact === undefined) throw faultAt(record, 'Amt/InstdAmt', 'InstdAmt is no amount: decimal digits with a point, at most 18 with 5 decimals.', 'CdtTrfTxInf');
    const endToEndId = identification(record, 'PmtId/EndToEndId', 'CdtTrfTxInf');
    const instructionId = record.has('PmtId/InstrId') ? identification(record, 'PmtId/InstrId', 'CdtTrfTxInf') : undefined;
    const structured = record.get('RmtInf/Strd/CdtrRefInf/Ref')?.map(({ text }) => text) ?? [];
    const lines = record.get('RmtInf/Ustrd')?.map(({ text }) => text) ?? [];
    const creditor = { name: of('Cdtr/Nm'), iban: of('CdtrAcct/Id/IBAN') };
    const transfer: Transfer = {
      endToEndId, line: frame.line, path: pathOf(), ...(instructionId === undefined ? {} : { instructionId }),
      ...(amount ? { amount: { amount: amount.text.trim(), currency: amount.currency ?? '' } } : {}),
      ...present({ uetr: of('PmtId/UETR'), creditorName: creditor.name, creditorIban: creditor.iban, creditorBic: of('CdtrAgt/FinInstnId/BICFI') }),
      ...(lines.length + structured.length > 0 ? { remittance: [...lines, ...structured].join(' ') } : {}),
    };
    const refusal = judge(transfer, {
      endToEndIds, instructionIds, instant: of('PmtTpInf/LclInstrm/Cd') === 'INST', cheque: frame.seen.has('ChqInstr'),
    });
    if (refusal) {
      const element = ELEMENTS[refusal.field];
      transfer.refusal = { reason: refusal.reason, detail: refusal.detail, line: record.get(element)?.[0]?.line ?? frame.line, path: pathOf(element) };
    }
    inBatch.number++;
    inFile.number++;
    inBatch.sum += exact;
    inFile.sum += exact;
    batch!.transfers.push(transfer);
  }

  function compare(record: Leaves, { number, sum }: Totals, name: string): void {
    const saidNumber = record.get('NbOfTxs')?.[0]?.text;
    if (saidNumber !== undefined && (!/^[0-9]{1,15}$/.test(saidNumber) || Number(saidNumber) !== number)) throw faultAt(record, 'NbOfTxs', `NbOfTxs is not the number of transactions (${number}).`, name);
    const saidSum = record.get('CtrlSum')?.[0]?.text;
    if (saidSum !== undefined && sumOf(saidSum.trim()) !== sum * 10n ** 12n) throw faultAt(record, 'CtrlSum', 'CtrlSum is not the sum of the amounts.', name);
  }

  function endBatch(): void {
    compare(leaves.get('PmtInf')!, inBatch, 'PmtInf');
    const controlSum = leaves.get('PmtInf')!.get('CtrlSum')?.[0]?.text.trim();
    batches.push({ ...batch!, ...(controlSum === undefined ? {} : { controlSum }) });
    batch = undefined;
  }

  const news = (): void => { untold = 0; };
  parser.on('xmldecl', ({ encoding }) => {
    news();
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding)) throw fault('The file says that it is in another encoding: send it in UTF-8.');
  });
  parser.on('doctype', () => { throw fault('A document type declaration is not allowed.'); });
  parser.on('error', () => { throw fault('This is not well-formed XML.'); });
  parser.on('opentagstart', () => { news(); attributes = 0; });
  parser.on('attribute', () => {
    news();
    if (++attributes > MOST_ATTRIBUTES) throw fault(`An element has more than ${MOST_ATTRIBUTES} attributes.`);
  });
  parser.on('opentag', (tag) => { news(); opened(tag as SaxesTagNS); });
  parser.on('closetag', () => { news(); closed(); });
  parser.on('text', (text) => { news(); told(text); });
  parser.on('cdata', (text) => { news(); told(text); });
  parser.on('comment', news);
  parser.on('processinginstruction', news);

  return {
    fault,
    write(text: string): void {
      for (let at = 0; at < text.length; at += PIECE) {
        const piece = text.slice(at, at + PIECE);
        untold += piece.length;
        parser.write(piece);
        if (untold > MOST_UNTOLD) throw fault(`A text, comment or declaration has more than ${MOST_UNTOLD} characters.`);
      }
    },
    close(): Omit<BulkMessage, 'digest'> {
      parser.close();
      if (!header || batches.length === 0) throw fault('The file has no payments.');
      const record = header;
      const of = (element: string): string => record.get(element)?.[0]?.text.trim() ?? '';
      frames.push(...['Document', 'CstmrCdtTrfInitn', 'GrpHdr'].map((name) => ({ name, line: 1, index: 0, shape: undefined, last: -1, seen: new Map<string, number>(), text: '', children: 0 })));
      compare(record, inFile, 'GrpHdr');
      return { messageId: of('MsgId'), createdAt: of('CreDtTm'), batches, ...(record.has('CtrlSum') ? { controlSum: of('CtrlSum') } : {}) };
    },
  };
}

/** Where a transfer keeps what can be wrong with it. */
const ELEMENTS: Record<Field, string> = {
  amount: 'Amt/InstdAmt', endToEndId: 'PmtId/EndToEndId', instructionId: 'PmtId/InstrId', uetr: 'PmtId/UETR', creditorName: 'Cdtr/Nm',
  creditorIban: 'CdtrAcct/Id/IBAN', creditorBic: 'CdtrAgt/FinInstnId/BICFI', remittance: 'RmtInf/Ustrd', kind: 'PmtTpInf/LclInstrm/Cd', date: 'ReqdExctnDt',
};

function present<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: string };
}
