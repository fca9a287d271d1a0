/** Kong's prometheus plugin: its metric names and labels, read at /metrics of the admin port. */
import { Counter, Histogram } from 'prom-client';
import type { PluginDefinition } from '../plugin.js';

interface PrometheusConfig { status_code_metrics: boolean; latency_metrics: boolean; bandwidth_metrics: boolean }

/** Milliseconds, as Kong's exporter. */
const OWN_BUCKETS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000];
const UPSTREAM_BUCKETS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];

const FLAG = { type: 'boolean', default: false } as const;
const UNSUPPORTED = { type: 'boolean', default: false, only: [false] } as const;

export const prometheus: PluginDefinition = {
  name: 'prometheus',
  priority: 13,
  schema: [
    { per_consumer: UNSUPPORTED }, { status_code_metrics: FLAG }, { ai_metrics: UNSUPPORTED },
    { latency_metrics: FLAG }, { bandwidth_metrics: FLAG }, { upstream_health_metrics: UNSUPPORTED },
  ],
  create(entry, { metrics }) {
    const config = entry.config as unknown as PrometheusConfig;
    const place = ['service', 'route', 'workspace'] as const;
    const requests = config.status_code_metrics
      ? new Counter({ name: 'kong_http_requests_total', help: 'HTTP status codes per service and route', labelNames: ['service', 'route', 'code', 'source', 'workspace', 'consumer'], registers: [metrics] }) : undefined;
    const bandwidth = config.bandwidth_metrics
      ? new Counter({ name: 'kong_bandwidth_bytes', help: 'Bytes of bodies per service and route', labelNames: ['service', 'route', 'direction', 'workspace', 'consumer'], registers: [metrics] }) : undefined;
    const histogram = (name: string, help: string, buckets: number[]) => (config.latency_metrics
      ? new Histogram({ name, help, labelNames: place, buckets, registers: [metrics] }) : undefined);
    const own = histogram('kong_kong_latency_ms', 'Latency added by the gateway and its plugins', OWN_BUCKETS);
    const upstream = histogram('kong_upstream_latency_ms', 'Latency of the service', UPSTREAM_BUCKETS);
    const total = histogram('kong_request_latency_ms', 'Whole latency of a request', UPSTREAM_BUCKETS);
    return {
      log(exchange, outcome) {
        const { route } = exchange;
        // Kong counts only what a route took: label values stay the state's own names.
        if (!route) return;
        const service = route.service?.name ?? '';
        const labels = { service, route: route.name, workspace: 'default' };
        const source = outcome.source === 'service' ? 'service' : 'kong';
        requests?.inc({ service, route: route.name, code: String(outcome.status), source, workspace: 'default', consumer: '' });
        if (bandwidth) {
          bandwidth.inc({ ...labels, direction: 'ingress', consumer: '' }, outcome.bytesReceived);
          bandwidth.inc({ ...labels, direction: 'egress', consumer: '' }, outcome.bytesSent);
        }
        total?.observe(labels, outcome.totalMs);
        if (outcome.upstreamMs !== undefined) upstream?.observe(labels, outcome.upstreamMs);
        own?.observe(labels, outcome.totalMs - (outcome.upstreamMs ?? 0));
      },
    };
  },
};
