/** A consent, and the accounts it is about, in the customer's words. Pure. */
import { friendlyFormatIBAN } from 'ibantools';
import type { Consent, OfferedAccount } from './consent.js';
import type { BalanceDisplay } from './pages-balances.js';
import type { Tongue } from './pages-words.js';
import { linkedHash } from './sca.js';

export interface Row { label: string; value: string; kind?: 'iban' }

/** What stands on a page about a consent. */
export interface Summary {
  heading: string;
  amount?: string;
  payee?: string;
  permissions: [string, string][];
  rows: Row[];
  notes: string[];
}

/** The terms the customer is asked for: those of a pending amendment, else the consent's own. */
export const termsAsked = (consent: Consent): Pick<Consent, 'permissions' | 'expiresAt' | 'frequencyPerDay'> => consent.amendment ?? consent;

/** What approval is linked to: everything on the screen, and nothing else. */
export const screenHash = (consent: Consent, accounts: string[]): Buffer => {
  const { permissions, expiresAt, frequencyPerDay } = termsAsked(consent);
  const { id, version, clientId, type, payment, recurring, bulk, oneOff } = consent;
  return linkedHash({ consentId: id, version, clientId, type, permissions, expiresAt, accounts, terms: payment ?? recurring ?? bulk ?? [oneOff, frequencyPerDay ?? null] });
};

export function summaryOf(consent: Consent, application: string, tongue: Tongue): Summary {
  const { request } = tongue.words;
  const { payment, recurring, bulk } = consent;
  if (payment) {
    return {
      heading: request.asksPayment(application), amount: tongue.money(payment.amount), payee: payment.creditor.name, permissions: [], notes: [request.paysOnce],
      rows: [...payeeRows(payment, tongue), ...dayRow(payment, tongue)],
    };
  }
  if (bulk) {
    return {
      heading: request.asksBulk(application), amount: tongue.money(bulk.total), permissions: [], notes: [bulk.digest ? request.paysFile : request.paysBulk],
      rows: [
        { label: request.payments, value: String(bulk.transactions) }, ...dayRow(bulk, tongue),
        ...(bulk.digest ? [{ label: request.file, value: bulk.digest, kind: 'iban' as const }] : []),
      ],
    };
  }
  if (recurring) {
    return {
      heading: request.asksRecurring(application), permissions: [], notes: [request.endAnyTime],
      rows: [
        ...payeeRows(recurring, tongue),
        { label: request.mostEach, value: tongue.money(recurring.maximumPerPayment) },
        ...recurring.periodicLimits.map(({ maximum, period }) => ({ label: request.mostAltogether, value: tongue.words.per(tongue.money(maximum), tongue.words.periods[period] ?? period) })),
        ...(consent.validFrom && consent.validFrom > consent.createdAt ? [{ label: request.from, value: tongue.date(consent.validFrom) }] : []),
        { label: request.howLong, value: tongue.words.until(tongue.date(consent.expiresAt)) },
      ],
    };
  }
  const asked = termsAsked(consent);
  const funds = consent.type === 'funds-confirmation';
  return {
    heading: funds ? request.asksFunds(application) : request.asksAccess(application),
    permissions: funds ? [] : asked.permissions.map((permission) => tongue.words.permissions[permission] ?? [permission, '']),
    rows: [
      { label: request.howLong, value: consent.oneOff ? request.once : tongue.words.until(tongue.date(asked.expiresAt)) },
      ...(asked.frequencyPerDay === undefined ? [] : [{ label: request.howOften, value: request.unattended(asked.frequencyPerDay) }]),
    ],
    notes: [
      ...(consent.amendment ? [request.replaces(tongue.date(consent.approvals[0]?.at ?? consent.createdAt))] : []),
      funds ? request.fundsOnly : request.doesNotSee, request.endAnyTime,
    ],
  };
}

const dayRow = ({ requestedExecutionDate }: { requestedExecutionDate?: string }, tongue: Tongue): Row[] =>
  (requestedExecutionDate ? [{ label: tongue.words.request.on, value: tongue.date(new Date(`${requestedExecutionDate}T12:00:00Z`)) }] : []);

function payeeRows(terms: { creditor: { name: string; iban: string }; remittance?: string }, { words: { request } }: Tongue): Row[] {
  return [
    { label: request.to, value: terms.creditor.name },
    { label: request.iban, value: friendlyFormatIBAN(terms.creditor.iban) ?? terms.creditor.iban, kind: 'iban' },
    ...(terms.remittance ? [{ label: request.reference, value: terms.remittance }] : []),
  ];
}

/** Enough of the IBAN for its holder to know it, too little for anybody looking over the shoulder. */
export const maskedIban = (iban: string): string => `${iban.slice(0, 2)} •••• ${iban.slice(-4)}`;

export const accountName = (account: Pick<OfferedAccount, 'iban' | 'currency' | 'product'>, { words }: Tongue): string =>
  `${words.products[account.product] ?? account.product}, ${account.currency}, ${maskedIban(account.iban)}`;

export interface Choice { id: string; name: string; iban: string; balance?: string; joint: boolean; checked: boolean }

/** The accounts to choose from. `chosen`: what was ticked when the form came back with a fault. */
export function choicesOf(offered: OfferedAccount[], show: {
  display: BalanceDisplay; balances: Map<string, { amount: string; currency: string }>; chosen?: string[]; tongue: Tongue;
}): Choice[] {
  const { display, balances, tongue } = show;
  const balanceOf = ({ id, currency }: OfferedAccount): string => {
    if (display === 'masked') return `•••• ${currency}`;
    const known = balances.get(id);
    return known ? tongue.money(known) : tongue.words.decision.balanceAway;
  };
  return offered.map((account, index) => ({
    id: account.id, name: `${tongue.words.products[account.product] ?? account.product} · ${account.currency}`, iban: maskedIban(account.iban),
    joint: account.holders.length > 1, checked: show.chosen ? show.chosen.includes(account.id) : index === 0,
    ...(display === 'hidden' ? {} : { balance: balanceOf(account) }),
  }));
}

/** What the customer's telephone is told: the same facts as the screen. `accounts` are named with the last digits only. */
export function messageText(consent: Consent, application: string, accounts: string[], tongue: Tongue): string {
  const { messages } = tongue.words;
  const from = messages.fromAccounts(tongue.list(accounts));
  const iban = (text: string): string => friendlyFormatIBAN(text) ?? text;
  const { payment, recurring, bulk } = consent;
  if (bulk) return `${messages.bulk(String(bulk.transactions), tongue.money(bulk.total), application)} ${from}`;
  if (payment) return `${messages.payment(tongue.money(payment.amount), payment.creditor.name, iban(payment.creditor.iban), application)} ${from}`;
  if (recurring) {
    const limits = recurring.periodicLimits.map(({ maximum, period }) => tongue.words.per(tongue.money(maximum), tongue.words.periods[period] ?? period));
    return `${messages.recurring(tongue.money(recurring.maximumPerPayment), recurring.creditor.name, iban(recurring.creditor.iban), application, tongue.list(limits))} ${from}`;
  }
  if (consent.type === 'funds-confirmation') return `${messages.funds(application)} ${from}`;
  const asked = termsAsked(consent);
  const what = tongue.list(asked.permissions.map((permission) => tongue.words.permissions[permission]?.[0] ?? permission));
  return `${messages.access(application, what, tongue.words.until(tongue.date(asked.expiresAt)))} ${from}`;
}
