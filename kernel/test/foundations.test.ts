import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { bytes32, flag, integer, list, oneOf, port, readSettings, secret, SettingsError, text, url } from '@kontor/kernel/config';
import { parseDecision } from '@kontor/kernel/consent-decision';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { derivedId, isId, newId } from '@kontor/kernel/ids';
import { createLogger } from '@kontor/kernel/logger';
import { addMoney, compareMoney, formatMoney, parseMoney, subtractMoney, zero } from '@kontor/kernel/money';
import { PROBLEMS, problem, Problem, toProblemBody } from '@kontor/kernel/problem';
import { sameKey } from '@kontor/kernel/shared-key';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (fault) {
    if (fault instanceof Problem) return fault.code;
    throw fault;
  }
  return 'nothing was thrown';
};

describe('ids', () => {
  it('are UUIDs that sort in the order they were made', () => {
    const ids = Array.from({ length: 100 }, newId);
    expect(ids.every(isId)).to.equal(true);
    expect([...ids].sort()).to.deep.equal(ids);
  });

  it('are the same for the same name when derived, and differ otherwise', () => {
    expect(derivedId('kyc/1')).to.equal(derivedId('kyc/1')).and.satisfy(isId);
    expect(derivedId('kyc/1')).to.not.equal(derivedId('kyc/2'));
    expect(isId('x')).to.equal(false);
    expect(isId(undefined)).to.equal(false);
  });
});

describe('money', () => {
  it('keeps every minor unit between the wire and the inside', () => {
    fc.assert(fc.property(fc.bigInt(0n, 10n ** 14n - 1n), fc.constantFrom('EUR', 'JPY', 'KWD', 'CHF'), (minor, currency) => {
      expect(parseMoney(formatMoney({ minor, currency }))).to.deep.equal({ minor, currency });
    }));
  });

  it('writes exactly the decimals of the currency', () => {
    expect(formatMoney({ minor: 5n, currency: 'EUR' })).to.deep.equal({ amount: '0.05', currency: 'EUR' });
    expect(formatMoney({ minor: -1250n, currency: 'EUR' }).amount).to.equal('-12.50');
    expect(formatMoney({ minor: 5n, currency: 'JPY' }).amount).to.equal('5');
    expect(formatMoney({ minor: 5n, currency: 'KWD' }).amount).to.equal('0.005');
  });

  it('accepts fewer decimals and a minus only where one may stand', () => {
    expect(parseMoney({ amount: '12.5', currency: 'EUR' }).minor).to.equal(1250n);
    expect(parseMoney({ amount: '-0.01', currency: 'EUR' }, { signed: true }).minor).to.equal(-1n);
  });

  for (const [why, wire] of [
    ['a number', { amount: 12.5, currency: 'EUR' }], ['more decimals than the currency has', { amount: '1.005', currency: 'EUR' }],
    ['decimals of a currency without', { amount: '1.0', currency: 'JPY' }], ['a minus', { amount: '-1.00', currency: 'EUR' }],
    ['an exponent', { amount: '1e3', currency: 'EUR' }], ['a leading zero', { amount: '007', currency: 'EUR' }],
    ['a blank', { amount: ' 1', currency: 'EUR' }], ['no digits after the point', { amount: '1.', currency: 'EUR' }],
    ['too many digits', { amount: '100000000000000', currency: 'EUR' }], ['another script', { amount: '١', currency: 'EUR' }],
    ['an unknown currency', { amount: '1', currency: 'EUX' }], ['a lower-case currency', { amount: '1', currency: 'eur' }],
    ['gold', { amount: '1', currency: 'XAU' }], ['nothing', undefined],
  ] as const) {
    it(`refuses ${why}`, () => expect(codeOf(() => parseMoney(wire as never))).to.equal('invalid_amount'));
  }

  it('adds, subtracts and compares within a currency only', () => {
    const a = { minor: 3n, currency: 'EUR' };
    expect(addMoney(a, a).minor).to.equal(6n);
    expect(subtractMoney(zero('EUR'), a).minor).to.equal(-3n);
    expect([compareMoney(a, a), compareMoney(zero('EUR'), a), compareMoney(a, zero('EUR'))]).to.deep.equal([0, -1, 1]);
    for (const combine of [addMoney, subtractMoney, compareMoney]) expect(() => combine(a, zero('USD'))).to.throw(RangeError);
  });
});

describe('settings', () => {
  const spec = {
    NAME: text({ explain: 'a name' }), AT: port({ default: 80, explain: 'a port' }), ON: flag({ default: false, explain: 'a switch' }),
    KEY: bytes32({ explain: 'a key' }), PASS: secret({ explain: 'a password' }), PLACE: url({ optional: true, explain: 'a place' }),
    MOST: integer({ min: 1, max: 5, explain: 'a bound' }), MOOD: oneOf(['good', 'bad'], { explain: 'a mood' }), ALL: list({ explain: 'names' }),
  };
  const good = { NAME: 'n', KEY: Buffer.alloc(32, 1).toString('base64'), PASS: 'sixteen-characters', MOST: '5', MOOD: 'bad', ALL: 'a, b,,c' };

  it('are read with their types, defaults and absences', () => {
    const { KEY, ...rest } = readSettings(spec, good);
    expect(KEY.length).to.equal(32);
    expect(rest).to.deep.equal({ NAME: 'n', AT: 80, ON: false, PASS: 'sixteen-characters', PLACE: undefined, MOST: 5, MOOD: 'bad', ALL: ['a', 'b', 'c'] });
  });

  it('tell all faults at once, with what each setting is for, and no value', () => {
    const bad = { AT: '70000', ON: 'yes', KEY: 'c2hvcnQ=', PASS: 'hunter2', PLACE: 'nowhere', MOST: '5e0', MOOD: 'so-so', ALL: '' };
    const fault = ((): unknown => { try { return readSettings(spec, bad); } catch (thrown) { return thrown; } })() as SettingsError;
    expect(fault).to.be.instanceOf(SettingsError);
    expect(fault.faults).to.have.length(Object.keys(spec).length);
    expect(fault.message).to.include('NAME is missing: a name');
    for (const value of ['70000', 'hunter2', 'c2hvcnQ=', 'nowhere']) expect(fault.message).to.not.include(value);
  });
});

describe('cursors', () => {
  it('come back as they were', () => {
    expect(decodeCursor<{ at: string; n: number }>(encodeCursor({ at: '2026-01-01', n: 3 }), ['at', 'n'])).to.deep.equal({ at: '2026-01-01', n: 3 });
  });

  for (const [why, cursor] of [
    ['text that is none', '%%'], ['JSON of another shape', Buffer.from('[1]').toString('base64url')], ['no JSON', Buffer.from('{').toString('base64url')],
    ['nested values', Buffer.from('{"id":{"$gt":""}}').toString('base64url')], ['other fields', encodeCursor({ other: 1 })], ['a very long one', 'a'.repeat(2000)],
  ] as const) {
    it(`are refused when given ${why}`, () => expect(codeOf(() => decodeCursor(cursor, ['id']))).to.equal('invalid_cursor'));
  }
});

describe('problems', () => {
  it('have a code, a title and an error status each', () => {
    for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
      expect(code).to.match(/^[a-z_]+$/);
      expect(status).to.be.within(400, 599);
      expect(title).to.have.length.above(5);
    }
  });

  it('become RFC 9457 bodies whose standard members cannot be overwritten', () => {
    const body = toProblemBody(problem('payment_not_found', 'Look again.', { status: 200, code: 'x', hint: 'h' }), { correlationId: 'c-1' });
    expect(body).to.deep.equal({
      type: 'urn:kontor:problem:payment_not_found', title: 'No such payment', status: 404, detail: 'Look again.', code: 'payment_not_found', correlationId: 'c-1', hint: 'h',
    });
  });
});

describe('the log', () => {
  const lines = (write: (logger: ReturnType<typeof createLogger>) => void, level = 'info'): Record<string, unknown>[] => {
    const stream = new PassThrough();
    write(createLogger('desk', level, stream));
    return String(stream.read() ?? '').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('writes allowed fields only', () => {
    const [line] = lines((logger) => logger.info('hello', { correlationId: 'c', status: 200, name: 'Ada Example', body: { iban: 'x' } } as never));
    expect(line).to.include({ service: 'desk', level: 'info', message: 'hello', correlationId: 'c', status: 200 });
    expect(Object.keys(line ?? {})).to.have.members(['service', 'level', 'message', 'time', 'correlationId', 'status']);
  });

  it('blanks account numbers, card numbers, tokens and passwords even in the text of an error', () => {
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln';
    const [line] = lines((logger) => logger.error('failed', {
      error: new Error(`DE89370400440532013000 and DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111, ${token}, postgres://u:hunter2@h/d`, { cause: new Error('GB29NWBK60161331926819') }),
    }));
    const written = JSON.stringify(line);
    for (const secretText of ['DE89', '0130 00', '4111', 'eyJ', 'hunter2', 'GB29']) expect(written).to.not.include(secretText);
    expect(written).to.include('[iban]').and.include('[token]').and.include('"cause"');
  });

  it('leaves out what is below its level', () => {
    expect(lines((logger) => logger.info('quiet'), 'warn')).to.deep.equal([]);
  });
});

describe('the consent decision record', () => {
  const record = { version: 3, status: 'authorised', clientId: 'c', customerId: 'p', permissions: ['balances:read'], accounts: ['a'], expiresAt: 1_900_000_000 };

  it('is read when it is exactly a record', () => {
    expect(parseDecision(JSON.stringify(record))).to.deep.equal(record);
    expect(parseDecision(JSON.stringify({ ...record, status: 'denied', reason: 'revoked' }))?.reason).to.equal('revoked');
  });

  for (const [why, change] of [
    ['has no version', { version: undefined }], ['has an unknown status', { status: 'ok' }], ['has permissions that are no list', { permissions: 'all' }],
    ['has accounts that are no text', { accounts: [1] }], ['has no client', { clientId: '' }], ['never expires', { expiresAt: null }], ['has an unknown reason', { reason: 'whim' }],
  ] as const) {
    it(`is refused when it ${why}`, () => expect(parseDecision(JSON.stringify({ ...record, ...change }))).to.equal(undefined));
  }

  it('is refused when it is no JSON, or null', () => {
    expect([parseDecision(''), parseDecision('null'), parseDecision('{')]).to.deep.equal([undefined, undefined, undefined]);
  });
});

describe('A key two processes share', () => {
  it('is that key, whole and alone', () => {
    expect(sameKey('a-key-of-two-processes', 'a-key-of-two-processes')).to.equal(true);
    for (const sent of [undefined, '', 'a-key-of-two-processe', 'a-key-of-two-processes ', ['a-key-of-two-processes']])
      expect(sameKey(sent, 'a-key-of-two-processes'), String(sent)).to.equal(false);
  });
});

