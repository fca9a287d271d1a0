// Derived from kernel/events.asyncapi.yaml by `npm run generate`. Do not edit.

export type Id = string;

export type ClientId = string;

export type Text = string;

export type Texts = string[];

export type CalendarDate = string;

/** ISO 3166-1 alpha-2. */
export type Country = string;

/** ISO 4217. */
export type Currency = string;

/** How many status changes of the payment there had been, this one included: 1, 2, 3, … without gaps. */
export type Sequence = number;

/** ISO 13616, without blanks. */
export type Iban = string;

export type Product = 'current' | 'savings';

/** ISO 20022 ExternalPaymentTransactionStatus1Code. */
export type PaymentStatus = string;

export type DecimalText = string;

export type Score = number;

export type ScreeningMatches = ScreeningMatch[];

/** Decimal text with the digits of the currency. */
export interface Money {
  amount: DecimalText;
  currency: Currency;
}

export interface PersonName {
  given: Text;
  family: Text;
}

/** A party of a payment and its account. */
export interface Party {
  name: Text;
  iban: Iban;
}

/** A hit on a sanctions list. */
export interface ScreeningMatch {
  list: Text;
  entryId: Text;
  score: Score;
}

export interface PaymentOrder {
  paymentId: Id;
  clientId: ClientId;
  customerId: Id;
  consentId: Id;
  debtorAccountId: Id;
  amount: Money;
  creditor: Party;
  endToEndId: Text;
  uetr: Id;
  remittance?: Text;
  requestedExecutionDate?: CalendarDate;
  instant?: boolean;
  deferred?: boolean;
  refundOf?: string;
  bulkPaymentId?: Id;
  standingOrderId?: Id;
}

export interface SubmittedPayment {
  paymentId: Id;
  clientId: ClientId;
  customerId: Id;
  consentId: Id;
  debtorAccountId: Id;
  amount: Money;
  creditor: Party;
  endToEndId: Text;
  uetr: Id;
  remittance?: Text;
  debtor: Party;
  instant?: boolean;
  acceptedAt?: string;
  original?: OriginalTransfer;
}

/** A transfer the rail delivered to us, by the identifications it carried. */
export interface OriginalTransfer {
  railReference: Text;
  endToEndId: Text;
  amount: Money;
  reason?: string;
}

export interface EndedPayment {
  paymentId: Id;
  clientId: ClientId;
  customerId: Id;
  debtorAccountId: Id;
  reason: Text;
  sequence?: Sequence;
}

/** The payment a payment consent is for. */
export interface AuthorisedPayment {
  amount: Money;
  creditor: Party;
  debtorAccountId?: Id;
  remittance?: Text;
  requestedExecutionDate?: CalendarDate;
}

export interface ConsentState {
  consentId: Id;
  clientId: ClientId;
  customerId?: Id;
  consentType: 'account-access' | 'payment' | 'variable-recurring' | 'bulk-payment' | 'funds-confirmation';
  permissions: Texts;
  accounts: Texts;
  payment?: AuthorisedPayment;
  recurring?: RecurringTerms;
  bulk?: BulkTerms;
  expiresAt?: string;
  version?: number;
  reason?: Text;
  daysLeft?: number;
}

/** The one bulk of payments a bulk payment consent is for. */
export interface BulkTerms {
  transactions: number;
  total: Money;
  debtorAccountId?: Id;
  digest?: string;
  requestedExecutionDate?: CalendarDate;
}

/** What a variable recurring consent allows. A payment must fit every limit; the creditor is the one named. */
export interface RecurringTerms {
  maximumPerPayment: Money;
  periodicLimits: PeriodicLimits;
  creditor: Party;
  debtorAccountId?: Id;
  remittance?: Text;
  validFrom: string;
  validUntil: string;
}

export type PeriodicLimits = PeriodicLimit[];

/** The most that may be paid in each period. Periods begin with validFrom (consent) or with the calendar (UTC; weeks on Monday, fortnights with the ISO week of even number, half-years in January and July). */
export interface PeriodicLimit {
  maximum: Money;
  period: 'day' | 'week' | 'fortnight' | 'month' | 'half-year' | 'year';
  alignment: 'consent' | 'calendar';
}

/** Money as ISO 20022 writes it: 18 digits, which is more than one can pay with. */
export interface StatementMoney {
  amount: string;
  currency: Currency;
}

export interface StatementBalance {
  amount: StatementMoney;
  creditDebit: 'CRDT' | 'DBIT';
  date: CalendarDate;
}

export interface StatementEntry {
  reference: string;
  amount: StatementMoney;
  creditDebit: 'CRDT' | 'DBIT';
  reversal: boolean;
  status: string;
  bookingDate?: CalendarDate;
  valueDate?: CalendarDate;
  transactionCode?: Text;
  transactions: StatementTransaction[];
}

export interface StatementTransaction {
  endToEndId?: Text;
  transactionId?: Text;
  instructionId?: Text;
  uetr?: Text;
  amount?: StatementMoney;
  creditDebit?: 'CRDT' | 'DBIT';
  returnReason?: Text;
  remittance?: Text;
}

/** The payload of each event type. */
export interface EventPayloads {
  /** A client registered a customer. */
  'customer.registered': {
    clientId: ClientId;
    customerId: Id;
    name: PersonName;
    birthDate: CalendarDate;
    nationality: Country;
    residence: Country;
  };
  /** KYC approved: the customer may open accounts. */
  'customer.activated': {
    clientId: ClientId;
    customerId: Id;
    name: PersonName;
    legalName?: string;
  };
  /** A compliance officer must look at the customer. */
  'customer.placed-under-review': {
    clientId: ClientId;
    customerId: Id;
  };
  /** KYC refused the customer. */
  'customer.rejected': {
    clientId: ClientId;
    customerId: Id;
  };
  /** Details of the customer changed; the names of the changed fields, and the identity when it changed (it is checked again). */
  'customer.updated': {
    clientId: ClientId;
    customerId: Id;
    changed: Texts;
    name?: PersonName;
    birthDate?: CalendarDate;
    nationality?: Country;
    residence?: Country;
  };
  /** The relationship ended. */
  'customer.closed': {
    clientId: ClientId;
    customerId: Id;
  };
  /** A KYC case wants identity and sanctions checks. */
  'kyc.check-requested': {
    caseId: Id;
    customerId: Id;
    clientId: ClientId;
    name: PersonName;
    birthDate: CalendarDate;
    nationality: Country;
    residence: Country;
  };
  /** The provider has checked identity and sanctions lists. */
  'kyc.check-completed': {
    caseId: Id;
    customerId: Id;
    identity: 'verified' | 'failed' | 'refer';
    screening: 'clear' | 'potential-match';
    matches: ScreeningMatches;
    providerReference: Text;
  };
  /** The case ended well. */
  'kyc.approved': {
    caseId: Id;
    customerId: Id;
    clientId: ClientId;
    decidedBy?: ClientId;
    decisionReason?: Text;
  };
  /** The case waits for a compliance officer. */
  'kyc.review-required': {
    caseId: Id;
    customerId: Id;
    clientId: ClientId;
    reasons: Texts;
  };
  /** The case ended in refusal. */
  'kyc.rejected': {
    caseId: Id;
    customerId: Id;
    clientId: ClientId;
    reasons: Texts;
    decidedBy?: ClientId;
    decisionReason?: Text;
  };
  /** A client asked for an account. */
  'account.requested': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    product: Product;
    currency: Currency;
  };
  /** The core bank opened the account and gave it an IBAN. */
  'core.account-booked': {
    accountId: Id;
    iban: Iban;
    coreReference: Text;
  };
  /** The core bank refused the account. */
  'core.account-refused': {
    accountId: Id;
    reason: Text;
  };
  /** The account can be used. */
  'account.opened': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    iban: Iban;
    currency: Currency;
    product: Product;
    holderName: Text;
    jointHolders?: string[];
  };
  /** The account was not opened. */
  'account.opening-failed': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    reason: Text;
  };
  /** No payment is made from the account until the block is lifted; credits still arrive. */
  'account.blocked': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
  };
  /** The account is closed. */
  'account.closed': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
  };
  /** Money from outside was booked on an account. */
  'account.credited': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    transactionId: Id;
    amount: Money;
    endToEndId: Text;
    railReference: Text;
  };
  /** Money from outside could not be booked. */
  'account.credit-refused': {
    railReference: Text;
    messageId: Text;
    reason: Text;
  };
  /** The amount of a payment is held on the debtor account. */
  'funds.reserved': {
    paymentId: Id;
    accountId: Id;
    holdId: Id;
    debtor: Party;
    onUs?: boolean;
    original?: OriginalTransfer;
  };
  /** The amount of a payment cannot be held. */
  'funds.refused': {
    paymentId: Id;
    accountId: Id;
    reason: Text;
  };
  /** The held amount has left the account. */
  'funds.captured': {
    paymentId: Id;
    accountId: Id;
    transactionId: Id;
    amount: Money;
  };
  /** The hold is gone, the amount is available again. */
  'funds.released': {
    paymentId: Id;
    accountId: Id;
  };
  /** A client initiated a payment on a consent. */
  'payment.initiated': PaymentOrder;
  /** The payment may go to the rail. */
  'payment.submitted': SubmittedPayment;
  /** The ISO 20022 status of a payment changed. */
  'payment.status-changed': {
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    status: PaymentStatus;
    reason?: Text;
    sequence?: Sequence;
  };
  /** The rail has settled the payment. */
  'payment.settled': {
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    debtorAccountId: Id;
    amount: Money;
    sequence?: Sequence;
  };
  /** The payment failed for good. */
  'payment.rejected': EndedPayment;
  /** The client cancelled the payment before it was submitted. */
  'payment.cancelled': EndedPayment;
  /** The rail reported on a payment (pacs.002). */
  'rail.payment-status-reported': {
    paymentId: Id;
    status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT';
    reason?: Text;
    railReference: Text;
  };
  /** The rail delivered money for one of our accounts (pacs.008). */
  'rail.credit-transfer-received': {
    railReference: Text;
    messageId: Text;
    creditorIban: Iban;
    debtor: Party;
    amount: Money;
    endToEndId: Text;
    remittance?: Text;
  };
  /** A client asks a customer for consent. */
  'consent.created': ConsentState;
  /** The customer approved. */
  'consent.authorised': ConsentState;
  /** The customer denied, or time ran out. */
  'consent.rejected': ConsentState;
  /** The customer or the client took the consent back. */
  'consent.revoked': ConsentState;
  /** The consent reached its end. */
  'consent.expired': ConsentState;
  /** The payment the consent was for has been initiated. */
  'consent.consumed': ConsentState;
  /** One holder of a joint account approved; others have yet to. */
  'consent.partially-authorised': ConsentState;
  /** The client gave the consent up. */
  'consent.withdrawn': ConsentState;
  /** The customer approved other terms for a consent, or proved again who he is; it goes on. */
  'consent.amended': ConsentState;
  /** The consent ends in a week or in a day. */
  'consent.expiring': ConsentState;
  /** What the gateway decided under a consent since this was last told; one event for each batch, consent, operation and outcome. */
  'access.decided': {
    consentId: Id;
    clientId: ClientId;
    operation: Text;
    decision: 'allow' | 'refuse';
    code?: string;
    count: number;
    lastAt: string;
  };
  /** A developer registered an application. */
  'app.registered': {
    appId: Text;
    name: Text;
    roles: Texts;
  };
  /** An application has new credentials. */
  'app.credentials-rotated': {
    appId: Text;
  };
  /** Deliveries to an endpoint are given up. */
  'webhook.endpoint-disabled': {
    endpointId: Id;
    clientId: ClientId;
  };
  /** An administrator applied a release of the gateway's state, or tried to. */
  'gateway.configuration-changed': {
    actor: string;
    environment: Text;
    release: string;
    previousRelease?: Text;
    digest: string;
    outcome: 'applied' | 'failed' | 'unknown';
    created: Texts;
    updated: Texts;
    deleted: Texts;
  };
  /** The block of an account is lifted: payments may be made from it again. */
  'account.unblocked': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
  };
  /** The bank changed how far an account may be overdrawn. */
  'account.overdraft-changed': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    limit: Money;
  };
  /** Money that had been received over the rail is sent back to where it came from (pacs.004). */
  'account.credit-returned': {
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    transactionId: Id;
    railReference: string;
    amount: Money;
    endToEndId: Text;
    reason: string;
    recallReference?: string;
  };
  /** The rail asks for money back that it had delivered (camt.056); the bank's staff decide. */
  'account.recall-received': {
    recallId: Id;
    accountId: Id;
    customerId: Id;
    clientId: ClientId;
    amount: Money;
    reason: string;
  };
  /** The bank's staff decided on a recall (camt.029). */
  'account.recall-answered': {
    recallId: Id;
    accountId?: string;
    customerId?: Id;
    clientId?: ClientId;
    recallReference: string;
    outcome: 'accepted' | 'refused';
    reason?: string;
  };
  /** A hold reached its end before the payment ended: the amount is available again. */
  'funds.expired': {
    paymentId: Id;
    accountId: Id;
  };
  /** The rail sent the money of one of our payments back: it is on the debtor's account again. */
  'funds.returned': {
    paymentId: Id;
    accountId: Id;
    transactionId: Id;
    amount: Money;
    railReference: Text;
    reason?: string;
  };
  /** The scheduled check of the ledger found a breach. */
  'ledger.invariant-broken': {
    invariant: Text;
    count: number;
    subjects?: string[];
  };
  /** A booking was reversed by a counter-posting. */
  'ledger.reversed': {
    transactionId: Id;
    reversedTransactionId: Id;
    reason: Text;
    by: Text;
  };
  /** A statement of the rail or the core was taken and matched. */
  'reconciliation.statement-received': {
    statementId: Id;
    source: 'rail' | 'core';
    entries: number;
    matched: number;
    breaks: number;
  };
  /** An entry of a statement or of the ledger has no counterpart. */
  'reconciliation.break-found': {
    breakId: Id;
    statementId?: Id;
    reason: Text;
    amount?: Money;
    paymentId?: Id;
  };
  /** A break was resolved: matched later, or by two members of the staff. */
  'reconciliation.break-resolved': {
    breakId: Id;
    resolution: Text;
    proposedBy?: Text;
    approvedBy?: Text;
  };
  /** A payment that was put off goes on: its day has come, or the staff released it. Funds are reserved now. */
  'payment.due': PaymentOrder;
  /** The rail is asked what became of a payment (pacs.028). */
  'payment.investigation-requested': {
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    endToEndId: Text;
    uetr: Id;
    attempt: number;
    sequence?: Sequence;
  };
  /** A client or the staff ask the rail for the money of a payment back (camt.056). */
  'payment.recall-requested': {
    recallId: Id;
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    amount: Money;
    debtor: Party;
    creditor: Party;
    endToEndId: Text;
    uetr: Id;
    reason: string;
    sequence?: Sequence;
  };
  /** The rail answered a recall (camt.029). */
  'payment.recall-answered': {
    recallId: Id;
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    outcome: 'accepted' | 'refused';
    reason?: string;
    sequence?: Sequence;
  };
  /** Money of a settled payment came back (pacs.004). */
  'payment.returned': {
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    debtorAccountId: Id;
    amount: Money;
    reason?: string;
    sequence?: Sequence;
  };
  /** A payment has stood too long at its status: somebody must look. */
  'payment.escalated': {
    paymentId: Id;
    clientId: ClientId;
    customerId: Id;
    status: PaymentStatus;
    since: string;
    attempts: number;
    sequence?: Sequence;
  };
  /** A bulk of payments was taken. */
  'bulk-payment.received': {
    bulkPaymentId: Id;
    clientId: ClientId;
    customerId: Id;
    consentId: Id;
    transactions: number;
    refused: number;
  };
  /** Every payment of a bulk has ended. */
  'bulk-payment.completed': {
    bulkPaymentId: Id;
    clientId: ClientId;
    customerId: Id;
    status: 'ACSC' | 'PART' | 'RJCT';
    settled: number;
    refused: number;
  };
  /** A client set up a standing order on a consent. */
  'standing-order.created': {
    standingOrderId: Id;
    clientId: ClientId;
    customerId: Id;
    consentId: Id;
    debtorAccountId: Id;
    amount: Money;
    firstExecutionDate: CalendarDate;
  };
  /** A client or the bank's staff ended a standing order. */
  'standing-order.cancelled': {
    standingOrderId: Id;
    clientId: ClientId;
    customerId: Id;
    reason?: Text;
  };
  /** The last payment of a standing order was made, or its consent ended. */
  'standing-order.ended': {
    standingOrderId: Id;
    clientId: ClientId;
    customerId: Id;
    reason: Text;
  };
  /** A payment of a standing order could not be initiated on its day. */
  'standing-order.payment-failed': {
    standingOrderId: Id;
    clientId: ClientId;
    customerId: Id;
    executionDate: CalendarDate;
    reason: Text;
  };
  /** The rail sent the money of one of our payments back (pacs.004). */
  'rail.payment-returned': {
    paymentId?: string;
    amount: Money;
    reason?: string;
    railReference: string;
    endToEndId?: Text;
  };
  /** The rail answered our recall of a payment (camt.029). */
  'rail.recall-answered': {
    recallId?: string;
    paymentId?: Id;
    outcome: 'accepted' | 'refused';
    reason?: string;
    railReference: Text;
  };
  /** The rail asks for a transfer back that it had delivered (camt.056). */
  'rail.recall-received': {
    railReference: string;
    originalReference: string;
    endToEndId: Text;
    amount: Money;
    reason: string;
  };
  /** The rail or the core told its view of the bank's account (camt.053, camt.054), or a part of it. */
  'rail.statement-received': {
    statementReference: string;
    source: 'rail' | 'core';
    message: 'camt.053' | 'camt.054';
    account: Text;
    currency?: Currency;
    part: number;
    parts: number;
    opening?: StatementBalance;
    closing?: StatementBalance;
    entries: StatementEntry[];
  };
  /** An operator sent an event that could not be worked on back to its queue, or discarded it. */
  'dead-letter.resolved': {
    queue: string;
    eventId: string;
    eventType: string;
    cause: Text;
    outcome: 'replayed' | 'discarded';
    actor: string;
    discardReason?: Text;
  };
}

/** Every event type there is. */
export const EVENT_TYPES = [
  'customer.registered',
  'customer.activated',
  'customer.placed-under-review',
  'customer.rejected',
  'customer.updated',
  'customer.closed',
  'kyc.check-requested',
  'kyc.check-completed',
  'kyc.approved',
  'kyc.review-required',
  'kyc.rejected',
  'account.requested',
  'core.account-booked',
  'core.account-refused',
  'account.opened',
  'account.opening-failed',
  'account.blocked',
  'account.closed',
  'account.credited',
  'account.credit-refused',
  'funds.reserved',
  'funds.refused',
  'funds.captured',
  'funds.released',
  'payment.initiated',
  'payment.submitted',
  'payment.status-changed',
  'payment.settled',
  'payment.rejected',
  'payment.cancelled',
  'rail.payment-status-reported',
  'rail.credit-transfer-received',
  'consent.created',
  'consent.authorised',
  'consent.rejected',
  'consent.revoked',
  'consent.expired',
  'consent.consumed',
  'consent.partially-authorised',
  'consent.withdrawn',
  'consent.amended',
  'consent.expiring',
  'access.decided',
  'app.registered',
  'app.credentials-rotated',
  'webhook.endpoint-disabled',
  'gateway.configuration-changed',
  'account.unblocked',
  'account.overdraft-changed',
  'account.credit-returned',
  'account.recall-received',
  'account.recall-answered',
  'funds.expired',
  'funds.returned',
  'ledger.invariant-broken',
  'ledger.reversed',
  'reconciliation.statement-received',
  'reconciliation.break-found',
  'reconciliation.break-resolved',
  'payment.due',
  'payment.investigation-requested',
  'payment.recall-requested',
  'payment.recall-answered',
  'payment.returned',
  'payment.escalated',
  'bulk-payment.received',
  'bulk-payment.completed',
  'standing-order.created',
  'standing-order.cancelled',
  'standing-order.ended',
  'standing-order.payment-failed',
  'rail.payment-returned',
  'rail.recall-answered',
  'rail.recall-received',
  'rail.statement-received',
  'dead-letter.resolved',
] as const satisfies readonly (keyof EventPayloads)[];
