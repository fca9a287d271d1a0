// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the accounts a customer consented to
         * @description Answers the accounts your consent names and no other, oldest first.
         */
        get: operations["listAccounts"];
        put?: never;
        /**
         * Open an account
         * @description Opens a current or savings account for an active customer of yours. The account starts `pending`; the bank's
         *     core issues the IBAN and `account.opened` follows. In the sandbox some currencies make the core misbehave
         *     on purpose: see the core-banking adapter's README.
         */
        post: operations["openAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        /** Read an account */
        get: operations["getAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Rename an account */
        patch: operations["updateAccount"];
        trace?: never;
    };
    "/v1/accounts/{accountId}/opening": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        /**
         * Follow the opening of an account
         * @description For the fintech that opened it, without a consent: how far the opening is and, once the core has answered, the
         *     IBAN. `refusalReason` is there when the core refused; the account is then `closed` and was never usable.
         */
        get: operations["getAccountOpening"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close an account
         * @description Only at a zero balance and with no funds held (else 409 `invalid_state`). Closing a closed account changes nothing.
         */
        post: operations["closeAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/block": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Block an account for debits
         * @description New payments from the account are refused (`AC06`); credits still arrive, and payments whose funds are already
         *     held are completed. Blocking a blocked account changes nothing. A compliance officer may block any account.
         */
        post: operations["blockAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/balances": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        /** Read the balances of an account */
        get: operations["getBalances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/funds-confirmations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask whether an amount is available
         * @description Yes or no at this moment, never the balance; no funds are held. Funds held for payments under way are not available, nor is anything on
         *     an account that may not be debited. An amount in another currency than the account's is refused (422).
         */
        post: operations["confirmFunds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        /**
         * List the transactions of an account
         * @description Booked transactions, newest first. Booking dates are UTC dates, both bounds included.
         */
        get: operations["listTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/transactions/{transactionId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        /** Read a transaction of an account */
        get: operations["getTransaction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/overdraft": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Set how far an account may be overdrawn
         * @description `0.00` takes the overdraft away. A limit below what is in use, held funds counted, is refused (409 `invalid_state`).
         */
        put: operations["setOverdraft"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify the ledger
         * @description Reads the whole ledger in one snapshot and answers what was checked and every breach: debits equal credits, balances
         *     equal the sum of their entries, no number is missing in any sequence, held funds equal the holds, nobody is beyond an
         *     overdraft limit. The same check runs on a schedule and tells `ledger.invariant-broken`.
         */
        post: operations["verifyLedger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/closed-period": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Close the days up to one
         * @description Nothing is booked or valued in closed days any more; a posting that comes late is booked on the first open day. Days
         *     are UTC; only days that are over can be closed, and none is opened again. An earlier day than the last closed one
         *     changes nothing: the answer names the last closed day.
         */
        put: operations["closeLedgerPeriod"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/transactions/{transactionId}/reversal": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reverse a booking by a counter-posting
         * @description Books the same entries the other way round, today; nothing is ever changed or deleted. Once a transaction: a repeat
         *     answers the reversal there is. Refused (409 `invalid_state`) for a reversal, for a closed account, and when the account
         *     to be debited no longer has the money.
         */
        post: operations["reverseLedgerTransaction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List ledger transactions with both sides
         * @description Newest first; with `paymentId` what a payment booked, with `accountId` what an account took part in, with both what both say.
         */
        get: operations["listLedgerTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/transactions/{transactionId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        /** Read a ledger transaction with both sides */
        get: operations["getLedgerTransaction"];
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
            /** @example 12.50 */
            amount: string;
            /** @example EUR */
            currency: string;
        };
        /**
         * @description ISO 4217 code of a currency the bank keeps accounts in
         * @enum {string}
         */
        Currency: "EUR" | "GBP" | "USD" | "CHF" | "SEK" | "NOK" | "DKK" | "PLN" | "CZK" | "HUF" | "JPY";
        /** @enum {string} */
        Product: "current" | "savings";
        /**
         * @description BIAN AccountStatus in lower case: pending (Pending), enabled (Enabled), blocked (Disabled), closed (Deleted)
         * @enum {string}
         */
        AccountStatus: "pending" | "enabled" | "blocked" | "closed";
        /**
         * @description ISO 20022 CreditDebitCode, from the account holder's side
         * @enum {string}
         */
        CreditDebitIndicator: "CRDT" | "DBIT";
        OpenAccount: {
            /** Format: uuid */
            customerId: string;
            product: components["schemas"]["Product"];
            currency: components["schemas"]["Currency"];
            nickname?: string;
            /** @description Further customers of yours who shall hold the account; active, like customerId. */
            jointHolderIds?: string[];
        };
        UpdateAccount: {
            /** @description A name of the customer's choice; null takes it away */
            nickname: string | null;
        };
        AccountOpening: {
            /** Format: uuid */
            accountId: string;
            status: components["schemas"]["AccountStatus"];
            /** Format: uuid */
            customerId: string;
            /** @description Further customers who hold the account */
            jointHolderIds?: string[];
            product: components["schemas"]["Product"];
            currency: components["schemas"]["Currency"];
            /** @description Present once the core has booked the account */
            iban?: string;
            nickname?: string;
            /** @description Why the core refused to open the account */
            refusalReason?: string;
            /** Format: date-time */
            openedAt: string | null;
        };
        Account: {
            /** Format: uuid */
            accountId: string;
            status: components["schemas"]["AccountStatus"];
            product: components["schemas"]["Product"];
            currency: components["schemas"]["Currency"];
            iban?: string;
            /** @description The customer the account was opened for */
            holderName?: string;
            /** @description Whether further customers hold the account */
            jointlyHeld: boolean;
            nickname?: string;
            /** Format: date-time */
            openedAt: string | null;
        };
        FundsConfirmationRequest: {
            amount: components["schemas"]["Money"];
        };
        FundsConfirmation: {
            fundsAvailable: boolean;
            /** Format: date-time */
            confirmedAt: string;
        };
        AccountList: {
            data: components["schemas"]["Account"][];
            nextCursor: string | null;
        };
        Balance: {
            /** @enum {string} */
            balanceType: "interimBooked" | "interimAvailable" | "expected";
            amount: components["schemas"]["Money"];
            creditDebitIndicator: components["schemas"]["CreditDebitIndicator"];
            /** Format: date-time */
            asOf: string;
        };
        Balances: {
            /** Format: uuid */
            accountId: string;
            balances: components["schemas"]["Balance"][];
            creditLine?: components["schemas"]["CreditLine"];
        };
        /** @description How far the account may be overdrawn; absent when it may not. */
        CreditLine: {
            /**
             * @description Whether the balances count it; they never do
             * @enum {boolean}
             */
            included: false;
            limit: components["schemas"]["Money"];
        };
        /** @description Who of the staff acts, as an opaque id of your own; no name. It is kept as `<clientId>/<staffMember>` */
        StaffMember: string;
        OverdraftOrder: {
            limit: components["schemas"]["Money"];
            staffMember: components["schemas"]["StaffMember"];
        };
        ReversalOrder: {
            /** @description Why; kept with the booking and told */
            reason: string;
            staffMember: components["schemas"]["StaffMember"];
        };
        PeriodOrder: {
            /**
             * Format: date
             * @description The last day of the period (UTC)
             */
            closedThrough: string;
            staffMember: components["schemas"]["StaffMember"];
        };
        ClosedPeriod: {
            /** Format: date */
            closedThrough: string;
        };
        LedgerVerification: {
            /** Format: date-time */
            verifiedAt: string;
            /** @description No breach was found */
            sound: boolean;
            checked: {
                transactions: number;
                entries: number;
                /** @description Ledger accounts of customers and of the bank */
                accounts: number;
                /** @description Holds that stand */
                holds: number;
            };
            invariants: {
                invariant: string;
                breaches: number;
            }[];
            breaches: {
                invariant: string;
                /** @description Id of the transaction or ledger account */
                subject: string;
                /** @description What the number should be (minor units, or a count) */
                expected: string;
                actual: string;
            }[];
        };
        Transaction: {
            /** Format: uuid */
            transactionId: string;
            /** Format: uuid */
            accountId: string;
            type: components["schemas"]["TransactionType"];
            /**
             * @description ISO 20022 entry status
             * @enum {string}
             */
            status: "BOOK";
            creditDebitIndicator: components["schemas"]["CreditDebitIndicator"];
            amount: components["schemas"]["Money"];
            /** Format: date */
            bookingDate: string;
            /**
             * Format: date
             * @description From when the amount counts for interest
             */
            valueDate?: string;
            /** Format: date-time */
            bookedAt: string;
            /** Format: uuid */
            paymentId?: string;
            endToEndId?: string;
            remittance?: string;
            counterparty?: {
                name?: string;
                iban?: string;
            };
        };
        /**
         * @description `payout` is what a closed account left to another; `return` and `recall` are money sent back (pacs.004)
         * @enum {string}
         */
        TransactionType: "payment" | "incoming-payment" | "correction" | "reversal" | "payout" | "return" | "recall";
        TransactionList: {
            data: components["schemas"]["Transaction"][];
            nextCursor: string | null;
        };
        LedgerEntry: {
            /** @description `customer:<accountId>`, `settlement:<currency>` or `suspense:<currency>` */
            ledgerAccount: string;
            /** Format: uuid */
            accountId?: string;
            /** @enum {string} */
            side: "debit" | "credit";
            amount: components["schemas"]["Money"];
        };
        LedgerTransaction: {
            /** Format: uuid */
            transactionId: string;
            /** @description Unique business reference; a second posting under it changes nothing */
            reference: string;
            type: components["schemas"]["TransactionType"];
            /** Format: uuid */
            paymentId?: string;
            /** Format: date-time */
            bookedAt: string;
            /**
             * Format: uuid
             * @description The transaction this takes back
             */
            reverses?: string;
            /** @description Why the staff booked it */
            reason?: string;
            /** @description `<clientId>/<staffMember>` who ordered it */
            by?: string;
            entries: components["schemas"]["LedgerEntry"][];
        };
        LedgerTransactionList: {
            data: components["schemas"]["LedgerTransaction"][];
            nextCursor: string | null;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            instance?: string;
            code: string;
            correlationId: string;
        };
    };
    responses: {
        /** @description The account as its opener sees it. */
        AccountOpening: {
            headers: {
                "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                 *       "status": "enabled",
                 *       "customerId": "0198a6f2-1f6e-7c53-9d21-5f0c8a4b7e10",
                 *       "product": "current",
                 *       "currency": "EUR",
                 *       "iban": "DE78997000010000000017",
                 *       "nickname": "Household",
                 *       "openedAt": "2026-01-05T09:30:00.000Z"
                 *     }
                 */
                "application/json": components["schemas"]["AccountOpening"];
            };
        };
        /** @description Refused or failed (RFC 9457); `code` says which. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:account_not_found",
                 *       "title": "Account not found",
                 *       "status": 404,
                 *       "detail": "No such account.",
                 *       "code": "account_not_found",
                 *       "correlationId": "7f9c2ba4e88f827d"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
        AccountId: string;
        /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
        TransactionId: string;
        /**
         * @description Yours to choose, once per intention; a repeat within 24 h answers the same resource.
         * @example open-household-1
         */
        IdempotencyKey: string;
        /**
         * @description Entries a page
         * @example 25
         */
        Limit: number;
        /** @description `nextCursor` of the page before */
        Cursor: string;
    };
    requestBodies: never;
    headers: {
        /** @description Where to follow the opening */
        Location: string;
        /** @description `true` when the key was used before and the stored answer is given again */
        IdempotencyReplayed: "true";
        /** @description BIAN service domain of this account's product */
        BianServiceDomain: "CurrentAccount" | "SavingsAccount";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAccounts: {
        parameters: {
            query?: {
                /**
                 * @description Entries a page
                 * @example 25
                 */
                limit?: components["parameters"]["Limit"];
                /** @description `nextCursor` of the page before */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The consented accounts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "status": "enabled",
                     *           "product": "current",
                     *           "currency": "EUR",
                     *           "iban": "DE78997000010000000017",
                     *           "holderName": "Ada Example",
                     *           "jointlyHeld": false,
                     *           "nickname": "Household",
                     *           "openedAt": "2026-01-05T09:30:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AccountList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    openAccount: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Yours to choose, once per intention; a repeat within 24 h answers the same resource.
                 * @example open-household-1
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
                 *       "customerId": "0198a6f2-1f6e-7c53-9d21-5f0c8a4b7e10",
                 *       "product": "current",
                 *       "currency": "EUR"
                 *     }
                 */
                "application/json": components["schemas"]["OpenAccount"];
            };
        };
        responses: {
            /** @description The account exists and is being opened at the core. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "status": "pending",
                     *       "customerId": "0198a6f2-1f6e-7c53-9d21-5f0c8a4b7e10",
                     *       "product": "current",
                     *       "currency": "EUR",
                     *       "openedAt": null
                     *     }
                     */
                    "application/json": components["schemas"]["AccountOpening"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "status": "enabled",
                     *       "product": "current",
                     *       "currency": "EUR",
                     *       "iban": "DE78997000010000000017",
                     *       "holderName": "Ada Example",
                     *       "jointlyHeld": false,
                     *       "nickname": "Household",
                     *       "openedAt": "2026-01-05T09:30:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "nickname": "Household"
                 *     }
                 */
                "application/json": components["schemas"]["UpdateAccount"];
            };
        };
        responses: {
            200: components["responses"]["AccountOpening"];
            default: components["responses"]["Problem"];
        };
    };
    getAccountOpening: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["AccountOpening"];
            default: components["responses"]["Problem"];
        };
    };
    closeAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["AccountOpening"];
            default: components["responses"]["Problem"];
        };
    };
    blockAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["AccountOpening"];
            default: components["responses"]["Problem"];
        };
    };
    getBalances: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The booked, the available and the expected balance, read together. */
            200: {
                headers: {
                    "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "balances": [
                     *         {
                     *           "balanceType": "interimBooked",
                     *           "amount": {
                     *             "amount": "1250.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         },
                     *         {
                     *           "balanceType": "interimAvailable",
                     *           "amount": {
                     *             "amount": "1200.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         },
                     *         {
                     *           "balanceType": "expected",
                     *           "amount": {
                     *             "amount": "1200.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Balances"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    confirmFunds: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": {
                 *         "amount": "49.90",
                 *         "currency": "EUR"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["FundsConfirmationRequest"];
            };
        };
        responses: {
            /** @description Whether the amount could be paid now. */
            200: {
                headers: {
                    "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "fundsAvailable": true,
                     *       "confirmedAt": "2026-01-05T09:31:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["FundsConfirmation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listTransactions: {
        parameters: {
            query?: {
                /**
                 * @description First booking date wanted
                 * @example 2026-01-01
                 */
                fromBookingDate?: string;
                /**
                 * @description Last booking date wanted
                 * @example 2026-01-31
                 */
                toBookingDate?: string;
                /**
                 * @description Entries a page
                 * @example 25
                 */
                limit?: components["parameters"]["Limit"];
                /** @description `nextCursor` of the page before */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of transactions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "type": "payment",
                     *           "status": "BOOK",
                     *           "creditDebitIndicator": "DBIT",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           },
                     *           "bookingDate": "2026-01-05",
                     *           "bookedAt": "2026-01-05T09:31:00.000Z",
                     *           "paymentId": "0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *           "endToEndId": "INV-2026-001",
                     *           "remittance": "Invoice 1",
                     *           "counterparty": {
                     *             "name": "Example Shop",
                     *             "iban": "NL02ABNA0123456789"
                     *           }
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TransactionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getTransaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The transaction. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "type": "incoming-payment",
                     *       "status": "BOOK",
                     *       "creditDebitIndicator": "CRDT",
                     *       "amount": {
                     *         "amount": "1250.00",
                     *         "currency": "EUR"
                     *       },
                     *       "bookingDate": "2026-01-05",
                     *       "bookedAt": "2026-01-05T09:30:30.000Z",
                     *       "endToEndId": "SALARY-01",
                     *       "remittance": "Salary",
                     *       "counterparty": {
                     *         "name": "Example Employer",
                     *         "iban": "NL02ABNA0123456789"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setOverdraft: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "limit": {
                 *         "amount": "500.00",
                 *         "currency": "EUR"
                 *       },
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["OverdraftOrder"];
            };
        };
        responses: {
            /** @description The balances with the credit line. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "balances": [
                     *         {
                     *           "balanceType": "interimBooked",
                     *           "amount": {
                     *             "amount": "0.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         },
                     *         {
                     *           "balanceType": "interimAvailable",
                     *           "amount": {
                     *             "amount": "0.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         },
                     *         {
                     *           "balanceType": "expected",
                     *           "amount": {
                     *             "amount": "0.00",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "CRDT",
                     *           "asOf": "2026-01-05T09:31:00.000Z"
                     *         }
                     *       ],
                     *       "creditLine": {
                     *         "included": false,
                     *         "limit": {
                     *           "amount": "500.00",
                     *           "currency": "EUR"
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Balances"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verifyLedger: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was checked, and the breaches; at most 100 are listed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "verifiedAt": "2026-01-05T09:31:00.000Z",
                     *       "sound": true,
                     *       "checked": {
                     *         "transactions": 1200,
                     *         "entries": 2400,
                     *         "accounts": 310,
                     *         "holds": 4
                     *       },
                     *       "invariants": [
                     *         {
                     *           "invariant": "debits equal credits",
                     *           "breaches": 0
                     *         }
                     *       ],
                     *       "breaches": []
                     *     }
                     */
                    "application/json": components["schemas"]["LedgerVerification"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    closeLedgerPeriod: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "closedThrough": "2025-12-31",
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["PeriodOrder"];
            };
        };
        responses: {
            /** @description The last closed day. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "closedThrough": "2025-12-31"
                     *     }
                     */
                    "application/json": components["schemas"]["ClosedPeriod"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    reverseLedgerTransaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Booked twice by the sender",
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["ReversalOrder"];
            };
        };
        responses: {
            /** @description The reversal, with both sides. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transactionId": "0198a6f5-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "reference": "reversal:0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "type": "reversal",
                     *       "bookedAt": "2026-01-06T10:00:00.000Z",
                     *       "reverses": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "reason": "Booked twice by the sender",
                     *       "by": "back-office/staff-17",
                     *       "entries": [
                     *         {
                     *           "ledgerAccount": "settlement:EUR",
                     *           "side": "credit",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           }
                     *         },
                     *         {
                     *           "ledgerAccount": "customer:0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "side": "debit",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["LedgerTransaction"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLedgerTransactions: {
        parameters: {
            query?: {
                /**
                 * @description Only bookings of this payment
                 * @example 0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7
                 */
                paymentId?: string;
                /**
                 * @description Only bookings with an entry on this account
                 * @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44
                 */
                accountId?: string;
                /**
                 * @description Entries a page
                 * @example 25
                 */
                limit?: components["parameters"]["Limit"];
                /** @description `nextCursor` of the page before */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of ledger transactions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *           "reference": "payment:0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *           "type": "payment",
                     *           "paymentId": "0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *           "bookedAt": "2026-01-05T09:31:00.000Z",
                     *           "entries": [
                     *             {
                     *               "ledgerAccount": "customer:0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *               "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *               "side": "debit",
                     *               "amount": {
                     *                 "amount": "50.00",
                     *                 "currency": "EUR"
                     *               }
                     *             },
                     *             {
                     *               "ledgerAccount": "settlement:EUR",
                     *               "side": "credit",
                     *               "amount": {
                     *                 "amount": "50.00",
                     *                 "currency": "EUR"
                     *               }
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["LedgerTransactionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLedgerTransaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
                transactionId: components["parameters"]["TransactionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ledger transaction; debits equal credits in each currency. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "reference": "payment:0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *       "type": "payment",
                     *       "paymentId": "0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *       "bookedAt": "2026-01-05T09:31:00.000Z",
                     *       "entries": [
                     *         {
                     *           "ledgerAccount": "customer:0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "side": "debit",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           }
                     *         },
                     *         {
                     *           "ledgerAccount": "settlement:EUR",
                     *           "side": "credit",
                     *           "amount": {
                     *             "amount": "50.00",
                     *             "currency": "EUR"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["LedgerTransaction"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
