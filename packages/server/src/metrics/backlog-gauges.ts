/** What waits in the database, read when it is asked for, and once a second at most however often that is. */
import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { type Backlog, COUNT_MAX, DELIVERY_STATES, OUTBOX_STATES, readBacklog } from '../store/backlog.ts';
import type { Engine } from '../store/database.ts';

const READ_EVERY_MS = 1_000;
const SECOND_MS = 1_000;

export function createBacklogGauges(registry: Registry, engine: Engine, clock: Clock): void {
  const registers = [registry];
  const backlog = createReader(engine, clock);
  new Gauge({
    name: 'trunkline_database_up',
    help: '1 while the database answers, else 0.',
    registers,
    async collect() {
      this.set((await backlog()) === null ? 0 : 1);
    },
  });
  new Gauge({
    name: 'trunkline_outbox_items',
    help: `Outbox items that have not ended, by state; counted up to ${COUNT_MAX}.`,
    labelNames: ['state'],
    registers,
    async collect() {
      const found = await backlog();
      this.reset();
      if (found) for (const state of OUTBOX_STATES) this.set({ state }, found.outbox[state]);
    },
  });
  new Gauge({
    name: 'trunkline_outbox_oldest_pending_seconds',
    help: 'How long the oldest pending item has waited; 0 while none waits.',
    registers,
    async collect() {
      const oldest = (await backlog())?.oldestPendingAt ?? null;
      this.set(oldest === null ? 0 : Math.max(0, clock.now() - oldest) / SECOND_MS);
    },
  });
  new Gauge({
    name: 'trunkline_deliveries_waiting',
    help: `Deliveries that wait for their first attempt (new) or for another one (retry); counted up to ${COUNT_MAX}.`,
    labelNames: ['state'],
    registers,
    async collect() {
      const found = await backlog();
      this.reset();
      if (found) for (const state of DELIVERY_STATES) this.set({ state }, found.deliveries[state]);
    },
  });
}

/** Gives null while the database is away: the gauges then show nothing instead of something old. */
function createReader(engine: Engine, clock: Clock): () => Promise<Backlog | null> {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Backlog | null> = Promise.resolve(null);
  return () => {
    if (clock.monotonic() - readAt < READ_EVERY_MS) return reading;
    readAt = clock.monotonic();
    reading = readBacklog(engine).catch(() => null);
    return reading;
  };
}
