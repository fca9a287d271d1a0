/**
 * Challenges and the messages that carry them. All SQL on the tables `challenges` and `messages` is here. Each step that
 * must happen once is one statement, so that two requests at the same moment cannot both have it.
 */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import type { Database } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { CHALLENGE_LIFE_MS, MOST_TRIES, standingOf, type Challenge, type Method, type Purpose, type Standing } from './sca.js';
import { seal, unseal } from '@kontor/kernel/sealing';

export interface NewChallenge {
  customerId: string;
  purpose: Purpose;
  consentId?: string;
  method: Method;
  linkedHash: Buffer;
  /** The message to the customer's telephone, in his language; `code` is six digits, or two that both screens show. */
  text(code: string): string;
  /** The challenge this one takes the place of. */
  replaces?: string;
  now: Date;
}

/** `passed`: once, and never again. `wrong`: with what is left of the tries. `changed`: the screen no longer shows what was linked. */
export type Proof =
  | { kind: 'passed'; method: Method }
  | { kind: 'wrong'; left: number }
  | { kind: 'pending' | 'denied' | 'used' | 'over' | 'changed' };

export interface Message { messageId: string; text: string; createdAt: string }
export interface Approval { approvalId: string; status: 'pending' | 'approved' | 'denied' | 'expired'; text: string; createdAt: string; expiresAt: string }

export interface Challenges {
  /** @returns its id, and for decoupled the two digits both screens show */
  open(challenge: NewChallenge): Promise<{ id: string; check?: string }>;
  /** How a challenge of this customer stands; `over` for one that is not his. */
  standing(id: string, customerId: string, now: Date): Promise<Standing>;
  /** @param checkTotp accepts an authenticator's code once */
  prove(attempt: { id: string; customerId: string; linkedHash: Buffer; code: string; now: Date; checkTotp(): Promise<boolean> }): Promise<Proof>;
  messages(customerId: string): Promise<Message[]>;
  approvals(customerId: string, now: Date): Promise<Approval[]>;
  /** The customer's device answers. The same answer again changes nothing. @throws Problem `not_found`, `invalid_state` */
  decide(approvalId: string, customerId: string, decision: 'approve' | 'deny', now: Date): Promise<Approval>;
  /** Deletes what is older than 30 days. */
  forgetOld(now: Date): Promise<void>;
}

interface Row {
  id: string; customer_id: string; purpose: Purpose; method: Method; linked_hash: Buffer; code_hash: Buffer | null; decision: Challenge['decision'];
  tries: number; created_at: Date; expires_at: Date; used_at: Date | null; voided_at: Date | null;
}

const fromRow = (row: Row): Challenge => ({
  id: row.id, customerId: row.customer_id, purpose: row.purpose, method: row.method, linkedHash: row.linked_hash, codeHash: row.code_hash,
  decision: row.decision, tries: row.tries, createdAt: row.created_at, expiresAt: row.expires_at, usedAt: row.used_at, voidedAt: row.voided_at,
});

export function challenges(database: Database, key: Buffer): Challenges {
  const keyed = (id: string, code: string): Buffer => createHmac('sha256', key).update(`challenges|code_hash|${id}|${code}`).digest();
  const placeOf = (messageId: string): string => `messages|text_sealed|${messageId}`;
  const find = async (id: string, customerId: string): Promise<Challenge | undefined> => {
    const [row] = await database.query<Row>('SELECT * FROM challenges WHERE id = $1 AND customer_id = $2', [id, customerId]);
    return row && fromRow(row);
  };
  /** The one statement that uses a challenge up. */
  const use = async (id: string, now: Date): Promise<boolean> =>
    (await database.query('UPDATE challenges SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL AND expires_at > $2 RETURNING 1', [id, now])).length === 1;
  const refusal = (standing: Standing): Proof => ({ kind: standing === 'used' || standing === 'denied' ? standing : 'over' });

  const proveByDevice = async (challenge: Challenge, now: Date): Promise<Proof> => {
    const standing = standingOf(challenge, now);
    if (standing === 'open') return { kind: 'pending' };
    if (standing !== 'approved') return refusal(standing);
    return (await use(challenge.id, now)) ? { kind: 'passed', method: 'decoupled' } : { kind: 'used' };
  };

  const list = async (customerId: string): Promise<(Row & { message_id: string; text: string })[]> => {
    const rows = await database.query<Row & { message_id: string; text_sealed: Buffer; sent_at: Date }>(
      `SELECT c.*, m.id AS message_id, m.text_sealed FROM messages m JOIN challenges c ON c.id = m.challenge_id
       WHERE m.customer_id = $1 ORDER BY m.created_at DESC, m.id DESC LIMIT 50`, [customerId]);
    return rows.map((row) => ({ ...row, text: unseal(key, placeOf(row.message_id), row.text_sealed).toString() }));
  };

  return {
    async open({ customerId, purpose, consentId, method, linkedHash, text, replaces, now }) {
      const id = newId();
      const code = method === 'message' ? sixDigits() : String(randomInt(10, 100));
      await database.transaction(async (tx) => {
        if (replaces) await database.query('UPDATE challenges SET voided_at = $3 WHERE id = $1 AND customer_id = $2 AND used_at IS NULL', [replaces, customerId, now], tx);
        await database.query(
          `INSERT INTO challenges (id, customer_id, purpose, consent_id, method, linked_hash, code_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [id, customerId, purpose, consentId ?? null, method, linkedHash, method === 'message' ? keyed(id, code) : null, now, new Date(now.getTime() + CHALLENGE_LIFE_MS)], tx);
        if (method === 'totp') return;
        const messageId = newId();
        await database.query('INSERT INTO messages (id, customer_id, challenge_id, text_sealed, created_at) VALUES ($1, $2, $3, $4, $5)',
          [messageId, customerId, id, seal(key, placeOf(messageId), Buffer.from(text(code))), now], tx);
      });
      return { id, ...(method === 'decoupled' ? { check: code } : {}) };
    },
    async standing(id, customerId, now) {
      const found = await find(id, customerId);
      return found ? standingOf(found, now) : 'over';
    },
    async prove({ id, customerId, linkedHash, code, now, checkTotp }) {
      const found = await find(id, customerId);
      if (!found) return { kind: 'over' };
      if (!found.linkedHash.equals(linkedHash)) {
        await database.query('UPDATE challenges SET voided_at = $2 WHERE id = $1 AND used_at IS NULL', [id, now]);
        return { kind: 'changed' };
      }
      if (found.method === 'decoupled') return proveByDevice(found, now);
      // The try is counted before the code is looked at: guesses sent at the same moment share the three.
      const [row] = await database.query<Row>(
        `UPDATE challenges SET tries = tries + 1
         WHERE id = $1 AND used_at IS NULL AND voided_at IS NULL AND expires_at > $2 AND tries < $3 RETURNING *`, [id, now, MOST_TRIES]);
      if (!row) return refusal(standingOf((await find(id, customerId)) ?? found, now));
      const right = row.code_hash ? timingSafeEqual(row.code_hash, keyed(id, code)) : await checkTotp();
      if (!right) return { kind: 'wrong', left: MOST_TRIES - row.tries };
      return (await use(id, now)) ? { kind: 'passed', method: row.method } : { kind: 'used' };
    },
    async messages(customerId) {
      return (await list(customerId)).map((row) => ({ messageId: row.message_id, text: row.text, createdAt: row.created_at.toISOString() }));
    },
    async approvals(customerId, now) {
      return (await list(customerId)).filter((row) => row.method === 'decoupled').map((row) => approvalOf(row, now));
    },
    async decide(approvalId, customerId, decision, now) {
      await database.query(
        `UPDATE challenges SET decision = $3 WHERE id = $1 AND customer_id = $2 AND method = 'decoupled' AND decision IS NULL
           AND used_at IS NULL AND voided_at IS NULL AND expires_at > $4`, [approvalId, customerId, decision, now]);
      const row = (await list(customerId)).find((one) => one.id === approvalId && one.method === 'decoupled');
      if (!row) throw problem('not_found', 'This customer has no approval with this id.');
      if (row.decision !== decision) throw problem('invalid_state', row.decision ? 'This approval was decided the other way.' : 'This approval has expired.');
      return approvalOf(row, now);
    },
    async forgetOld(now) {
      await database.query(`DELETE FROM challenges WHERE created_at < $1::timestamptz - interval '30 days'`, [now]);
    },
  };
}

function approvalOf(row: Row & { text: string }, now: Date): Approval {
  const open = standingOf(fromRow(row), now) === 'open';
  const status = row.decision === 'approve' ? 'approved' : row.decision === 'deny' ? 'denied' : open ? 'pending' : 'expired';
  return { approvalId: row.id, status, text: row.text, createdAt: row.created_at.toISOString(), expiresAt: row.expires_at.toISOString() };
}

/** Any of a million, each as likely (RTS on SCA, article 4(3)(a): no guess from an earlier code). */
const sixDigits = (): string => String(randomInt(0, 1_000_000)).padStart(6, '0');
