import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The metrics of one service, shown at /metrics. Names as OpenTelemetry has them; labels never hold ids. */
export interface Metrics {
  readonly registry: Registry;
  counter<L extends string = never>(options: { name: string; help: string; labels?: readonly L[] }): Counter<L>;
  /** `collect` is asked at each scrape; undefined leaves the last value. */
  gauge<L extends string = never>(options: { name: string; help: string; labels?: readonly L[]; collect?: (gauge: Gauge<L>) => void | Promise<void> }): Gauge<L>;
  histogram<L extends string = never>(options: { name: string; help: string; labels?: readonly L[]; buckets?: readonly number[] }): Histogram<L>;
  /** Seconds of each answered request; `route` is the template of the contract. */
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  readonly replays: Counter;
}

/** Makes the registry of a service with the metrics every service has. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const histogram: Metrics['histogram'] = ({ name, help, labels = [], buckets }) =>
    new Histogram({ name, help, labelNames: labels, registers, ...(buckets ? { buckets: [...buckets] } : {}) });
  const counter: Metrics['counter'] = ({ name, help, labels = [] }) => new Counter({ name, help, labelNames: labels, registers });
  return {
    registry,
    counter,
    histogram,
    gauge: ({ name, help, labels = [], collect }) => {
      // A scrape must not fail because one value cannot be had.
      const gauge = new Gauge({ name, help, labelNames: labels, registers, ...(collect ? { collect: async () => { await Promise.resolve(collect(gauge)).catch(() => undefined); } } : {}) });
      return gauge;
    },
    requests: histogram({
      name: 'http_server_request_duration_seconds', help: 'Seconds from the request line to the end of the answer.',
      labels: ['method', 'route', 'status'], buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    }),
    replays: counter({ name: 'idempotency_replays_total', help: 'Answers given again because of a repeated Idempotency-Key.' }),
  };
}
