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
        /**
         * Rename an account
         * @description With `If-Match`, only the account as you have read it (ETag of `/opening`); else 412 `precondition_failed`.
         */
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
         * @description With no funds held, and at a zero balance or with `payoutTo`: the IBAN of another account of the same customer with us, in
         *     the same currency, which receives what is left in the transaction that closes. An overdrawn account is not closed (409
         *     `invalid_state`). Closing a closed account changes nothing.
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
    "/v1/accounts/{accountId}/unblock": {
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
         * Lift the block of an account
         * @description Payments may be made from the account again. What a compliance officer has blocked only a compliance officer unblocks
         *     (else 409 `invalid_state`). Unblocking an account that is not blocked changes nothing.
         */
        post: operations["unblockAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/beneficiaries": {
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
         * List the beneficiaries of an account
         * @description Oldest first.
         */
        get: operations["listBeneficiaries"];
        put?: never;
        /**
         * Save a beneficiary
         * @description Keeps a payee with an account you opened; one IBAN once an account (else 409 `conflict`).
         */
        post: operations["createBeneficiary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/beneficiaries/{beneficiaryId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7 */
                beneficiaryId: components["parameters"]["BeneficiaryId"];
            };
            cookie?: never;
        };
        /** Read a beneficiary you saved */
        get: operations["getBeneficiary"];
        /** Change a beneficiary */
        put: operations["updateBeneficiary"];
        post?: never;
        /** Forget a beneficiary */
        delete: operations["deleteBeneficiary"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/accounts/{accountId}/statements": {
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
         * Read the statement of a period
         * @description What was booked from one day to another (UTC, both included, at most 366 days), oldest first: as JSON, as CSV
         *     (`Accept: text/csv`) or as camt.053.001.08 (`Accept: application/xml`). The balances before and after are told when the
         *     consent includes `balances:read`; a camt.053 is refused without.
         */
        get: operations["getStatement"];
        put?: never;
        post?: never;
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
         * @description Booked transactions, newest first, or with `status=PDNG` the funds held for payments under way. Booking dates are UTC
         *     dates; all bounds are included. Pages stay the same while new transactions arrive: those are before the first page.
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
    "/v1/ledger/transactions/{transactionId}/return": {
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
         * Send a received transfer back
         * @description Debits the account that received a transfer over the rail and sends the money back to where it came from (pacs.004), whole or in part; never
         *     more in sum than came, refunds of the receiver counted (422 `unprocessable`). Refused (409 `invalid_state`) when the account no longer
         *     has the money. `account.credit-returned` follows.
         */
        post: operations["returnTransaction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recalls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List recalls of received transfers
         * @description Transfers that the rail asks back (camt.056), newest first. What is `open` waits for the staff.
         */
        get: operations["listRecalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recalls/{recallId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        /** Read a recall */
        get: operations["getRecall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recalls/{recallId}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept a recall
         * @description Debits the account that received the transfer, sends the money back (pacs.004, `FOCR`) and answers the rail (camt.029). Accepting an accepted
         *     recall changes nothing. Refused (409 `invalid_state`) when it was refused before, the transfer was never received, or the account no
         *     longer has the money; 422 when less than the recalled amount is left of the transfer.
         */
        post: operations["acceptRecall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/recalls/{recallId}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refuse a recall
         * @description Answers the rail (camt.029) that the money stays. Refusing a refused recall changes nothing; one that was accepted is refused no more (409
         *     `invalid_state`).
         */
        post: operations["refuseRecall"];
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
    "/v1/reconciliation/statements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List statements with what became of their entries
         * @description Newest first.
         */
        get: operations["listReconciliationStatements"];
        put?: never;
        /**
         * Upload statements of the rail or the core
         * @description A camt.053 or camt.054 message (version 08; 02, 04, 10 and 12 are read as well) with one statement or several, which are matched with
         *     the ledger at once (`reconciledAt` is null while a large one is still being matched). The same statement again changes nothing (`repeated`); another content under the same id is refused (409) and
         *     so is a file with any fault (400 `invalid_message`, which names the entry and the element, or the line): nothing of it is taken.
         */
        post: operations["uploadStatements"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/statements/{statementId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f */
                statementId: components["parameters"]["ReconciledStatementId"];
            };
            cookie?: never;
        };
        /** Read what became of a statement */
        get: operations["getReconciliationStatement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Match again now
         * @description Matches every open entry of every statement with the ledger, as the schedule does. What was missing and has come since is matched and its
         *     break resolved. Repeating it changes nothing; two at once go one after the other.
         */
        post: operations["runReconciliation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/breaks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List differences between statements and the ledger
         * @description Oldest first.
         */
        get: operations["listReconciliationBreaks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/breaks/{breakId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        /** Read a break */
        get: operations["getReconciliationBreak"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/breaks/{breakId}/propose": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Propose how a break shall end
         * @description `match-to` names the ledger transaction that is the counterpart (same side and amount); `write-off` books the difference of the
         *     settlement account against suspense; `ignore` leaves it as it is, with the reason. Nothing happens until another member of the staff approves.
         */
        post: operations["proposeBreakResolution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/breaks/{breakId}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve what another member of the staff proposed
         * @description Carries it out. Whoever proposed it is refused (403 `four_eyes_required`); `proposalId` says which proposal was read.
         */
        post: operations["approveBreakResolution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reconciliation/breaks/{breakId}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refuse what another member of the staff proposed
         * @description The break is open again. Whoever proposed it is refused (403 `four_eyes_required`).
         */
        post: operations["refuseBreakResolution"];
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
        /**
         * @description return-…: a returned payment whose money lies in suspense, since it could not go to its debtor
         * @enum {string}
         */
        BreakReason: "missing-in-ledger" | "missing-at-rail" | "amount-differs" | "date-differs" | "duplicate" | "currency-differs" | "ambiguous" | "statement-does-not-add-up" | "statement-differs" | "return-unknown-payment" | "return-more-than-paid" | "return-account-closed" | "return-other-currency";
        /** @description Why; kept with the decision */
        DecisionReason: string;
        BankBalance: {
            amount: components["schemas"]["StatementAmount"];
            creditDebit: components["schemas"]["CreditDebitIndicator"];
            /** Format: date */
            date: string;
        };
        StatementAmount: {
            amount: string;
            currency: string;
        };
        ReconciliationStatement: {
            /** Format: uuid */
            statementId: string;
            /** @enum {string} */
            source: "rail" | "core";
            /** @enum {string} */
            message: "camt.053" | "camt.054";
            /** @description MsgId and the statement's own id */
            reference: string;
            /** @description IBAN or number of the account as the statement says it */
            account: string;
            currency?: string;
            /** Format: date-time */
            receivedAt: string;
            /**
             * Format: date-time
             * @description When each of its entries had first been matched or become a break
             */
            reconciledAt: string | null;
            /** @description Whether all its parts have come */
            complete: boolean;
            entries: number;
            /** @description Booked entries, batch bookings by their payments: what is matched */
            items: number;
            /** @description Matched items by rule: reference, amount-and-date, similar-text, staff, write-off */
            matched: {
                [key: string]: number;
            };
            ignored: number;
            open: number;
            openBreaks: number;
            opening?: components["schemas"]["BankBalance"];
            closing?: components["schemas"]["BankBalance"];
            /** @description Whether an upload had been taken before */
            repeated?: boolean;
        };
        UploadedStatements: {
            statements: components["schemas"]["ReconciliationStatement"][];
        };
        ReconciliationStatementList: {
            data: components["schemas"]["ReconciliationStatement"][];
            nextCursor: string | null;
        };
        ReconciliationRun: {
            matched: number;
            breaksFound: number;
            breaksResolved: number;
            /** @description Statements that were reported for the first time */
            statements: number;
            /** Format: date-time */
            ranAt: string;
        };
        ReconciliationBreak: {
            /** Format: uuid */
            breakId: string;
            reason: components["schemas"]["BreakReason"];
            /** @enum {string} */
            status: "open" | "proposed" | "resolved";
            ageDays: number;
            /** Format: date-time */
            foundAt: string;
            /** Format: uuid */
            statementId?: string;
            amount?: components["schemas"]["StatementAmount"];
            creditDebitIndicator?: components["schemas"]["CreditDebitIndicator"];
            /** Format: uuid */
            paymentId?: string;
            /** @description Ledger transactions it might be */
            candidates: string[];
            proposal?: components["schemas"]["ResolutionProposal"];
            /**
             * @description `matched` when a later statement or booking brought the counterpart
             * @enum {string}
             */
            resolution?: "matched" | "match-to" | "write-off" | "ignore";
            resolvedBy?: string;
            /** Format: date-time */
            resolvedAt?: string;
        };
        ResolutionProposal: {
            /** Format: uuid */
            proposalId: string;
            resolution: components["schemas"]["Resolution"];
            /** Format: uuid */
            transactionId?: string;
            reason: string;
            proposedBy: string;
            /** Format: date-time */
            proposedAt: string;
        };
        /** @enum {string} */
        Resolution: "match-to" | "write-off" | "ignore";
        ReconciliationBreakList: {
            data: components["schemas"]["ReconciliationBreak"][];
            nextCursor: string | null;
        };
        ProposeResolution: {
            resolution: components["schemas"]["Resolution"];
            /**
             * Format: uuid
             * @description The ledger transaction; with match-to only
             */
            transactionId?: string;
            reason: components["schemas"]["DecisionReason"];
            staffMember: components["schemas"]["StaffMember"];
        };
        ApproveResolution: {
            /** Format: uuid */
            proposalId: string;
            staffMember: components["schemas"]["StaffMember"];
        };
        RefuseResolution: {
            /** Format: uuid */
            proposalId: string;
            reason: components["schemas"]["DecisionReason"];
            staffMember: components["schemas"]["StaffMember"];
        };
        OpenAccount: {
            /** Format: uuid */
            customerId: string;
            product: components["schemas"]["Product"];
            currency: components["schemas"]["Currency"];
            nickname?: string;
            /** @description Further customers of yours who shall hold the account; active, like customerId. */
            jointHolderIds?: string[];
        };
        CloseAccount: {
            /** @description Another account of the same customer that receives what is left */
            payoutTo?: string;
        };
        BeneficiaryWish: {
            name: string;
            iban: string;
            /** @description What the customer remembers the payee by */
            reference?: string;
        };
        Beneficiary: {
            /** Format: uuid */
            beneficiaryId: string;
            /** Format: uuid */
            accountId: string;
            name: string;
            iban: string;
            reference?: string;
        };
        BeneficiaryList: {
            data: components["schemas"]["Beneficiary"][];
            nextCursor: string | null;
        };
        StatementBalance: {
            amount: components["schemas"]["Money"];
            creditDebitIndicator: components["schemas"]["CreditDebitIndicator"];
        };
        StatementTotal: {
            count: number;
            amount: components["schemas"]["Money"];
        };
        Statement: {
            /** Format: uuid */
            accountId: string;
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            /** Format: date-time */
            asOf: string;
            openingBalance?: components["schemas"]["StatementBalance"];
            closingBalance?: components["schemas"]["StatementBalance"];
            totals: {
                credits: components["schemas"]["StatementTotal"];
                debits: components["schemas"]["StatementTotal"];
            };
            entries: components["schemas"]["Transaction"][];
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
        /** @enum {string} */
        RecallStatus: "open" | "accepted" | "refused";
        Recall: {
            /** Format: uuid */
            recallId: string;
            status: components["schemas"]["RecallStatus"];
            amount: components["schemas"]["Money"];
            /** @description Why it is asked back (ExternalCancellationReason1Code) */
            reason: string;
            endToEndId: string;
            /** Format: date-time */
            receivedAt: string;
            /**
             * Format: uuid
             * @description The account that received the transfer
             */
            accountId?: string;
            /**
             * Format: uuid
             * @description The transfer as it was booked; absent when it was never received
             */
            transactionId?: string;
            /** Format: date-time */
            decidedAt?: string;
            /** @description `<clientId>/<staffMember>` */
            decidedBy?: string;
            /** @description Why it was refused (ExternalPaymentCancellationRejection1Code) */
            decisionReason?: string;
            /**
             * Format: uuid
             * @description The booking that sent the money back
             */
            returnTransactionId?: string;
        };
        RecallList: {
            data: components["schemas"]["Recall"][];
            nextCursor: string | null;
        };
        RecallAcceptance: {
            staffMember: components["schemas"]["StaffMember"];
        };
        RecallRefusal: {
            /**
             * @description ExternalPaymentCancellationRejection1Code: CUST the receiver does not agree, AM04 the money is gone, NOOR never received, ARDT sent back already, LEGL not allowed, NOAS the receiver does not answer
             * @enum {string}
             */
            reason: "AC04" | "ADAC" | "AGNT" | "AM04" | "ARDT" | "CUST" | "LEGL" | "NOAS" | "NOOR" | "RR04";
            staffMember: components["schemas"]["StaffMember"];
        };
        ReturnOrder: {
            amount: components["schemas"]["Money"];
            /** @description ExternalReturnReason1Code, such as AC04 or MS02 */
            reason: string;
            staffMember: components["schemas"]["StaffMember"];
        };
        CreditReturn: {
            /**
             * Format: uuid
             * @description The booking that sends it back
             */
            transactionId: string;
            /** Format: uuid */
            returnedTransactionId: string;
            amount: components["schemas"]["Money"];
            reason: string;
        };
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
             * @description ISO 20022 entry status: booked, or pending (no dates yet, and another id once it is booked)
             * @enum {string}
             */
            status: "BOOK" | "PDNG";
            creditDebitIndicator: components["schemas"]["CreditDebitIndicator"];
            amount: components["schemas"]["Money"];
            /** Format: date */
            bookingDate?: string;
            /**
             * Format: date
             * @description From when the amount counts for interest
             */
            valueDate?: string;
            /** Format: date-time */
            bookedAt?: string;
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
        /** @description The beneficiary. */
        Beneficiary: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "beneficiaryId": "0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7",
                 *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                 *       "name": "Example Shop",
                 *       "iban": "NL02ABNA0123456789"
                 *     }
                 */
                "application/json": components["schemas"]["Beneficiary"];
            };
        };
        /** @description What you have is current. */
        NotModified: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The recall as it stands now. */
        Recall: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "recallId": "0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7",
                 *       "status": "accepted",
                 *       "amount": {
                 *         "amount": "100.00",
                 *         "currency": "EUR"
                 *       },
                 *       "reason": "DUPL",
                 *       "endToEndId": "SALARY-01",
                 *       "receivedAt": "2026-01-05T10:00:00.000Z",
                 *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                 *       "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                 *       "decidedAt": "2026-01-05T11:00:00.000Z",
                 *       "decidedBy": "back-office/staff-17",
                 *       "returnTransactionId": "0198a6f5-77aa-7d20-b1c5-90f2d8e3a6b1"
                 *     }
                 */
                "application/json": components["schemas"]["Recall"];
            };
        };
        /** @description The account as its opener sees it. */
        AccountOpening: {
            headers: {
                "X-BIAN-Service-Domain": components["headers"]["BianServiceDomain"];
                ETag: components["headers"]["ETag"];
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
        /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
        RecallId: string;
        /** @example 0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1 */
        TransactionId: string;
        /** @example 0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f */
        ReconciledStatementId: string;
        /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
        BreakId: string;
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
        /** @description The ETag you last read; 304 without a body when nothing has changed. */
        IfNoneMatch: string;
        /** @description The ETag you last read; the change is refused (412) when somebody changed it since. */
        IfMatch: string;
        /** @example 0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7 */
        BeneficiaryId: string;
        /** @description `nextCursor` of the page before */
        Cursor: string;
    };
    requestBodies: never;
    headers: {
        /** @description Where to follow the opening */
        Location: string;
        /** @description `true` when the key was used before and the stored answer is given again */
        IdempotencyReplayed: "true";
        /** @description Of what is answered, for If-None-Match and If-Match */
        ETag: string;
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
            header?: {
                /** @description The ETag you last read; 304 without a body when nothing has changed. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
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
                    ETag: components["headers"]["ETag"];
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
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    updateAccount: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag you last read; the change is refused (412) when somebody changed it since. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
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
            header?: {
                /** @description The ETag you last read; 304 without a body when nothing has changed. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["AccountOpening"];
            304: components["responses"]["NotModified"];
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
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "payoutTo": "DE78997000010000000017"
                 *     }
                 */
                "application/json": components["schemas"]["CloseAccount"];
            };
        };
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
    unblockAccount: {
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
    listBeneficiaries: {
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
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of beneficiaries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "beneficiaryId": "0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "name": "Example Shop",
                     *           "iban": "NL02ABNA0123456789"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["BeneficiaryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createBeneficiary: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Yours to choose, once per intention; a repeat within 24 h answers the same resource.
                 * @example open-household-1
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
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
                 *       "name": "Example Shop",
                 *       "iban": "NL02ABNA0123456789",
                 *       "reference": "Customer 4711"
                 *     }
                 */
                "application/json": components["schemas"]["BeneficiaryWish"];
            };
        };
        responses: {
            /** @description The beneficiary is saved. */
            201: {
                headers: {
                    /** @description Where the beneficiary is */
                    Location?: string;
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "beneficiaryId": "0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7",
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "name": "Example Shop",
                     *       "iban": "NL02ABNA0123456789",
                     *       "reference": "Customer 4711"
                     *     }
                     */
                    "application/json": components["schemas"]["Beneficiary"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBeneficiary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag you last read; 304 without a body when nothing has changed. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7 */
                beneficiaryId: components["parameters"]["BeneficiaryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Beneficiary"];
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    updateBeneficiary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag you last read; the change is refused (412) when somebody changed it since. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7 */
                beneficiaryId: components["parameters"]["BeneficiaryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Example Shop",
                 *       "iban": "NL02ABNA0123456789"
                 *     }
                 */
                "application/json": components["schemas"]["BeneficiaryWish"];
            };
        };
        responses: {
            200: components["responses"]["Beneficiary"];
            default: components["responses"]["Problem"];
        };
    };
    deleteBeneficiary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag you last read; the change is refused (412) when somebody changed it since. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @example 0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44 */
                accountId: components["parameters"]["AccountId"];
                /** @example 0198a6f3-5a10-7b6e-a2ce-14d5f2b8c3d7 */
                beneficiaryId: components["parameters"]["BeneficiaryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The beneficiary is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getStatement: {
        parameters: {
            query?: {
                /**
                 * @description First booking date; default: the first of the month
                 * @example 2026-01-01
                 */
                from?: string;
                /**
                 * @description Last booking date; default: today
                 * @example 2026-01-31
                 */
                to?: string;
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
            /** @description The statement. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *       "from": "2026-01-01",
                     *       "to": "2026-01-31",
                     *       "asOf": "2026-02-01T08:00:00.000Z",
                     *       "openingBalance": {
                     *         "amount": {
                     *           "amount": "0.00",
                     *           "currency": "EUR"
                     *         },
                     *         "creditDebitIndicator": "CRDT"
                     *       },
                     *       "closingBalance": {
                     *         "amount": {
                     *           "amount": "0.00",
                     *           "currency": "EUR"
                     *         },
                     *         "creditDebitIndicator": "CRDT"
                     *       },
                     *       "totals": {
                     *         "credits": {
                     *           "count": 0,
                     *           "amount": {
                     *             "amount": "0.00",
                     *             "currency": "EUR"
                     *           }
                     *         },
                     *         "debits": {
                     *           "count": 0,
                     *           "amount": {
                     *             "amount": "0.00",
                     *             "currency": "EUR"
                     *           }
                     *         }
                     *       },
                     *       "entries": []
                     *     }
                     */
                    "application/json": components["schemas"]["Statement"];
                    /** @example booking_date,value_date,amount,currency,type,transaction_id,counterparty_name,counterparty_iban,end_to_end_id,remittance */
                    "text/csv": string;
                    /** @example <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/> */
                    "application/xml": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBalances: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag you last read; 304 without a body when nothing has changed. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
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
                    ETag: components["headers"]["ETag"];
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
            304: components["responses"]["NotModified"];
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
                 * @description Least amount wanted, in the currency of the account
                 * @example 10.00
                 */
                minAmount?: string;
                /**
                 * @description Highest amount wanted
                 * @example 99.99
                 */
                maxAmount?: string;
                /** @description Only credits or only debits */
                creditDebitIndicator?: components["schemas"]["CreditDebitIndicator"];
                /** @description BOOK: booked; PDNG: held for payments under way, without booking dates */
                status?: "BOOK" | "PDNG";
                /**
                 * @description Part of the remittance, the end-to-end id, or the name or IBAN of the counterparty
                 * @example invoice
                 */
                text?: string;
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
            header?: {
                /** @description The ETag you last read; 304 without a body when nothing has changed. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
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
                    ETag: components["headers"]["ETag"];
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
            304: components["responses"]["NotModified"];
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
    returnTransaction: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Yours to choose, once per intention; a repeat within 24 h answers the same resource.
                 * @example open-household-1
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
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
                 *       "amount": {
                 *         "amount": "50.00",
                 *         "currency": "EUR"
                 *       },
                 *       "reason": "MS02",
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["ReturnOrder"];
            };
        };
        responses: {
            /** @description The booking that sends it back. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "transactionId": "0198a6f5-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "returnedTransactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1",
                     *       "amount": {
                     *         "amount": "50.00",
                     *         "currency": "EUR"
                     *       },
                     *       "reason": "MS02"
                     *     }
                     */
                    "application/json": components["schemas"]["CreditReturn"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRecalls: {
        parameters: {
            query?: {
                /**
                 * @description Only recalls that stand so
                 * @example open
                 */
                status?: components["schemas"]["RecallStatus"];
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
            /** @description A page of recalls. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "recallId": "0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7",
                     *           "status": "open",
                     *           "amount": {
                     *             "amount": "100.00",
                     *             "currency": "EUR"
                     *           },
                     *           "reason": "DUPL",
                     *           "endToEndId": "SALARY-01",
                     *           "receivedAt": "2026-01-05T10:00:00.000Z",
                     *           "accountId": "0198a6f3-0b5d-7f0e-8c11-2a7f5d1e9b44",
                     *           "transactionId": "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["RecallList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRecall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Recall"];
            default: components["responses"]["Problem"];
        };
    };
    acceptRecall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["RecallAcceptance"];
            };
        };
        responses: {
            200: components["responses"]["Recall"];
            default: components["responses"]["Problem"];
        };
    };
    refuseRecall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f6-0a10-7b6e-a2ce-14d5f2b8c3d7 */
                recallId: components["parameters"]["RecallId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "CUST",
                 *       "staffMember": "staff-17"
                 *     }
                 */
                "application/json": components["schemas"]["RecallRefusal"];
            };
        };
        responses: {
            200: components["responses"]["Recall"];
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
    listReconciliationStatements: {
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
            /** @description A page of statements. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *           "source": "rail",
                     *           "message": "camt.053",
                     *           "reference": "MSG-2026-005/STM-2026-005",
                     *           "account": "DE89370400440532013000",
                     *           "currency": "EUR",
                     *           "receivedAt": "2026-01-05T18:00:00.000Z",
                     *           "reconciledAt": "2026-01-05T18:00:01.000Z",
                     *           "complete": true,
                     *           "entries": 2,
                     *           "items": 2,
                     *           "matched": {
                     *             "reference": 1
                     *           },
                     *           "ignored": 0,
                     *           "open": 1,
                     *           "openBreaks": 1,
                     *           "opening": {
                     *             "amount": {
                     *               "amount": "100.00",
                     *               "currency": "EUR"
                     *             },
                     *             "creditDebit": "CRDT",
                     *             "date": "2026-01-05"
                     *           },
                     *           "closing": {
                     *             "amount": {
                     *               "amount": "49.99",
                     *               "currency": "EUR"
                     *             },
                     *             "creditDebit": "CRDT",
                     *             "date": "2026-01-05"
                     *           }
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationStatementList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    uploadStatements: {
        parameters: {
            query: {
                /**
                 * @description Who made the statement: the rail (of the settlement account) or the core (of a customer's account)
                 * @example rail
                 */
                source: "rail" | "core";
                /**
                 * @description Who of the staff uploads it, as an opaque id of your own; no name
                 * @example anna-7
                 */
                staffMember: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>…</BkToCstmrStmt></Document> */
                "application/xml": string;
            };
        };
        responses: {
            /** @description The statements, with what became of their entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "statements": [
                     *         {
                     *           "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *           "source": "rail",
                     *           "message": "camt.053",
                     *           "reference": "MSG-2026-005/STM-2026-005",
                     *           "account": "DE89370400440532013000",
                     *           "currency": "EUR",
                     *           "receivedAt": "2026-01-05T18:00:00.000Z",
                     *           "reconciledAt": "2026-01-05T18:00:01.000Z",
                     *           "complete": true,
                     *           "entries": 2,
                     *           "items": 2,
                     *           "matched": {
                     *             "reference": 1
                     *           },
                     *           "ignored": 0,
                     *           "open": 1,
                     *           "openBreaks": 1,
                     *           "opening": {
                     *             "amount": {
                     *               "amount": "100.00",
                     *               "currency": "EUR"
                     *             },
                     *             "creditDebit": "CRDT",
                     *             "date": "2026-01-05"
                     *           },
                     *           "closing": {
                     *             "amount": {
                     *               "amount": "49.99",
                     *               "currency": "EUR"
                     *             },
                     *             "creditDebit": "CRDT",
                     *             "date": "2026-01-05"
                     *           },
                     *           "repeated": false
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["UploadedStatements"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReconciliationStatement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f */
                statementId: components["parameters"]["ReconciledStatementId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statement; its breaks are listed under /v1/reconciliation/breaks?statementId=. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *       "source": "rail",
                     *       "message": "camt.053",
                     *       "reference": "MSG-2026-005/STM-2026-005",
                     *       "account": "DE89370400440532013000",
                     *       "currency": "EUR",
                     *       "receivedAt": "2026-01-05T18:00:00.000Z",
                     *       "reconciledAt": "2026-01-05T18:00:01.000Z",
                     *       "complete": true,
                     *       "entries": 2,
                     *       "items": 2,
                     *       "matched": {
                     *         "reference": 1
                     *       },
                     *       "ignored": 0,
                     *       "open": 1,
                     *       "openBreaks": 1,
                     *       "opening": {
                     *         "amount": {
                     *           "amount": "100.00",
                     *           "currency": "EUR"
                     *         },
                     *         "creditDebit": "CRDT",
                     *         "date": "2026-01-05"
                     *       },
                     *       "closing": {
                     *         "amount": {
                     *           "amount": "49.99",
                     *           "currency": "EUR"
                     *         },
                     *         "creditDebit": "CRDT",
                     *         "date": "2026-01-05"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationStatement"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    runReconciliation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What this run did. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "matched": 1,
                     *       "breaksFound": 0,
                     *       "breaksResolved": 1,
                     *       "statements": 0,
                     *       "ranAt": "2026-01-06T09:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationRun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listReconciliationBreaks: {
        parameters: {
            query?: {
                /**
                 * @description Only breaks of this reason
                 * @example missing-in-ledger
                 */
                reason?: components["schemas"]["BreakReason"];
                /**
                 * @description Only breaks in this status
                 * @example open
                 */
                status?: "open" | "proposed" | "resolved";
                /**
                 * @description Only breaks found at least so many days ago
                 * @example 2
                 */
                minAgeDays?: number;
                /**
                 * @description Only breaks of this statement
                 * @example 0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f
                 */
                statementId?: string;
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
            /** @description A page of breaks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "breakId": "0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
                     *           "reason": "amount-differs",
                     *           "status": "open",
                     *           "ageDays": 3,
                     *           "foundAt": "2026-01-05T18:00:00.000Z",
                     *           "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *           "amount": {
                     *             "amount": "50.01",
                     *             "currency": "EUR"
                     *           },
                     *           "creditDebitIndicator": "DBIT",
                     *           "candidates": [
                     *             "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *           ]
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationBreakList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReconciliationBreak: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The break. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "breakId": "0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
                     *       "reason": "amount-differs",
                     *       "status": "open",
                     *       "ageDays": 3,
                     *       "foundAt": "2026-01-05T18:00:00.000Z",
                     *       "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *       "amount": {
                     *         "amount": "50.01",
                     *         "currency": "EUR"
                     *       },
                     *       "creditDebitIndicator": "DBIT",
                     *       "candidates": [
                     *         "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationBreak"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    proposeBreakResolution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "resolution": "write-off",
                 *       "reason": "The rail charged a cent",
                 *       "staffMember": "anna-7"
                 *     }
                 */
                "application/json": components["schemas"]["ProposeResolution"];
            };
        };
        responses: {
            /** @description The break with what is proposed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "breakId": "0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
                     *       "reason": "amount-differs",
                     *       "status": "proposed",
                     *       "ageDays": 3,
                     *       "foundAt": "2026-01-05T18:00:00.000Z",
                     *       "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *       "amount": {
                     *         "amount": "50.01",
                     *         "currency": "EUR"
                     *       },
                     *       "creditDebitIndicator": "DBIT",
                     *       "candidates": [
                     *         "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *       ],
                     *       "proposal": {
                     *         "proposalId": "0198a6f5-2d3e-7f40-9b5c-6d7e8f9a0b1c",
                     *         "resolution": "write-off",
                     *         "reason": "The rail charged a cent",
                     *         "proposedBy": "office/anna-7",
                     *         "proposedAt": "2026-01-06T09:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationBreak"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    approveBreakResolution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "proposalId": "0198a6f5-2d3e-7f40-9b5c-6d7e8f9a0b1c",
                 *       "staffMember": "ben-2"
                 *     }
                 */
                "application/json": components["schemas"]["ApproveResolution"];
            };
        };
        responses: {
            /** @description The resolved break. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "breakId": "0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
                     *       "reason": "amount-differs",
                     *       "status": "resolved",
                     *       "ageDays": 3,
                     *       "foundAt": "2026-01-05T18:00:00.000Z",
                     *       "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *       "amount": {
                     *         "amount": "50.01",
                     *         "currency": "EUR"
                     *       },
                     *       "creditDebitIndicator": "DBIT",
                     *       "candidates": [
                     *         "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *       ],
                     *       "proposal": {
                     *         "proposalId": "0198a6f5-2d3e-7f40-9b5c-6d7e8f9a0b1c",
                     *         "resolution": "write-off",
                     *         "reason": "The rail charged a cent",
                     *         "proposedBy": "office/anna-7",
                     *         "proposedAt": "2026-01-06T09:00:00.000Z"
                     *       },
                     *       "resolution": "write-off",
                     *       "resolvedBy": "office/ben-2",
                     *       "resolvedAt": "2026-01-06T09:10:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationBreak"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refuseBreakResolution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b */
                breakId: components["parameters"]["BreakId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "proposalId": "0198a6f5-2d3e-7f40-9b5c-6d7e8f9a0b1c",
                 *       "reason": "The rail will correct it",
                 *       "staffMember": "ben-2"
                 *     }
                 */
                "application/json": components["schemas"]["RefuseResolution"];
            };
        };
        responses: {
            /** @description The open break. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "breakId": "0198a6f5-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
                     *       "reason": "amount-differs",
                     *       "status": "open",
                     *       "ageDays": 3,
                     *       "foundAt": "2026-01-05T18:00:00.000Z",
                     *       "statementId": "0198a6f5-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
                     *       "amount": {
                     *         "amount": "50.01",
                     *         "currency": "EUR"
                     *       },
                     *       "creditDebitIndicator": "DBIT",
                     *       "candidates": [
                     *         "0198a6f4-77aa-7d20-b1c5-90f2d8e3a6b1"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ReconciliationBreak"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
