/** Reading pain.001 files and judging transfers, without a service. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { decimalOf, bulkOrder, groupStatus, judge, type Transfer } from '../src/bulk.js';
import { FileFault, readBulkMessage, type BulkMessage } from '../src/bulk-message.js';
import { file, germanIban, transferXml, type FileBatch, type FileOptions, type FileTransfer } from './bulk-fixtures.js';

const DAYS = { today: '2026-03-02', latest: '2100-01-01' };
const DEBTOR = germanIban(7);
async function* chunks(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = (xml: string | Buffer, size?: number): Promise<BulkMessage> => readBulkMessage(chunks(Buffer.from(xml as string), size), DAYS);
const faultOf = async (xml: string | Buffer): Promise<FileFault> => {
  const fault: unknown = await read(xml).then(() => undefined, (found: unknown) => found);
  expect(fault, 'the file was read').to.be.instanceOf(FileFault);
  return fault as FileFault;
};
const one = (transfer: FileTransfer = {}, options?: FileOptions): string => file([{ debtorIban: DEBTOR, transfers: [transfer] }], options);
const refusalOf = async (transfer: FileTransfer): Promise<string | undefined> => (await read(one(transfer))).batches[0]!.transfers[0]!.refusal?.reason;

describe('a pain.001 file', () => {
  const latin = fc.stringMatching(/^[A-Za-z0-9?:().,'+-]([A-Za-z0-9/?:().,'+ -]{0,30}[A-Za-z0-9?:().,'+-])?$/);
  const transfer: fc.Arbitrary<FileTransfer> = fc.record({
    amount: fc.tuple(fc.nat(99_999_999), fc.nat(99)).filter(([whole, part]) => whole + part > 0).map(([whole, part]) => `${whole}.${String(part).padStart(2, '0')}`),
    name: latin, iban: fc.nat(9_999_999).map(germanIban), remittance: fc.option(latin, { nil: undefined }),
  });

  it('that is valid is read as what was written, however it is cut into chunks', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(transfer, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 3000 }), async (batches, size) => {
      const named = batches.map((transfers, b): FileBatch => ({ batchId: `B-${b}`, debtorIban: germanIban(b), date: '2027-01-31', transfers: transfers.map((given, t) => ({ ...given, endToEndId: `E-${b}-${t}`, instructionId: `I-${b}-${t}` })) }));
      const message = await read(file(named, { messageId: 'MSG-77' }), size);
      expect(message).to.deep.include({ messageId: 'MSG-77', createdAt: '2026-03-02T09:30:00Z' });
      expect(message.batches.map(({ batchId, debtorIban, requestedExecutionDate, transfers }) => ({
        batchId, debtorIban, date: requestedExecutionDate,
        transfers: transfers.map(({ endToEndId, instructionId, amount, creditorName: name, creditorIban: iban, remittance, refusal }) => {
          expect(refusal).to.equal(undefined);
          return { endToEndId, instructionId, amount: amount?.amount, name, iban, remittance };
        }),
      }))).to.deep.equal(named.map((batch) => ({ ...batch, transfers: batch.transfers.map((given) => ({ remittance: undefined, ...given })) })));
    }), { numRuns: 100 });
  });

  it('is read whatever the order of namespaces, prefixes, comments, CDATA and line ends', async () => {
    const plain = one({ name: 'Ada Beispiel', remittance: 'A+B' });
    const prefixed = plain.replace(/<(\/?)([A-Z])/g, '<$1p:$2').replace('xmlns=', 'xmlns:p=');
    for (const xml of [prefixed, plain.replaceAll('\n', '\r\n'), `\u{feff}${plain}`, plain.replace(germanIban(1), germanIban(1).replace('5001', '50<!-- x -->01')), plain.replace('Ada Beispiel', '<![CDATA[Ada Beispiel]]>'), plain.replace('Ada', '&#65;da')]) {
      const [{ creditorName, creditorIban, refusal }] = (await read(xml)).batches[0]!.transfers as [Transfer];
      expect([creditorName, creditorIban, refusal]).to.deep.equal(['Ada Beispiel', germanIban(1), undefined]);
    }
  });

  describe('is refused whole, with line and element, for', () => {
    const good = one();
    const faults: [string, string | Buffer, RegExp, string?][] = [
      ['not being XML', 'hello', /not well-formed/],
      ['nothing at all', '', /not well-formed/],
      ['JSON in its place', '{"payments": []}', /not well-formed/],
      ['two roots', `${good}<Document/>`, /not well-formed/],
      ['a bare ampersand', good.replace('Ada', 'Ada & Bert'), /not well-formed/],
      ['a control character', good.replace('Ada', 'Ada\u0001'), /not well-formed/],
      ['bytes that are not UTF-8', Buffer.concat([Buffer.from(good.slice(0, 400)), Buffer.from([0xc3, 0x28]), Buffer.from(good.slice(400))]), /not UTF-8/],
      ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')]), /UTF-16/],
      ['UTF-16 without a byte order mark', Buffer.from(good, 'utf16le'), /not well-formed|another encoding/],
      ['saying that it is in another encoding', one({}, { declaration: '<?xml version="1.0" encoding="ISO-8859-1"?>' }), /another encoding/],
      ['a document type', one({}, { doctype: '<!DOCTYPE Document>' }), /document type/],
      ['entities that expand to billions', one({}, { doctype: `<!DOCTYPE d [<!ENTITY a "ha">${Array.from({ length: 30 }, (_, i) => `<!ENTITY a${i} "&a${i - 1 < 0 ? '' : i - 1};&a${i - 1 < 0 ? '' : i - 1};">`).join('')}]>` }), /document type/],
      ['an external entity', one({}, { doctype: '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>' }), /document type/],
      ['an entity nobody declared', good.replace('Ada', '&x;'), /not well-formed/],
      ['an inclusion of another file', good.replace('<InitgPty>', '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/><InitgPty>'), /another namespace/],
      ['no namespace', good.replace(/ xmlns="[^"]*"/, ''), /namespace/, '/'],
      ['the namespace of another version', one({}, { namespace: 'urn:iso:std:iso:20022:tech:xsd:pain.001.001.03' }), /namespace/],
      ['elements nested without end', good.replace('<Nm>Ada', `${'<Nm>'.repeat(100_000)}Ada`), /nested/],
      ['thousands of attributes', good.replace('<Cdtr>', `<Cdtr ${Array.from({ length: 5000 }, (_, i) => `a${i}="1"`).join(' ')}>`), /attributes/],
      ['a text without end', good.replace('Ada', 'A'.repeat(10_000_000)), /more than \d+ characters/],
      ['a comment without end', good.replace('<Cdtr>', `<!-- ${'A'.repeat(200_000)} --><Cdtr>`), /more than \d+ characters/],
      ['a name of an element without end', good.replace('<Cdtr>', `<${'A'.repeat(200_000)}>`), /more than \d+ characters|no place/],
      ['an element it does not know', good.replace('<Cdtr>', '<Surprise/><Cdtr>'), /Surprise has no place/, '/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]'],
      ['elements in the wrong order', good.replace(/(<CreDtTm>.*<\/CreDtTm>)(<NbOfTxs>1<\/NbOfTxs>)/, '$2$1'), /CreDtTm is missing/],
      ['an element twice', good.replace('<MsgId>MSG-1</MsgId>', '<MsgId>1</MsgId><MsgId>2</MsgId>'), /stands twice/],
      ['an element that is missing', good.replace(/<EndToEndId>.*<\/EndToEndId>/, ''), /EndToEndId is missing/, '/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/PmtId/EndToEndId'],
      ['an identification that is too long', one({ endToEndId: 'E'.repeat(36) }), /1 to 35/],
      ['a date and time that is none', good.replace('2026-03-02T09:30:00Z', '{{date}}'), /no date and time/, '/Document/CstmrCdtTrfInitn/GrpHdr/CreDtTm'],
      ['a date that does not exist', good.replace('2099-12-31', '2027-02-29'), /no date/, '/Document/CstmrCdtTrfInitn/PmtInf[1]/ReqdExctnDt/Dt'],
      ['a date that is over', good.replace('2099-12-31', '2026-03-01'), /is over/],
      ['a date too far ahead', good.replace('2099-12-31', '2100-01-02'), /a year ahead/],
      ['another number of transactions', one({}, { transactions: 2 }), /NbOfTxs is not the number/, '/Document/CstmrCdtTrfInitn/GrpHdr/NbOfTxs'],
      ['a number that is none', one({}, { transactions: 'many' }), /NbOfTxs is no number/],
      ['more than 10,000 transactions in its header', one({}, { transactions: 10_001 }), /10000 transactions/],
      ['another sum', one({}, { controlSum: '10.01' }), /CtrlSum is not the sum/, '/Document/CstmrCdtTrfInitn/GrpHdr/CtrlSum'],
      ['another sum in a batch', good.replace(/(<PmtInf>.*<CtrlSum>)10(<\/CtrlSum>)/, '$19.99$2'), /CtrlSum is not the sum/, '/Document/CstmrCdtTrfInitn/PmtInf[1]/CtrlSum'],
      ['an amount with a comma', one({ amount: '10.00' }).replace('>10.00<', '>10,00<'), /InstdAmt is no amount/, '/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Amt/InstdAmt'],
      ['a negative amount', one({ amount: '10.00' }).replace('>10.00<', '>-10.00<'), /InstdAmt is no amount/],
      ['cheques', good.replace('TRF', 'CHK'), /must be TRF/],
      ['a batch named as another', file([{ debtorIban: DEBTOR, batchId: 'B', transfers: [{}] }, { debtorIban: DEBTOR, batchId: 'B', transfers: [{}] }]), /PmtInfId stands in the file twice/, '/Document/CstmrCdtTrfInitn/PmtInf[2]/PmtInfId'],
      ['a debtor without an IBAN', good.replace(/<DbtrAcct>.*<\/DbtrAcct>/, '<DbtrAcct><Id><Othr><Id>7</Id></Othr></Id></DbtrAcct>'), /by its IBAN/],
    ];
    for (const [what, xml, sentence, path] of faults) {
      it(what, async () => {
        const fault = await faultOf(xml);
        expect(fault.message).to.match(sentence);
        expect(fault.line).to.be.at.least(1);
        if (path) expect(fault.path).to.equal(path);
        expect(fault.message).not.to.contain('Ada');
      });
    }
    it('10,001 transactions, whatever its header says', async () => {
      const fault = await faultOf(file([{ debtorIban: DEBTOR, transfers: Array.from({ length: 10_001 }, () => ({})) }], { transactions: 10_000 }));
      expect(fault.message).to.match(/10000 transactions/);
    });
    it('ending at any point before its end (200 cuts, seeded)', async () => {
      const whole = file([{ debtorIban: DEBTOR, transfers: [{ endToEndId: 'A' }, { endToEndId: 'B', remittance: 'Rent' }] }, { debtorIban: germanIban(8), transfers: [{}] }]).trimEnd();
      await fc.assert(fc.asyncProperty(fc.nat(whole.length - 1), async (cut) => { await faultOf(whole.slice(0, cut)); }), { numRuns: 200, seed: 20022 });
    });
    it('names the line of the fault', async () => {
      const xml = file([{ debtorIban: DEBTOR, transfers: [{}, {}, { amount: '1.00' }] }]);
      const line = xml.split('\n').findIndex((text) => text.includes('>1.00<')) + 1;
      expect((await faultOf(xml.replace('>1.00<', '>1e3<'))).line).to.equal(line);
    });
  });

  describe('of which one transaction is wrong goes on with the others, and says why:', () => {
    const wrong: [string, FileTransfer, string | undefined][] = [
      ['nothing', {}, undefined],
      ['wrong check digits', { iban: `DE00${germanIban(1).slice(4)}` }, 'AC01'],
      ['an IBAN in small letters', { iban: germanIban(1).toLowerCase() }, 'AC01'],
      ['three decimals of euro', { amount: '1.005' }, 'CH20'],
      ['decimals of yen', { amount: '100.5', currency: 'JPY' }, 'CH20'],
      ['nothing to pay', { amount: '0.00' }, 'AM01'],
      ['a currency nobody knows', { currency: 'XQZ' }, 'AM11'],
      ['an amount beyond every limit', { amount: '100000000000000.00' }, 'AM02'],
      ['characters outside the SEPA set', { name: 'Zo\u00eb' }, 'RR10'],
      ['an end-to-end id with two slashes in a row', { endToEndId: 'A//B' }, 'RR10'],
      ['a name that is too long', { name: 'A'.repeat(71) }, 'CH16'],
      ['an empty name', { name: '' }, 'BE22'],
      ['a member of every object', { endToEndId: '__proto__' }, 'RR10'],
    ];
    for (const [what, transfer, reason] of wrong) it(`${what}: ${reason ?? 'accepted'}`, async () => expect(await refusalOf(transfer)).to.equal(reason));
    it('the same end-to-end id twice (DU04) and the same instruction id twice (DU05); NOTPROVIDED any number of times', async () => {
      const transfers = [{ endToEndId: 'A' }, { endToEndId: 'A' }, { endToEndId: 'B', instructionId: 'I' }, { endToEndId: 'C', instructionId: 'I' }, {}, {}];
      const { batches } = await read(file([{ debtorIban: DEBTOR, transfers: transfers.slice(0, 3) }, { debtorIban: DEBTOR, transfers: transfers.slice(3) }]));
      expect(batches.flatMap((batch) => batch.transfers).map(({ refusal }) => refusal?.reason)).to.deep.equal([undefined, 'DU04', undefined, 'DU05', undefined, undefined]);
    });
    it('a cheque, and an instant payment', async () => {
      const withType = (type: string): string => one().replace('<Amt>', `<PmtTpInf><LclInstrm><Cd>${type}</Cd></LclInstrm></PmtTpInf><Amt>`);
      expect((await read(withType('INST'))).batches[0]!.transfers[0]!.refusal?.reason).to.equal('FF05');
      expect((await read(one().replace('<Cdtr>', '<ChqInstr><ChqTp>CCHQ</ChqTp></ChqInstr><Cdtr>'))).batches[0]!.transfers[0]!.refusal?.reason).to.equal('FF03');
    });
    it('line and element are told', async () => {
      const xml = file([{ debtorIban: DEBTOR, transfers: [{}, { iban: 'DE00' }] }]);
      const { refusal } = (await read(xml)).batches[0]!.transfers[1]!;
      expect(refusal).to.include({ line: xml.split('\n').findIndex((text) => text.includes('DE00')) + 1, path: '/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[2]/CdtrAcct/Id/IBAN' });
    });
  });

  describe('of the reference data', () => {
    const samples = new URL('../../../../shared/reference/iso20022/samples/', import.meta.url);
    const at = (folder: string): string[] => readdirSync(new URL(folder, samples)).filter((name) => name.includes('pain') || folder.startsWith('pain')).map((name) => `${folder}${name}`);
    const readSample = (name: string): Promise<BulkMessage> => readBulkMessage(chunks(readFileSync(new URL(name, samples))), { today: '2020-01-01', latest: '2100-01-01' });
    before(function () { if (!existsSync(samples)) this.skip(); });

    it('is read where it is valid: as many transactions as its header says', async () => {
      for (const name of [...at('pain.001.001.09/'), ...at('tricky-valid/')]) {
        const declared = Number(/<NbOfTxs>(\d+)</.exec(readFileSync(new URL(name, samples), 'utf8'))![1]);
        expect((await readSample(name)).batches.flatMap(({ transfers }) => transfers).length, name).to.equal(declared);
      }
      expect((await readSample('tricky-valid/proto-names-pain.xml')).batches[0]!.transfers.map(({ endToEndId }) => endToEndId)).to.deep.equal(['__proto__', '__proto__']);
    });
    it('is refused, whole or in the transaction that is wrong, where it is not', async () => {
      const expected: Record<string, string> = {
        'attack/billion-laughs-pain.xml': 'document type', 'attack/xxe-local-file-pain.xml': 'document type', 'attack/xinclude-pain.xml': 'another namespace',
        'business/amount-jpy-decimals-pain.xml': 'CH20', 'business/duplicate-ids-pain.xml': 'DU04', 'business/iban-checksum-pain.xml': 'AC01', 'business/iban-too-short-pain.xml': 'AC01',
        'business/sum-mismatch-pain.xml': 'CtrlSum', 'schema/amount-comma-pain.xml': 'InstdAmt', 'schema/amount-six-decimals-pain.xml': 'InstdAmt', 'schema/amount-too-long-pain.xml': 'InstdAmt',
        'schema/bic-too-long-pain.xml': 'RC01', 'schema/iban-lower-case-pain.xml': 'AC01', 'schema/namespace-missing-pain.xml': 'namespace', 'schema/order-swapped-pain.xml': 'missing',
        'real/pain001py-template.xml': 'CreDtTm', 'real/hbci4j-test-pain-parse-0020110-02.xml': 'namespace',
      };
      const found = ['attack/', 'business/', 'schema/', 'real/'].flatMap((folder) => at(`invalid/${folder}`)).map((name) => name.replace('invalid/', ''));
      expect(Object.keys(expected)).to.include.members(found);
      for (const name of found) {
        const told = await readSample(`invalid/${name}`).then(({ batches }) => batches.flatMap(({ transfers }) => transfers).map(({ refusal }) => refusal?.reason).join(), (fault: unknown) => (fault as Error).message);
        expect(told, name).to.contain(expected[name]);
      }
    });
  });
});

describe('a bulk', () => {
  const transfer = (named: Partial<Transfer> = {}): Transfer => ({ endToEndId: 'NOTPROVIDED', amount: { amount: '10.00', currency: 'EUR' }, creditorName: 'Ada Beispiel', creditorIban: germanIban(1), path: '/payments/0', ...named });
  it('has the sum of what is in the currency of its consent; what is not is refused (CURR)', () => {
    const transfers = [transfer(), transfer({ amount: { amount: '0.01', currency: 'EUR' } }), transfer({ amount: { amount: '5', currency: 'USD' } })];
    const order = bulkOrder([{ batchId: 'B', path: '/payments', transfers }], 'EUR', () => 'a');
    expect(order).to.deep.include({ transactions: 3, total: { minor: 1001n, currency: 'EUR' }, refused: 1 });
    expect(order.items[2]?.refusal?.reason).to.equal('CURR');
  });
  it('stands where its payments stand', () => {
    const counts = (open: number, settled: number, refused: number) => ({ transactions: open + settled + refused, open, settled, refused, cancelled: 0, rejected: 0 });
    expect([groupStatus(counts(3, 0, 0)), groupStatus(counts(2, 0, 1)), groupStatus(counts(0, 3, 0)), groupStatus(counts(0, 2, 1)), groupStatus(counts(0, 0, 3))]).to.deep.equal(['ACCP', 'PART', 'ACSC', 'PART', 'RJCT']);
  });
  it('judges each transfer alike, in a file and in JSON', () => {
    const among = { endToEndIds: new Set<string>(), instructionIds: new Set<string>() };
    expect(judge(transfer({ endToEndId: 'A' }), among)).to.equal(undefined);
    expect(judge(transfer({ endToEndId: 'A' }), among)).to.include({ reason: 'DU04', field: 'endToEndId' });
  });
  it('adds exactly, with as many decimals as ISO 20022 allows', () => {
    expect(decimalOf('0.1', { digits: 18, fraction: 5 })! + decimalOf('0.2', { digits: 18, fraction: 5 })!).to.equal(decimalOf('0.30000', { digits: 18, fraction: 5 }));
    expect(decimalOf('999999999999999.999', { digits: 18, fraction: 5 })).to.equal(99_999_999_999_999_999_900n);
    for (const text of ['', '.', '1,0', '1e3', 'NaN', '-1', '1.000001', '1234567890123456789', '٣', ' 1']) expect(decimalOf(text, { digits: 18, fraction: 5 }), text).to.equal(undefined);
  });
  it('is written in the tests as it is read', () => expect(transferXml({ name: 'A&B' })).to.contain('A&amp;B'));
});
