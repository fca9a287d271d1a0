/** SQL of beneficiaries. */
import { decodeCursor } from '@kontor/kernel/cursor';
import { constraintOf, type Database } from '@kontor/kernel/database';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { isId, newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Found, Page } from './account.js';
import type { Beneficiary, BeneficiaryWish } from './beneficiary.js';
import { paged, strangeCursor } from './paging.js';

interface Row { beneficiary_id: string; account_id: string; name: string; iban: string; reference: string | null; version: string }
const toDomain = (row: Row): Beneficiary => ({
  beneficiaryId: row.beneficiary_id, accountId: row.account_id, name: row.name, iban: row.iban, reference: row.reference, version: Number(row.version) });

export type BeneficiaryRepository = ReturnType<typeof beneficiaryRepository>;

export function beneficiaryRepository(database: Database) {
  const once = (fault: unknown): never => {
    throw constraintOf(fault) === 'beneficiaries_once' ? problem('conflict', 'The account has a beneficiary with this IBAN already. Change that one.') : fault;
  };
  return {
    /** Saves a beneficiary once for an Idempotency-Key. @throws Problem conflict when the account has one with this IBAN */
    create: <Body>(
      request: { key: string; clientId: string; accountId: string; body: BeneficiaryWish }, answer: (beneficiary: Beneficiary) => IdempotentAnswer<Body>,
    ): Promise<IdempotentAnswer<Body>> =>
      idempotent(database, { key: request.key, clientId: request.clientId, operation: 'createBeneficiary', body: request.body, params: { accountId: request.accountId } }, async (tx) => {
        const { name, iban, reference } = request.body;
        const [row] = await database.query<Row>('insert into beneficiaries (beneficiary_id, account_id, name, iban, reference) values ($1, $2, $3, $4, $5) returning *',
          [newId(), request.accountId, name, iban, reference ?? null], tx);
        if (!row) throw new Error('the beneficiary was not saved');
        return answer(toDomain(row));
      }).catch(once),

    async find(accountId: string, beneficiaryId: string): Promise<Beneficiary | undefined> {
      const [row] = await database.query<Row>('select * from beneficiaries where account_id = $1 and beneficiary_id = $2', [accountId, beneficiaryId]);
      return row && toDomain(row);
    },

    /** Oldest first. */
    async list(accountId: string, page: Page): Promise<Found<Beneficiary>> {
      const after = page.cursor === undefined ? null : decodeCursor<{ id: string }>(page.cursor, ['id']).id;
      if (after !== null && !isId(after)) throw strangeCursor();
      const rows = await database.query<Row>(
        'select * from beneficiaries where account_id = $1 and ($2::uuid is null or beneficiary_id > $2) order by beneficiary_id limit $3', [accountId, after, page.limit + 1]);
      return paged(rows.map(toDomain), page.limit, (last) => ({ id: last.beneficiaryId }));
    },

    /** Changes a beneficiary that still has the version that was read; undefined when it has not, or is gone. @throws Problem conflict */
    async replace(beneficiary: Beneficiary, wish: BeneficiaryWish): Promise<Beneficiary | undefined> {
      const [row] = await database.query<Row>(
        'update beneficiaries set name = $3, iban = $4, reference = $5, version = version + 1 where account_id = $1 and beneficiary_id = $2 and version = $6 returning *',
        [beneficiary.accountId, beneficiary.beneficiaryId, wish.name, wish.iban, wish.reference ?? null, beneficiary.version]).catch(once);
      return row && toDomain(row);
    },

    remove: async (accountId: string, beneficiaryId: string): Promise<void> => {
      await database.query('delete from beneficiaries where account_id = $1 and beneficiary_id = $2', [accountId, beneficiaryId]);
    },
  };
}
