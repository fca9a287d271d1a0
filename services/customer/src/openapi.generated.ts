// Derived from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/v1/customers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your customers
         * @description Newest last, by creation. A compliance officer sees the customers of every fintech.
         */
        get: operations["listCustomers"];
        put?: never;
        /**
         * Register a customer
         * @description Creates the customer in state `pending` and starts the know-your-customer check. Repeating the call with the same `Idempotency-Key` and body answers the same customer again.
         */
        post: operations["registerCustomer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/customers/{customerId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        /** Read a customer */
        get: operations["getCustomer"];
        put?: never;
        post?: never;
        /**
         * End the relationship with a customer
         * @description Only an active customer can be closed. The record stays for the bank's retention duties.
         */
        delete: operations["closeCustomer"];
        options?: never;
        head?: never;
        /**
         * Change some of a customer's data
         * @description Only the named fields change. A change of nationality or residence starts a new know-your-customer check.
         */
        patch: operations["updateCustomer"];
        trace?: never;
    };
    "/v1/customers/{customerId}/contact": {
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
        /** Replace a customer's contact data */
        put: operations["updateCustomerContact"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/customers/{customerId}/identity": {
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
        /**
         * Replace a customer's identity data
         * @description A changed identity starts a new know-your-customer check.
         */
        put: operations["updateCustomerIdentity"];
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
        CustomerStatus: "pending" | "active" | "under_review" | "rejected" | "closed";
        PersonName: {
            /** @example Ada */
            given: string;
            /** @example Sandbox */
            family: string;
        };
        /**
         * @description ISO 3166-1 alpha-2.
         * @example DE
         */
        CountryCode: string;
        /**
         * @description Full date; a customer is at least 16 years old.
         * @example 1990-12-10
         */
        BirthDate: string;
        Contact: {
            /**
             * Format: email
             * @example ada@sandbox.example
             */
            email: string;
            /**
             * @description E.164, with the plus sign.
             * @example +491700000000
             */
            phone?: string;
        };
        Identity: {
            name: components["schemas"]["PersonName"];
            birthDate: components["schemas"]["BirthDate"];
            nationality: components["schemas"]["CountryCode"];
            residence: components["schemas"]["CountryCode"];
        };
        NewCustomer: {
            name: components["schemas"]["PersonName"];
            birthDate: components["schemas"]["BirthDate"];
            nationality: components["schemas"]["CountryCode"];
            residence: components["schemas"]["CountryCode"];
            contact: components["schemas"]["Contact"];
        };
        CustomerChange: {
            nationality?: components["schemas"]["CountryCode"];
            residence?: components["schemas"]["CountryCode"];
            contact?: components["schemas"]["Contact"];
        };
        Customer: {
            /** Format: uuid */
            customerId: string;
            status: components["schemas"]["CustomerStatus"];
            name: components["schemas"]["PersonName"];
            birthDate: components["schemas"]["BirthDate"];
            nationality: components["schemas"]["CountryCode"];
            residence: components["schemas"]["CountryCode"];
            contact: components["schemas"]["Contact"];
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        CustomerPage: {
            data: components["schemas"]["Customer"][];
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
        /** @description The customer. */
        Customer: {
            headers: {
                /** @description The version, for If-Match. */
                ETag?: string;
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "customerId": "019abc00-0000-7000-8000-000000000001",
                 *       "status": "active",
                 *       "name": {
                 *         "given": "Ada",
                 *         "family": "Sandbox"
                 *       },
                 *       "birthDate": "1990-12-10",
                 *       "nationality": "DE",
                 *       "residence": "DE",
                 *       "contact": {
                 *         "email": "ada@sandbox.example"
                 *       },
                 *       "version": 2,
                 *       "createdAt": "2026-01-15T09:00:00.000Z",
                 *       "updatedAt": "2026-01-15T09:00:02.000Z"
                 *     }
                 */
                "application/json": components["schemas"]["Customer"];
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
                 *       "type": "urn:kontor:problem:customer_not_found",
                 *       "title": "Customer not found",
                 *       "status": 404,
                 *       "detail": "There is no such customer.",
                 *       "code": "customer_not_found",
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
         * @example register-0001
         */
        IdempotencyKey: string;
        /**
         * @description The ETag you last read; the change is refused (412) when somebody changed the customer since.
         * @example "1"
         */
        IfMatch: string;
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
    listCustomers: {
        parameters: {
            query?: {
                /** @description Only customers in this state. */
                status?: components["schemas"]["CustomerStatus"];
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
            /** @description A page of customers. */
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
                    "application/json": components["schemas"]["CustomerPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    registerCustomer: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Your own key for this call; a repeat with the same key and body has no second effect (kept 24 hours).
                 * @example register-0001
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
                 *       "name": {
                 *         "given": "Ada",
                 *         "family": "Sandbox"
                 *       },
                 *       "birthDate": "1990-12-10",
                 *       "nationality": "DE",
                 *       "residence": "DE",
                 *       "contact": {
                 *         "email": "ada@sandbox.example",
                 *         "phone": "+491700000000"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["NewCustomer"];
            };
        };
        responses: {
            /** @description The customer, pending. */
            201: {
                headers: {
                    /** @description Where the customer can be read. */
                    Location?: string;
                    /** @description The version, for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "customerId": "019abc00-0000-7000-8000-000000000001",
                     *       "status": "pending",
                     *       "name": {
                     *         "given": "Ada",
                     *         "family": "Sandbox"
                     *       },
                     *       "birthDate": "1990-12-10",
                     *       "nationality": "DE",
                     *       "residence": "DE",
                     *       "contact": {
                     *         "email": "ada@sandbox.example",
                     *         "phone": "+491700000000"
                     *       },
                     *       "version": 1,
                     *       "createdAt": "2026-01-15T09:00:00.000Z",
                     *       "updatedAt": "2026-01-15T09:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Customer"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getCustomer: {
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
            200: components["responses"]["Customer"];
            default: components["responses"]["Problem"];
        };
    };
    closeCustomer: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The ETag you last read; the change is refused (412) when somebody changed the customer since.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @example 019abc00-0000-7000-8000-000000000001 */
                customerId: components["parameters"]["CustomerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Customer"];
            default: components["responses"]["Problem"];
        };
    };
    updateCustomer: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The ETag you last read; the change is refused (412) when somebody changed the customer since.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
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
                 *       "contact": {
                 *         "email": "ada.new@sandbox.example"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["CustomerChange"];
            };
        };
        responses: {
            200: components["responses"]["Customer"];
            default: components["responses"]["Problem"];
        };
    };
    updateCustomerContact: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The ETag you last read; the change is refused (412) when somebody changed the customer since.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
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
                 *       "email": "ada.new@sandbox.example",
                 *       "phone": "+491700000001"
                 *     }
                 */
                "application/json": components["schemas"]["Contact"];
            };
        };
        responses: {
            200: components["responses"]["Customer"];
            default: components["responses"]["Problem"];
        };
    };
    updateCustomerIdentity: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The ETag you last read; the change is refused (412) when somebody changed the customer since.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
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
                 *       "name": {
                 *         "given": "Ada",
                 *         "family": "Beispiel"
                 *       },
                 *       "birthDate": "1990-12-10",
                 *       "nationality": "DE",
                 *       "residence": "AT"
                 *     }
                 */
                "application/json": components["schemas"]["Identity"];
            };
        };
        responses: {
            200: components["responses"]["Customer"];
            default: components["responses"]["Problem"];
        };
    };
}
