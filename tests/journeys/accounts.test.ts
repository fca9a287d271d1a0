/** Accounts from their opening to their end, the ledger behind them, and its reconciliation with the rail, through the gateway on the running platform. */
import { expect } from 'chai';
import { newKey } from '../../scripts/demo/fintech.js';
import { bankingFintech, euro, orderOfRail, today, until, type Banking, type Caller } from './banking.js';

const OUTSIDE = { name: 'Green Grocer', iban: 'DE89370400440532013000' };

describe('accounts, their ledger and its reconciliation', function () {
  this.timeout(60_000);
  let bank: Banking;
  let reading: Caller;

  before(async () => {
    bank = await bankingFintech();
    reading = await bank.consented('accounts', {
      type: 'account-access', permissions: ['accounts:read', 'balances:read', 'transactions:read', 'beneficiaries:read'], validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(),
    }, [bank.accountId, bank.otherAccountId]);
    await until('both credits are booked', async () => (await reading(`/v1/accounts/${bank.accountId}/transactions`)).body.data.length === 2);
  });
  after(() => bank?.close());

  it('a blocked account pays nothing and still receives; unblocked it pays again', async () => {
    const paying = await bank.consented('payments', {
      type: 'variable-recurring', recurring: { maximumPerPayment: euro('20.00'), periodicLimits: [{ maximum: euro('60.00'), period: 'day', alignment: 'calendar' }], creditor: OUTSIDE, validUntil: new Date(Date.now() + 86_400_000).toISOString() },
    });
    const pay = async (remittance: string) => (await paying('/v1/payments', { json: { debtorAccountId: bank.accountId, amount: euro('12.50'), creditor: OUTSIDE, remittance }, expect: 201 })).body;
    const change = async (what: string) => (await bank.own(`/v1/accounts/${bank.accountId}/${what}`, { method: 'POST' })).body.status;
    expect(await change('block')).to.equal('blocked');
    const refused = await bank.becomes((await pay('While blocked')).paymentId, 'RJCT');
    expect(refused.statusReason).to.equal('AC06');
    expect(await change('unblock')).to.equal('enabled');
    await bank.becomes((await pay('Invoice 4711')).paymentId, 'ACSC');
  });

  it('transactions are found by amount, side, day and text; a page stays as it is', async () => {
    const found = async (query: string): Promise<string[]> =>
      (await reading(`/v1/accounts/${bank.accountId}/transactions?${query}`)).body.data.map((one: { amount: { amount: string } }) => one.amount.amount);
    expect(await found('minAmount=1000')).to.have.members(['1500.00', '20000.00']);
    expect(await found('creditDebitIndicator=DBIT')).to.deep.equal(['12.50']);
    expect(await found('text=invoice%204711')).to.deep.equal(['12.50']);
    expect(await found(`fromBookingDate=${today()}&maxAmount=1500`)).to.deep.equal(['12.50', '1500.00']);
    expect(await found('toBookingDate=2020-12-31')).to.deep.equal([]);
    const first = await reading(`/v1/accounts/${bank.accountId}/transactions?limit=2`);
    const second = await reading(`/v1/accounts/${bank.accountId}/transactions?limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.data, ...second.body.data]).to.have.length(3);
  });

  it('what has not changed is not sent again (ETag)', async () => {
    for (const path of [`/v1/accounts/${bank.accountId}`, `/v1/accounts/${bank.accountId}/balances`]) {
      const etag = (await reading(path)).headers.get('etag');
      expect(etag, path).to.match(/^(W\/)?"/);
      const again = await reading(path, { headers: { 'if-none-match': etag! }, expect: 304 });
      expect(again.body).to.equal('');
    }
    const opening = await bank.own(`/v1/accounts/${bank.accountId}/opening`);
    const rename = (nickname: string, status: number) => bank.own(`/v1/accounts/${bank.accountId}`, { method: 'PATCH', json: { nickname }, headers: { 'if-match': opening.headers.get('etag')! }, expect: status });
    expect((await rename('Household', 200)).body.nickname).to.equal('Household');
    expect((await rename('Too late', 412)).body.code).to.equal('precondition_failed');
  });

  it('the statement of a period is told as JSON, as CSV and as camt.053, and says the same in each', async () => {
    const path = `/v1/accounts/${bank.accountId}/statements?from=${today()}&to=${today()}`;
    const { body } = await reading(path);
    expect(body.entries).to.have.length(3);
    expect(body.closingBalance.amount).to.deep.equal(euro('21487.50'));
    const csv = await reading(path, { headers: { accept: 'text/csv' } });
    expect(csv.headers.get('content-type')).to.include('text/csv');
    expect(String(csv.body).trim().split('\r\n')).to.have.length(4);
    const xml = await reading(path, { headers: { accept: 'application/xml' } });
    expect(xml.body).to.include('urn:iso:std:iso:20022:tech:xsd:camt.053.001.08').and.to.include('21487.50');
  });

  it('beneficiaries are kept with the account, and read on the customer\'s consent alone', async () => {
    const path = `/v1/accounts/${bank.accountId}/beneficiaries`;
    const saved = await bank.own(path, { json: { ...OUTSIDE, reference: 'Customer 4711' }, expect: 201 });
    expect((await bank.own(path, { json: OUTSIDE, expect: 409 })).body.code).to.equal('conflict');
    expect((await reading(path)).body.data.map((one: { iban: string }) => one.iban)).to.deep.equal([OUTSIDE.iban]);
    await bank.own(path, { expect: 403 });
    const changed = await bank.own(`${path}/${saved.body.beneficiaryId}`, { method: 'PUT', json: { ...OUTSIDE, name: 'Greener Grocer' } });
    expect(changed.body.name).to.equal('Greener Grocer');
    await bank.own(`${path}/${saved.body.beneficiaryId}`, { method: 'DELETE', expect: 204 });
    expect((await reading(path)).body.data).to.deep.equal([]);
  });

  it('the rail\'s statement agrees with the ledger; where it does not there is a break that two members of the staff resolve', async () => {
    const received = async (amount: string): Promise<string> => {
      const { endToEndId } = (await bank.sandbox('/sandbox/incoming-payments', { json: { creditorIban: bank.otherIban, amount: euro(amount), debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' } }, expect: 202 })).body;
      await until('it is booked', async () => (await reading(`/v1/accounts/${bank.otherAccountId}/transactions?text=${endToEndId}`)).body.data.length === 1);
      return endToEndId;
    };
    const endToEndId = await received('41.00');
    const messageId = newKey();
    await orderOfRail('statements', { messageId, date: today(), alter: [{ endToEndId, amount: '41.01' }] });
    const ours = async () => (await bank.staff('/v1/reconciliation/statements?limit=100')).body.data.find((one: { reference: string }) => one.reference.startsWith(messageId));
    await until('the statement has come', ours);
    await bank.staff('/v1/reconciliation/runs', { method: 'POST' });
    const statement = await ours();
    expect(statement).to.include({ source: 'rail', complete: true });
    expect(statement.matched.reference, 'matched by their references').to.be.at.least(3);
    const breaks = (await bank.staff(`/v1/reconciliation/breaks?statementId=${statement.statementId}`)).body.data as { breakId: string; reason: string; amount: { amount: string } }[];
    const found = breaks.find(({ amount }) => amount?.amount === '41.01');
    expect(found, JSON.stringify(breaks)).to.include({ reason: 'amount-differs', status: 'open' });
    const { proposal } = (await bank.staff(`/v1/reconciliation/breaks/${found!.breakId}/propose`, { json: { resolution: 'ignore', reason: 'The statement was altered', staffMember: 'member-1' } })).body;
    const approve = (staffMember: string, status: number) => bank.staff(`/v1/reconciliation/breaks/${found!.breakId}/approve`, { json: { proposalId: proposal.proposalId, staffMember }, expect: status });
    expect((await approve('member-1', 403)).body.code).to.equal('four_eyes_required');
    expect((await approve('member-2', 200)).body).to.include({ status: 'resolved', resolution: 'ignore' });
    await bank.own('/v1/reconciliation/breaks', { expect: 403 });
  });

  it('is closed when what is left has gone to another account of the customer; then it is over', async () => {
    const close = (payoutTo: string | undefined, status: number) => bank.own(`/v1/accounts/${bank.otherAccountId}/close`, { json: payoutTo === undefined ? {} : { payoutTo }, expect: status });
    expect((await close(undefined, 409)).body.code).to.equal('invalid_state');
    expect((await close(bank.iban, 200)).body.status).to.equal('closed');
    const [payout] = (await reading(`/v1/accounts/${bank.accountId}/transactions?limit=1`)).body.data;
    expect(payout).to.deep.include({ creditDebitIndicator: 'CRDT', amount: euro('1541.00') });
    await bank.own(`/v1/accounts/${bank.otherAccountId}/unblock`, { method: 'POST', expect: 409 });
  });

  it('the ledger is sound: the staff ask for the proof, and no application may', async () => {
    const { body } = await bank.staff('/v1/ledger/verification', { method: 'POST' });
    expect(body, JSON.stringify(body.breaches)).to.include({ sound: true });
    expect(body.checked.transactions).to.be.greaterThan(5);
    await bank.own('/v1/ledger/verification', { method: 'POST', expect: 403 });
  });
});
