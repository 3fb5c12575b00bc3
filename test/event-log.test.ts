/** The event log on PostgreSQL: whoever reads behind a cursor sees every event, however many processes write. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Engine, LogEntry } from '../packages/server/src/store/database.ts';
import { openPostgres } from '../packages/server/src/store/dialects/postgres.ts';
import { readEvents } from '../packages/server/src/store/events.ts';
import { migrate } from '../packages/server/src/store/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../packages/server/test/postgres-database.ts';
import { numberFrom, postgresOracle } from './oracle.ts';

const WRITERS = 8;
const COMMITS_PER_WRITER = 250;
/** Commits of one, two, ... events, so that what a commit draws is not always one number. */
const EVENTS_PER_COMMIT_MAX = 4;
const READ_MAX = 100;
const LAST_LOOK_MS = 200;

describe('the event log on PostgreSQL', () => {
  let database: TestDatabase;
  let engines: readonly Engine[];

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    const open = () => openPostgres({ url: database.url, schema: 'trunkline' });
    const reader = await open();
    await migrate(reader);
    engines = [reader, ...(await Promise.all(Array.from({ length: WRITERS }, open)))];
  });
  afterAll(async () => {
    for (const engine of engines) await engine.close();
    await database.drop();
  });

  it('shows a reader behind a cursor every event of eight writers, in order, none late', async () => {
    const [reader, ...writers] = engines;
    if (reader === undefined) throw new Error('There is no reader.');
    let isWriting = true;
    const reading = readOn(reader, () => isWriting);
    const written = await Promise.all(writers.map(writeAll));
    isWriting = false;
    const read = await reading;

    const oracle = postgresOracle(database.url);
    const stored = (await oracle.store.rows('select seq from events order by seq')).map((row) => Number(row['seq']));
    const duplicates = await numberFrom(oracle.store, 'select count(*) - count(distinct id) as n from events');
    await oracle.close();
    const seen = new Set(read);
    const late = stored.filter((seq) => !seen.has(seq));
    console.log(`${WRITERS} writers: ${stored.length} events, ${late.length} late or missing`);
    expect(late).toEqual([]);
    expect(read).toEqual(stored);
    expect(duplicates).toBe(0);
    expect(stored.length).toBe(written.reduce((sum, count) => sum + count, 0));
  });
});

/** Polls as the tail of a process does, and once more when the last commit has been acknowledged. */
async function readOn(engine: Engine, isWriting: () => boolean): Promise<readonly number[]> {
  const read: number[] = [];
  let lastLookAt = Number.POSITIVE_INFINITY;
  while (performance.now() < lastLookAt) {
    if (!isWriting() && lastLookAt === Number.POSITIVE_INFINITY) lastLookAt = performance.now() + LAST_LOOK_MS;
    const events = await readEvents(engine, read.at(-1) ?? 0, READ_MAX);
    read.push(...events.map((event) => event.seq));
  }
  return read;
}

async function writeAll(engine: Engine, writer: number): Promise<number> {
  let count = 0;
  for (let commit = 0; commit < COMMITS_PER_WRITER; commit++) {
    const log = Array.from({ length: 1 + ((writer + commit) % EVENTS_PER_COMMIT_MAX) }, () =>
      entry(`evt_${writer}_${count++}`),
    );
    await engine.commit(async () => ({ value: null, log, topics: [] }));
  }
  return count;
}

function entry(id: string): LogEntry {
  const event = { id, account_ref: 1, line_ref: 1, chat_ref: null, message_ref: null, type: 'message.sent' };
  return { event: { ...event, data: '{}', created_at: 1 }, deliveries: [] };
}
