/** Measures every commit, from where it takes its turn to where it is durable, and counts what it appends to the log. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';

const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const SECOND_MS = 1_000;

export function watchEngine(registry: Registry, engine: Engine, clock: Clock): Engine {
  const commits = new Histogram({
    name: 'trunkline_commit_duration_seconds',
    help: 'Commits of the database, by whether they succeeded.',
    labelNames: ['outcome'],
    buckets: COMMIT_SECONDS,
    registers: [registry],
  });
  const events = new Counter({
    name: 'trunkline_events_appended_total',
    help: 'Events that were appended to the event log.',
    registers: [registry],
  });
  return {
    ...engine,
    async commit(run) {
      const startedAt = clock.monotonic();
      const end = (outcome: string) => commits.observe({ outcome }, (clock.monotonic() - startedAt) / SECOND_MS);
      let appended = 0;
      try {
        const value = await engine.commit(async (tx) => {
          const commit = await run(tx);
          appended = commit.log.length;
          return commit;
        });
        end('committed');
        events.inc(appended);
        return value;
      } catch (error) {
        end('failed');
        throw error;
      }
    },
  };
}
