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
         * Revoke a consent you hold
         * @description Takes effect on the next request. Revoking a consent that is already over changes nothing.
         */
        delete: operations["revokeConsent"];
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
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @enum {string} */
        ConsentStatus: "awaiting_authorisation" | "authorised" | "rejected" | "revoked" | "expired" | "consumed";
        /** @enum {string} */
        AccountPermission: "accounts:read" | "balances:read" | "transactions:read";
        /** @enum {string} */
        Permission: "accounts:read" | "balances:read" | "transactions:read" | "payments:initiate";
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
        };
        CreateConsent: components["schemas"]["CreateAccountAccessConsent"] | components["schemas"]["CreatePaymentConsent"];
        CreateAccountAccessConsent: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "account-access";
            permissions: components["schemas"]["AccountPermission"][];
            /**
             * Format: date-time
             * @description At most 180 days ahead
             */
            validUntil: string;
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
        /**
         * Format: uri
         * @description Where the customer comes back to; one that the application registered
         */
        RedirectUri: string;
        Consent: {
            /** Format: uuid */
            consentId: string;
            /** @enum {string} */
            type: "account-access" | "payment";
            status: components["schemas"]["ConsentStatus"];
            /** @enum {string} */
            statusReason?: "by_customer" | "by_third_party" | "abandoned" | "too_many_attempts";
            permissions: components["schemas"]["Permission"][];
            /** @description The accounts the customer chose; empty before approval */
            accounts: string[];
            payment?: components["schemas"]["ConsentedPayment"];
            redirectUri: string;
            /** Format: date-time */
            expiresAt: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            version: number;
            /** @description Where to send the customer; null once decided. Add client_id, redirect_uri, response_type=code, state, code_challenge, code_challenge_method=S256 and scope. */
            authoriseUrl: string | null;
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
                limit?: number;
                cursor?: string;
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
                    "application/json": {
                        data: components["schemas"]["Consent"][];
                        nextCursor: string | null;
                    };
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
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
}
