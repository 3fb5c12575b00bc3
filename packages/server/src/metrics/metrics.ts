/**
 * What is counted and measured for Prometheus. It looks on from outside: the parts that it watches are wrapped, so that a
 * server without metrics pays nothing. No label holds a handle, an id, or anything else that grows with use.
 */
import { statSync } from 'node:fs';
import type { DriverContext, HealthState } from '@trunkline/drivers';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import type { Writer } from '../store/writer.ts';
import { createBacklogGauges } from './backlog-gauges.ts';
import { watchEngine } from './watch-engine.ts';
import { watchWriter } from './watch-writer.ts';

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LINE_STATES = ['starting', 'online', 'degraded', 'offline'] as const satisfies readonly (
  | HealthState
  | 'starting'
)[];
const RATE_LIMITED = 429;
const UNAVAILABLE = 503;

export interface MetricsDeps {
  readonly clock: Clock;
  /** The file of SQLite's write-ahead log; null on PostgreSQL. */
  readonly walFile: string | null;
}

export interface EndedRequest {
  readonly method: string;
  /** As it was declared, with `:name` for what varies. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Metrics {
  readonly contentType: string;
  /** Everything, in the text format. */
  text(): Promise<string>;
  /** The names of our own metrics and their types. */
  names(): Promise<ReadonlyMap<string, string>>;
  requestEnded(request: EndedRequest): void;
  /** A request was refused before anything was done for it. */
  requestRefused(): void;
  watchEngine(engine: Engine): Engine;
  watchWriter(writer: Writer): Writer;
  /** One run of a line's driver, until its signal aborts. */
  watchLine(context: DriverContext): DriverContext;
  watchStreams(count: () => number): void;
}

export function createMetrics({ clock, walFile }: MetricsDeps): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'trunkline_http_request_duration_seconds',
    help: 'Requests that were answered, by route, method and class of status.',
    labelNames: ['route', 'method', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const refused = new Counter({
    name: 'trunkline_requests_refused_total',
    help: 'Requests that were refused with 429 or 503.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of ['rate_limited', 'overloaded']) refused.inc({ reason }, 0);
  let countStreams = () => 0;
  new Gauge({
    name: 'trunkline_event_streams_open',
    help: 'Event streams that are open in this process.',
    registers,
    collect() {
      this.set(countStreams());
    },
  });
  const lines = createLineGauge(registry);
  if (walFile !== null) addWalGauge(registry, walFile);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    async names() {
      const all = await registry.getMetricsAsJSON();
      const ours = all.filter((metric) => metric.name.startsWith('trunkline_'));
      return new Map(ours.map((metric) => [metric.name, String(metric.type)]));
    },
    requestEnded({ method, route, status, seconds }) {
      requests.observe({ route, method, status: `${Math.floor(status / 100)}xx` }, seconds);
      if (status === RATE_LIMITED) refused.inc({ reason: 'rate_limited' });
      if (status === UNAVAILABLE) refused.inc({ reason: 'overloaded' });
    },
    requestRefused: () => refused.inc({ reason: 'overloaded' }),
    watchEngine(engine) {
      createBacklogGauges(registry, engine, clock);
      return watchEngine(registry, engine, clock);
    },
    watchWriter: (writer) => watchWriter(registry, writer),
    watchLine: lines,
    watchStreams(count) {
      countStreams = count;
    },
  };
}

function createLineGauge(registry: Registry): (context: DriverContext) => DriverContext {
  const running = new Map<AbortSignal, (typeof LINE_STATES)[number]>();
  new Gauge({
    name: 'trunkline_lines',
    help: 'Lines that this process runs, by what their drivers say of their health.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const states = [...running.values()];
      for (const state of LINE_STATES) this.set({ state }, states.filter((one) => one === state).length);
    },
  });
  return (context) => {
    const { signal } = context;
    if (!signal.aborted) running.set(signal, 'starting');
    signal.addEventListener('abort', () => running.delete(signal), { once: true });
    return {
      ...context,
      health(state, reason) {
        if (!signal.aborted) running.set(signal, state);
        context.health(state, reason);
      },
    };
  };
}

function addWalGauge(registry: Registry, file: string): void {
  new Gauge({
    name: 'trunkline_sqlite_wal_bytes',
    help: "The size of SQLite's write-ahead log. It is missing on PostgreSQL.",
    registers: [registry],
    collect() {
      this.set(statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    },
  });
}
