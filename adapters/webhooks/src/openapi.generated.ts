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
    "/v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
                /** @example 0198a6f5-9e02-7c31-8f4d-20b6c1a5d877 */
                deliveryId: components["parameters"]["DeliveryId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a failed delivery again
         * @description It is due at once and has all its attempts again. Later events of the same resource may have been delivered meanwhile; new ones wait for it.
         */
        post: operations["retryWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send events again from a point of the feed on
         * @description Queues the events of the types the endpoint wants, delivered or not, under the ids they had; what still waits is left as it is. Give a cursor of the
         *     feed (`after`) or a time (`since`). One call queues up to 1,000; where there is more, repeat with `after: nextCursor`.
         */
        post: operations["replayWebhookEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what happened, from a cursor on
         * @description Every event of your application, oldest first, in one order that never changes: what is after a cursor once is after it for ever, and nothing is
         *     inserted before it later. Keep `nextCursor` in the transaction in which you keep what you read, and go on from there; while `hasMore` is false there is
         *     nothing new yet. Without `after` you begin with the oldest event kept (30 days). A cursor older than that is refused with 410 `cursor_expired`:
         *     something may be missed, so begin without `after` and fetch your resources anew.
         */
        get: operations["listEvents"];
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
        EventType: "customer.activated" | "customer.placed-under-review" | "customer.rejected" | "customer.closed" | "account.opened" | "account.opening-failed" | "account.blocked" | "account.unblocked" | "account.closed" | "account.overdraft-changed" | "account.credited" | "account.credit-returned" | "account.recall-received" | "account.recall-answered" | "consent.authorised" | "consent.partially-authorised" | "consent.amended" | "consent.expiring" | "consent.consumed" | "consent.rejected" | "consent.revoked" | "consent.withdrawn" | "consent.expired" | "payment.initiated" | "payment.status-changed" | "payment.settled" | "payment.rejected" | "payment.cancelled" | "payment.investigation-requested" | "payment.escalated" | "payment.recall-requested" | "payment.recall-answered" | "payment.returned" | "bulk-payment.received" | "bulk-payment.completed" | "standing-order.created" | "standing-order.cancelled" | "standing-order.ended" | "standing-order.payment-failed" | "webhook.endpoint-disabled";
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
            /** Format: uuid */
            deliveryId: string;
            /**
             * Format: uuid
             * @description The `webhook-id` header of every attempt, and the id in the feed
             */
            eventId: string;
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
        /** @description Either of the two. */
        ReplayWebhookEvents: {
            /** @description `nextCursor` of the feed or of a replay */
            after?: string;
            /**
             * Format: date-time
             * @description Events told at this time or later
             */
            since?: string;
        };
        WebhookReplay: {
            queued: number;
            /** @description Where the next replay begins; null when all is queued */
            nextCursor: string | null;
        };
        Event: {
            /**
             * Format: uuid
             * @description The same as `webhook-id`
             */
            eventId: string;
            type: components["schemas"]["EventType"];
            /**
             * Format: date-time
             * @description When it happened
             */
            timestamp: string;
            /** @description Ids, status, codes and counts */
            data: {
                [key: string]: string | number;
            };
        };
        EventList: {
            data: components["schemas"]["Event"][];
            /** @description Go on from here, now or later; null as long as nothing was ever told */
            nextCursor: string | null;
            hasMore: boolean;
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
        /** @example 0198a6f5-9e02-7c31-8f4d-20b6c1a5d877 */
        DeliveryId: string;
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
                     *           "eventId": "0198a6f5-9df0-7a10-b2c3-5e5f60718293",
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
    retryWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
                /** @example 0198a6f5-9e02-7c31-8f4d-20b6c1a5d877 */
                deliveryId: components["parameters"]["DeliveryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery, waiting. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deliveryId": "0198a6f5-9e02-7c31-8f4d-20b6c1a5d877",
                     *       "eventId": "0198a6f5-9df0-7a10-b2c3-5e5f60718293",
                     *       "eventType": "payment.settled",
                     *       "status": "waiting",
                     *       "attempts": 0,
                     *       "createdAt": "2026-01-05T09:41:00.000Z",
                     *       "nextAttemptAt": "2026-01-07T08:00:00.000Z",
                     *       "lastAttemptAt": "2026-01-06T22:13:00.120Z",
                     *       "lastStatus": 503,
                     *       "lastError": "status"
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replayWebhookEvents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 0198a6f5-2c40-7d11-9a83-6be1f0d7c922 */
                endpointId: components["parameters"]["EndpointId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "since": "2026-01-05T08:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["ReplayWebhookEvents"];
            };
        };
        responses: {
            /** @description The events are queued. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queued": 17,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookReplay"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the answer before */
                after?: string;
                /**
                 * @description Events an answer
                 * @example 100
                 */
                limit?: number;
                /**
                 * @description Only these, separated by commas
                 * @example [
                 *       "payment.settled",
                 *       "payment.rejected"
                 *     ]
                 */
                types?: components["schemas"]["EventType"][];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "eventId": "0198a6f5-9df0-7a10-b2c3-5e5f60718293",
                     *           "type": "payment.status-changed",
                     *           "timestamp": "2026-01-05T09:41:00.000Z",
                     *           "data": {
                     *             "paymentId": "0198a6f5-9a00-7e11-8a21-0c1d2e3f4a5b",
                     *             "customerId": "0198a6f1-1b00-7aa1-9c1d-2e3f4a5b6c7d",
                     *             "status": "ACSC",
                     *             "sequence": 5
                     *           }
                     *         }
                     *       ],
                     *       "nextCursor": "eyJmZWVkIjoiMDE5OGE2ZjUtOWUwMi03YzMxLThmNGQtMjBiNmMxYTVkODc3IiwicG9zaXRpb24iOjQyfQ",
                     *       "hasMore": false
                     *     }
                     */
                    "application/json": components["schemas"]["EventList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
