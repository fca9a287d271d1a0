import { formatMoney, parseMoney, type WireMoney } from '@kontor/kernel/money';
import { railReference, type OriginalTransaction, type TransactionReference } from '../src/payment-rail.js';
import type { RecallBehaviour } from './behaviour.js';

/** The rail's books: what moves, or has moved, between the bank and everybody else. */

/** Where a movement stands; none while the bank has not answered a transfer. */
export interface Outcome {
  status: 'ACSC' | 'RJCT';
  /** Unix milliseconds; ahead while it is under way. */
  at: number;
  reason?: string;
}

/** One transfer or return. */
export interface Movement {
  /** `railReference` of its message and identification. */
  key: string;
  messageId: string;
  reference: TransactionReference;
  direction: 'from-bank' | 'to-bank';
  kind: 'transfer' | 'return';
  endToEndId: string;
  uetr?: string;
  amount: WireMoney;
  /** Key of the movement a return gives back. */
  returns?: string;
  reason?: string;
  outcome?: Outcome;
  answersQuestions: boolean;
  recall: RecallBehaviour;
}

export type Books = ReturnType<typeof openBooks>;

export function openBooks() {
  const movements = new Map<string, Movement>();

  const named = ({ messageId, reference }: OriginalTransaction): Movement | undefined =>
    messageId === undefined ? undefined : reference ? movements.get(railReference(messageId, reference)) : inMessage(messageId);
  /** The first movement of a message. */
  const inMessage = (messageId: string): Movement | undefined => [...movements.values()].find((movement) => movement.messageId === messageId);

  /** Minor units of a movement that have not been given back. */
  const left = (movement: Movement): bigint => {
    const back = [...movements.values()].filter(({ returns, outcome }) => returns === movement.key && outcome?.status === 'ACSC');
    return back.reduce((rest, { amount }) => rest - parseMoney(amount).minor, parseMoney(movement.amount).minor);
  };

  return {
    named, inMessage, left,
    get: (key: string) => movements.get(key),
    all: (): Movement[] => [...movements.values()],
    enter(movement: Movement): void {
      movements.set(movement.key, movement);
    },
    strike(key: string): void {
      movements.delete(key);
    },
    decide(key: string, outcome: Outcome): void {
      const movement = movements.get(key);
      if (movement) movements.set(key, { ...movement, outcome });
    },
  };
}

/** Money of a movement's currency. */
export function moneyLike(movement: Movement, minor: bigint): WireMoney {
  return formatMoney({ minor, currency: movement.amount.currency });
}
