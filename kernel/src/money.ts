import currencyCodes from 'currency-codes';
import { problem } from './problem.js';

/** An amount in the smallest unit of its currency (cents, fils, yen). Never a `number`. */
export interface Money {
  minor: bigint;
  currency: string;
}

/** The wire form: decimal text with exactly the digits of the currency, ISO 4217 alphabetic code. */
export interface WireMoney {
  amount: string;
  currency: string;
}

/** ISO 4217 codes that are no money one can pay with: metals, bond units, drawing rights, test and no-currency. */
const NOT_PAYABLE = new Set(
  ['XAU', 'XAG', 'XPT', 'XPD', 'XBA', 'XBB', 'XBC', 'XBD', 'XDR', 'XSU', 'XUA', 'XTS', 'XXX']);

/** 14 digits before the point and at most 4 after it stay below 2^63, the `bigint` of PostgreSQL. */
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,13})(?:\.([0-9]+))?$/;

const digitsByCurrency = new Map<string, number>();

/** The decimal places of a currency. @throws Problem invalid_amount when it is none one can pay with */
export function digitsOf(currency: unknown): number {
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency) || NOT_PAYABLE.has(currency))
    throw problem('invalid_amount', 'The currency is not an ISO 4217 code of a payable currency.');
  let digits = digitsByCurrency.get(currency);
  if (digits === undefined) {
    const found = currencyCodes.code(currency);
    if (!found) throw problem('invalid_amount', 'The currency is not an ISO 4217 code of a payable currency.');
    digits = found.digits;
    digitsByCurrency.set(currency, digits);
  }
  return digits;
}

/**
 * Reads the wire form. Decimals may be fewer than the currency has (`12.5` EUR is `12.50`), never more (`1.0` JPY).
 * @param options.signed accept a leading minus (balances); amounts to pay are never negative.
 * @throws Problem invalid_amount, also for a JSON number in place of the text.
 */
export function parseMoney(wire: WireMoney, options: { signed?: boolean } = {}): Money {
  const digits = digitsOf(wire?.currency);
  const match = typeof wire.amount === 'string' ? DECIMAL.exec(wire.amount) : null;
  if (!match) throw problem('invalid_amount', 'An amount is decimal text such as "12.50", with at most 14 digits before the point.');
  const [, sign = '', whole = '0', fraction = ''] = match;
  if (sign && !options.signed) throw problem('invalid_amount', 'The amount must not be negative.');
  if (fraction.length > digits)
    throw problem('invalid_amount', `${wire.currency} has ${digits} decimal places; the amount has ${fraction.length}.`);
  const minor = BigInt(whole + fraction.padEnd(digits, '0'));
  return { minor: sign ? -minor : minor, currency: wire.currency };
}

/** The wire form with exactly the decimals of the currency: `{ minor: 1250n, currency: 'EUR' }` is `12.50`. */
export function formatMoney(money: Money): WireMoney {
  const digits = digitsOf(money.currency);
  const sign = money.minor < 0n ? '-' : '';
  const text = (money.minor < 0n ? -money.minor : money.minor).toString().padStart(digits + 1, '0');
  const amount = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return { amount: sign + amount, currency: money.currency };
}

/** Nothing, in `currency`. */
export function zero(currency: string): Money {
  digitsOf(currency);
  return { minor: 0n, currency };
}

/** a + b. @throws RangeError when the currencies differ: that is a fault of ours, not of the caller. */
export function addMoney(a: Money, b: Money): Money {
  return { minor: a.minor + sameCurrency(a, b).minor, currency: a.currency };
}

/** a - b; may be negative. @throws RangeError when the currencies differ. */
export function subtractMoney(a: Money, b: Money): Money {
  return { minor: a.minor - sameCurrency(a, b).minor, currency: a.currency };
}

/** -1, 0 or 1 as a is less than, equal to or greater than b. @throws RangeError when the currencies differ. */
export function compareMoney(a: Money, b: Money): -1 | 0 | 1 {
  sameCurrency(a, b);
  return a.minor < b.minor ? -1 : a.minor > b.minor ? 1 : 0;
}

function sameCurrency(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`cannot combine ${a.currency} with ${b.currency}`);
  return b;
}
