/** The rules of customers: what may be registered, how a customer changes, what a know-your-customer outcome means. */
import countries from 'i18n-iso-countries';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { problem } from '@kontor/kernel/problem';

export type CustomerStatus = 'pending' | 'active' | 'under_review' | 'rejected' | 'closed';
/** Outcome of a know-your-customer case, as the kyc service tells it. */
export type KycOutcome = 'approved' | 'review' | 'rejected';

export interface Contact {
  email: string;
  /** E.164. */
  phone?: string;
}

/** What the know-your-customer check looks at. Dates are `YYYY-MM-DD`, countries ISO 3166-1 alpha-2. */
export interface Identity {
  name: { given: string; family: string };
  birthDate: string;
  nationality: string;
  residence: string;
}

export interface Customer extends Identity {
  id: string;
  clientId: string;
  status: CustomerStatus;
  contact: Contact;
  kyc?: { caseId: string; outcome: KycOutcome };
  /** Grows by one with each change. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What the rules need kept: repository.ts keeps it in PostgreSQL. */
export interface Customers {
  find(customerId: string): Promise<Customer | undefined>;
}

export const MINIMUM_AGE_YEARS = 16;
const MAXIMUM_AGE_YEARS = 130;

/** A new customer, pending. @throws Problem invalid_request naming the field */
export function register(wanted: Identity & { contact: Contact }, given: { id: string; clientId: string; now: Date }): Customer {
  return {
    id: given.id,
    clientId: given.clientId,
    status: 'pending',
    ...checkedIdentity(wanted, given.now),
    contact: wanted.contact,
    version: 1,
    createdAt: given.now,
    updatedAt: given.now,
  };
}

/** Changes the named parts. @returns the same customer when nothing differs @throws Problem invalid_state, invalid_request */
export function change(customer: Customer, wanted: Partial<Identity> & { contact?: Contact }, now: Date): Customer {
  if (customer.status === 'closed' || customer.status === 'rejected')
    throw problem('invalid_state', `A ${customer.status} customer cannot be changed.`);
  const next: Customer = { ...customer, ...checkedIdentity({ ...identityOf(customer), ...wanted }, now), contact: wanted.contact ?? customer.contact };
  return changedFields(customer, next).length === 0 ? customer : grown(next, now);
}

/** Ends the relationship. @throws Problem invalid_state unless the customer is active */
export function close(customer: Customer, now: Date): Customer {
  if (customer.status !== 'active') throw problem('invalid_state', `Only an active customer can be closed; this one is ${customer.status}.`);
  return grown({ ...customer, status: 'closed' }, now);
}

/**
 * Takes in a know-your-customer outcome. Events may come late or in another order: the outcome of an older case, and a
 * "review" after the same case was decided, change nothing. Case ids grow with time (UUIDv7), so they tell the order.
 */
export function takeIn(customer: Customer, caseId: string, outcome: KycOutcome, now: Date): Customer {
  if (customer.status === 'closed') return customer;
  const last = customer.kyc;
  if (last && (caseId < last.caseId || (caseId === last.caseId && last.outcome !== 'review'))) return customer;
  if (last && caseId === last.caseId && outcome === 'review') return customer;
  const status: CustomerStatus = outcome === 'approved' ? 'active' : outcome === 'review' ? 'under_review' : 'rejected';
  return grown({ ...customer, status, kyc: { caseId, outcome } }, now);
}

/** @throws Problem precondition_failed when `ifMatch` (an ETag, `"3"`) is not the customer's version */
export function expectVersion(customer: Customer, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== etagOf(customer))
    throw problem('precondition_failed', 'Read the customer again, then repeat the change with its new ETag.');
}

/** The strong entity tag of a version (RFC 9110 §8.8.3). */
export function etagOf(customer: Customer): string {
  return `"${customer.version}"`;
}

const SOURCE = 'customer';

/** The event that tells how `after` differs from `before`; undefined when others need not know. */
export function eventOf(before: Customer | undefined, after: Customer, context: EventContext): Event | undefined {
  const about = { customerId: after.id, clientId: after.clientId };
  const told = { subject: after.id, context, source: SOURCE, now: after.updatedAt };
  if (!before) return newEvent('customer.registered', { ...told, data: { ...about, ...identityOf(after) } });
  if (before.status !== after.status) {
    if (after.status === 'active') return newEvent('customer.activated', { ...told, data: { ...about, name: after.name } });
    if (after.status === 'under_review') return newEvent('customer.placed-under-review', { ...told, data: about });
    if (after.status === 'rejected') return newEvent('customer.rejected', { ...told, data: about });
    return newEvent('customer.closed', { ...told, data: about });
  }
  const changed = changedFields(before, after);
  if (changed.length === 0) return undefined;
  const identityChanged = changed.some((field) => field !== 'contact');
  return newEvent('customer.updated', { ...told, data: { ...about, changed, ...(identityChanged ? identityOf(after) : {}) } });
}

function grown(customer: Customer, now: Date): Customer {
  return { ...customer, version: customer.version + 1, updatedAt: now };
}

function identityOf({ name, birthDate, nationality, residence }: Identity): Identity {
  return { name: { given: name.given, family: name.family }, birthDate, nationality, residence };
}

function changedFields(before: Customer, after: Customer): string[] {
  const fields = ['name', 'birthDate', 'nationality', 'residence', 'contact'] as const;
  const text = (value: Customer[(typeof fields)[number]]): string =>
    typeof value === 'string' ? value : JSON.stringify(Object.entries(value).filter(([, v]) => v !== undefined).sort());
  return fields.filter((field) => text(before[field]) !== text(after[field]));
}

function checkedIdentity(identity: Identity, now: Date): Identity {
  return {
    name: { given: checkedName(identity.name.given, 'name.given'), family: checkedName(identity.name.family, 'name.family') },
    birthDate: checkedBirthDate(identity.birthDate, now),
    nationality: checkedCountry(identity.nationality, 'nationality'),
    residence: checkedCountry(identity.residence, 'residence'),
  };
}

function checkedName(name: string, field: string): string {
  const text = name.normalize('NFC').trim().replace(/\s+/g, ' ');
  if (!/\p{L}/u.test(text) || /[\p{Cc}\p{Cf}<>]/u.test(text)) throw refused(field, 'must be a name');
  return text;
}

/** A calendar date on which a customer of a sensible age was born. Ages are counted in UTC. */
function checkedBirthDate(birthDate: string, now: Date): string {
  const born = new Date(`${birthDate}T00:00:00Z`);
  if (Number.isNaN(born.getTime()) || born.toISOString().slice(0, 10) !== birthDate) throw refused('birthDate', 'must be a date of the calendar');
  if (born > now) throw refused('birthDate', 'must be in the past');
  const age = ageOn(now, born);
  if (age < MINIMUM_AGE_YEARS) throw refused('birthDate', `a customer must be at least ${MINIMUM_AGE_YEARS} years old`);
  if (age > MAXIMUM_AGE_YEARS) throw refused('birthDate', `must lie within the last ${MAXIMUM_AGE_YEARS} years`);
  return birthDate;
}

function ageOn(day: Date, born: Date): number {
  const years = day.getUTCFullYear() - born.getUTCFullYear();
  const hadBirthday = day.toISOString().slice(5, 10) >= born.toISOString().slice(5, 10);
  return hadBirthday ? years : years - 1;
}

function checkedCountry(code: string, field: string): string {
  if (!/^[A-Z]{2}$/.test(code) || !countries.isValid(code)) throw refused(field, 'must be an ISO 3166-1 alpha-2 country code');
  return code;
}

function refused(field: string, message: string): Error {
  return problem('invalid_request', `${field} ${message}.`, { errors: [{ path: `/body/${field.replaceAll('.', '/')}`, message }] });
}
