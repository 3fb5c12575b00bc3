/** Counts what passes through the writer and means something outside: sends that were accepted, attempts that ended. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type AttemptResult, recordAttempts } from '../store/deliveries.ts';
import { acceptItems } from '../store/outbox.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Write, Writer } from '../store/writer.ts';

const ATTEMPT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
const OUTCOMES = ['delivered', 'retry', 'failed'] as const;
const SECOND_MS = 1_000;

export function watchWriter(registry: Registry, writer: Writer): Writer {
  const registers = [registry];
  const accepted = new Counter({
    name: 'trunkline_sends_accepted_total',
    help: 'Messages that were accepted for sending.',
    registers,
  });
  const attempts = new Histogram({
    name: 'trunkline_delivery_attempt_duration_seconds',
    help: 'Attempts at webhook deliveries, by how they ended: delivered, to be tried again, or failed for good.',
    labelNames: ['outcome'],
    buckets: ATTEMPT_SECONDS,
    registers,
  });
  for (const outcome of OUTCOMES) attempts.zero({ outcome });
  new Gauge({
    name: 'trunkline_writer_queue_items',
    help: 'Writes that wait for their commit in this process.',
    registers,
    collect() {
      this.set(writer.queued());
    },
  });
  return {
    ...writer,
    async write<Item, Result>(write: Write<Item, Result>, item: Item, ticket?: Ticket): Promise<Result> {
      const result = await writer.write(write, item, ticket);
      if (write.name === acceptItems.name && isAccepted(result)) accepted.inc();
      if (write.name === recordAttempts.name) {
        // The name says whose items these are.
        const attempt = item as AttemptResult;
        attempts.observe({ outcome: outcomeOf(attempt) }, attempt.durationMs / SECOND_MS);
      }
      return result;
    },
  };
}

function isAccepted(result: unknown): boolean {
  return result === 'accepted';
}

function outcomeOf({ error, dueAt }: AttemptResult): (typeof OUTCOMES)[number] {
  if (error === null) return 'delivered';
  return dueAt === null ? 'failed' : 'retry';
}
