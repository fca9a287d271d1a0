// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the trail, oldest first
         * @description Events and access decisions in the order of the chain. Reading a customer's trail is itself recorded.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read one record of the trail */
        get: operations["getAuditEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prove the chain
         * @description Recomputes every hash. With the position and hash noted from an earlier proof, a cut-off or rewritten end is found too.
         */
        get: operations["verifyAuditChain"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/access-records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what passed the gateway, oldest first */
        get: operations["listAccessRecords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/customers/{customerId}/personal-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Erase a customer's personal data from the trail
         * @description Destroys the keys of the customer's data (GDPR art. 17). The records and the chain stay; the personal fields can never be read again. Repeating it has no further effect.
         */
        delete: operations["eraseCustomerData"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description readable: fields holds the decrypted data. erased: the key was destroyed. none: the record had none. */
        PersonalData: {
            /** @enum {string} */
            state: "readable" | "erased" | "none";
            fields?: {
                [key: string]: unknown;
            };
        };
        AuditEvent: {
            /** Format: uuid */
            eventId: string;
            position: number;
            /** @enum {string} */
            kind: "event" | "access" | "erasure";
            /** @description Event type, `access.decision` or `personal-data.erased`. */
            type: string;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** Format: date-time */
            recordedAt: string;
            source?: string;
            /** @description Who. */
            clientId?: string;
            /**
             * Format: uuid
             * @description About whom.
             */
            customerId?: string;
            /**
             * Format: uuid
             * @description On whose consent.
             */
            consentId?: string;
            /** @description What (operationId of an access decision). */
            operation?: string;
            /** @description HTTP status of an access decision. */
            status?: number;
            /** @description allow or refuse. */
            decision?: string;
            /** @description Problem code of a refusal. */
            code?: string;
            correlationId?: string;
            /** @description The fields that are not personal. */
            data: {
                [key: string]: unknown;
            };
            personalData: components["schemas"]["PersonalData"];
            previousHash: string;
            hash: string;
        };
        AuditEventPage: {
            data: components["schemas"]["AuditEvent"][];
            nextCursor: string | null;
        };
        ChainVerification: {
            valid: boolean;
            /** @description Records proven before the end or the first break. */
            records: number;
            /** @description Last position proven; 0 for an empty chain. */
            headPosition: number;
            /** @description Note it with its position for the next proof. */
            headHash: string;
            /** Format: date-time */
            verifiedAt: string;
            firstBreak?: {
                position: number;
                /** @enum {string} */
                reason: "missing_record" | "wrong_previous_hash" | "altered_record" | "unexpected_hash";
            };
        };
        AccessRecord: {
            requestId: string;
            /** Format: date-time */
            at: string;
            method: string;
            route?: string;
            status: number;
            clientId?: string;
            operation?: string;
            audience?: string;
            /** Format: uuid */
            consentId?: string;
            /** Format: uuid */
            customerId?: string;
            decision?: string;
            code?: string;
            latencyMs?: number;
        };
        AccessRecordPage: {
            data: components["schemas"]["AccessRecord"][];
            nextCursor: string | null;
        };
        Erasure: {
            /** Format: uuid */
            customerId: string;
            /** Format: date-time */
            erasedAt: string;
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
        /** @description The call was refused (RFC 9457). */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:audit_event_not_found",
                 *       "title": "Audit event not found",
                 *       "status": 404,
                 *       "detail": "There is no such record in the trail.",
                 *       "code": "audit_event_not_found",
                 *       "correlationId": "019abc00-0000-7000-8000-0000000000ff"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
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
    listAuditEvents: {
        parameters: {
            query?: {
                /** @description Only what concerns this customer. */
                customerId?: string;
                /** @description Only this event type; `access.decision` for access decisions. */
                type?: string;
                /** @description Only what this client caused. */
                clientId?: string;
                /** @description Only what happened on this consent. */
                consentId?: string;
                /** @description Not before this instant. */
                from?: string;
                /** @description Before this instant. */
                to?: string;
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
            /** @description A page of the trail. */
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
                    "application/json": components["schemas"]["AuditEventPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAuditEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-00000000e001 */
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "eventId": "019abc00-0000-7000-8000-00000000e001",
                     *       "position": 42,
                     *       "kind": "event",
                     *       "type": "customer.registered",
                     *       "at": "2026-01-15T09:00:00.000Z",
                     *       "recordedAt": "2026-01-15T09:00:00.050Z",
                     *       "source": "customer",
                     *       "clientId": "app-1",
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "correlationId": "019abc00-0000-7000-8000-0000000000ff",
                     *       "data": {
                     *         "customerId": "019abc00-0000-7000-8000-000000000001"
                     *       },
                     *       "personalData": {
                     *         "state": "readable",
                     *         "fields": {
                     *           "birthDate": "1990-12-10"
                     *         }
                     *       },
                     *       "previousHash": "0000000000000000000000000000000000000000000000000000000000000000",
                     *       "hash": "9f2c0000000000000000000000000000000000000000000000000000000000aa"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditEvent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verifyAuditChain: {
        parameters: {
            query?: {
                /** @description Position noted at an earlier proof. */
                expectedPosition?: number;
                /** @description Hash noted at that position. */
                expectedHash?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The proof, or the first break. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "valid": true,
                     *       "records": 42,
                     *       "headPosition": 42,
                     *       "headHash": "9f2c0000000000000000000000000000000000000000000000000000000000aa",
                     *       "verifiedAt": "2026-01-15T09:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ChainVerification"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAccessRecords: {
        parameters: {
            query?: {
                customerId?: string;
                clientId?: string;
                consentId?: string;
                operation?: string;
                /** @description Not before this instant. */
                from?: string;
                /** @description Before this instant. */
                to?: string;
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
            /** @description A page of access records. */
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
                    "application/json": components["schemas"]["AccessRecordPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    eraseCustomerData: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The data is gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "erasedAt": "2026-01-15T09:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
