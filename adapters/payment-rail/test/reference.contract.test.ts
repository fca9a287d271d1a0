import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { BIC, deliverXml, SECRET } from './fixtures.js';

/** Published and made-up ISO 20022 messages and the schemas; read where they lie, never part of the project. */
const REFERENCE = new URL('../../../../shared/reference/iso20022/', import.meta.url);
const SAMPLES = new URL('samples/', REFERENCE);

const files = (folder: string, only = /\.xml$/): string[] => readdirSync(new URL(folder, SAMPLES)).filter((name) => only.test(name)).map((name) => `${folder}${name}`);
const bytesOf = (file: string): Buffer => readFileSync(new URL(file, SAMPLES));

for (const [how, schemaDir] of [['with the schemas', fileURLToPath(new URL('xsd/', REFERENCE))], ['by structure only', undefined]] as const)
  describe(`ISO 20022 reference messages, ${how}`, () => {
    let adapter: TestService;
    let rail: Server;
    /** What the adapter has told the rail (refusals). */
    const toldRail: string[] = [];

    before(async function () {
      if (!existsSync(SAMPLES)) {
        console.log('        skipped: the reference messages are not on this machine');
        this.skip();
      }
      rail = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => { body += chunk; }).on('end', () => { toldRail.push(body); response.writeHead(202).end(); });
      });
      await new Promise<void>((resolve) => rail.listen(0, '127.0.0.1', resolve));
      adapter = await testService(options, {
        RAIL_URL: `http://127.0.0.1:${(rail.address() as AddressInfo).port}`, RAIL_SHARED_SECRET: SECRET, BANK_BIC: BIC, ...(schemaDir ? { ISO20022_XSD_DIR: schemaDir } : {}),
      });
    });
    after(async () => {
      await adapter?.stop();
      rail?.close();
    });

    /** Delivers a message; gives the status and how many events and refusals came of it. */
    async function deliver(xml: Uint8Array | string): Promise<{ status: number; events: number; refusals: string[] }> {
      const [before, refused] = [(await adapter.events()).length, toldRail.length];
      const { status } = await deliverXml(adapter.url, xml);
      return { status, events: (await adapter.events()).length - before, refusals: toldRail.slice(refused).map((body) => /<Cd>(\w+)</.exec(body)?.[1] ?? '') };
    }

    it('valid ones are understood: documents, envelopes, prefixes, UTF-16, markup in names', async () => {
      const all = [...files('pacs.008.001.08/'), ...files('pacs.002.001.10/', /^(?!tch-).*\.xml$/), ...files('tricky-valid/', /-pacs\.xml$/)];
      expect(all.length).to.be.greaterThan(10);
      for (const file of all) {
        const { status, events, refusals } = await deliver(bytesOf(file));
        expect(status, file).to.equal(202);
        // Each of these transfers is either told or refused with a reason; a status report is about payments of others.
        if (!file.startsWith('pacs.002')) expect(events + refusals.length, file).to.equal(1);
      }
    });

    it('a report in the form of another operator is understood once its body stands in a Document', async () => {
      const body = /<MessageStatusReport>([\s\S]*)<\/MessageStatusReport>/.exec(bytesOf('pacs.002.001.10/tch-rtp-pacs002.RJCT.xml').toString())?.[1] ?? '';
      const xml = `<ps:Document xmlns:ps="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10">${body}</ps:Document>`;
      expect((await deliver(xml)).status).to.equal(202);
    });

    it('returns, recalls and answers of others are read: in an envelope, or once the body stands in a Document', async () => {
      for (const file of files('pacs.004.001.09/')) {
        expect((await deliver(bytesOf(file))).status, file).to.equal(202);
        // They return payments nobody here made: told all the same, without a payment.
        const event = (await adapter.events()).at(-1);
        expect(event?.type, file).to.equal('rail.payment-returned');
        expect(event?.data).to.include({ reason: 'AC04' }).and.not.have.property('paymentId');
      }
      const bodyOf = (file: string, message: string): string => {
        const [, prefix = '', body = ''] = /<(\w+):(?:FIToFIPmtCxlReq|RsltnOfInvstgtn)>/.exec(bytesOf(file).toString()) ?? [];
        const xml = new RegExp(`<${prefix}:(FIToFIPmtCxlReq|RsltnOfInvstgtn)>[\\s\\S]*</${prefix}:\\1>`).exec(bytesOf(file).toString())?.[0] ?? body;
        return `<${prefix}:Document xmlns:${prefix}="urn:iso:std:iso:20022:tech:xsd:${message}">${xml}</${prefix}:Document>`;
      };
      const [recall = ''] = files('camt.056.001.08/');
      expect(await deliver(bodyOf(recall, 'camt.056.001.08'))).to.deep.equal({ status: 202, events: 1, refusals: [] });
      expect((await adapter.events()).at(-1)?.data).to.deep.include({ reason: 'CUST', endToEndId: 'EOTS', amount: { amount: '42389.38', currency: 'USD' } });
      // An answer to a recall of somebody else: taken, and nothing told.
      const [answer = ''] = files('camt.029.001.09/');
      expect(await deliver(bodyOf(answer, 'camt.029.001.09'))).to.deep.equal({ status: 202, events: 0, refusals: [] });
    });

    it('returns, recalls and answers that are cut off, of another version, or without what must be there are refused', async () => {
      const [first = ''] = files('pacs.004.001.09/');
      const good = bytesOf(first).toString();
      const bad = [
        good.slice(0, good.length / 2), good.replaceAll('pacs.004.001.09', 'pacs.004.001.99'), good.replace(/<pacs:NbOfTxs>1</, '<pacs:NbOfTxs>2<'),
        good.replace(/<pacs:RtrdIntrBkSttlmAmt[^]*?<\/pacs:RtrdIntrBkSttlmAmt>/, ''), good.replace(/(<pacs:RtrdIntrBkSttlmAmt Ccy="USD">)136480/, '$1-136480'),
        ...files('other-versions/pacs.004.001.11/').map((file) => bytesOf(file).toString()),
      ];
      for (const xml of bad) expect(await deliver(xml), xml.slice(-200)).to.deep.equal({ status: 400, events: 0, refusals: [] });
      const zero = good.replace(/(<pacs:RtrdIntrBkSttlmAmt Ccy="USD">)136480/, '$10.00');
      expect(await deliver(zero), 'refused to the rail with its reason').to.deep.equal({ status: 202, events: 0, refusals: ['AM01'] });
    });

    it('statements are told whole: as many parts as they say, of at most 500 entries', async () => {
      for (const file of [...files('camt.053.001.08/'), ...files('camt.054.001.08/')]) {
        const { status, events } = await deliver(bytesOf(file));
        if (status === 400) continue; // an account number with wrong check digits
        const parts = (await adapter.events()).slice(-events).map(({ data }) => data as { part: number; parts: number; entries: unknown[] });
        expect(parts.every(({ entries }) => entries.length <= 500), file).to.equal(true);
        expect(parts.at(-1)?.part, file).to.equal(parts.at(-1)?.parts);
      }
    });

    it('attacks are refused and tell nothing', async () => {
      for (const file of files('invalid/attack/')) {
        const { status, events } = await deliver(bytesOf(file));
        // Without the schema nobody knows that the attributes are unknown; they are harmless.
        if (schemaDir === undefined && file.includes('many-attributes')) continue;
        expect([status, events], file).to.deep.equal([400, 0]);
      }
    });

    it('what is no XML is refused', async () => {
      for (const file of files('invalid/not-xml/')) expect(await deliver(bytesOf(file)), file).to.deep.equal({ status: 400, events: 0, refusals: [] });
    });

    it('what breaks its schema is refused', async function () {
      for (const file of [...files('invalid/schema/', /-pacs\.xml$/), ...files('invalid/real/', /(N01|N09|N17|N18|pacs\.002).*\.xml$/)]) {
        // Without the schema nobody knows that an element is unknown, or looks into what is not used.
        if (schemaDir === undefined && /unknown-element|rustiso/.test(file)) continue;
        expect(await deliver(bytesOf(file)), file).to.deep.equal({ status: 400, events: 0, refusals: [] });
      }
    });

    it('what is wrong in business is refused as a message, or as a transaction with its reason', async () => {
      const expected: Record<string, { status: number; refusals: string[] }> = {
        'invalid/business/amount-three-decimals-eur-pacs.xml': { status: 400, refusals: [] },
        'invalid/business/count-mismatch-pacs.xml': { status: 400, refusals: [] },
        'invalid/business/amount-zero-pacs.xml': { status: 202, refusals: ['AM01'] },
        'invalid/business/currency-unknown-pacs.xml': { status: 202, refusals: ['AM11'] },
        'invalid/business/bic-country-unknown-pacs.xml': { status: 202, refusals: ['RC01'] },
      };
      expect(files('invalid/business/', /-pacs\.xml$/).sort()).to.deep.equal(Object.keys(expected).sort());
      for (const [file, outcome] of Object.entries(expected)) expect(await deliver(bytesOf(file)), file).to.deep.equal({ ...outcome, events: 0 });
      expect(await deliver(bytesOf('invalid/real/sps-tester-TC-PCS-N14-6c52bd58.xml')), 'header of another version').to.deep.equal({ status: 400, events: 0, refusals: [] });
    });

    it('a wrong IBAN checksum and too many decimals of one transaction are refused with AC01 and AM12', async () => {
      const valid = bytesOf('tricky-valid/prefixed-namespace-pacs.xml').toString();
      const iban = valid.replace('DE89370400440532013000', 'DE88370400440532013000');
      expect(await deliver(iban)).to.deep.equal({ status: 202, events: 0, refusals: ['AC01'] });
      const decimals = valid.replaceAll('>1000.50<', '>1000.505<');
      expect(await deliver(decimals)).to.deep.equal({ status: 202, events: 0, refusals: ['AM12'] });
    });
  });
