/** The pages' two languages: complete, chosen as the person wishes, and exact about money, dates and what is linked. */
import { expect } from 'chai';
import type { Request } from 'express';
import type { Consent } from '../src/consent.js';
import { exportCsv, exportJson } from '../src/pages-export.js';
import { choicesOf, maskedIban, messageText, screenHash, summaryOf } from '../src/pages-describe.js';
import { languageOf, tongue } from '../src/pages-words.js';
import { de } from '../src/pages-words-de.js';
import { en } from '../src/pages-words-en.js';

const AT = new Date('2026-11-22T23:30:00Z');
const CONSENT: Consent = {
  id: 'c', clientId: 'app', type: 'account-access', status: 'awaiting_authorisation', permissions: ['accounts:read', 'balances:read'], accounts: [], approvers: [], approvals: [], oneOff: false,
  frequencyPerDay: 4, redirectUri: 'https://fintech.example/', expiresAt: AT, version: 1, createdAt: AT, updatedAt: AT,
};
const { frequencyPerDay: _none, ...BARE } = CONSENT;
const PAYMENT: Consent = {
  ...BARE, type: 'payment', permissions: ['payments:initiate'],
  payment: { amount: { amount: '1234.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' }, remittance: 'Invoice 17', requestedExecutionDate: '2026-12-01' },
};

const BULK: Consent = {
  ...BARE, type: 'bulk-payment', permissions: ['payments:initiate'],
  bulk: { transactions: 240, total: { amount: '98450.00', currency: 'EUR' }, digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg', requestedExecutionDate: '2026-12-01' },
};

/** Every sentence of a catalogue by its path; functions are called with names of their own. */
function sentences(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') return [[path, String((node as (...given: string[]) => string)('«1»', '«2»', '«3»', '«4»', '«5»'))]];
  return Object.entries(node as object).flatMap(([name, inner]) => sentences(inner, `${path}.${name}`));
}

describe('the words of the bank\'s pages', () => {
  it('say in German everything they say in English, with the same facts in it, and nothing twice the same', () => {
    const german = new Map(sentences(de));
    const english = sentences(en);
    expect([...german.keys()]).to.have.members(english.map(([path]) => path));
    const facts = (text: string): string => [...text.matchAll(/«\d»/g)].map(([fact]) => fact).sort().join('');
    for (const [path, text] of english) {
      expect(facts(german.get(path) ?? ''), path).to.equal(facts(text));
      if (/[a-z]{3}/i.test(text.replace(/«\d»/g, ''))) expect(german.get(path), path).not.to.equal(text);
    }
  });
  it('are in the language the person chose, the request asked for, or the browser speaks, else in English', () => {
    const asking = (acceptLanguage?: string): Request => ({ get: () => acceptLanguage }) as unknown as Request;
    expect(languageOf(asking('de-DE,de;q=0.9,en;q=0.8'), undefined, undefined)).to.equal('de');
    expect(languageOf(asking('fr, en;q=0.3, de;q=0.7'), undefined, undefined)).to.equal('de');
    expect(languageOf(asking('de;q=0, fr'), undefined, undefined)).to.equal('en');
    expect(languageOf(asking('de'), undefined, 'fr-CA en')).to.equal('en');
    expect(languageOf(asking('de'), 'en', 'de')).to.equal('en');
    for (const garbage of [undefined, '', ';;;q=,', 'x'.repeat(100_000), '*', '__proto__']) expect(languageOf(asking(garbage), '__proto__', garbage), String(garbage).slice(0, 20)).to.equal('en');
  });
  it('write amounts exactly, whatever their size and decimals, as each language does', () => {
    const [english, german] = [tongue('en', 'Europe/Berlin'), tongue('de', 'Europe/Berlin')];
    const plain = (text: string): string => text.replace(/\s/g, ' ');
    expect(english.money({ amount: '12345678901234.56', currency: 'EUR' })).to.equal('€12,345,678,901,234.56');
    expect(plain(german.money({ amount: '12345678901234.56', currency: 'EUR' }))).to.equal('12.345.678.901.234,56 €');
    expect(plain(german.money({ amount: '500', currency: 'JPY' }))).to.equal('500 ¥');
    expect(plain(english.money({ amount: '1.234', currency: 'KWD' }))).to.equal('KWD 1.234');
  });
  it('write dates where the bank is', () => {
    expect(tongue('en', 'Europe/Berlin').date(AT)).to.equal('23 November 2026');
    expect(tongue('de', 'Europe/Berlin').date(AT)).to.equal('23. November 2026');
    expect(tongue('en', 'UTC').date(AT)).to.equal('22 November 2026');
  });
});

describe('what a customer is shown', () => {
  const english = tongue('en', 'UTC');
  it('names amount, payee, account, reference and day of a payment', () => {
    const summary = summaryOf(PAYMENT, 'Example Budget', english);
    expect([summary.amount, ...summary.rows.map(({ value }) => value)]).to.deep.equal(['€1,234.50', 'Green Grocer', 'DE89 3704 0044 0532 0130 00', 'Invoice 17', '1 December 2026']);
  });
  it('names number, total, day and file of a bulk, on the screen and in the message', () => {
    const summary = summaryOf(BULK, 'Example Payroll', english);
    expect([summary.amount, ...summary.rows.map(({ value }) => value)]).to.deep.equal(['€98,450.00', '240', '1 December 2026', BULK.bulk?.digest]);
    expect(messageText(BULK, 'Example Payroll', ['Current account'], english)).to.contain('240 payments').and.contain('€98,450.00').and.contain('Example Payroll').and.contain('Current account');
  });
  it('of a bulk is linked: another number, total or file is another approval', () => {
    const changes = [{ transactions: 241 }, { total: { amount: '98450.01', currency: 'EUR' } }, { digest: 'N4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' }, { digest: undefined }];
    for (const change of changes) expect(screenHash({ ...BULK, bulk: { ...BULK.bulk!, ...change } as Consent['bulk'] & object }, ['a']).equals(screenHash(BULK, ['a'])), JSON.stringify(change)).to.equal(false);
  });
  it('is what the message names, too', () => {
    expect(messageText(PAYMENT, 'Example Budget', ['Current account'], english)).to.contain('€1,234.50').and.contain('Green Grocer').and.contain('DE89 3704 0044 0532 0130 00').and.contain('Example Budget').and.contain('Current account');
    expect(messageText(CONSENT, 'Example Budget', ['Current account'], english)).to.contain('Account details and Balances').and.contain('until 22 November 2026');
  });
  it('is what a second factor is linked to: the terms asked for, not those in force', () => {
    const asked = { ...CONSENT, amendment: { permissions: ['accounts:read'], expiresAt: AT, requestedAt: AT } };
    expect(screenHash(asked, ['a']).equals(screenHash(CONSENT, ['a']))).to.equal(false);
    expect(screenHash(CONSENT, ['a', 'b']).equals(screenHash(CONSENT, ['b', 'a']))).to.equal(true);
    expect(screenHash({ ...CONSENT, oneOff: true }, ['a']).equals(screenHash(CONSENT, ['a']))).to.equal(false);
  });
  it('shows of an account number its country and end, of a balance what the policy says', () => {
    expect(maskedIban('DE89370400440532013000')).to.equal('DE •••• 3000');
    const account = { id: 'a', holders: ['x'], iban: 'DE89370400440532013000', currency: 'EUR', product: 'current' };
    const balances = new Map([['a', { amount: '-5.00', currency: 'EUR' }]]);
    const shown = (display: 'hidden' | 'masked' | 'shown', known = balances) => choicesOf([account], { display, balances: known, tongue: english })[0]?.balance;
    expect([shown('hidden'), shown('masked'), shown('shown'), shown('shown', new Map())]).to.deep.equal([undefined, '•••• EUR', '-€5.00', 'not available now']);
  });
  it('can be taken along, and a spreadsheet runs nothing of it', () => {
    const kept = [{ consent: PAYMENT, application: '=HYPERLINK("https://evil.example")', accesses: 0, accounts: ['DE89370400440532013000'], history: [] }];
    expect(exportCsv(kept).split('\r\n')[1]).to.contain('"\'=HYPERLINK(""https://evil.example"")"').and.contain('1234.50,EUR,Green Grocer');
    expect(exportCsv([{ ...kept[0]!, consent: BULK }])).to.contain('98450.00,EUR,,');
    expect(JSON.parse(exportJson(kept, AT))).to.deep.include({ exportedAt: '2026-11-22T23:30:00.000Z' });
  });
});
