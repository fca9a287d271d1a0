import { expect } from 'chai';
import { EVENT_TYPES, newEvent, type AnyEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { codeLabel, decidedIn } from '../src/decided.js';
import { batched } from '../src/ingest.js';
import { newDataKey, seal, unseal, unwrapDataKey } from '../src/sealing.js';
import { accessRecordOf, canonicalJson, concludeProof, EMPTY_PROOF, FIRST_PREVIOUS_HASH, hashOf, prove, recordOfAccess, recordOfEvent, type AccessRecord, type ChainedRecord, type NewRecord, type SealedRecord } from '../src/trail.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };

describe('What of an event is personal', () => {
  const customerId = newId();
  const payment = newEvent('payment.initiated', {
    subject: 'p', source: 'payment', context: CONTEXT, now: NOW,
    data: {
      paymentId: newId(), clientId: 'app-1', customerId, consentId: newId(), debtorAccountId: newId(), amount: { amount: '12.50', currency: 'EUR' },
      creditor: { name: 'Grace Sandbox', iban: 'DE02120300000000202051' }, endToEndId: 'E2E', uetr: newId(), remittance: 'rent',
    },
  }) as AnyEvent;

  it('is everything that is not known to be an id, a state or a code', () => {
    const { data, personal } = recordOfEvent(payment, NOW);
    expect(Object.keys(personal).sort()).to.deep.equal(['amount', 'creditor', 'endToEndId', 'remittance']);
    expect(JSON.stringify(data)).to.not.match(/Grace|DE02|rent|12\.50/);
  });

  it('includes a field nobody has thought of', () => {
    const grown = { ...payment, data: { ...payment.data, mothersName: 'Secret' } } as unknown as AnyEvent;
    expect(recordOfEvent(grown, NOW).personal).to.have.property('mothersName', 'Secret');
  });

  it('is kept with who, about whom, on which consent and when', () => {
    expect(recordOfEvent(payment, NOW)).to.deep.include({
      eventId: payment.id, type: 'payment.initiated', clientId: 'app-1', customerId, consentId: (payment.data as { consentId: string }).consentId,
      at: NOW.toISOString(), correlationId: 'c-1', source: 'payment',
    });
  });
});

describe('A change of the gateway\'s configuration', () => {
  it('is no customer\'s: who did it and what is kept in the clear, found by its release', () => {
    const data = { actor: 'administrator', environment: 'production', release: '0123456789ab', digest: 'a'.repeat(64), outcome: 'applied' as const, created: ['route x'], updated: [], deleted: [] };
    const record = recordOfEvent(newEvent('gateway.configuration-changed', { subject: data.release, source: 'gateway-administration', context: CONTEXT, now: NOW, data }) as AnyEvent, NOW);
    expect(record).to.deep.include({ data, personal: {}, resources: ['release:0123456789ab'] });
  });
});

describe('An entry of the gateway\'s log', () => {
  const customerId = newId();
  const consentId = newId();
  const entry = {
    request: { id: 'req-1', method: 'GET', uri: `/v1/accounts/DE02120300000000202051/balances?token=secret`, headers: { authorization: 'Bearer secret' }, querystring: { token: 'secret' } },
    response: { status: 200, headers: { 'set-cookie': 'secret' } },
    route: { name: 'getBalances' }, consumer: { custom_id: 'app-1', username: 'Fintech GmbH' }, client_ip: '203.0.113.9',
    started_at: NOW.getTime(), latencies: { request: 12.4 },
    kontor: { operation: 'getBalances', audience: 'account', consentId, customerId, decision: 'allow' },
  };

  it('is taken by allow-list: no address, header, query or client address', () => {
    expect(accessRecordOf(entry)).to.deep.equal({
      requestId: 'req-1', at: NOW.toISOString(), method: 'GET', status: 200, route: 'getBalances', clientId: 'app-1', operation: 'getBalances',
      audience: 'account', consentId, customerId, decision: 'allow', latencyMs: 12,
    });
  });

  it('gives the customer named in the address, when the gateway names none', () => {
    const about = (uri: string): string | undefined => accessRecordOf({ ...entry, kontor: {}, request: { ...entry.request, uri } })?.customerId;
    expect(about(`/v1/customers/${customerId}/kyc`)).to.equal(customerId);
    expect(about(`/v1/audit/events?limit=5&customerId=${customerId}`)).to.equal(customerId);
    expect(about(`/v1/customers/${customerId}0`)).to.equal(undefined);
    expect(about('/v1/payments')).to.equal(undefined);
  });

  it('does not take what is no plain word: such a field is left out', () => {
    const forged = accessRecordOf({ ...entry, consumer: { custom_id: 'x'.repeat(500) }, kontor: { operation: '<script>', consentId: 'not-an-id', decision: 7 } });
    expect(forged).to.not.have.any.keys('clientId', 'operation', 'consentId', 'decision');
  });

  it('without an id of its own gets one from its content, the same each time', () => {
    const bare = { ...entry, request: { method: 'GET' } };
    expect(accessRecordOf(bare)?.requestId).to.equal(accessRecordOf(bare)?.requestId);
    expect(accessRecordOf(bare)?.requestId).to.not.equal(accessRecordOf({ ...bare, started_at: 1 })?.requestId);
  });

  for (const [what, broken] of [['no time', { ...entry, started_at: 'now' }], ['no status', { ...entry, response: {} }], ['no method', { ...entry, request: {} }], ['null', null], ['text', 'GET /']] as const)
    it(`is unreadable with ${what}`, () => expect(accessRecordOf(broken)).to.equal(undefined));

  it('goes into the trail when it concerns a customer or a consent, and only then', () => {
    const record = accessRecordOf(entry)!;
    expect(recordOfAccess(record, NOW)).to.deep.include({ type: 'access.decision', clientId: 'app-1', customerId, consentId, operation: 'getBalances', status: 200, decision: 'allow' });
    const { customerId: _customer, consentId: _consent, ...anonymous } = record;
    expect(recordOfAccess(anonymous, NOW)).to.equal(undefined);
  });
});

describe('The chain', () => {
  function chain(length: number): ChainedRecord[] {
    let previousHash: Buffer = FIRST_PREVIOUS_HASH;
    return Array.from({ length }, (_, i) => {
      const record: SealedRecord = { eventId: newId(), kind: 'event', type: EVENT_TYPES[0], at: NOW.toISOString(), recordedAt: NOW.toISOString(), data: canonicalJson({ i }), personal: 'none' };
      const chained = { ...record, position: i + 1, previousHash, hash: hashOf(record, i + 1, previousHash) };
      previousHash = chained.hash;
      return chained;
    });
  }
  const proven = (records: readonly ChainedRecord[], noted?: { position: number; hash: string }): ReturnType<typeof prove> => concludeProof(prove(EMPTY_PROOF, records, noted), noted);

  it('is proven to its end, also in several batches', () => {
    const records = chain(5);
    expect(proven(records)).to.deep.include({ records: 5, headPosition: 5, headHash: records[4]!.hash });
    expect(prove(prove(EMPTY_PROOF, records.slice(0, 2)), records.slice(2))).to.deep.equal(proven(records));
  });

  it('of nothing is whole', () => expect(proven([])).to.deep.equal(EMPTY_PROOF));

  const fields: (keyof SealedRecord)[] = ['eventId', 'kind', 'type', 'at', 'recordedAt', 'source', 'clientId', 'customerId', 'subject', 'consentId', 'operation', 'status', 'decision', 'code', 'correlationId', 'data', 'personal', 'ciphertext'];
  for (const field of fields)
    it(`breaks where ${field} was altered`, () => {
      const records = chain(5);
      records[2] = { ...records[2]!, [field]: 'altered' };
      expect(proven(records).firstBreak).to.deep.equal({ position: 3, reason: 'altered_record' });
    });

  it('breaks where a record was removed, or two were exchanged', () => {
    const records = chain(5);
    expect(proven(records.filter(({ position }) => position !== 3)).firstBreak).to.deep.equal({ position: 3, reason: 'missing_record' });
    const exchanged = [records[0]!, { ...records[2]!, position: 2 }, { ...records[1]!, position: 3 }];
    expect(proven(exchanged).firstBreak).to.deep.equal({ position: 2, reason: 'wrong_previous_hash' });
  });

  it('whose end was cut off or written anew breaks against a hash noted before', () => {
    const records = chain(5);
    const noted = { position: 5, hash: records[4]!.hash.toString('hex') };
    expect(proven(records, noted).firstBreak).to.equal(undefined);
    expect(proven(records.slice(0, 4), noted).firstBreak).to.deep.equal({ position: 5, reason: 'missing_record' });
    expect(proven(chain(5), noted).firstBreak).to.deep.equal({ position: 5, reason: 'unexpected_hash' });
  });
});

describe('Sealing', () => {
  const master = Buffer.alloc(32, 7);
  const key = unwrapDataKey(master, newDataKey(master, 'customer:1'), 'customer:1');
  const place = { table: 'audit_records', column: 'ciphertext', row: 'e-1' };
  const sealed = seal(key, Buffer.from('secret'), place);

  it('opens with its key at its place', () => expect(unseal(key, sealed, place).toString()).to.equal('secret'));
  it('does not open in another row', () => expect(() => unseal(key, sealed, { ...place, row: 'e-2' })).to.throw());
  it('does not open after one bit was turned', () => {
    const turned = Buffer.from(sealed);
    turned[turned.length - 1]! ^= 1;
    expect(() => unseal(key, turned, place)).to.throw();
  });
  it('does not unwrap the key of one subject for another', () => {
    expect(() => unwrapDataKey(master, newDataKey(master, 'customer:1'), 'customer:2')).to.throw();
  });
  it('gives the same text another ciphertext each time', () => expect(seal(key, Buffer.from('secret'), place).equals(sealed)).to.equal(false));
});

describe('Writing in groups', () => {
  it('writes together what comes while a write is under way, each once, and tells each giver of its own failure', async () => {
    const writes: number[][] = [];
    const keep = batched<number>(async (items) => {
      writes.push([...items]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (items.includes(99)) throw new Error('broken');
    });
    const first = keep([1]);
    const others = [keep([2, 3]), keep([4])];
    await Promise.all([first, ...others]);
    expect(writes).to.deep.equal([[1], [2, 3, 4]]);
    const failed = await keep([99]).then(() => false, () => true);
    expect(failed).to.equal(true);
    await keep([5]);
    expect(writes.at(-1)).to.deep.equal([5]);
  });
});

describe('Decisions summed up', () => {
  const CONSENT = newId();
  const record = (part: { [K in keyof AccessRecord]?: AccessRecord[K] | undefined }): NewRecord => recordOfAccess(
    { requestId: newId(), at: '2026-03-01T10:00:00.000Z', method: 'GET', status: 200, clientId: 'app-1', operation: 'getBalances', decision: 'allow', consentId: CONSENT, ...part } as AccessRecord, new Date())!;

  it('are those under a consent, by an application, that were decided', () => {
    const customerId = newId();
    expect(decidedIn([record({ consentId: undefined, customerId }), record({ clientId: undefined }), record({ operation: undefined }), record({ decision: undefined }), record({ decision: 'maybe' })])).to.deep.equal([]);
    expect(decidedIn([record({}), record({ customerId })])).to.deep.equal([
      { data: { consentId: CONSENT, clientId: 'app-1', operation: 'getBalances', decision: 'allow', count: 2, lastAt: '2026-03-01T10:00:00.000Z' }, customerId },
    ]);
  });
  it('keep every difference apart, a code too', () => {
    const other = [{ clientId: 'app-2' }, { operation: 'getAccount' }, { consentId: newId() }, { decision: 'refuse', code: 'consent_revoked' }, { decision: 'refuse', code: 'consent_expired' }];
    expect(decidedIn([record({}), ...other.map(record)]).map(({ data }) => data.count)).to.deep.equal([1, 1, 1, 1, 1, 1]);
  });
  it('are counted under codes of ours; whatever else is sent is one series', () => {
    expect([undefined, 'consent_revoked', 'made-up', 'toString'].map(codeLabel)).to.deep.equal(['none', 'consent_revoked', 'other', 'other']);
  });
});
