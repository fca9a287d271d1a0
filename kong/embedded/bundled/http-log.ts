/**
 * Kong's http-log plugin: one record per request to an HTTP endpoint. The record has the shape of Kong's serializer in
 * the fields that are written, as gateway-identity leaves them there: no headers, query and bodies, because tokens and personal
 * data stand in them, and of route, service and consumer their names.
 */
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Exchange, Outcome } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';
import { LogQueue, type QueueConfig } from './log-queue.js';

interface HttpLogConfig {
  http_endpoint: string;
  method: 'POST' | 'PUT' | 'PATCH';
  content_type: string;
  timeout: number;
  keepalive: number;
  headers?: Record<string, string>;
  queue: QueueConfig;
}

export const httpLog: PluginDefinition = {
  name: 'http-log',
  priority: 12,
  schema: [
    { http_endpoint: { type: 'string', required: true } },
    { method: { type: 'string', default: 'POST', one_of: ['POST', 'PUT', 'PATCH'] } },
    { content_type: { type: 'string', default: 'application/json', one_of: ['application/json', 'application/json; charset=utf-8'] } },
    { timeout: { type: 'number', default: 10_000, between: [1, 600_000] } },
    { keepalive: { type: 'number', default: 60_000, between: [1, 600_000] } },
    { headers: { type: 'map', values: { type: 'string' } } },
    { queue: { type: 'record', fields: [
      { max_batch_size: { type: 'integer', default: 1, between: [1, 1_000_000] } },
      { max_coalescing_delay: { type: 'number', default: 1, between: [0, 3600] } },
      { max_entries: { type: 'integer', default: 10_000, between: [1, 1_000_000] } },
      { max_retry_time: { type: 'number', default: 60 } },
      { initial_retry_delay: { type: 'number', default: 0.01, between: [0.001, 1_000_000] } },
      { max_retry_delay: { type: 'number', default: 60, between: [0.001, 1_000_000] } },
    ] } },
  ],
  create(entry, { logger }) {
    const config = entry.config as unknown as HttpLogConfig;
    const endpoint = new URL(config.http_endpoint);
    const pool = new Pool(endpoint.origin, {
      connections: 2, connect: { timeout: config.timeout }, headersTimeout: config.timeout, bodyTimeout: config.timeout, keepAliveTimeout: config.keepalive,
    });
    const send = async (batch: string[]) => {
      const answer = await pool.request({
        method: config.method,
        path: endpoint.pathname + endpoint.search,
        headers: { ...config.headers, 'content-type': config.content_type },
        body: config.queue.max_batch_size === 1 ? batch[0]! : `[${batch.join(',')}]`,
      });
      await answer.body.dump();
      if (answer.statusCode >= 300) throw new Error(`the log server answered ${answer.statusCode}`);
    };
    const queue = new LogQueue(config.queue, send, logger);
    return {
      log(exchange, outcome) {
        queue.add(JSON.stringify(serialize(exchange, outcome)));
      },
      async stop() {
        await queue.stop();
        await pool.destroy();
      },
    };
  },
};

function serialize(exchange: Exchange, outcome: Outcome): Record<string, unknown> {
  const { route, identity } = exchange;
  const { service } = route ?? {};
  const consumer = identity?.consumer;
  return {
    // Never the correlation id: a client may send the same one with every request.
    request: { id: randomUUID().replaceAll('-', ''), method: exchange.method, uri: exchange.path },
    upstream_status: outcome.upstreamStatus === undefined ? '' : String(outcome.upstreamStatus),
    response: { status: outcome.status },
    latencies: {
      kong: Math.round(outcome.totalMs - (outcome.upstreamMs ?? 0)),
      proxy: outcome.upstreamMs === undefined ? -1 : Math.round(outcome.upstreamMs),
      request: Math.round(outcome.totalMs),
    },
    ...(route ? { route: { name: route.name } } : {}),
    ...(service ? { service: { name: service.name } } : {}),
    ...(consumer ? { consumer: { id: consumer.id, custom_id: consumer.customId } } : {}),
    ...(identity ? { authenticated_entity: { id: identity.credentialId } } : {}),
    client_ip: exchange.clientIp,
    started_at: exchange.startedAtUnix,
    source: outcome.source === 'service' ? 'upstream' : 'kong',
    workspace_name: 'default',
    correlation_id: exchange.correlationId,
    kontor: { ...exchange.log, correlationId: exchange.correlationId },
  };
}
