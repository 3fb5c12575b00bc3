/** Retries are claimed by row on PostgreSQL: each by one process, and nobody waits for a neighbour's transaction. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Engine } from '../packages/server/src/store/database.ts';
import { claimRetries } from '../packages/server/src/store/deliveries.ts';
import { openPostgres } from '../packages/server/src/store/dialects/postgres.ts';
import { migrate } from '../packages/server/src/store/migrate.ts';
import type { Batch } from '../packages/server/src/store/writer.ts';
import { createTestDatabase, type TestDatabase } from '../packages/server/test/postgres-database.ts';
import { postgresOracle } from './oracle.ts';

const DUE = 40;
const CLAIMED_AT_ONCE = 8;
const REQUEST = { webhookRef: 1, now: 1_000, until: 20_000, max: CLAIMED_AT_ONCE };
/** Much longer than a claim takes, and shorter than the lock time-out. */
const WAITED_MAX_MS = 2_000;

describe('retries on PostgreSQL', () => {
  let database: TestDatabase;
  let first: Engine;
  let second: Engine;

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    first = await openPostgres({ url: database.url, schema: 'trunkline' });
    second = await openPostgres({ url: database.url, schema: 'trunkline' });
    await migrate(first);
    const { store, close } = postgresOracle(database.url);
    await store.rows(
      `insert into events (id, account_ref, line_ref, type, data, created_at)
       select 'evt_' || n, 1, 1, 'message.sent', '{}', 1 from generate_series(1, ${DUE}) n`,
    );
    await store.rows(
      `insert into deliveries (webhook_ref, event_seq, id, account_ref, state, attempts, due_at, created_at)
       select 1, seq, 'dlv_' || seq, 1, 'retry', 1, seq, 1 from events`,
    );
    await close();
  });
  afterAll(async () => {
    await first.close();
    await second.close();
    await database.drop();
  });

  it('are given to two who claim at the same time, other ones to each, without waiting', async () => {
    const claimedFirst = Promise.withResolvers<readonly number[]>();
    const mayCommit = Promise.withResolvers<void>();
    const open = claim(first, async (claimed) => {
      claimedFirst.resolve(claimed);
      await mayCommit.promise;
    });
    const one = await claimedFirst.promise;
    const two = await Promise.race([claim(second, async () => undefined), waited()]);
    mayCommit.resolve();
    await open;
    expect(one).toHaveLength(CLAIMED_AT_ONCE);
    expect(two).not.toBe('waited');
    expect(two).toHaveLength(CLAIMED_AT_ONCE);
    expect(new Set([...one, ...two]).size).toBe(2 * CLAIMED_AT_ONCE);
  });
});

/** Claims in a transaction that stays open until `before` lets it go. */
function claim(engine: Engine, before: (claimed: readonly number[]) => Promise<void>): Promise<readonly number[]> {
  return engine.commit(async (tx) => {
    const batch: Batch = { tx, emit: () => undefined, wake: () => undefined, newId: () => '', linkFile: () => '' };
    const [due = []] = await claimRetries.run(batch, [REQUEST]);
    const claimed = due.map((delivery) => delivery.eventSeq);
    await before(claimed);
    return { value: claimed, log: [], topics: [] };
  });
}

function waited(): Promise<'waited'> {
  return new Promise((resolve) => setTimeout(() => resolve('waited'), WAITED_MAX_MS));
}
