/**
 * The account service's part in a payment, as small as it can be said: holds and balances, with what its SQL functions promise
 * (services/account/migrations). Amounts in cents.
 */

export type HoldState = 'reserved' | 'refused' | 'captured' | 'released' | 'settling' | 'expired';

interface Hold {
  state: HoldState;
  /** The order was heard: amount and creditor are known. */
  heard: boolean;
  minor: number;
  onUs: boolean;
}

export interface PaymentOrder { paymentId: string; minor: number; onUs: boolean }

/** What the account service tells of a payment. */
export type FundsNews = { type: 'funds.reserved'; onUs: boolean } | { type: 'funds.refused'; reason: string } | { type: 'funds.captured' } | { type: 'funds.expired' };

/** Two accounts of the bank, its settlement account, and its suspense account for what no hold covers. */
export class Ledger {
  readonly opening: number;
  readonly booked: Record<'debtor' | 'creditor' | 'settlement' | 'suspense', number>;
  readonly holds = new Map<string, Hold>();
  readonly captures: string[] = [];

  constructor(opening: number) {
    this.opening = opening;
    this.booked = { debtor: opening, creditor: 0, settlement: -opening, suspense: 0 };
  }

  get held(): number {
    return [...this.holds.values()].reduce((sum, { state, minor }) => (state === 'reserved' ? sum + minor : sum), 0);
  }

  reserve({ paymentId, minor, onUs }: PaymentOrder): FundsNews[] {
    const known = this.holds.get(paymentId);
    if (known?.heard) return [];
    if (known?.state === 'released') {
      Object.assign(known, { heard: true, minor, onUs });
      return [];
    }
    const enough = this.booked.debtor - this.held >= minor;
    this.holds.set(paymentId, { state: enough ? 'reserved' : 'refused', heard: true, minor, onUs });
    if (known?.state === 'settling') return [{ type: 'funds.reserved', onUs }, ...this.#settle(paymentId)];
    return enough ? [{ type: 'funds.reserved', onUs }] : [{ type: 'funds.refused', reason: 'AM04' }];
  }

  capture(paymentId: string): FundsNews[] {
    const hold = this.holds.get(paymentId);
    if (!hold) this.holds.set(paymentId, { state: 'settling', heard: false, minor: 0, onUs: false });
    if (!hold || hold.state === 'captured' || hold.state === 'settling') return [];
    if (!hold.heard) throw new Error(`payment ${paymentId} settled after it had been called off`);
    return this.#settle(paymentId);
  }

  release(paymentId: string): void {
    const hold = this.holds.get(paymentId);
    if (!hold) this.holds.set(paymentId, { state: 'released', heard: false, minor: 0, onUs: false });
    else if (hold.state === 'reserved') hold.state = 'released';
  }

  /** The hold's time is over. */
  expire(paymentId: string): FundsNews[] {
    const hold = this.holds.get(paymentId);
    if (hold?.state !== 'reserved') return [];
    hold.state = 'expired';
    return [{ type: 'funds.expired' }];
  }

  #settle(paymentId: string): FundsNews[] {
    const hold = this.holds.get(paymentId)!;
    this.booked[hold.state === 'reserved' ? 'debtor' : 'suspense'] -= hold.minor;
    this.booked[hold.onUs ? 'creditor' : 'settlement'] += hold.minor;
    hold.state = 'captured';
    this.captures.push(paymentId);
    return [{ type: 'funds.captured' }];
  }
}
