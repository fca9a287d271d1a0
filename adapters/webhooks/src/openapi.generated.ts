// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List your endpoints */
        get: operations["listWebhookEndpoints"];
        put?: never;
        /**
         * Register an endpoint
         * @description The secret is in this answer and never shown again; a repeat under the same Idempotency-Key answers without it.
         */
        post: operations["createWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        /** Read an endpoint */
        get: operations["getWebhookEndpoint"];
        put?: never;
        post?: never;
        /**
         * Remove an endpoint
         * @description Nothing more is sent to it, waiting deliveries included. Its secret is destroyed.
         */
        delete: operations["deleteWebhookEndpoint"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        /**
         * List the deliveries to an endpoint
         * @description Newest first, with the outcome of the last attempt.
         */
        get: operations["listWebhookDeliveries"];
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
        /** @enum {string} */
        EventType: "customer.activated" | "customer.placed-under-review" | "customer.rejected" | "account.opened" | "account.credited" | "consent.authorised" | "consent.partially-authorised" | "consent.amended" | "consent.expiring" | "consent.rejected" | "consent.revoked" | "consent.withdrawn" | "consent.expired" | "payment.status-changed" | "payment.settled" | "payment.rejected" | "payment.cancelled";
        CreateWebhookEndpoint: {
            /** @description Public HTTPS address, without credentials or fragment; addresses in private ranges are refused */
            url: string;
            eventTypes: components["schemas"]["EventType"][];
        };
        WebhookEndpoint: {
            /** Format: uuid */
            endpointId: string;
            url: string;
            eventTypes: components["schemas"]["EventType"][];
            /** @enum {string} */
            status: "enabled" | "disabled";
            /** @enum {string} */
            disabledReason?: "gone";
            /** Format: date-time */
            createdAt: string;
        };
        CreatedWebhookEndpoint: {
            /** Format: uuid */
            endpointId: string;
            url: string;
            eventTypes: components["schemas"]["EventType"][];
            /** @enum {string} */
            status: "enabled" | "disabled";
            /** Format: date-time */
            createdAt: string;
            /** @description Signing secret (Standard Webhooks), shown once */
            secret?: string;
        };
        WebhookEndpointList: {
            data: components["schemas"]["WebhookEndpoint"][];
            nextCursor: string | null;
        };
        WebhookDelivery: {
            /**
             * Format: uuid
             * @description The `webhook-id` header of every attempt
             */
            deliveryId: string;
            eventType: components["schemas"]["EventType"];
            /** @enum {string} */
            status: "waiting" | "delivered" | "failed";
            attempts: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            nextAttemptAt?: string;
            /** Format: date-time */
            lastAttemptAt?: string;
            /** @description HTTP status of the last answer, absent when there was none */
            lastStatus?: number;
            /**
             * @description Why the last attempt did not count; internal is a fault on our side
             * @enum {string}
             */
            lastError?: "timeout" | "connection" | "address-refused" | "redirect" | "status" | "endpoint-gone" | "internal";
        };
        WebhookDeliveryList: {
            data: components["schemas"]["WebhookDelivery"][];
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
        /** @description Refused or failed (RFC 9457); `code` says which. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:kontor:problem:webhook_endpoint_not_found",
                 *       "title": "Webhook endpoint not found",
                 *       "status": 404,
                 *       "detail": "No such webhook endpoint.",
                 *       "code": "webhook_endpoint_not_found",
                 *       "correlationId": "7f9c2ba4e88f827d"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
        EndpointId: string;
        /**
         * @description Entries a page
         * @example 25
         */
        Limit: number;
        /** @description `nextCursor` of the page before */
        Cursor: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listWebhookEndpoints: {
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
            /** @description Your endpoints, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "endpointId": "0198a6f5-2c40-7d11-9a83-6be1f0d7c922",
                     *           "url": "https://fintech.example/hooks/kontor",
                     *           "eventTypes": [
                     *             "account.opened",
                     *             "payment.settled"
                     *           ],
                     *           "status": "enabled",
                     *           "createdAt": "2026-01-05T09:40:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookEndpointList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createWebhookEndpoint: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Yours to choose, once per intention; a repeat within 24 h answers the same resource.
                 * @example hooks-1
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
                 *       "url": "https://fintech.example/hooks/kontor",
                 *       "eventTypes": [
                 *         "account.opened",
                 *         "payment.settled"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["CreateWebhookEndpoint"];
            };
        };
        responses: {
            /** @description The endpoint is registered and enabled. */
            201: {
                headers: {
                    /** @description The endpoint */
                    Location?: string;
                    /** @description `true` when the key was used before */
                    "Idempotency-Replayed"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endpointId": "0198a6f5-2c40-7d11-9a83-6be1f0d7c922",
                     *       "url": "https://fintech.example/hooks/kontor",
                     *       "eventTypes": [
                     *         "account.opened",
                     *         "payment.settled"
                     *       ],
                     *       "status": "enabled",
                     *       "createdAt": "2026-01-05T09:40:00.000Z",
                     *       "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedWebhookEndpoint"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint; its secret is not shown. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endpointId": "0198a6f5-2c40-7d11-9a83-6be1f0d7c922",
                     *       "url": "https://fintech.example/hooks/kontor",
                     *       "eventTypes": [
                     *         "account.opened",
                     *         "payment.settled"
                     *       ],
                     *       "status": "disabled",
                     *       "disabledReason": "gone",
                     *       "createdAt": "2026-01-05T09:40:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhookDeliveries: {
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
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "deliveryId": "0198a6f5-9e02-7c31-8f4d-20b6c1a5d877",
                     *           "eventType": "payment.settled",
                     *           "status": "delivered",
                     *           "attempts": 1,
                     *           "createdAt": "2026-01-05T09:41:00.000Z",
                     *           "lastAttemptAt": "2026-01-05T09:41:00.120Z",
                     *           "lastStatus": 200
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookDeliveryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
