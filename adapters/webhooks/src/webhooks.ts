/** Rules of webhooks: which addresses are taken, when it is tried again, who may see them. */
import { problem } from '@kontor/kernel/problem';
import type { ToldType } from './told.js';

/** An endpoint of a fintech. */
export interface Endpoint {
  endpointId: string;
  clientId: string;
  url: string;
  eventTypes: ToldType[];
  status: 'enabled' | 'disabled';
  disabledReason: 'gone' | null;
  createdAt: Date;
}

/** Why an attempt did not count. */
export type AttemptError = 'timeout' | 'connection' | 'address-refused' | 'redirect' | 'status' | 'endpoint-gone' | 'internal';

/** One event on its way to one endpoint. */
export interface Delivery {
  deliveryId: string;
  endpointId: string;
  eventId: string;
  eventType: ToldType;
  status: 'waiting' | 'delivered' | 'failed';
  attempts: number;
  createdAt: Date;
  nextAttemptAt: Date | null;
  lastAttemptAt: Date | null;
  lastStatus: number | null;
  lastError: AttemptError | null;
}

/** The most endpoints one application may have. */
export const MOST_ENDPOINTS = 20;

/**
 * Checks an address before it is kept. Names are resolved when something is sent, and checked again then.
 * @param options.allowPrivate the sandbox: plain HTTP and private addresses too
 * @param options.isPrivate whether a literal IP address is in a private or special range
 * @throws Problem invalid_request
 */
export function checkUrl(text: string, options: { allowPrivate: boolean; isPrivate: (address: string) => boolean }): string {
  if (!URL.canParse(text)) throw problem('invalid_request', 'The URL cannot be read.');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw problem('invalid_request', 'The URL must not contain credentials.');
  if (url.hash !== '') throw problem('invalid_request', 'The URL must not have a fragment.');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowPrivate)) throw problem('invalid_request', 'The URL must be https.');
  if (!options.allowPrivate) {
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const internal = !host.includes('.') && !host.includes(':') || /\.(localhost|local|internal|intranet|home|lan|corp|arpa)$/.test(host);
    if (internal || options.isPrivate(host)) throw problem('invalid_request', 'The URL must be a public address.');
  }
  return url.href;
}

/** How long to wait after the first, second, … failed attempt. With the first attempt nine in all, over about a day and a half. */
const PAUSES_S = [5, 30, 2 * 60, 10 * 60, 60 * 60, 3 * 60 * 60, 8 * 60 * 60, 24 * 60 * 60] as const;

/**
 * When to try again after `attempts` failed attempts, or undefined when it is given up.
 * @param random from 0 to 1: up to a fifth is added, so that what failed together does not come back together
 */
export function nextAttempt(attempts: number, now: Date, random: number): Date | undefined {
  const pause = PAUSES_S[attempts - 1];
  return pause === undefined ? undefined : new Date(now.getTime() + pause * 1000 * (1 + 0.2 * random));
}

/** What an endpoint answered, or why it did not. */
export type Attempt = { status: number } | { error: 'timeout' | 'connection' | 'address-refused' | 'internal' };

/** What an attempt means: 2xx is delivered, 410 ends the endpoint (Standard Webhooks), all else is tried again. */
export function judge(attempt: Attempt): { outcome: 'delivered' } | { outcome: 'gone' } | { outcome: 'retry'; error: AttemptError } {
  if ('error' in attempt) return { outcome: 'retry', error: attempt.error };
  if (attempt.status >= 200 && attempt.status < 300) return { outcome: 'delivered' };
  if (attempt.status === 410) return { outcome: 'gone' };
  return { outcome: 'retry', error: attempt.status >= 300 && attempt.status < 400 ? 'redirect' : 'status' };
}

/** Only the application that registered an endpoint reaches it. @throws Problem webhook_endpoint_not_found, not_your_resource */
export function owned(endpoint: Endpoint | undefined, clientId: string): Endpoint {
  if (!endpoint) throw problem('webhook_endpoint_not_found');
  if (endpoint.clientId !== clientId) throw problem('not_your_resource', 'The endpoint was registered by another application.');
  return endpoint;
}

/** An endpoint to which something can be sent. @throws Problem invalid_state */
export function enabled(endpoint: Endpoint): Endpoint {
  if (endpoint.status !== 'enabled') throw problem('invalid_state', 'The endpoint is disabled. Register it again.');
  return endpoint;
}

/** An endpoint as the contract shows it; never with its secret. */
export function toEndpoint(endpoint: Endpoint) {
  return {
    endpointId: endpoint.endpointId, url: endpoint.url, eventTypes: endpoint.eventTypes, status: endpoint.status,
    ...(endpoint.disabledReason === null ? {} : { disabledReason: endpoint.disabledReason }), createdAt: endpoint.createdAt.toISOString(),
  };
}

/** A delivery as the contract shows it. */
export function toDelivery(delivery: Delivery) {
  return {
    deliveryId: delivery.deliveryId, eventId: delivery.eventId, eventType: delivery.eventType, status: delivery.status, attempts: delivery.attempts,
    createdAt: delivery.createdAt.toISOString(),
    ...(delivery.nextAttemptAt === null ? {} : { nextAttemptAt: delivery.nextAttemptAt.toISOString() }),
    ...(delivery.lastAttemptAt === null ? {} : { lastAttemptAt: delivery.lastAttemptAt.toISOString() }),
    ...(delivery.lastStatus === null ? {} : { lastStatus: delivery.lastStatus }),
    ...(delivery.lastError === null ? {} : { lastError: delivery.lastError }),
  };
}
