import { expect } from 'chai';
import fc from 'fast-check';
import { newId } from '@kontor/kernel/ids';
import { writeStatusReports, readStatusReports } from '../src/pacs002.js';
import { readCreditTransfers, writeCreditTransfers } from '../src/pacs008.js';
import { messageFault, paymentIdOf, paymentReport, railIdOf, railReference, readRailReference, transferFault, type CreditTransfer } from '../src/payment-rail.js';
import { TAKEN } from '../src/consequences.js';
import { isSignedBy, sign } from '../src/signature.js';
import { loadSchemas, MessageFault, openMessage } from '@kontor/kernel/iso20022';
import { scriptFor } from '../simulator/behaviour.js';
import { CREDITOR, DEBTOR } from './fixtures.js';

const NONE = loadSchemas(undefined);
const open = (xml: string | Uint8Array) => openMessage(Buffer.from(xml), NONE, TAKEN);

function transfer(named: Partial<CreditTransfer> = {}): CreditTransfer {
  return { transactionId: 'TX-1', endToEndId: 'E2E-1', amount: { amount: '1000.50', currency: 'EUR' }, debtor: DEBTOR, creditor: CREDITOR, ...named };
}

describe('the words of the rail', () => {
  it('turn a payment id into a rail id and back', () => {
    const id = newId();
    expect(railIdOf(id)).to.match(/^[0-9a-f]{32}$/);
    expect(paymentIdOf(railIdOf(id))).to.equal(id);
    for (const stranger of ['', 'M20230711BOTS', id, 'g'.repeat(32), '0'.repeat(33)]) expect(paymentIdOf(stranger), stranger).to.equal(undefined);
  });

  it('tell what a report means for one of our payments, and nothing where it promises nothing', () => {
    const paymentId = newId();
    const about = { reference: { kind: 'tx' as const, id: railIdOf(paymentId) } };
    expect(paymentReport({ ...about, status: 'ACSC' })).to.deep.equal({ paymentId, status: 'ACSC' });
    expect(paymentReport({ ...about, status: 'ACCC' })?.status).to.equal('ACCC');
    expect(paymentReport({ ...about, status: 'RJCT', reason: 'AC04' })).to.deep.equal({ paymentId, status: 'RJCT', reason: 'AC04' });
    expect(paymentReport({ originalMessageId: railIdOf(paymentId), status: 'RJCT' })?.paymentId).to.equal(paymentId);
    for (const status of ['PDNG', 'NONE', 'toString']) expect(paymentReport({ ...about, status })).to.equal(undefined);
    expect(paymentReport({ reference: { kind: 'tx', id: 'somebody elses' }, status: 'ACSC' })).to.equal(undefined);
  });

  it('keep a received transaction nameable, whatever characters its ids have', () => {
    fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 35 }), fc.string({ minLength: 1, maxLength: 35 }), fc.constantFrom('tx' as const, 'instr' as const, 'e2e' as const), (messageId, id, kind) => {
      expect(readRailReference(railReference(messageId, { kind, id }))).to.deep.equal({ messageId, reference: { kind, id } });
    }), { seed: 8, numRuns: 500 });
    expect(readRailReference('core/42')).to.equal(undefined);
  });

  it('refuse a transaction that can never be booked, with its reason', () => {
    const cases: [Partial<CreditTransfer>, string | undefined][] = [
      [{}, undefined],
      [{ amount: { amount: '0.00', currency: 'EUR' } }, 'AM01'],
      [{ amount: { amount: '1.005', currency: 'EUR' } }, 'AM12'],
      [{ amount: { amount: '1.5', currency: 'JPY' } }, 'AM12'],
      [{ amount: { amount: '1', currency: 'XQZ' } }, 'AM11'],
      [{ creditor: { ...CREDITOR, iban: 'DE88370400440532013000' } }, 'AC01'],
      [{ creditor: { name: 'No account' } }, 'AC01'],
      [{ debtor: { ...DEBTOR, iban: 'NL91ABNA0417164301' } }, 'AC02'],
      [{ agents: ['DEUTZZFF'] }, 'RC01'],
    ];
    for (const [named, reason] of cases) expect(transferFault(transfer(named)), JSON.stringify(named)).to.equal(reason);
  });

  it('refuse a message whose header and transactions disagree', () => {
    const message = (claimed: { transactions: string; total?: { amount: string; currency: string } }, transfers: CreditTransfer[]) => messageFault({ messageId: 'M', createdAt: '', claimed, transfers });
    const two = [transfer(), transfer({ transactionId: 'TX-2', amount: { amount: '0.5', currency: 'EUR' } })];
    expect(message({ transactions: '2', total: { amount: '1001.00', currency: 'EUR' } }, two)).to.equal(undefined);
    expect(message({ transactions: '3' }, two)).to.match(/NbOfTxs/);
    expect(message({ transactions: '2', total: { amount: '1001.01', currency: 'EUR' } }, two)).to.match(/TtlIntrBkSttlmAmt/);
    expect(message({ transactions: '2', total: { amount: '1001.00', currency: 'USD' } }, two)).to.match(/TtlIntrBkSttlmAmt/);
    expect(message({ transactions: '2' }, [transfer(), transfer()])).to.match(/same identification/);
  });
});

describe('pacs.008 and pacs.002', () => {
  it('come back as they were written, markup and accents in names included', () => {
    const original = transfer({
      instructionId: 'I', uetr: '7a562c67-ca16-48ba-b074-65581be6f011', debtor: { ...DEBTOR, name: 'Zoë <b>&amp; "Søn" 😀' }, remittance: 'a & b',
    });
    const xml = writeCreditTransfers({ messageId: 'M-1', createdAt: '2026-03-02T09:30:00.000Z', transfers: [original] }, { debtorAgent: 'KONTDEFFXXX' });
    const read = readCreditTransfers(open(xml).content);
    expect(read.transfers).to.deep.equal([{ ...original, agents: ['KONTDEFFXXX'] }]);
    expect(read).to.deep.include({ messageId: 'M-1', claimed: { transactions: '1', total: original.amount } });
  });

  it('report each transaction of a batch, or the whole message where no transaction is named', () => {
    const reports = [{ originalMessageId: 'M', reference: { kind: 'tx' as const, id: 'T1' }, status: 'ACSC' }, { originalMessageId: 'M', reference: { kind: 'e2e' as const, id: 'E2' }, status: 'RJCT', reason: 'AC04' }];
    expect(readStatusReports(open(writeStatusReports({ messageId: 'R', createdAt: '2026-03-02T09:30:00Z', reports })).content).reports).to.deep.equal(reports);
    const group = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFIPmtStsRpt><GrpHdr><MsgId>R</MsgId><CreDtTm>2026-03-02T09:30:00Z</CreDtTm></GrpHdr>
      <OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></FIToFIPmtStsRpt></Document>`;
    expect(readStatusReports(open(group).content).reports).to.deep.equal([{ originalMessageId: 'M', status: 'RJCT' }]);
  });

  it('are not read from anything but well-formed XML of these messages without a document type', () => {
    const good = writeStatusReports({ messageId: 'R', createdAt: '2026-03-02T09:30:00Z', reports: [{ originalMessageId: 'M', status: 'ACSC' }] });
    expect(open(good).message).to.equal('pacs.002.001.10');
    const bad = ['', '{}', good.slice(0, -5), `${good}${good.slice(good.indexOf('<Doc'))}`, good.replace('<Document', '<!DOCTYPE Document [<!ENTITY x "y">]><Document'),
      good.replace('pacs.002.001.10', 'pacs.002.001.12'), good.replace('UTF-8', 'ISO-8859-1'), good.replaceAll('Document', 'Paper')];
    for (const xml of bad) expect(() => open(xml), xml.slice(0, 80)).to.throw(MessageFault);
    expect(() => open(Buffer.from([...Buffer.from(good), 0xff]))).to.throw(MessageFault, /UTF/);
  });
});

describe('the signature', () => {
  it('is good for this body, this secret and five minutes', () => {
    const body = Buffer.from('<Document/>');
    const header = sign(body, 'secret', 1_000);
    expect(isSignedBy(header, body, 'secret', 1_000)).to.equal(true);
    expect(isSignedBy(header, body, 'secret', 1_300)).to.equal(true);
    expect(isSignedBy(header, body, 'secret', 1_301)).to.equal(false);
    expect(isSignedBy(header, body, 'secret', 699)).to.equal(false);
    expect(isSignedBy(header, Buffer.from('<Document />'), 'secret', 1_000)).to.equal(false);
    expect(isSignedBy(header, body, 'other', 1_000)).to.equal(false);
    expect(isSignedBy(header.replace('t=1000', 't=1001'), body, 'secret', 1_000)).to.equal(false);
    for (const none of [undefined, '', 'v1=00', `${header},v1=00`]) expect(isSignedBy(none, body, 'secret', 1_000)).to.equal(false);
  });
});

describe('the simulated rail\'s script', () => {
  const script = (amount: string, remittance?: string, instantSince?: number) => scriptFor({ seed: 's', transactionId: 't', amount, remittance, instantSince, now: 0 });
  const plan = (amount: string, remittance?: string) => script(amount, remittance).reports
    .map((step) => (step.kind === 'garbage' ? 'garbage' : `${step.status}${step.reason ? ` ${step.reason}` : ''}${(step.copies ?? 1) > 1 ? ` x${step.copies}` : ''}`));

  it('settles by default and follows magic amounts and remittances', () => {
    expect(plan('12.50')).to.deep.equal(['ACTC', 'ACSP', 'ACSC']);
    expect(plan('666.01')).to.deep.equal(['ACTC', 'RJCT AC01']);
    expect(plan('1.00', 'RAIL RJCT AM04')).to.deep.equal(['ACTC', 'RJCT AM04']);
    expect(plan('666.50')).to.deep.equal([]);
    expect(plan('666.52')).to.deep.equal(['ACTC x3', 'ACSP x3', 'ACSC x3']);
    expect(plan('666.53')).to.deep.equal(['ACSC', 'ACSP', 'ACTC']);
    expect(plan('666.54')).to.deep.equal(['garbage', 'ACTC', 'ACSP', 'ACSC']);
    expect(plan('1.00', 'RAILWAY ticket')).to.deep.equal(['ACTC', 'ACSP', 'ACSC']);
    expect(script('1.00', 'RAIL DELAY 300').reports.at(-1)?.afterMs).to.be.greaterThan(300);
  });

  it('has an outcome whatever it tells: lost, silent and mute payments are settled, and are told when asked, the mute ones never', () => {
    for (const word of ['LOST', 'SILENCE', 'MUTE']) expect(script('1.00', `RAIL ${word}`).outcome.status, word).to.equal('ACSC');
    expect(plan('1.00', 'RAIL LOST')).to.deep.equal(['ACTC']);
    expect(script('1.00', 'RAIL SILENCE').answersQuestions).to.equal(true);
    expect(script('1.00', 'RAIL MUTE').answersQuestions).to.equal(false);
    expect(script('666.58').returned).to.deep.include({ reason: 'AC04' });
    expect(script('666.60').recall).to.deep.equal({ kind: 'refuse', reason: 'CUST' });
    expect(script('1.00', 'RAIL RECALL LEGL').recall).to.deep.equal({ kind: 'refuse', reason: 'LEGL' });
    expect(script('1.00', 'RAIL RECALL SILENCE').recall).to.deep.equal({ kind: 'silence' });
  });

  it('keeps the ten seconds of an instant payment: settled within them, or rejected when they are over', () => {
    expect(script('1.00', undefined, 0).outcome.status).to.equal('ACSC');
    expect(script('1.00', 'RAIL DELAY 9000', 0).outcome.status).to.equal('ACSC');
    expect(script('1.00', 'RAIL DELAY 10000', 0)).to.deep.include({ outcome: { status: 'RJCT', afterMs: 10_000, reason: 'AB05' } });
    expect(script('1.00', 'RAIL DELAY 10000').outcome.status, 'not instant').to.equal('ACSC');
    expect(script('1.00', 'RAIL SILENCE', 0)).to.deep.include({ reports: [], outcome: { status: 'RJCT', afterMs: 10_000, reason: 'AB05' } });
    const late = script('1.00', 'RAIL LATE', 0);
    expect([late.outcome.afterMs, late.reports[0]?.afterMs]).to.deep.equal([10_000, 12_000]);
    expect(script('1.00', undefined, -10_000).outcome, 'received too late').to.deep.include({ status: 'RJCT', reason: 'TM01' });
  });

  it('is the same for the same seed, and differs between seeds', () => {
    const of = (seed: string) => scriptFor({ seed, transactionId: 'abc', amount: '1.00', now: 0 });
    expect(of('one')).to.deep.equal(of('one'));
    expect(of('one')).not.to.deep.equal(of('two'));
  });
});
