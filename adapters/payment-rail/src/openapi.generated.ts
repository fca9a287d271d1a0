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
    parameters: never;
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
}
