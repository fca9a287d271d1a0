/** All storage of the customer service: a change and its event are one transaction. */
import { DataTypes, Op, type InferAttributes, type InferCreationAttributes, type Model, type WhereOptions } from 'sequelize';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { Event, EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { appendEvent } from '@kontor/kernel/outbox';
import { eventOf, type Customer, type Customers, type CustomerStatus, type KycOutcome } from './customer.js';

interface CustomerRow extends Model<InferAttributes<CustomerRow>, InferCreationAttributes<CustomerRow>> {
  id: string;
  client_id: string;
  status: CustomerStatus;
  given_name: string;
  family_name: string;
  birth_date: string;
  nationality: string;
  residence: string;
  email: string;
  phone: string | null;
  kyc_case_id: string | null;
  kyc_outcome: KycOutcome | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export interface CustomerRepository extends Customers {
  /** Keeps a new customer and tells it, once per Idempotency-Key. */
  register(customer: Customer, request: { key: string | undefined; body: unknown; context: EventContext; answer: (customer: Customer) => IdempotentAnswer }): Promise<IdempotentAnswer>;
  /** A page in the order of creation; without `clientId` the customers of every client. */
  list(page: { clientId?: string; status?: CustomerStatus; limit: number; cursor?: string }): Promise<{ customers: Customer[]; nextCursor: string | null }>;
  /** Applies a rule to the customer, locked; keeps and tells what changed. @returns undefined when there is no such customer */
  change(customerId: string, rule: (customer: Customer) => Customer, context: EventContext): Promise<Customer | undefined>;
  /** As `change`, in a transaction already open; `emit` tells the event. */
  changeIn(tx: Tx, customerId: string, rule: (customer: Customer) => Customer, context: EventContext, emit: (event: Event) => Promise<void>): Promise<Customer | undefined>;
}

export function customerRepository(database: Database): CustomerRepository {
  const rows = database.sequelize.define<CustomerRow>('customers', {
    id: { type: DataTypes.UUID, primaryKey: true },
    client_id: DataTypes.TEXT,
    status: DataTypes.TEXT,
    given_name: DataTypes.TEXT,
    family_name: DataTypes.TEXT,
    birth_date: DataTypes.DATEONLY,
    nationality: DataTypes.TEXT,
    residence: DataTypes.TEXT,
    email: DataTypes.TEXT,
    phone: DataTypes.TEXT,
    kyc_case_id: DataTypes.UUID,
    kyc_outcome: DataTypes.TEXT,
    version: DataTypes.INTEGER,
    created_at: DataTypes.DATE,
    updated_at: DataTypes.DATE,
  });

  const changeIn: CustomerRepository['changeIn'] = async (tx, customerId, rule, context, emit) => {
    const row = await rows.findByPk(customerId, { transaction: tx, lock: true });
    if (!row) return undefined;
    const before = fromRow(row);
    const after = rule(before);
    if (after.version === before.version) return before;
    await row.update(toRow(after), { transaction: tx });
    const event = eventOf(before, after, context);
    if (event) await emit(event);
    return after;
  };

  return {
    changeIn,
    async find(customerId) {
      const row = await rows.findByPk(customerId);
      return row ? fromRow(row) : undefined;
    },
    register(customer, { key, body, context, answer }) {
      return idempotent(database, { key, clientId: customer.clientId, operation: 'registerCustomer', body }, async (tx) => {
        await rows.create(toRow(customer), { transaction: tx });
        await appendEvent(database, tx, eventOf(undefined, customer, context)!);
        return answer(customer);
      });
    },
    async list({ clientId, status, limit, cursor }) {
      const where: WhereOptions<InferAttributes<CustomerRow>>[] = [];
      if (clientId !== undefined) where.push({ client_id: clientId });
      if (status !== undefined) where.push({ status });
      if (cursor !== undefined) {
        const { at, id } = decodeCursor<{ at: number; id: string }>(cursor, ['at', 'id']);
        const createdAt = new Date(at);
        where.push({ [Op.or]: [{ created_at: { [Op.gt]: createdAt } }, { created_at: createdAt, id: { [Op.gt]: id } }] });
      }
      const found = await rows.findAll({ where: { [Op.and]: where }, order: [['created_at', 'ASC'], ['id', 'ASC']], limit: limit + 1 });
      const customers = found.slice(0, limit).map(fromRow);
      const last = customers.at(-1);
      const nextCursor = found.length > limit && last ? encodeCursor({ at: last.createdAt.getTime(), id: last.id }) : null;
      return { customers, nextCursor };
    },
    change(customerId, rule, context) {
      return database.transaction((tx) => changeIn(tx, customerId, rule, context, (event) => appendEvent(database, tx, event)));
    },
  };
}

function fromRow(row: CustomerRow): Customer {
  return {
    id: row.id,
    clientId: row.client_id,
    status: row.status,
    name: { given: row.given_name, family: row.family_name },
    birthDate: row.birth_date,
    nationality: row.nationality,
    residence: row.residence,
    contact: { email: row.email, ...(row.phone === null ? {} : { phone: row.phone }) },
    ...(row.kyc_case_id !== null && row.kyc_outcome !== null ? { kyc: { caseId: row.kyc_case_id, outcome: row.kyc_outcome } } : {}),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toRow(customer: Customer): InferCreationAttributes<CustomerRow> {
  return {
    id: customer.id,
    client_id: customer.clientId,
    status: customer.status,
    given_name: customer.name.given,
    family_name: customer.name.family,
    birth_date: customer.birthDate,
    nationality: customer.nationality,
    residence: customer.residence,
    email: customer.contact.email,
    phone: customer.contact.phone ?? null,
    kyc_case_id: customer.kyc?.caseId ?? null,
    kyc_outcome: customer.kyc?.outcome ?? null,
    version: customer.version,
    created_at: customer.createdAt,
    updated_at: customer.updatedAt,
  };
}
