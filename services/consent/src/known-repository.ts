/** What other services have told: applications, customers, accounts and their holders, and what the gateway decided. All SQL on it. */
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventData } from '@kontor/kernel/events';
import type { Consents, OfferedAccount } from './consent.js';

/** When a consent was last used, and how often it has been. */
export interface Usage { lastUsedAt?: Date; accesses: number }

export interface Known extends Pick<Consents, 'accountsOf' | 'applicationName'> {
  putCustomer(tx: Tx, customer: { id: string; givenName: string; active: boolean }): Promise<void>;
  /** @returns the consents this customer has given or is to give */
  deactivateCustomer(tx: Tx, customerId: string): Promise<string[]>;
  putAccount(tx: Tx, account: OfferedAccount): Promise<void>;
  closeAccount(tx: Tx, accountId: string): Promise<void>;
  putApplication(tx: Tx, application: { clientId: string; name: string }): Promise<void>;
  putDecisions(tx: Tx, decided: EventData<'access.decided'>): Promise<void>;
  usageOf(consentIds: string[]): Promise<Map<string, Usage>>;
}

export function knownRepository(database: Database): Known {
  return {
    async accountsOf(customerId) {
      return database.query<OfferedAccount>(
        `SELECT a.id, a.iban, a.currency, a.product, (SELECT array_agg(h.customer_id ORDER BY h.customer_id) FROM account_holders h WHERE h.account_id = a.id) AS holders
         FROM accounts a JOIN account_holders mine ON mine.account_id = a.id AND mine.customer_id = $1 WHERE a.open ORDER BY a.id`, [customerId]);
    },
    async applicationName(clientId) {
      const [row] = await database.query<{ name: string }>('SELECT name FROM applications WHERE client_id = $1', [clientId]);
      return row?.name;
    },
    async putCustomer(tx, { id, givenName, active }) {
      await database.query(
        `INSERT INTO customers (id, given_name, active) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET given_name = excluded.given_name, active = customers.active AND excluded.active`, [id, givenName, active], tx);
    },
    async deactivateCustomer(tx, customerId) {
      await database.query(
        `INSERT INTO customers (id, given_name, active) VALUES ($1, '', false) ON CONFLICT (id) DO UPDATE SET active = false`, [customerId], tx);
      const rows = await database.query<{ id: string }>(
        `SELECT id FROM consents WHERE status IN ('partially_authorised', 'authorised') AND (customer_id = $1 OR approvers @> ARRAY[$1::uuid]) ORDER BY id`, [customerId], tx);
      return rows.map(({ id }) => id);
    },
    async putAccount(tx, { id, holders, iban, currency, product }) {
      await database.query(
        `INSERT INTO accounts (id, customer_id, iban, currency, product) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`, [id, holders[0], iban, currency, product], tx);
      await database.query('INSERT INTO account_holders (account_id, customer_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING', [id, holders], tx);
    },
    async closeAccount(tx, accountId) {
      await database.query('UPDATE accounts SET open = false WHERE id = $1', [accountId], tx);
    },
    async putApplication(tx, { clientId, name }) {
      await database.query(
        'INSERT INTO applications (client_id, name) VALUES ($1, $2) ON CONFLICT (client_id) DO UPDATE SET name = excluded.name', [clientId, name], tx);
    },
    async putDecisions(tx, { consentId, clientId, operation, decision, code, count, lastAt }) {
      await database.query(
        `INSERT INTO consent_decisions AS d (consent_id, client_id, day, operation, decision, code, count, last_at)
         VALUES ($1, $2, ($7::timestamptz AT TIME ZONE 'UTC')::date, $3, $4, $5, $6, $7)
         ON CONFLICT (consent_id, client_id, day, operation, decision, code) DO UPDATE SET count = d.count + excluded.count, last_at = greatest(d.last_at, excluded.last_at)`,
        [consentId, clientId, operation, decision, code ?? '', count, lastAt], tx);
    },
    async usageOf(consentIds) {
      const rows = await database.query<{ consent_id: string; last_at: Date; accesses: string }>(
        `SELECT consent_id, max(last_at) AS last_at, sum(count) AS accesses FROM consent_decisions WHERE consent_id = ANY ($1::uuid[]) AND decision = 'allow' GROUP BY consent_id`, [consentIds]);
      return new Map(rows.map((row) => [row.consent_id, { lastUsedAt: row.last_at, accesses: Number(row.accesses) }]));
    },
  };
}
