// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/sandbox/incoming-payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let somebody pay into a sandbox account
         * @description Asks the simulated rail to send a credit transfer (pacs.008.001.08) to the bank. The account is credited, or the
         *     transfer refused (unknown or closed account, other currency), a moment later. A repeat of the same Idempotency-Key
         *     sends nothing new.
         */
        post: operations["simulateIncomingPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/payment-returns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let the creditor's bank send a payment back
         * @description Asks the simulated rail to return a payment that it has settled (pacs.004.001.09), whole or in part. The money is on the debtor's account
         *     a moment later and `payment.returned` follows. A repeat of the same Idempotency-Key sends nothing new.
         */
        post: operations["simulatePaymentReturn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/recalls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let somebody want an incoming payment back
         * @description Asks the simulated rail to recall a transfer you had simulated (camt.056.001.08). The bank's staff accept or refuse it; if they accept, the
         *     account is debited and the money goes back.
         */
        post: operations["simulateRecall"];
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
            amount: string;
            /** @description ISO 4217. */
            currency: string;
        };
        IncomingPayment: {
            creditorIban: string;
            amount: components["schemas"]["Money"];
            debtor: {
                name: string;
                iban: string;
            };
            remittance?: string;
        };
        IncomingPaymentAccepted: {
            /** @description MsgId of the pacs.008 the rail will send. */
            messageId: string;
            /** @description Shows up on the account's transaction. */
            endToEndId: string;
        };
        PaymentReturn: {
            /**
             * Format: uuid
             * @description A payment that is settled.
             */
            paymentId: string;
            amount?: components["schemas"]["Money"];
            /** @description ExternalReturnReason1Code; default MS03 (not specified). */
            reason?: string;
        };
        TransferRecall: {
            /** @description The messageId that simulateIncomingPayment answered. */
            messageId: string;
            /** @description ExternalCancellationReason1Code; default DUPL (duplicate). */
            reason?: string;
        };
        MessageAccepted: {
            /** @description Id of the message the rail will send. */
            messageId: string;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            code: string;
            correlationId: string;
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
                 *       "detail": "creditorIban: the check digits are wrong",
                 *       "code": "invalid_iban",
                 *       "correlationId": "01890a5d-ac96-774b-bcce-b302099a8060"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description Chosen by you, one for each order you mean.
         * @example return-march
         */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    simulateIncomingPayment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each transfer you mean.
                 * @example salary-march
                 */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "creditorIban": "DE89370400440532013000",
                 *       "amount": {
                 *         "amount": "1500.00",
                 *         "currency": "EUR"
                 *       },
                 *       "debtor": {
                 *         "name": "Fictional Employer GmbH",
                 *         "iban": "NL91ABNA0417164300"
                 *       },
                 *       "remittance": "Salary March"
                 *     }
                 */
                "application/json": components["schemas"]["IncomingPayment"];
            };
        };
        responses: {
            /** @description The rail has taken the order and will deliver the credit transfer. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messageId": "5b1e0b4c5cf05f3e9c3f8d7a6b2c1d0e",
                     *       "endToEndId": "SIM-5b1e0b4c5cf05f3e"
                     *     }
                     */
                    "application/json": components["schemas"]["IncomingPaymentAccepted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    simulatePaymentReturn: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each order you mean.
                 * @example return-march
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
                 *       "paymentId": "0198a6f4-5a10-7b6e-a2ce-14d5f2b8c3d7",
                 *       "amount": {
                 *         "amount": "20.00",
                 *         "currency": "EUR"
                 *       },
                 *       "reason": "AC04"
                 *     }
                 */
                "application/json": components["schemas"]["PaymentReturn"];
            };
        };
        responses: {
            /** @description The rail has taken the order and will deliver the return. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messageId": "5b1e0b4c5cf05f3e9c3f8d7a6b2c1d0e"
                     *     }
                     */
                    "application/json": components["schemas"]["MessageAccepted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    simulateRecall: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Chosen by you, one for each order you mean.
                 * @example return-march
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
                 *       "messageId": "5b1e0b4c5cf05f3e9c3f8d7a6b2c1d0e",
                 *       "reason": "DUPL"
                 *     }
                 */
                "application/json": components["schemas"]["TransferRecall"];
            };
        };
        responses: {
            /** @description The rail has taken the order and will deliver the recall. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messageId": "0d1c2b3a4f5e5d6c8b7a9f0e1d2c3b4a"
                     *     }
                     */
                    "application/json": components["schemas"]["MessageAccepted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
