// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your consents, newest first */
        get: operations["listConsents"];
        put?: never;
        /** Create a consent for a customer to authorise */
        post: operations["createConsent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/{consentId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        /** Read a consent */
        get: operations["getConsent"];
        put?: never;
        post?: never;
        /**
         * Give up a consent you hold
         * @description Takes effect on the next request and ends the tokens issued on it. Giving up a consent that is already over changes nothing.
         */
        delete: operations["revokeConsent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/{consentId}/authorise": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Leave an authorisation request and get a link that works once
         * @description Instead of putting the parameters of RFC 6749 into the customer's address bar: they stay between you and the bank, nobody can
         *     change them on the way, and the link is good for one browser, within ten minutes. For a consent that awaits its customer, or
         *     an amendment that does.
         */
        post: operations["authoriseConsent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/{consentId}/amend": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for other terms, or for a new proof of who the customer is
         * @description For recurring account access in force. What you do not name stays as it is; an empty object only asks the customer to
         *     authenticate again. The terms in force go on until the customer has approved the new ones (an hour at most); send the customer
         *     to `authoriseUrl`. The history keeps both.
         */
        post: operations["amendConsent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/{consentId}/validate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask whether something would be allowed
         * @description The rules a request meets, without the request: state, time, permission, account and, for payments, the terms. Nothing is used up.
         *     How often a day you may ask without the customer, and what is left of a periodic limit, only the request itself decides.
         */
        post: operations["validateConsent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/{consentId}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        /** Read what became of a consent, oldest first */
        get: operations["getConsentHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Search the consents of all customers and applications, newest first */
        get: operations["searchConsents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/consents/{consentId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        /** Read a consent with its history */
        get: operations["getConsentAsStaff"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/consents/{consentId}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a consent, with a reason
         * @description Takes effect on the next request and ends the tokens issued on it. A consent that is already over stays as it is: repeating the
         *     request changes nothing.
         */
        post: operations["revokeConsentAsStaff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/consents/{consentId}/expire": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a consent as if its time had come, with a reason
         * @description As revokeConsentAsStaff, with the state expired: for consents that should never have lasted that long.
         */
        post: operations["expireConsentAsStaff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Report consents by state, age and application, and refusals by reason
         * @description As JSON, or as CSV with `format=csv`: one row a figure. Refusals are those of the period, in whole days (UTC).
         */
        get: operations["reportConsents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consent-administration/token-introspection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what a token is good for
         * @description RFC 7662 for the bank: whether the token is active, whose it is, and the consent behind it. A token on a consent that is not in
         *     force is not active.
         */
        post: operations["introspectToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/customers/{customerId}/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Issue online-banking credentials to a sandbox customer
         * @description In production a customer gets these from the bank, never from a third party; the operation exists in the sandbox only.
         *     Answers each time with new credentials, which replace the earlier ones. `totpSecret` is Base32 (RFC 4648) for a
         *     time-based one-time code (RFC 6238: SHA-1, 6 digits, 30 s).
         */
        post: operations["issueSandboxCredentials"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/customers/{customerId}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what a sandbox customer's telephone was sent
         * @description The messages with which the bank asks its customer for a second factor, newest first, at most 50: one-time codes, and
         *     notices of an approval that waits on the customer's device.
         */
        get: operations["listSandboxMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/customers/{customerId}/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what waits for approval on a sandbox customer's device */
        get: operations["listSandboxApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sandbox/customers/{customerId}/approvals/{approvalId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve or deny on a sandbox customer's device
         * @description The same decision again changes nothing; another one answers 409.
         */
        post: operations["decideSandboxApproval"];
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
        SandboxMessage: {
            /** Format: uuid */
            messageId: string;
            /** @description In the language of the page that sent it */
            text: string;
            /** Format: date-time */
            createdAt: string;
        };
        SandboxApproval: {
            /** Format: uuid */
            approvalId: string;
            /** @enum {string} */
            status: "pending" | "approved" | "denied" | "expired";
            /** @description What is approved; it begins with the number the page shows */
            text: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /** @enum {string} */
        ConsentType: "account-access" | "payment" | "variable-recurring" | "bulk-payment" | "funds-confirmation";
        /** @enum {string} */
        ConsentStatus: "awaiting_authorisation" | "partially_authorised" | "authorised" | "rejected" | "consumed" | "revoked" | "withdrawn" | "expired";
        /** @enum {string} */
        EndReason: "by_customer" | "by_third_party" | "by_bank" | "abandoned" | "too_many_attempts" | "end_reached" | "payment_initiated" | "customer_closed";
        /** @enum {string} */
        AccountPermission: "accounts:read" | "balances:read" | "transactions:read" | "beneficiaries:read";
        AccountPermissions: components["schemas"]["AccountPermission"][];
        /** @enum {string} */
        Permission: "accounts:read" | "balances:read" | "transactions:read" | "beneficiaries:read" | "payments:initiate" | "funds:confirm";
        /** @description How often a day (UTC) you may ask each operation for each account while the customer is not with you (no x-fapi-customer-ip-address); absent: as often as your plan allows */
        FrequencyPerDay: number;
        Money: {
            /** @example 12.50 */
            amount: string;
            /** @example EUR */
            currency: string;
        };
        Creditor: {
            name: string;
            iban: string;
        };
        ConsentedPayment: {
            amount: components["schemas"]["Money"];
            creditor: components["schemas"]["Creditor"];
            /**
             * Format: uuid
             * @description When absent the customer chooses the account
             */
            debtorAccountId?: string;
            remittance?: string;
            /**
             * Format: date
             * @description When absent the payment is made when it is initiated
             */
            requestedExecutionDate?: string;
        };
        ConsentedBulk: {
            /** @description How many payments */
            transactions: number;
            total: components["schemas"]["Money"];
            /**
             * Format: uuid
             * @description When absent the customer chooses the accounts, one or several: each batch of a file has a debtor of its own
             */
            debtorAccountId?: string;
            digest?: components["schemas"]["Digest"];
            /**
             * Format: date
             * @description When absent each payment is made on its own date, or when the bulk is taken
             */
            requestedExecutionDate?: string;
        };
        BulkQuestion: {
            transactions: number;
            total: components["schemas"]["Money"];
            digest?: components["schemas"]["Digest"];
            /** Format: date */
            requestedExecutionDate?: string;
        };
        /** @description SHA-256 of the file to be sent, base64url without padding: the customer approves this file, and no other passes */
        Digest: string;
        PeriodicLimit: {
            maximum: components["schemas"]["Money"];
            /** @enum {string} */
            period: "day" | "week" | "fortnight" | "month" | "half-year" | "year";
            /**
             * @description Whether periods begin with validFrom or with the calendar (UTC)
             * @enum {string}
             */
            alignment: "consent" | "calendar";
        };
        RequestedRecurring: {
            maximumPerPayment: components["schemas"]["Money"];
            periodicLimits: components["schemas"]["PeriodicLimit"][];
            creditor: components["schemas"]["Creditor"];
            /**
             * Format: uuid
             * @description When absent the customer chooses the account
             */
            debtorAccountId?: string;
            remittance?: string;
            /**
             * Format: date-time
             * @description Default: at once
             */
            validFrom?: string;
            /**
             * Format: date-time
             * @description At most 1095 days ahead
             */
            validUntil: string;
        };
        CreateConsent: components["schemas"]["CreateAccountAccessConsent"] | components["schemas"]["CreatePaymentConsent"] | components["schemas"]["CreateRecurringConsent"] | components["schemas"]["CreateBulkConsent"] | components["schemas"]["CreateFundsConsent"];
        CreateAccountAccessConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "account-access";
            permissions: components["schemas"]["AccountPermissions"];
            /**
             * Format: date-time
             * @description At most 180 days ahead
             */
            validUntil: string;
            /**
             * @description false: for the moment only; the consent ends an hour after the approval
             * @default true
             */
            recurring: boolean;
            frequencyPerDay?: components["schemas"]["FrequencyPerDay"];
            redirectUri: components["schemas"]["RedirectUri"];
        };
        CreatePaymentConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "payment";
            payment: components["schemas"]["ConsentedPayment"];
            redirectUri: components["schemas"]["RedirectUri"];
        };
        CreateRecurringConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "variable-recurring";
            recurring: components["schemas"]["RequestedRecurring"];
            redirectUri: components["schemas"]["RedirectUri"];
        };
        CreateBulkConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "bulk-payment";
            bulk: components["schemas"]["ConsentedBulk"];
            redirectUri: components["schemas"]["RedirectUri"];
        };
        CreateFundsConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "funds-confirmation";
            /**
             * Format: date-time
             * @description At most 1095 days ahead
             */
            validUntil: string;
            redirectUri: components["schemas"]["RedirectUri"];
        };
        /**
         * Format: uri
         * @description Where the customer comes back to; one that the application registered
         */
        RedirectUri: string;
        AuthoriseConsent: {
            /** @description base64url SHA-256 of the code verifier (RFC 7636) */
            codeChallenge: string;
            /** @enum {string} */
            codeChallengeMethod: "S256";
            /** @description Comes back with the customer */
            state?: string;
            /** @description Languages for the bank's pages, most wanted first: `de en` */
            uiLocales?: string;
        };
        AuthorisationLink: {
            /** Format: uuid */
            consentId: string;
            /** @description Send the customer here; it works once */
            authoriseUrl: string;
            /** Format: date-time */
            expiresAt: string;
        };
        AmendConsent: {
            permissions?: components["schemas"]["AccountPermissions"];
            /**
             * Format: date-time
             * @description At most 180 days ahead
             */
            validUntil?: string;
            frequencyPerDay?: components["schemas"]["FrequencyPerDay"];
        };
        ConsentQuestion: {
            permission: components["schemas"]["Permission"];
            /** Format: uuid */
            accountId?: string;
            payment?: components["schemas"]["ConsentedPayment"];
            bulk?: components["schemas"]["BulkQuestion"];
        };
        ConsentVerdict: {
            allowed: boolean;
            /** @description The code of the problem a request would be answered with */
            code?: string;
            detail?: string;
        };
        Amendment: {
            permissions: components["schemas"]["AccountPermissions"];
            /** Format: date-time */
            validUntil: string;
            frequencyPerDay?: components["schemas"]["FrequencyPerDay"];
            /** Format: date-time */
            requestedAt: string;
        };
        Consent: {
            /** Format: uuid */
            consentId: string;
            type: components["schemas"]["ConsentType"];
            status: components["schemas"]["ConsentStatus"];
            statusReason?: components["schemas"]["EndReason"];
            permissions: components["schemas"]["Permission"][];
            /** @description The accounts the customer chose; empty before approval */
            accounts: string[];
            /** @description Whether it may be used more than once */
            recurring: boolean;
            frequencyPerDay?: components["schemas"]["FrequencyPerDay"];
            payment?: components["schemas"]["ConsentedPayment"];
            recurringTerms?: components["schemas"]["RequestedRecurring"];
            bulk?: components["schemas"]["ConsentedBulk"];
            /** @description Joint accounts take the approval of all who hold them */
            approvals: {
                /** @description 0 until accounts are chosen */
                required: number;
                given: number;
            };
            amendment?: components["schemas"]["Amendment"];
            redirectUri: string;
            /** Format: date-time */
            validFrom?: string;
            /** Format: date-time */
            expiresAt: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            version: number;
            /** @description Where to send the customer; null when there is nothing to decide. Add client_id, redirect_uri, response_type=code, state, code_challenge, code_challenge_method=S256 and scope; or get a link that works once from authoriseConsent. */
            authoriseUrl: string | null;
        };
        ConsentPage: {
            data: components["schemas"]["Consent"][];
            nextCursor: string | null;
        };
        ConsentChange: {
            version: number;
            /** Format: date-time */
            at: string;
            /** @enum {string} */
            act: "create" | "approve_in_part" | "approve" | "ask_amendment" | "drop_amendment" | "amend" | "reject" | "abandon" | "consume" | "revoke" | "withdraw" | "expire";
            status: components["schemas"]["ConsentStatus"];
            /** @enum {string} */
            actor: "customer" | "third_party" | "bank" | "system";
            /** @description Told to the bank's staff only; for a decision of theirs `<clientId>/<staffMember>`, or the client id where no staffMember was given */
            actorId?: string;
            reason: string;
            /** @description Told to the bank's staff only */
            note?: string;
            /** @description As they stood after the change */
            terms: {
                permissions: components["schemas"]["Permission"][];
                accounts: string[];
                /** Format: date-time */
                expiresAt: string;
                frequencyPerDay?: components["schemas"]["FrequencyPerDay"];
            };
        };
        ConsentHistory: {
            data: components["schemas"]["ConsentChange"][];
        };
        AdministeredConsent: components["schemas"]["Consent"] & {
            clientId: string;
            /** Format: uuid */
            customerId?: string;
            /** Format: date-time */
            lastUsedAt?: string;
            /** @description Not in lists */
            history?: components["schemas"]["ConsentChange"][];
        };
        AdministeredConsentPage: {
            data: components["schemas"]["AdministeredConsent"][];
            nextCursor: string | null;
        };
        StaffDecision: {
            /** @enum {string} */
            reason: "customer_request" | "fraud_suspected" | "legal_order" | "data_corrected" | "other";
            /** @description For the history; no personal data */
            note?: string;
            /** @description Who of the staff decided, as an opaque id of your own; no name. The history keeps it behind the client id: `<clientId>/<staffMember>` */
            staffMember?: string;
        };
        ConsentReport: {
            /** Format: date-time */
            asOf: string;
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
            byState: {
                type: components["schemas"]["ConsentType"];
                status: components["schemas"]["ConsentStatus"];
                consents: number;
            }[];
            /** @description Consents in force by the time since their approval */
            byAge: {
                type: components["schemas"]["ConsentType"];
                /** @enum {string} */
                age: "0-7 days" | "8-30 days" | "31-90 days" | "91-180 days" | "over 180 days";
                consents: number;
            }[];
            byClient: {
                clientId: string;
                application?: string;
                inForce: number;
                all: number;
            }[];
            refusals: {
                code: string;
                clientId: string;
                refusals: number;
            }[];
        };
        TokenToIntrospect: {
            token: string;
        };
        IntrospectedToken: {
            active: boolean;
            scope?: string;
            client_id?: string;
            token_type?: string;
            /** @description Unix seconds */
            exp?: number;
            /** @description Unix seconds */
            iat?: number;
            consent?: components["schemas"]["AdministeredConsent"];
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            instance?: string;
            code: string;
            correlationId: string;
            errors?: {
                path?: string;
                message?: string;
            }[];
        };
    };
    responses: {
        /** @description Why the request was refused (RFC 9457) */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:consent_not_found",
                 *       "title": "Consent not found",
                 *       "status": 404,
                 *       "detail": "There is no consent with this id.",
                 *       "code": "consent_not_found",
                 *       "correlationId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a003"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        CustomerId: string;
        Limit: number;
        /** @description The nextCursor of the page before */
        Cursor: string;
        ConsentId: string;
        /**
         * @description A key of your choice; the same key and body give the same answer again for 24 hours
         * @example 7d0c2b1e
         */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listConsents: {
        parameters: {
            query?: {
                status?: components["schemas"]["ConsentStatus"];
                type?: components["schemas"]["ConsentType"];
                limit?: components["parameters"]["Limit"];
                /** @description The nextCursor of the page before */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of consents */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ConsentPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createConsent: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description A key of your choice; the same key and body give the same answer again for 24 hours
                 * @example 7d0c2b1e
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateConsent"];
            };
        };
        responses: {
            /** @description The consent, awaiting the customer */
            201: {
                headers: {
                    /** @description Where the consent can be read */
                    Location?: string;
                    /** @description `true` when this answer was made by an earlier request with the same key */
                    "Idempotency-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "awaiting_authorisation",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 0,
                     *         "given": 0
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:00:00Z",
                     *       "version": 1,
                     *       "authoriseUrl": "http://localhost:8000/bank/authorise?consent_id=01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001"
                     *     }
                     */
                    "application/json": components["schemas"]["Consent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getConsent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The consent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "authorised",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [
                     *         "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                     *       ],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 1,
                     *         "given": 1
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:01:00Z",
                     *       "version": 2,
                     *       "authoriseUrl": null
                     *     }
                     */
                    "application/json": components["schemas"]["Consent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeConsent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Given up */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    authoriseConsent: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description A key of your choice; the same key and body give the same answer again for 24 hours
                 * @example 7d0c2b1e
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "codeChallenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                 *       "codeChallengeMethod": "S256",
                 *       "state": "af0ifjsldkj"
                 *     }
                 */
                "application/json": components["schemas"]["AuthoriseConsent"];
            };
        };
        responses: {
            /** @description The link */
            201: {
                headers: {
                    /** @description `true` when this answer was made by an earlier request with the same key */
                    "Idempotency-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "authoriseUrl": "http://localhost:8000/bank/authorise?request=8Jk1",
                     *       "expiresAt": "2026-11-22T10:10:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["AuthorisationLink"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    amendConsent: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description A key of your choice; the same key and body give the same answer again for 24 hours
                 * @example 7d0c2b1e
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "permissions": [
                 *         "accounts:read",
                 *         "balances:read"
                 *       ],
                 *       "validUntil": "2027-04-30T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["AmendConsent"];
            };
        };
        responses: {
            /** @description The consent, with the amendment the customer has yet to approve */
            200: {
                headers: {
                    /** @description `true` when this answer was made by an earlier request with the same key */
                    "Idempotency-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "authorised",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [
                     *         "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                     *       ],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 1,
                     *         "given": 1
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:01:00Z",
                     *       "version": 2,
                     *       "authoriseUrl": null
                     *     }
                     */
                    "application/json": components["schemas"]["Consent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    validateConsent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "permission": "balances:read",
                 *       "accountId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                 *     }
                 */
                "application/json": components["schemas"]["ConsentQuestion"];
            };
        };
        responses: {
            /** @description The verdict */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "allowed": false,
                     *       "code": "consent_account_not_covered",
                     *       "detail": "The consent does not cover this account."
                     *     }
                     */
                    "application/json": components["schemas"]["ConsentVerdict"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getConsentHistory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every change with its time, who made it and why */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "version": 1,
                     *           "at": "2026-11-22T10:00:00Z",
                     *           "act": "create",
                     *           "status": "awaiting_authorisation",
                     *           "actor": "third_party",
                     *           "reason": "requested",
                     *           "terms": {
                     *             "permissions": [
                     *               "accounts:read"
                     *             ],
                     *             "accounts": [],
                     *             "expiresAt": "2027-01-31T00:00:00Z"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ConsentHistory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    searchConsents: {
        parameters: {
            query?: {
                /** @description Who gave it, or has yet to approve it */
                customerId?: string;
                clientId?: string;
                accountId?: string;
                status?: components["schemas"]["ConsentStatus"];
                type?: components["schemas"]["ConsentType"];
                limit?: components["parameters"]["Limit"];
                /** @description The nextCursor of the page before */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of consents */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AdministeredConsentPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getConsentAsStaff: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The consent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "authorised",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [
                     *         "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                     *       ],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 1,
                     *         "given": 1
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:01:00Z",
                     *       "version": 2,
                     *       "authoriseUrl": null,
                     *       "clientId": "app-1",
                     *       "customerId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a004",
                     *       "history": []
                     *     }
                     */
                    "application/json": components["schemas"]["AdministeredConsent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeConsentAsStaff: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "fraud_suspected",
                 *       "note": "Reported by the customer by telephone",
                 *       "staffMember": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a005"
                 *     }
                 */
                "application/json": components["schemas"]["StaffDecision"];
            };
        };
        responses: {
            /** @description The consent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "authorised",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [
                     *         "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                     *       ],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 1,
                     *         "given": 1
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:01:00Z",
                     *       "version": 2,
                     *       "authoriseUrl": null,
                     *       "clientId": "app-1",
                     *       "customerId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a004",
                     *       "history": []
                     *     }
                     */
                    "application/json": components["schemas"]["AdministeredConsent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    expireConsentAsStaff: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                consentId: components["parameters"]["ConsentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "data_corrected"
                 *     }
                 */
                "application/json": components["schemas"]["StaffDecision"];
            };
        };
        responses: {
            /** @description The consent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "consentId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001",
                     *       "type": "account-access",
                     *       "status": "authorised",
                     *       "permissions": [
                     *         "accounts:read"
                     *       ],
                     *       "accounts": [
                     *         "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a002"
                     *       ],
                     *       "recurring": true,
                     *       "approvals": {
                     *         "required": 1,
                     *         "given": 1
                     *       },
                     *       "redirectUri": "https://fintech.example/callback",
                     *       "expiresAt": "2027-01-31T00:00:00Z",
                     *       "createdAt": "2026-11-22T10:00:00Z",
                     *       "updatedAt": "2026-11-22T10:01:00Z",
                     *       "version": 2,
                     *       "authoriseUrl": null,
                     *       "clientId": "app-1",
                     *       "customerId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a004",
                     *       "history": []
                     *     }
                     */
                    "application/json": components["schemas"]["AdministeredConsent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    reportConsents: {
        parameters: {
            query?: {
                /** @description First day; default: 30 days ago */
                from?: string;
                /** @description Last day; default: today */
                to?: string;
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "asOf": "2026-11-22T10:00:00Z",
                     *       "from": "2026-10-23",
                     *       "to": "2026-11-22",
                     *       "byState": [
                     *         {
                     *           "type": "account-access",
                     *           "status": "authorised",
                     *           "consents": 12
                     *         }
                     *       ],
                     *       "byAge": [
                     *         {
                     *           "type": "account-access",
                     *           "age": "0-7 days",
                     *           "consents": 12
                     *         }
                     *       ],
                     *       "byClient": [
                     *         {
                     *           "clientId": "app-1",
                     *           "application": "Demo",
                     *           "inForce": 12,
                     *           "all": 30
                     *         }
                     *       ],
                     *       "refusals": [
                     *         {
                     *           "code": "consent_revoked",
                     *           "clientId": "app-1",
                     *           "refusals": 3
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ConsentReport"];
                    /**
                     * @example figure,type_or_client,state_or_age_or_name,code,count
                     *     as_of,2026-11-22T10:00:00.000Z,,,
                     *     by_state,account-access,authorised,,12
                     */
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    introspectToken: {
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
                 *       "token": "2YotnFZFEjr1zCsicMWpAA"
                 *     }
                 */
                "application/json": components["schemas"]["TokenToIntrospect"];
            };
        };
        responses: {
            /** @description What is known of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "active": false
                     *     }
                     */
                    "application/json": components["schemas"]["IntrospectedToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    issueSandboxCredentials: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                customerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Credentials, shown once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "username": "c-4f2a9d10",
                     *       "password": "example-password-shown-once",
                     *       "totpSecret": "JBSWY3DPEHPK3PXP"
                     *     }
                     */
                    "application/json": {
                        username: string;
                        password: string;
                        totpSecret: string;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSandboxMessages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "messageId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a004",
                     *           "text": "493027 is your code. You pay €12.50 to Green Grocer, account DE89 3704 0044 0532 0130 00, asked by Example Budget. Account: Current account, EUR, DE •••• 3000. Valid for 5 minutes. Never tell it to anybody, not even to your bank.",
                     *           "createdAt": "2026-11-22T10:00:40Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        data: components["schemas"]["SandboxMessage"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSandboxApprovals: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The approvals, newest first, at most 50 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "approvalId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a005",
                     *           "status": "pending",
                     *           "text": "Number 47. You sign in to your consents. Approve only if your bank’s page shows the same number.",
                     *           "createdAt": "2026-11-22T10:00:40Z",
                     *           "expiresAt": "2026-11-22T10:05:40Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        data: components["schemas"]["SandboxApproval"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideSandboxApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                customerId: components["parameters"]["CustomerId"];
                approvalId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "decision": "approve"
                 *     }
                 */
                "application/json": {
                    /** @enum {string} */
                    decision: "approve" | "deny";
                };
            };
        };
        responses: {
            /** @description The approval as it stands now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "approvalId": "01936d7e-0c1a-7cc0-9f6b-0d2a54b2a005",
                     *       "status": "approved",
                     *       "text": "Number 47. You sign in to your consents. Approve only if your bank’s page shows the same number.",
                     *       "createdAt": "2026-11-22T10:00:40Z",
                     *       "expiresAt": "2026-11-22T10:05:40Z"
                     *     }
                     */
                    "application/json": components["schemas"]["SandboxApproval"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
