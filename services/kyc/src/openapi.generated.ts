// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/customers/{customerId}/kyc": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        /** Read a customer's latest case */
        get: operations["getKyc"];
        put?: never;
        /**
         * Ask for a new check of a customer
         * @description Registering a customer starts a check by itself; this starts another one. Refused (409) while a case is open.
         */
        post: operations["requestKyc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/customers/{customerId}/kyc/identity": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        /** Read the outcome of the identity check */
        get: operations["getKycIdentity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/customers/{customerId}/kyc/screening": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        /**
         * Read the outcome of the sanctions screening
         * @description The matches are shown to compliance officers only; a fintech sees the outcome.
         */
        get: operations["getKycScreening"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/customers/{customerId}/kyc/decision": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide a case that waits for review
         * @description Only a case in review can be decided. The decision, its reason and the deciding client are audited. Repeating the same decision with the same reason answers the decided case again.
         */
        post: operations["decideKyc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/kyc-cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List cases, oldest first
         * @description The work list of the compliance officers; by default the cases in review.
         */
        get: operations["listKycCases"];
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
        /**
         * @description checking: the checks are under way. review: waits for a compliance officer. approved, rejected: decided. superseded: the customer's data changed or the customer left before the end.
         * @enum {string}
         */
        KycStatus: "checking" | "review" | "approved" | "rejected" | "superseded";
        /**
         * @description Why a case went to review or was rejected.
         * @enum {string}
         */
        KycReason: "identity_failed" | "identity_unclear" | "sanctions_potential_match" | "officer_decision";
        KycCase: {
            /** Format: uuid */
            caseId: string;
            /** Format: uuid */
            customerId: string;
            status: components["schemas"]["KycStatus"];
            /**
             * @description What opened the case.
             * @enum {string}
             */
            cause: "registered" | "identity_changed" | "requested";
            reasons: components["schemas"]["KycReason"][];
            /** @description The officer's sentence; shown to compliance officers only. */
            decisionReason?: string;
            /** @description The client that decided; shown to compliance officers only. */
            decidedBy?: string;
            /** Format: date-time */
            openedAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** Format: date-time */
            decidedAt?: string;
        };
        KycIdentity: {
            /** Format: uuid */
            caseId: string;
            /** Format: uuid */
            customerId: string;
            /** @enum {string} */
            outcome: "pending" | "verified" | "failed" | "refer";
            providerReference?: string;
            /** Format: date-time */
            checkedAt?: string;
        };
        KycScreening: {
            /** Format: uuid */
            caseId: string;
            /** Format: uuid */
            customerId: string;
            /** @enum {string} */
            outcome: "pending" | "clear" | "potential-match";
            matches?: {
                /** @description The list's file name. */
                list: string;
                /** @description The entry's number on that list. */
                entryId: string;
                /** @description Likeness of the names; 1 is equal. */
                score: number;
            }[];
            /** Format: date-time */
            checkedAt?: string;
        };
        KycDecision: {
            /** @enum {string} */
            decision: "approve" | "reject";
            /** @example Birth date differs from the list entry. */
            reason: string;
        };
        KycCasePage: {
            data: components["schemas"]["KycCase"][];
            nextCursor: string | null;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail?: string;
            code: string;
            correlationId: string;
            instance?: string;
            errors?: {
                path?: string;
                message?: string;
            }[];
        };
    };
    responses: {
        /** @description The case. */
        KycCase: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "caseId": "019abc00-0000-7000-8000-00000000c001",
                 *       "customerId": "019abc00-0000-7000-8000-000000000001",
                 *       "status": "approved",
                 *       "cause": "registered",
                 *       "reasons": [],
                 *       "openedAt": "2026-01-15T09:00:00.000Z",
                 *       "updatedAt": "2026-01-15T09:00:01.000Z",
                 *       "decidedAt": "2026-01-15T09:00:01.000Z"
                 *     }
                 */
                "application/json": components["schemas"]["KycCase"];
            };
        };
        /** @description The call was refused (RFC 9457). */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:kyc_case_not_found",
                 *       "title": "Know-your-customer case not found",
                 *       "status": 404,
                 *       "detail": "There is no case for this customer.",
                 *       "code": "kyc_case_not_found",
                 *       "correlationId": "019abc00-0000-7000-8000-0000000000ff"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @example 019abc00-0000-7000-8000-000000000001 */
        CustomerId: string;
        /**
         * @description Your own key for this call; a repeat with the same key and body has no second effect (kept 24 hours).
         * @example recheck-0001
         */
        IdempotencyKey: string;
        Limit: number;
        /** @description The nextCursor of the page before. */
        Cursor: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getKyc: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["KycCase"];
            default: components["responses"]["Problem"];
        };
    };
    requestKyc: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Your own key for this call; a repeat with the same key and body has no second effect (kept 24 hours).
                 * @example recheck-0001
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The case, with its checks under way. */
            201: {
                headers: {
                    /** @description Where the case can be read. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "caseId": "019abc00-0000-7000-8000-00000000c001",
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "status": "checking",
                     *       "cause": "requested",
                     *       "reasons": [],
                     *       "openedAt": "2026-01-15T09:00:00.000Z",
                     *       "updatedAt": "2026-01-15T09:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["KycCase"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getKycIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The identity check of the latest case. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "caseId": "019abc00-0000-7000-8000-00000000c001",
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "outcome": "verified",
                     *       "providerReference": "SIM-7f3a",
                     *       "checkedAt": "2026-01-15T09:00:01.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["KycIdentity"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getKycScreening: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The screening of the latest case. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "caseId": "019abc00-0000-7000-8000-00000000c001",
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "outcome": "potential-match",
                     *       "matches": [
                     *         {
                     *           "list": "sandbox-sanctions.csv",
                     *           "entryId": "900001",
                     *           "score": 0.97
                     *         }
                     *       ],
                     *       "checkedAt": "2026-01-15T09:00:01.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["KycScreening"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideKyc: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "decision": "approve",
                 *       "reason": "Birth date differs from the list entry."
                 *     }
                 */
                "application/json": components["schemas"]["KycDecision"];
            };
        };
        responses: {
            200: components["responses"]["KycCase"];
            default: components["responses"]["Problem"];
        };
    };
    listKycCases: {
        parameters: {
            query?: {
                status?: "checking" | "review" | "approved" | "rejected" | "superseded";
                /** @description Only the cases of this customer. */
                customerId?: string;
                limit?: components["parameters"]["Limit"];
                /** @description The nextCursor of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of cases. */
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
                    "application/json": components["schemas"]["KycCasePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
