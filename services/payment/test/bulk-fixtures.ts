/** Bulks of payments for the tests: pain.001 files of any size, and the consents to them. */
import { createHash } from 'node:crypto';
import { composeIBAN } from 'ibantools';
import type { EventData } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';

/** A German IBAN of a made-up bank, by its number. */
export const germanIban = (number: number): string => composeIBAN({ countryCode: 'DE', bban: `50010517${String(number).padStart(10, '0')}` })!;

export interface FileTransfer { endToEndId?: string; instructionId?: string; amount?: string; currency?: string; name?: string; iban?: string; remittance?: string; extra?: string }
export interface FileBatch { batchId?: string; debtorIban: string; date?: string; transfers: FileTransfer[] }
export interface FileOptions { messageId?: string; transactions?: number | string; controlSum?: string; namespace?: string; doctype?: string; declaration?: string }

const cents = (amount: string): bigint => {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(5, '0'));
};
const text = (scaled: bigint): string => `${scaled / 100_000n}.${String(scaled % 100_000n).padStart(5, '0')}`.replace(/0+$/, '').replace(/\.$/, '');
const escaped = (plain: string): string => plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export const transferXml = ({ endToEndId = 'NOTPROVIDED', instructionId, amount = '10.00', currency = 'EUR', name = 'Ada Beispiel', iban = germanIban(1), remittance, extra = '' }: FileTransfer): string =>
  `<CdtTrfTxInf><PmtId>${instructionId === undefined ? '' : `<InstrId>${escaped(instructionId)}</InstrId>`}<EndToEndId>${escaped(endToEndId)}</EndToEndId></PmtId>`
  + `<Amt><InstdAmt Ccy="${currency}">${amount}</InstdAmt></Amt><Cdtr><Nm>${escaped(name)}</Nm>${extra}</Cdtr><CdtrAcct><Id><IBAN>${iban}</IBAN></Id></CdtrAcct>`
  + `${remittance === undefined ? '' : `<RmtInf><Ustrd>${escaped(remittance)}</Ustrd></RmtInf>`}</CdtTrfTxInf>\n`;

/** The file, piece by piece. */
export function* fileParts(batches: FileBatch[], options: FileOptions = {}): Generator<string> {
  const all = batches.flatMap(({ transfers }) => transfers);
  const sum = (of: FileTransfer[]): string => text(of.reduce((total, { amount = '10.00' }) => total + cents(amount), 0n));
  yield `${options.declaration ?? '<?xml version="1.0" encoding="UTF-8"?>\n'}${options.doctype ?? ''}<Document xmlns="${options.namespace ?? 'urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'}">\n<CstmrCdtTrfInitn>\n<GrpHdr><MsgId>${options.messageId ?? 'MSG-1'}</MsgId>`
    + `<CreDtTm>2026-03-02T09:30:00Z</CreDtTm><NbOfTxs>${options.transactions ?? all.length}</NbOfTxs><CtrlSum>${options.controlSum ?? sum(all)}</CtrlSum><InitgPty><Nm>Fictional Payroll Ltd</Nm></InitgPty></GrpHdr>\n`;
  for (const [place, { batchId = `B-${place + 1}`, debtorIban, date = '2099-12-31', transfers }] of batches.entries()) {
    yield `<PmtInf><PmtInfId>${batchId}</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>${transfers.length}</NbOfTxs><CtrlSum>${sum(transfers)}</CtrlSum><ReqdExctnDt><Dt>${date}</Dt></ReqdExctnDt>`
      + `<Dbtr><Nm>Fictional Payroll Ltd</Nm></Dbtr><DbtrAcct><Id><IBAN>${debtorIban}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>\n`;
    for (const transfer of transfers) yield transferXml(transfer);
    yield '</PmtInf>\n';
  }
  yield '</CstmrCdtTrfInitn>\n</Document>\n';
}

export const file = (batches: FileBatch[], options?: FileOptions): string => [...fileParts(batches, options)].join('');

export const digestOf = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('base64url');

/** Who orders bulks in the tests. */
export interface Payer { consentId: string; clientId: string; customerId: string; accountId: string; iban: string }

let accounts = 0;
export const payer = (named: Partial<Payer> = {}): Payer => ({ consentId: newId(), clientId: 'fintech-a', customerId: newId(), accountId: newId(), iban: germanIban(900_000 + ++accounts), ...named });

export const bulkState = ({ consentId, clientId, customerId, accountId }: Payer, bulk: NonNullable<EventData<'consent.authorised'>['bulk']>, more: string[] = []): EventData<'consent.authorised'> =>
  ({ consentId, clientId, customerId, consentType: 'bulk-payment', permissions: ['payments:initiate'], accounts: [accountId, ...more], version: 2, bulk });

export const bulkCaller = ({ consentId, clientId, customerId, accountId }: Payer, more: string[] = []) =>
  ({ clientId, consent: { id: consentId, version: 2, permissions: ['payments:initiate'], accounts: [accountId, ...more], customerId } });
