/** The simulated network's database: an engine of its own, so that nothing of it shares a transaction with the server. */
import type { WireDatabase } from '@trunkline/drivers';
import { sql } from 'kysely';
import type { Engine } from './database.ts';

export function asWireDatabase(engine: Engine): WireDatabase {
  return {
    define: async (statements) => {
      for (const text of inTrips(engine, statements)) await sql.raw(text).execute(engine.query);
    },
    read: (statement, items) => engine.readEach(statement, items),
    transaction: (run) => engine.commit(async (tx) => ({ value: await run(tx), log: [], topics: [] })),
    wake: (topic) => engine.wake(topic),
    onWake: (listener) => engine.onWake(listener),
  };
}

/** Held for the one trip: "create if not exists" races with itself on PostgreSQL. */
const DDL_LOCK = 7_215_002;

/** PostgreSQL takes them all in one trip, and in one transaction; SQLite is nearby and takes one at a time. */
function inTrips(engine: Engine, statements: readonly string[]): readonly string[] {
  if (engine.kind === 'sqlite') return statements;
  return [`select pg_advisory_xact_lock(${DDL_LOCK}); ${statements.join(';')}`];
}
