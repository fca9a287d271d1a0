/** The payment order as one would write it with an ORM: models, and a transaction of finds and creates. It exists to be measured against. */
import { DataTypes, Sequelize } from 'sequelize';
import { CONNECTIONS } from './load.js';
import { AMOUNT_MINOR, CREDITOR, type BenchOrder } from './payment-orders.js';

export interface OrmPayments {
  initiate(order: BenchOrder): Promise<void>;
  close(): Promise<void>;
}

/** The same rows as initiate_payment writes: idempotency key with its answer, payment, status, two events; the consent is read and compared. */
export function ormPayments(url: string): OrmPayments {
  const sequelize = new Sequelize(url, {
    dialect: 'postgres', logging: false, pool: { max: CONNECTIONS, min: 0 }, define: { timestamps: false, freezeTableName: true, underscored: true },
  });
  const { BIGINT, BLOB, BOOLEAN, DATE, INTEGER, JSONB, SMALLINT, TEXT, UUID, ARRAY } = DataTypes;
  const key = { primaryKey: true };
  const Key = sequelize.define('idempotency_keys', {
    clientId: { type: TEXT, ...key }, operation: { type: TEXT, ...key }, key: { type: TEXT, ...key }, requestHash: BLOB, status: INTEGER, response: JSONB,
  });
  const Consent = sequelize.define('authorised_consents', {
    consentId: { type: UUID, ...key }, kind: TEXT, clientId: TEXT, customerId: UUID, debtorAccountIds: ARRAY(UUID), amountMinor: BIGINT, currency: TEXT,
    creditorName: TEXT, creditorIban: TEXT, remittance: TEXT, ended: TEXT, expiresAt: DATE,
  });
  const Payment = sequelize.define('payments', {
    paymentId: { type: UUID, ...key }, clientId: TEXT, customerId: UUID, consentId: UUID, debtorAccountId: UUID, amountMinor: BIGINT, currency: TEXT,
    creditorName: TEXT, creditorIban: TEXT, endToEndId: TEXT, uetr: UUID, status: TEXT, statusAt: DATE, createdAt: DATE, recurring: BOOLEAN, kind: TEXT, fingerprint: BLOB,
  });
  const Status = sequelize.define('payment_statuses', { paymentId: { type: UUID, ...key }, position: { type: SMALLINT, ...key }, status: TEXT, at: DATE });
  const Outbox = sequelize.define('outbox', { id: { type: UUID, ...key }, type: TEXT, routingKey: TEXT, event: JSONB });

  return {
    initiate: ({ events, fingerprint, key: named, hash, ...order }) => sequelize.transaction(async (transaction) => {
      const { paymentId, clientId, consentId, debtorAccountId, createdAt } = order;
      const claimed = await Key.create({ clientId, operation: 'initiatePayment', key: named, requestHash: hash }, { transaction });
      const consent = (await Consent.findByPk(consentId, { transaction }))?.get({ plain: true }) as Record<string, unknown> | undefined;
      const covered = consent && consent.ended === null && consent.clientId === clientId && (consent.debtorAccountIds as string[]).includes(debtorAccountId)
        && Number(consent.amountMinor) === AMOUNT_MINOR && consent.creditorIban === CREDITOR.iban && consent.creditorName === CREDITOR.name;
      if (!covered) throw new Error('the consent does not cover the order');
      await Payment.create({
        ...order, amountMinor: AMOUNT_MINOR, currency: 'EUR', creditorName: CREDITOR.name, creditorIban: CREDITOR.iban, status: 'RCVD', statusAt: createdAt, recurring: false, kind: 'single', fingerprint,
      }, { transaction });
      await Status.create({ paymentId, position: 1, status: 'RCVD', at: createdAt }, { transaction });
      await Outbox.bulkCreate(events.map((event) => ({ id: event.id, type: event.type, routingKey: event.type, event })), { transaction });
      await claimed.update({ status: 201, response: { body: { paymentId } } }, { transaction });
    }),
    close: () => sequelize.close(),
  };
}
