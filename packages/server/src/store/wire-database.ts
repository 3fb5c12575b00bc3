/** The simulated network's database: an engine of its own, so that nothing of it shares a transaction with the server. */
import type { WireDatabase } from '@trunkline/drivers';
import { sql } from 'kysely';
import type { Engine } from './database.ts';

export function asWireDatabase(engine: Engine): WireDatabase {
  return {
    exec: async (text) => void (await sql.raw(serialised(engine, text)).execute(engine.query)),
    read: (statement, items) => engine.readEach(statement, items),
    transaction: (run) => engine.commit(async (tx) => ({ value: await run(tx), log: [], topics: [] })),
    wake: (topic) => engine.wake(topic),
    onWake: (listener) => engine.onWake(listener),
  };
}

/** Held for the one statement: "create if not exists" races with itself on PostgreSQL. */
const DDL_LOCK = 7_215_002;

function serialised(engine: Engine, text: string): string {
  return engine.kind === 'postgres' ? `select pg_advisory_xact_lock(${DDL_LOCK}); ${text}` : text;
}
