// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your payments, newest first */
        get: operations["listPayments"];
        put?: never;
        /**
         * Initiate a payment on an authorised consent
         * @description Debtor account, amount, creditor and, where the consent names them, remittance and requestedExecutionDate must equal
         *     what the customer authorised in the consent of the access token. Under a variable recurring consent the amount must fit
         *     every limit: else 403 `consent_limit_exceeded` with `limit`, `maximum`, `left` and, where a further period begins,
         *     `nextPeriodAt`. Time is the bank's, UTC.
         *     An order for the same thing (account, amount, creditor, and endToEndId or else remittance, where you name one) within some
         *     minutes is a 409 `duplicate_payment` with the other `paymentId`, unless you say `allowDuplicate`. The bank may limit payments
         *     of a day from one account: 403 `payment_limit_exceeded`. A payment that looks like fraud stands at PDNG until the staff decide
         *     (`pendingFor: review`), or is refused at once (RJCT, FR01).
         *     The payment is durable when this answers 201; it is settled when its status is ACSC.
         *     With `requestedExecutionDate` in the future (at most a year) the payment stands at PDNG until that day; funds are
         *     reserved when it begins. Where the bank has a cut-off time, payments after it or on no business day (TARGET) go on
         *     the next one; instant payments go at every hour. `refundOf` pays a received transaction back, in whole or in part,
         *     to whom it came from.
         *     A repeat with the same Idempotency-Key and body answers the same payment in its current state with
         *     `Idempotency-Replayed: true`; with another body 422; while the first call is still in flight 409.
         */
        post: operations["initiatePayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{paymentId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        /** Read a payment with its status history */
        get: operations["getPayment"];
        put?: never;
        post?: never;
        /**
         * Cancel a payment that is not submitted yet
         * @description Possible while the status is RCVD or PDNG (put off, or held for a review); afterwards 409 invalid_state: recall it. Cancelling a cancelled payment answers it again.
         *     The consent stays used up.
         */
        delete: operations["cancelPayment"];
        options?: never;
        head?: never;
        /**
         * Set your own reference of a payment
         * @description The reference is yours alone, for instance an order number. It never travels to the creditor and can be set in every state.
         */
        patch: operations["updatePayment"];
        trace?: never;
    };
    "/v1/payments/{paymentId}/status": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        /** Read only where a payment stands */
        get: operations["getPaymentStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{paymentId}/recall": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a payment back
         * @description Possible from ACCP on, one recall at a time. Before settlement the rail may still stop the payment (RJCT); afterwards the creditor's bank decides.
         *     `payment.recall-answered` tells its answer; if it accepts, the money comes back and `payment.returned` follows. Refused (409 `invalid_state`)
         *     for a payment that never left the bank, a refund, while a recall is open, and when all has come back.
         */
        post: operations["recallPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/standing-orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your standing orders, newest first */
        get: operations["listStandingOrders"];
        put?: never;
        /**
         * Set up payments that come again and again
         * @description Under a variable recurring consent: its creditor, accounts and maximum hold for the order, and all its limits again for each
         *     payment. A payment is initiated when its day begins at the bank. A day that is no business day (TARGET) moves by the
         *     `holidayRule`; later days are counted from `firstDate`, so the 31st comes back after short months. A payment that cannot be
         *     initiated is told (standing-order.payment-failed) and the next one comes on its day; a day the bank missed is made up within
         *     a week, once, and told as missed after that. When the consent ends, the order ends (standing-order.ended).
         */
        post: operations["createStandingOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/standing-orders/{standingOrderId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                standingOrderId: components["parameters"]["StandingOrderId"];
            };
            cookie?: never;
        };
        /** Read a standing order with its next days and what came of the last */
        get: operations["getStandingOrder"];
        put?: never;
        post?: never;
        /**
         * Cancel a standing order
         * @description No further payment comes. Payments that were initiated go on. Cancelling one that is over answers it again.
         */
        delete: operations["cancelStandingOrder"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payment-reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List payments that are held for a review, longest waiting first
         * @description The score and its reasons say why; a payment that scores higher still is refused without a review.
         */
        get: operations["listPaymentReviews"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payment-reviews/{paymentId}/release": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Propose the release of a held payment, or approve it
         * @description Takes two members of the staff: the first call proposes (`decision: proposed`), the call of another member releases; the
         *     same member again gets 403 four_eyes_required. A released payment goes on at once, or waits for its day. One that is
         *     not held any more: 409 invalid_state.
         */
        post: operations["releasePaymentReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payment-reviews/{paymentId}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refuse a held payment
         * @description Takes one member of the staff. The payment ends at RJCT with the reason; one that is not held any more, 409 invalid_state.
         */
        post: operations["refusePaymentReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stuck-payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List payments that stand too long at their status, longest escalated first
         * @description Each was retried as often as the bank allows (or cannot be), and waits for somebody to find out why. It leaves the list when it
         *     moves. Funds are never freed on a guess: of what went to the rail only the rail's answer decides.
         */
        get: operations["listStuckPayments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk-payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Initiate a bulk of payments on an authorised consent
         * @description Up to 10,000 payments from one account. Their number and total, and where the consent names them execution date and digest, must equal what
         *     the customer authorised. Each payment is checked by itself: what is wrong with one refuses that one (`refusal` in its item), the others
         *     are made on their day. A bulk is taken whole or not at all; the consent is used up by it.
         *     `digest` of a consent for a JSON bulk is the SHA-256 of this body in canonical form (RFC 8785), base64url.
         *     Items of a bulk may be alike: they are not held to be duplicates, and do not count against the daily limits of single payments.
         */
        post: operations["initiateBulkPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk-payments/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Initiate a bulk of payments from a pain.001 file
         * @description ISO 20022 pain.001.001.09 in UTF-8, at most 10,000 transactions in any number of batches (PmtInf); each debtor account (IBAN) must be one the
         *     consent covers. Number of transactions, total, digest (SHA-256 of the file) and execution date must equal what the customer authorised.
         *     A file that is no such message, is cut off, has a document type, or sums that differ from its headers is refused whole (400 `invalid_message`
         *     with `line` and `path`), and nothing is written. What is wrong with one transaction refuses that one: see the status report.
         *     EndToEndId (but for NOTPROVIDED) and InstrId may stand in a file once. ReqdExctnDt: today or later.
         */
        post: operations["initiateBulkPaymentFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk-payments/{bulkPaymentId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        /** Read where a bulk of payments stands */
        get: operations["getBulkPayment"];
        put?: never;
        post?: never;
        /**
         * Cancel what of a bulk is not made yet
         * @description Cancels every item that still waits for its day; items that have become payments go on (cancel them by themselves while that is possible).
         *     409 `invalid_state` when nothing waits. Cancelling again answers the bulk again.
         */
        delete: operations["cancelBulkPayment"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk-payments/{bulkPaymentId}/payments": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        /** List the payments of a bulk in its order */
        get: operations["listBulkPaymentItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bulk-payments/{bulkPaymentId}/status-report": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        /**
         * Read the status report of a bulk
         * @description As JSON, or with `Accept` application/xml as ISO 20022 pain.002.001.10. Every item stands in it.
         */
        get: operations["getBulkPaymentStatusReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Money: {
            /** @description Decimal text with the decimals of the currency, e.g. 12.50. */
            amount: string;
            /** @description ISO 4217. */
            currency: string;
        };
        Creditor: {
            /** @description SEPA character set. */
            name: string;
            /** @description Electronic form without blanks. */
            iban: string;
        };
        PaymentInitiation: {
            /** Format: uuid */
            debtorAccountId: string;
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            /** @description What the creditor reads; SEPA character set. */
            remittance?: string;
            /**
             * Format: date
             * @description Not over (UTC), at most a year ahead. Required where the consent names one, and then the same.
             */
            requestedExecutionDate?: string;
            /** @description To be settled within ten seconds, or refused. */
            instant?: boolean;
            /**
             * Format: uuid
             * @description transactionId of a received transaction of the debtor account: this payment gives it back (pacs.004).
             */
            refundOf?: string;
            /** @description true: I know that I ordered the same a moment ago (409 duplicate_payment). */
            allowDuplicate?: boolean;
            /** @description Travels unchanged to the creditor; SEPA character set, no slash at either end, no double slash (EPC). Default: the payment id without hyphens. */
            endToEndId?: string;
        };
        StandingOrderInitiation: {
            /** Format: uuid */
            debtorAccountId: string;
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            /** @description What the creditor reads; SEPA character set. */
            remittance?: string;
            schedule: components["schemas"]["Schedule"];
        };
        Schedule: {
            /** @enum {string} */
            frequency: "weekly" | "fortnightly" | "monthly" | "quarterly" | "half-yearly" | "yearly";
            /**
             * Format: date
             * @description Today (at the bank) or later, at most a year ahead; later days are counted from it.
             */
            firstDate: string;
            /** @description Always the last day of the month; firstDate is one. */
            endOfMonth?: boolean;
            /** @description How many payments in all. Not with lastDate; without both, until the consent ends. */
            count?: number;
            /**
             * Format: date
             * @description The last day a payment may be planned for.
             */
            lastDate?: string;
            /**
             * @description Where a day that is no business day (TARGET) moves. Default following.
             * @enum {string}
             */
            holidayRule?: "following" | "preceding";
        };
        StandingOrder: {
            /** Format: uuid */
            standingOrderId: string;
            /**
             * @description completed: all payments came; ended: its consent is over (endReason); cancelled: by you.
             * @enum {string}
             */
            status: "active" | "completed" | "ended" | "cancelled";
            endReason?: string;
            /** Format: uuid */
            debtorAccountId: string;
            /** Format: uuid */
            consentId: string;
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            remittance?: string;
            schedule: components["schemas"]["Schedule"];
            /** @description The next days on which a payment comes, after the holiday rule; at most twelve. */
            nextDates: string[];
            /** @description What came of the last days, newest first; at most twelve. Only where one order is read. */
            executions?: components["schemas"]["StandingOrderExecution"][];
            /** Format: date-time */
            createdAt: string;
        };
        StandingOrderExecution: {
            /** Format: date */
            date: string;
            /** Format: uuid */
            paymentId?: string;
            /** @description Why there is no payment: limit_exceeded, missed … */
            reason?: string;
        };
        StandingOrderPage: {
            data: components["schemas"]["StandingOrder"][];
            nextCursor: string | null;
        };
        PaymentUpdate: {
            reference: string;
        };
        /**
         * @description RCVD received · ACTC technically valid, funds held · ACCP accepted, submitted to the payment rail · ACSP in settlement
         *     · ACSC settled · ACCC on the creditor's account · PDNG put off · RJCT refused (see statusReason) · CANC cancelled by you.
         * @enum {string}
         */
        PaymentStatus: "RCVD" | "PDNG" | "ACTC" | "ACCP" | "ACSP" | "ACSC" | "ACCC" | "RJCT" | "CANC";
        /**
         * @description How the payment came about.
         * @enum {string}
         */
        PaymentKind: "single" | "scheduled" | "standing-order" | "bulk" | "refund";
        /** @description ISO 20022 ExternalStatusReason1Code, e.g. AM04 insufficient funds, AC01 wrong account, CUST by request of the customer. */
        StatusReason: string;
        StatusChange: {
            status: components["schemas"]["PaymentStatus"];
            /** Format: date-time */
            at: string;
            reason?: components["schemas"]["StatusReason"];
        };
        Payment: {
            /** Format: uuid */
            paymentId: string;
            kind: components["schemas"]["PaymentKind"];
            status: components["schemas"]["PaymentStatus"];
            statusReason?: components["schemas"]["StatusReason"];
            /**
             * @description What a payment at PDNG waits for; absent once its funds are being reserved.
             * @enum {string}
             */
            pendingFor?: "execution-date" | "review";
            /**
             * Format: date-time
             * @description When a payment that was put off goes on.
             */
            dueAt?: string;
            instant?: boolean;
            /**
             * Format: date-time
             * @description When it reached ACCP; the ten seconds of an instant payment are counted from here.
             */
            acceptedAt?: string;
            /**
             * Format: date-time
             * @description When the bank last asked the rail what became of it.
             */
            investigatedAt?: string;
            /** Format: uuid */
            refundOf?: string;
            /** Format: uuid */
            bulkPaymentId?: string;
            /** Format: uuid */
            standingOrderId?: string;
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            /** Format: uuid */
            debtorAccountId: string;
            /** Format: uuid */
            consentId: string;
            endToEndId: string;
            /**
             * Format: uuid
             * @description Unique end-to-end transaction reference (UUID version 4).
             */
            uetr: string;
            remittance?: string;
            /**
             * Format: date
             * @description If you named one.
             */
            requestedExecutionDate?: string;
            /** @description Your own reference, if you set one. */
            reference?: string;
            /** Format: date-time */
            createdAt: string;
            recall?: components["schemas"]["Recall"];
            /** @description Money that came back, oldest first (getPayment only, as recall). */
            returns?: components["schemas"]["PaymentReturn"][];
            statusHistory: components["schemas"]["StatusChange"][];
        };
        RecallOrder: {
            /**
             * @description ExternalCancellationReason1Code: DUPL paid twice, TECH a technical error, FRAD fraud, CUST the customer wants it back, AC03 wrong account, AM09 wrong amount.
             * @enum {string}
             */
            reason: "DUPL" | "TECH" | "FRAD" | "CUST" | "AC03" | "AM09";
        };
        /** @description The latest recall of a payment. */
        Recall: {
            /** Format: uuid */
            recallId: string;
            /** @enum {string} */
            status: "requested" | "accepted" | "refused";
            reason: string;
            /** Format: date-time */
            requestedAt: string;
            /** Format: date-time */
            answeredAt?: string;
            /** @description Why it was refused (ExternalPaymentCancellationRejection1Code), such as CUST: the creditor does not agree. */
            answerReason?: string;
        };
        PaymentReturn: {
            amount: components["schemas"]["Money"];
            /** @description ExternalReturnReason1Code. */
            reason?: string;
            /** Format: date-time */
            at: string;
        };
        PaymentStatusReport: {
            /** Format: uuid */
            paymentId: string;
            status: components["schemas"]["PaymentStatus"];
            statusReason?: components["schemas"]["StatusReason"];
            /** @description Whether the outcome is certain. */
            final: boolean;
            /**
             * Format: date-time
             * @description When the payment reached this status.
             */
            at: string;
        };
        /** @description Who of the staff decides, as an opaque id of your own; no name. It is kept as <clientId>/<staffMember>. */
        StaffMember: string;
        /** @description For the file; no personal data. */
        Note: string;
        ReleaseDecision: {
            staffMember: components["schemas"]["StaffMember"];
            note?: components["schemas"]["Note"];
        };
        RefusalDecision: {
            staffMember: components["schemas"]["StaffMember"];
            reason: components["schemas"]["StatusReason"];
            note?: components["schemas"]["Note"];
        };
        ReviewDecision: {
            /** Format: uuid */
            paymentId: string;
            /** @enum {string} */
            decision: "proposed" | "released" | "refused";
            status: components["schemas"]["PaymentStatus"];
            /** @enum {string} */
            pendingFor?: "execution-date" | "review";
            proposedBy?: string;
        };
        PaymentReview: {
            /** Format: uuid */
            paymentId: string;
            clientId: string;
            /** Format: uuid */
            customerId: string;
            /** Format: uuid */
            debtorAccountId: string;
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            score: number;
            reasons: string[];
            /** Format: date-time */
            heldAt: string;
            ageSeconds: number;
            /** @description Who proposed the release, as <clientId>/<staffMember>. */
            proposedBy?: string;
            /** Format: date-time */
            proposedAt?: string;
        };
        PaymentReviewPage: {
            data: components["schemas"]["PaymentReview"][];
            nextCursor: string | null;
        };
        StuckPayment: {
            /** Format: uuid */
            paymentId: string;
            clientId: string;
            /** Format: uuid */
            customerId: string;
            /** Format: uuid */
            debtorAccountId: string;
            status: components["schemas"]["PaymentStatus"];
            /** @enum {string} */
            pendingFor?: "execution-date" | "review";
            final: boolean;
            amount: components["schemas"]["Money"];
            /** Format: uuid */
            uetr: string;
            endToEndId: string;
            /** @description How often it was retried at this status. */
            attempts: number;
            /**
             * Format: date-time
             * @description When it reached the status.
             */
            since: string;
            /** Format: date-time */
            escalatedAt: string;
        };
        StuckPayments: {
            data: components["schemas"]["StuckPayment"][];
        };
        PaymentPage: {
            data: components["schemas"]["Payment"][];
            nextCursor: string | null;
        };
        BulkInitiation: {
            /** Format: uuid */
            debtorAccountId: string;
            /**
             * Format: date
             * @description When the payments are made; absent: now.
             */
            requestedExecutionDate?: string;
            /** @description Your own name for the bulk, in reports in place of the message id. Default: its id without hyphens. */
            reference?: string;
            payments: components["schemas"]["BulkItemInitiation"][];
        };
        BulkItemInitiation: {
            /** @description Travels unchanged to the creditor. May stand in a bulk once. Default: NOTPROVIDED. */
            endToEndId?: string;
            /** @description Your own; never sent on. May stand in a bulk once. */
            instructionId?: string;
            amount: components["schemas"]["Money"];
            creditor: {
                name: string;
                iban: string;
            };
            /** @description What the creditor reads; SEPA character set. */
            remittance?: string;
        };
        /**
         * @description Of a bulk and of a batch of it: ACCP all accepted and under way · PART some are not made · ACSC all settled · RJCT none is made.
         * @enum {string}
         */
        BulkStatus: "ACCP" | "PART" | "ACSC" | "RJCT";
        BulkCounts: {
            all: number;
            /** @description When the bulk was taken. */
            refused: number;
            /** @description Before their day. */
            cancelled: number;
            /** @description As payments. */
            rejected: number;
            settled: number;
            /** @description Waiting or under way. */
            open: number;
        };
        BulkPayment: {
            /** Format: uuid */
            bulkPaymentId: string;
            status: components["schemas"]["BulkStatus"];
            /** Format: uuid */
            consentId: string;
            /** @description MsgId of the file, or your reference. */
            messageId: string;
            /** @description SHA-256 of the file, or of the JSON body in canonical form (RFC 8785); base64url. */
            digest: string;
            total: components["schemas"]["Money"];
            transactions: components["schemas"]["BulkCounts"];
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When the last payment ended.
             */
            completedAt?: string;
        };
        BulkRefusal: {
            reason: components["schemas"]["StatusReason"];
            detail: string;
            /** @description Of the file. */
            line?: number;
            /** @description The element of the file or the member of the body. */
            path?: string;
        };
        BulkItem: {
            item: number;
            batchId: string;
            status: components["schemas"]["PaymentStatus"];
            statusReason?: components["schemas"]["StatusReason"];
            refusal?: components["schemas"]["BulkRefusal"];
            /**
             * Format: uuid
             * @description Once it is made.
             */
            paymentId?: string;
            endToEndId: string;
            instructionId?: string;
            /** Format: uuid */
            uetr?: string;
            amount?: components["schemas"]["Money"];
            creditor?: {
                name?: string;
                iban?: string;
            };
            remittance?: string;
        };
        BulkItemPage: {
            data: components["schemas"]["BulkItem"][];
            nextCursor: string | null;
        };
        BulkStatusReport: {
            /** Format: uuid */
            bulkPaymentId: string;
            messageId: string;
            status: components["schemas"]["BulkStatus"];
            /** Format: date-time */
            at: string;
            batches: {
                batchId: string;
                status: components["schemas"]["BulkStatus"];
                payments: {
                    item: number;
                    status: components["schemas"]["PaymentStatus"];
                    endToEndId: string;
                    instructionId?: string;
                    /** Format: uuid */
                    paymentId?: string;
                    reason?: components["schemas"]["StatusReason"];
                    detail?: string;
                }[];
            }[];
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            code: string;
            correlationId: string;
            /** @description Of the file, from 1 (invalid_message). */
            line?: number;
            /** @description The element of the file (invalid_message): /Document/CstmrCdtTrfInitn/PmtInf[2]/CdtTrfTxInf[17]/Amt. */
            path?: string;
            /**
             * @description Which limit of the consent (consent_limit_exceeded), or of the bank (payment_limit_exceeded: daily-count, daily-amount), the payment would break.
             * @enum {string}
             */
            limit?: "payment" | "day" | "week" | "fortnight" | "month" | "half-year" | "year" | "daily-count" | "daily-amount";
            maximum?: components["schemas"]["Money"];
            left?: components["schemas"]["Money"];
            /** Format: date-time */
            nextPeriodAt?: string;
            maximumPayments?: number;
            paymentsLeft?: number;
            /**
             * Format: date-time
             * @description When the next day begins (payment_limit_exceeded).
             */
            nextAt?: string;
            /**
             * Format: uuid
             * @description The payment that ordered the same (duplicate_payment).
             */
            paymentId?: string;
        };
    };
    responses: {
        /** @description A refusal (RFC 9457). */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:invalid_iban",
                 *       "title": "IBAN is not valid",
                 *       "status": 400,
                 *       "detail": "creditor.iban: the check digits are wrong",
                 *       "code": "invalid_iban",
                 *       "correlationId": "01890a5d-ac96-774b-bcce-b302099a8060"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        PaymentId: string;
        BulkPaymentId: string;
        StandingOrderId: string;
        /**
         * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
         * @example 5f1c-order-4711
         */
        IdempotencyKey: string;
        /** @description Page size. */
        Limit: number;
        /** @description nextCursor of the page before. */
        Cursor: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listPayments: {
        parameters: {
            query?: {
                /** @description Only payments that stand at this status. */
                status?: components["schemas"]["PaymentStatus"];
                /** @description Only payments of this kind. */
                kind?: components["schemas"]["PaymentKind"];
                /** @description Only payments ordered on this day (UTC) or later. */
                from?: string;
                /** @description Only payments ordered on this day (UTC) or before. */
                to?: string;
                /** @description Page size. */
                limit?: components["parameters"]["Limit"];
                /** @description nextCursor of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of payments. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *           "kind": "single",
                     *           "status": "RCVD",
                     *           "amount": {
                     *             "amount": "12.50",
                     *             "currency": "EUR"
                     *           },
                     *           "creditor": {
                     *             "name": "Fictional Books Ltd",
                     *             "iban": "DE89370400440532013000"
                     *           },
                     *           "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *           "endToEndId": "INV-4711",
                     *           "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *           "remittance": "Invoice 4711",
                     *           "createdAt": "2026-03-02T09:30:00.000Z",
                     *           "statusHistory": [
                     *             {
                     *               "status": "RCVD",
                     *               "at": "2026-03-02T09:30:00.000Z"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PaymentPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    initiatePayment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
                 * @example 5f1c-order-4711
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                 *       "amount": {
                 *         "amount": "12.50",
                 *         "currency": "EUR"
                 *       },
                 *       "creditor": {
                 *         "name": "Fictional Books Ltd",
                 *         "iban": "DE89370400440532013000"
                 *       },
                 *       "remittance": "Invoice 4711",
                 *       "endToEndId": "INV-4711"
                 *     }
                 */
                "application/json": components["schemas"]["PaymentInitiation"];
            };
        };
        responses: {
            /** @description The payment, as it stands now. */
            201: {
                headers: {
                    /** @description Where the payment is. */
                    Location?: string;
                    /** @description true when this answers a repeated Idempotency-Key. */
                    "Idempotency-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "kind": "single",
                     *       "status": "RCVD",
                     *       "amount": {
                     *         "amount": "12.50",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Books Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "endToEndId": "INV-4711",
                     *       "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *       "remittance": "Invoice 4711",
                     *       "createdAt": "2026-03-02T09:30:00.000Z",
                     *       "statusHistory": [
                     *         {
                     *           "status": "RCVD",
                     *           "at": "2026-03-02T09:30:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The payment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "kind": "single",
                     *       "status": "RCVD",
                     *       "amount": {
                     *         "amount": "12.50",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Books Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "endToEndId": "INV-4711",
                     *       "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *       "remittance": "Invoice 4711",
                     *       "createdAt": "2026-03-02T09:30:00.000Z",
                     *       "statusHistory": [
                     *         {
                     *           "status": "RCVD",
                     *           "at": "2026-03-02T09:30:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The payment, cancelled (CANC). */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "kind": "single",
                     *       "status": "RCVD",
                     *       "amount": {
                     *         "amount": "12.50",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Books Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "endToEndId": "INV-4711",
                     *       "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *       "remittance": "Invoice 4711",
                     *       "createdAt": "2026-03-02T09:30:00.000Z",
                     *       "statusHistory": [
                     *         {
                     *           "status": "RCVD",
                     *           "at": "2026-03-02T09:30:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updatePayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reference": "ORDER-2026-17"
                 *     }
                 */
                "application/json": components["schemas"]["PaymentUpdate"];
            };
        };
        responses: {
            /** @description The payment with the new reference. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "kind": "single",
                     *       "status": "RCVD",
                     *       "amount": {
                     *         "amount": "12.50",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Books Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "endToEndId": "INV-4711",
                     *       "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *       "remittance": "Invoice 4711",
                     *       "createdAt": "2026-03-02T09:30:00.000Z",
                     *       "statusHistory": [
                     *         {
                     *           "status": "RCVD",
                     *           "at": "2026-03-02T09:30:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPaymentStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The status; `final` says whether the outcome is certain. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "status": "ACSC",
                     *       "final": true,
                     *       "at": "2026-03-02T09:30:01.250Z"
                     *     }
                     */
                    "application/json": components["schemas"]["PaymentStatusReport"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    recallPayment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
                 * @example 5f1c-order-4711
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "DUPL"
                 *     }
                 */
                "application/json": components["schemas"]["RecallOrder"];
            };
        };
        responses: {
            /** @description The recall is on its way to the rail. */
            201: {
                headers: {
                    /** @description The payment; it shows the recall. */
                    Location?: string;
                    /** @description true when this answer was given before. */
                    "Idempotency-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "recallId": "01890a5e-1c2d-774b-bcce-b302099a8070",
                     *       "status": "requested",
                     *       "reason": "DUPL",
                     *       "requestedAt": "2026-03-02T10:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Recall"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listStandingOrders: {
        parameters: {
            query?: {
                /** @description Page size. */
                limit?: components["parameters"]["Limit"];
                /** @description nextCursor of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of standing orders. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "standingOrderId": "01890a5d-ac96-774b-bcce-b302099a8070",
                     *           "status": "active",
                     *           "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditor": {
                     *             "name": "Fictional Savings Ltd",
                     *             "iban": "DE89370400440532013000"
                     *           },
                     *           "remittance": "Savings plan",
                     *           "schedule": {
                     *             "frequency": "monthly",
                     *             "firstDate": "2026-03-31",
                     *             "endOfMonth": true,
                     *             "count": 2,
                     *             "holidayRule": "preceding"
                     *           },
                     *           "nextDates": [
                     *             "2026-03-31",
                     *             "2026-04-30"
                     *           ],
                     *           "createdAt": "2026-03-02T09:30:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["StandingOrderPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createStandingOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
                 * @example 5f1c-order-4711
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                 *       "amount": {
                 *         "amount": "50.00",
                 *         "currency": "EUR"
                 *       },
                 *       "creditor": {
                 *         "name": "Fictional Savings Ltd",
                 *         "iban": "DE89370400440532013000"
                 *       },
                 *       "remittance": "Savings plan",
                 *       "schedule": {
                 *         "frequency": "monthly",
                 *         "firstDate": "2026-03-31",
                 *         "endOfMonth": true,
                 *         "count": 12,
                 *         "holidayRule": "preceding"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["StandingOrderInitiation"];
            };
        };
        responses: {
            /** @description The standing order. */
            201: {
                headers: {
                    /** @description Where the standing order is. */
                    Location?: string;
                    /** @description true when this answers a repeated Idempotency-Key. */
                    "Idempotency-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "standingOrderId": "01890a5d-ac96-774b-bcce-b302099a8070",
                     *       "status": "active",
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "amount": {
                     *         "amount": "50.00",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Savings Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "remittance": "Savings plan",
                     *       "schedule": {
                     *         "frequency": "monthly",
                     *         "firstDate": "2026-03-31",
                     *         "endOfMonth": true,
                     *         "count": 2,
                     *         "holidayRule": "preceding"
                     *       },
                     *       "nextDates": [
                     *         "2026-03-31",
                     *         "2026-04-30"
                     *       ],
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getStandingOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                standingOrderId: components["parameters"]["StandingOrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The standing order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "standingOrderId": "01890a5d-ac96-774b-bcce-b302099a8070",
                     *       "status": "active",
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "amount": {
                     *         "amount": "50.00",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Savings Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "remittance": "Savings plan",
                     *       "schedule": {
                     *         "frequency": "monthly",
                     *         "firstDate": "2026-03-31",
                     *         "endOfMonth": true,
                     *         "count": 2,
                     *         "holidayRule": "preceding"
                     *       },
                     *       "nextDates": [
                     *         "2026-03-31",
                     *         "2026-04-30"
                     *       ],
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelStandingOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                standingOrderId: components["parameters"]["StandingOrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The standing order, cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "standingOrderId": "01890a5d-ac96-774b-bcce-b302099a8070",
                     *       "status": "active",
                     *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "amount": {
                     *         "amount": "50.00",
                     *         "currency": "EUR"
                     *       },
                     *       "creditor": {
                     *         "name": "Fictional Savings Ltd",
                     *         "iban": "DE89370400440532013000"
                     *       },
                     *       "remittance": "Savings plan",
                     *       "schedule": {
                     *         "frequency": "monthly",
                     *         "firstDate": "2026-03-31",
                     *         "endOfMonth": true,
                     *         "count": 2,
                     *         "holidayRule": "preceding"
                     *       },
                     *       "nextDates": [
                     *         "2026-03-31",
                     *         "2026-04-30"
                     *       ],
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["StandingOrder"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listPaymentReviews: {
        parameters: {
            query?: {
                /** @description Page size. */
                limit?: components["parameters"]["Limit"];
                /** @description nextCursor of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of held payments. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *           "clientId": "app-1",
                     *           "customerId": "01890a5d-ac96-774b-bcce-b302099a8051",
                     *           "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "amount": {
                     *             "amount": "12500.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditor": {
                     *             "name": "Fictional Books Ltd",
                     *             "iban": "DE89370400440532013000"
                     *           },
                     *           "score": 75,
                     *           "reasons": [
                     *             "large-amount",
                     *             "new-creditor",
                     *             "just-opened-account"
                     *           ],
                     *           "heldAt": "2026-03-02T09:30:00.000Z",
                     *           "ageSeconds": 600,
                     *           "proposedBy": "back-office/0191-22",
                     *           "proposedAt": "2026-03-02T09:35:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PaymentReviewPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    releasePaymentReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "staffMember": "0191-22",
                 *       "note": "Customer called back on the known number"
                 *     }
                 */
                "application/json": components["schemas"]["ReleaseDecision"];
            };
        };
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "decision": "proposed",
                     *       "status": "PDNG",
                     *       "pendingFor": "review",
                     *       "proposedBy": "back-office/0191-22"
                     *     }
                     */
                    "application/json": components["schemas"]["ReviewDecision"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refusePaymentReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                paymentId: components["parameters"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "staffMember": "0191-22",
                 *       "reason": "FR01",
                 *       "note": "Customer knows nothing of it"
                 *     }
                 */
                "application/json": components["schemas"]["RefusalDecision"];
            };
        };
        responses: {
            /** @description The payment is refused. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *       "decision": "refused",
                     *       "status": "RJCT"
                     *     }
                     */
                    "application/json": components["schemas"]["ReviewDecision"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listStuckPayments: {
        parameters: {
            query?: {
                /** @description Page size. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The payments somebody must look at. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *           "clientId": "app-1",
                     *           "customerId": "01890a5d-ac96-774b-bcce-b302099a8051",
                     *           "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                     *           "status": "ACCP",
                     *           "final": false,
                     *           "amount": {
                     *             "amount": "12.50",
                     *             "currency": "EUR"
                     *           },
                     *           "uetr": "7a562c67-ca16-48ba-b074-65581be6f011",
                     *           "endToEndId": "INV-4711",
                     *           "attempts": 5,
                     *           "since": "2026-03-02T09:30:00.000Z",
                     *           "escalatedAt": "2026-03-02T10:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["StuckPayments"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    initiateBulkPayment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
                 * @example 5f1c-order-4711
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "debtorAccountId": "01890a5d-ac96-774b-bcce-b302099a8057",
                 *       "reference": "PAYROLL-2026-03",
                 *       "payments": [
                 *         {
                 *           "endToEndId": "SALARY-1",
                 *           "amount": {
                 *             "amount": "1250.00",
                 *             "currency": "EUR"
                 *           },
                 *           "creditor": {
                 *             "name": "Ada Beispiel",
                 *             "iban": "DE89370400440532013000"
                 *           },
                 *           "remittance": "Salary March"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["BulkInitiation"];
            };
        };
        responses: {
            /** @description The bulk, as it was taken. */
            201: {
                headers: {
                    /** @description Where the bulk is. */
                    Location?: string;
                    /** @description true when this answers a repeated Idempotency-Key. */
                    "Idempotency-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkPaymentId": "01890a5d-ac96-774b-bcce-b302099a8061",
                     *       "status": "PART",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "messageId": "PAYROLL-2026-03",
                     *       "digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
                     *       "total": {
                     *         "amount": "98450.00",
                     *         "currency": "EUR"
                     *       },
                     *       "transactions": {
                     *         "all": 240,
                     *         "refused": 1,
                     *         "cancelled": 0,
                     *         "rejected": 0,
                     *         "settled": 0,
                     *         "open": 239
                     *       },
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["BulkPayment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    initiateBulkPaymentFile: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each payment you mean; kept 24 hours per client.
                 * @example 5f1c-order-4711
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example <?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>…</CstmrCdtTrfInitn></Document> */
                "application/xml": string;
            };
        };
        responses: {
            /** @description The bulk, as it was taken. */
            201: {
                headers: {
                    /** @description Where the bulk is. */
                    Location?: string;
                    /** @description true when this answers a repeated Idempotency-Key. */
                    "Idempotency-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkPaymentId": "01890a5d-ac96-774b-bcce-b302099a8061",
                     *       "status": "PART",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "messageId": "PAYROLL-2026-03",
                     *       "digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
                     *       "total": {
                     *         "amount": "98450.00",
                     *         "currency": "EUR"
                     *       },
                     *       "transactions": {
                     *         "all": 240,
                     *         "refused": 1,
                     *         "cancelled": 0,
                     *         "rejected": 0,
                     *         "settled": 0,
                     *         "open": 239
                     *       },
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["BulkPayment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBulkPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bulk. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkPaymentId": "01890a5d-ac96-774b-bcce-b302099a8061",
                     *       "status": "PART",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "messageId": "PAYROLL-2026-03",
                     *       "digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
                     *       "total": {
                     *         "amount": "98450.00",
                     *         "currency": "EUR"
                     *       },
                     *       "transactions": {
                     *         "all": 240,
                     *         "refused": 1,
                     *         "cancelled": 0,
                     *         "rejected": 0,
                     *         "settled": 0,
                     *         "open": 239
                     *       },
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["BulkPayment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelBulkPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bulk, with what was cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkPaymentId": "01890a5d-ac96-774b-bcce-b302099a8061",
                     *       "status": "PART",
                     *       "consentId": "01890a5d-ac96-774b-bcce-b302099a8059",
                     *       "messageId": "PAYROLL-2026-03",
                     *       "digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
                     *       "total": {
                     *         "amount": "98450.00",
                     *         "currency": "EUR"
                     *       },
                     *       "transactions": {
                     *         "all": 240,
                     *         "refused": 1,
                     *         "cancelled": 0,
                     *         "rejected": 0,
                     *         "settled": 0,
                     *         "open": 239
                     *       },
                     *       "createdAt": "2026-03-02T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["BulkPayment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listBulkPaymentItems: {
        parameters: {
            query?: {
                /** @description Page size. */
                limit?: components["parameters"]["Limit"];
                /** @description nextCursor of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of items. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "item": 1,
                     *           "batchId": "PAYROLL-2026-03",
                     *           "status": "ACSC",
                     *           "paymentId": "01890a5d-ac96-774b-bcce-b302099a8058",
                     *           "endToEndId": "SALARY-1",
                     *           "amount": {
                     *             "amount": "1250.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditor": {
                     *             "name": "Ada Beispiel",
                     *             "iban": "DE89370400440532013000"
                     *           }
                     *         },
                     *         {
                     *           "item": 2,
                     *           "batchId": "PAYROLL-2026-03",
                     *           "status": "RJCT",
                     *           "endToEndId": "SALARY-2",
                     *           "refusal": {
                     *             "reason": "AC01",
                     *             "detail": "The account of the creditor is no IBAN: length, structure or check digits are wrong.",
                     *             "path": "/payments/1/creditor/iban"
                     *           }
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["BulkItemPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBulkPaymentStatusReport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bulkPaymentId: components["parameters"]["BulkPaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bulkPaymentId": "01890a5d-ac96-774b-bcce-b302099a8061",
                     *       "messageId": "PAYROLL-2026-03",
                     *       "status": "RJCT",
                     *       "at": "2026-03-02T09:30:01.000Z",
                     *       "batches": [
                     *         {
                     *           "batchId": "PAYROLL-2026-03",
                     *           "status": "RJCT",
                     *           "payments": [
                     *             {
                     *               "item": 1,
                     *               "status": "RJCT",
                     *               "endToEndId": "SALARY-1",
                     *               "reason": "AC01"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["BulkStatusReport"];
                    /** @example <?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">…</Document> */
                    "application/xml": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
