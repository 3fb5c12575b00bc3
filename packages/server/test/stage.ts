/** The server's store with one account and one line, and nothing running: for tests of writes and of a line's lane. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { LineEvent } from '@trunkline/drivers';
import type { Selectable } from 'kysely';
import { createIds, type Ids } from '../src/domain/ids.ts';
import { type Line, lineLane } from '../src/domain/line.ts';
import type { Engine, EngineKind } from '../src/store/database.ts';
import { findViolations } from '../src/store/invariants.ts';
import { acquireLeases, type Claim } from '../src/store/leases.ts';
import { readLines } from '../src/store/lines.ts';
import { type Databases, openPostgresDatabases, openSqliteFolder } from '../src/store/open.ts';
import { type Accepted, acceptItems } from '../src/store/outbox.ts';
import type { EventsTable, MessagesTable, OutboxTable } from '../src/store/schema.ts';
import { type ReportResult, recordSightings } from '../src/store/sightings.ts';
import { createWriter, type Writer } from '../src/store/writer.ts';
import { createHome, type Home, LINE } from './harness.ts';

export const STARTED_AT = 1_750_000_000_000;
const LEASE_MS = 12_000;

/** One process's way into the database: two of them on one home are two processes. */
export interface Process {
  readonly databases: Databases;
  readonly engine: Engine;
  readonly ids: Ids;
  readonly writer: Writer;
}

export interface Stage extends Process {
  readonly home: Home;
  readonly line: Line;
  /** Unix milliseconds; stands still unless `pass` is called. */
  now(): number;
  pass(ms: number): void;
  /** The line's lease, as a fresh holder takes it from whoever had it. */
  takeLine(holder?: string): Promise<Claim>;
  /** A driver's report under the newest claim, or under the one given. */
  report(events: readonly LineEvent[], claim?: Claim): Promise<ReportResult>;
  accept(item: { to: string; text?: string; contactFirst?: boolean; id?: string }): Promise<Accepted>;
  item(id: string): Promise<Selectable<OutboxTable>>;
  message(guid: string): Promise<Selectable<MessagesTable>>;
  messages(): Promise<readonly Selectable<MessagesTable>[]>;
  /** The log, as type and message text or id. */
  events(): Promise<readonly Selectable<EventsTable>[]>;
  /** Closes the database and removes it, after a look at the invariants. */
  close(): Promise<void>;
}

export function openHome(home: Home): Promise<Databases> {
  const url = home.environment['TRUNKLINE_DATABASE_URL'];
  const folder = home.environment['TRUNKLINE_DATA_DIR'] ?? '';
  return url === undefined ? openSqliteFolder((name) => join(folder, name)) : openPostgresDatabases(url);
}

export async function openProcess(home: Home, now: () => number): Promise<Process> {
  const databases = await openHome(home);
  const ids = createIds(now, randomBytes);
  return {
    databases,
    engine: databases.server,
    ids,
    writer: createWriter(databases.server, ids, ({ id }) => `https://files.test/${id}`),
  };
}

export async function openStage(kind: EngineKind, options: { paceMs?: number } = {}): Promise<Stage> {
  const home = await createHome(kind);
  let at = STARTED_AT;
  const process = await openProcess(home, () => at);
  const { engine, writer, ids } = process;
  await addAccountAndLine(engine, { paceMs: 0, ...options });
  const [line] = await readLines(engine);
  if (!line) throw new Error('The line was not made.');
  let newest: Claim = { lane: lineLane(line.ref), fence: 0 };

  const stage: Stage = {
    ...process,
    home,
    line,
    now: () => at,
    pass(ms) {
      at += ms;
    },
    async takeLine(holder = 'this process') {
      await expireLease(engine, lineLane(line.ref));
      const fence = await writer.write(acquireLeases, { name: lineLane(line.ref), holder, ms: LEASE_MS });
      newest = { lane: lineLane(line.ref), fence: fence ?? 0 };
      return newest;
    },
    report: (events, claim = newest) => writer.write(recordSightings, { claim, line, events, now: at }),
    accept: ({ to, text = 'Hello', contactFirst = false, id = ids.make('outbox') }) =>
      writer.write(acceptItems, {
        id,
        accountRef: line.accountRef,
        lineRef: line.ref,
        to: to.startsWith('cht_') ? { kind: 'chat', id: to } : { kind: 'handle', handle: to },
        requires: contactFirst ? 'contact' : 'nothing',
        kind: 'message',
        details: null,
        payload: JSON.stringify({ kind: 'message', from: line.handle, to, text }),
        now: at,
      }),
    item: (id) => engine.query.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    message: (guid) =>
      engine.query.selectFrom('messages').selectAll().where('guid', '=', guid).executeTakeFirstOrThrow(),
    messages: () => engine.query.selectFrom('messages').selectAll().orderBy('ref').execute(),
    events: () => engine.query.selectFrom('events').selectAll().orderBy('seq').execute(),
    async close() {
      const violations = await findViolations(engine);
      await writer.idle();
      await process.databases.close();
      await home.remove();
      if (violations.length > 0) throw new Error(`Invariants are broken: ${JSON.stringify(violations)}`);
    },
  };
  await stage.takeLine();
  return stage;
}

/** As if the holder's time had run out. */
export async function expireLease(engine: Engine, name: string): Promise<void> {
  await engine.query.updateTable('leases').set({ expires_at: 0 }).where('name', '=', name).execute();
}

async function addAccountAndLine(engine: Engine, { paceMs }: { paceMs: number }): Promise<void> {
  const { ref } = await engine.query
    .insertInto('accounts')
    .values({ id: 'acc_1', owner_email: 'owner@localhost', created_at: STARTED_AT })
    .returning('ref')
    .executeTakeFirstOrThrow();
  await engine.query
    .insertInto('lines')
    .values({
      id: 'ln_1',
      account_ref: ref,
      handle: LINE,
      label: null,
      service: 'imessage',
      kind: 'simulator',
      is_active: 1,
      is_sandbox: 0,
      contact_first: 0,
      pace_ms: paceMs,
      created_at: STARTED_AT,
    })
    .execute();
}
