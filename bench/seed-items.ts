/**
 * Fills a prepared home with outbox items and messages of a year, by few large statements, and lists them as the
 * migration does that brings the lists. Numbers stand for chance, so that every run has the same rows.
 */
import { sql } from 'kysely';
import { type Engine, type Row, statement } from '../packages/server/src/store/database.ts';
import { listedItems } from '../packages/server/src/store/migrations/0011-listed-items.ts';
import type { Home } from './home.ts';
import { openDatabases } from './seed-messages.ts';
import { LINE } from './trunkline.ts';

/** So many rows to a statement: PostgreSQL is given 15 seconds for one, SQLite sorts them by chat, as its table is. */
const STATEMENT_ROWS = { sqlite: 500_000, postgres: 25_000 } as const;
const ITEMS_PER_PEER = 200;
const ITEMS_PER_GROUP = 500;
const QUEUED = 12;
/** What a first start writes is before it. */
const FIRST_REF = 1_000;
const FIRST_AT = Date.UTC(2025, 0, 1);
const YEAR_MS = 365 * 86_400_000;

export const LINES = {
  often: LINE,
  seldom: '+15550100012',
  rare: '+15550100013',
  sms: '+15550100014',
} as const;

/** What a page may be asked for, by how many items have it. */
export interface SeededItems {
  readonly items: number;
  readonly peers: { readonly often: string; readonly rare: string };
  readonly groups: { readonly often: string; readonly rare: string };
  readonly firstAt: number;
  readonly lastAt: number;
}

/** The home has its first line already, and no server runs on it. */
export async function seedItems(home: Home, items: number): Promise<SeededItems> {
  const databases = await openDatabases(home);
  try {
    const { server: engine } = databases;
    const indexes = await dropLists(engine);
    await run(engine, linesText());
    await run(engine, chatsText(items));
    if (engine.kind === 'postgres') await run(engine, 'analyze chats, lines');
    const step = STATEMENT_ROWS[engine.kind];
    for (let from = 0; from < items; from += step) {
      const rows = rowsText(items, from, Math.min(from + step, items));
      await run(engine, outboxText(rows));
      await run(engine, messagesText(rows));
    }
    await listAll(engine);
    for (const text of indexes) await run(engine, text);
    return await seededOf(engine, items);
  } finally {
    await databases.close();
  }
}

/** What PostgreSQL does in time, by itself: it learns of its rows, and which pages all may see. */
export async function gatherStatistics(home: Home): Promise<void> {
  if (home.engine === 'sqlite') return;
  const databases = await openDatabases(home);
  for (const table of ['listed_items', 'outbox', 'messages', 'chats', 'lines']) {
    await sql.raw(`vacuum (analyze) ${table}`).execute(databases.server.query);
  }
  await databases.close();
}

function migrationTexts({ kind }: Engine): readonly string[] {
  return listedItems.statements({ kind, identity: '' });
}

/** Indexes are made faster of rows that are there. Gives what makes them. */
async function dropLists(engine: Engine): Promise<readonly string[]> {
  const rows = await run(
    engine,
    engine.kind === 'sqlite'
      ? "select name, sql as made_by from sqlite_master where type = 'index' and tbl_name = 'listed_items' and sql is not null"
      : `select indexname as name, indexdef as made_by from pg_indexes
         where schemaname = current_schema() and tablename = 'listed_items' and indexname <> 'listed_items_pkey'`,
  );
  for (const { name } of rows) await run(engine, `drop index ${String(name)}`);
  return rows.map((row) => String(row['made_by']));
}

async function listAll(engine: Engine): Promise<void> {
  const [fromOutbox = '', fromMessages = ''] = migrationTexts(engine).filter((text) => text.startsWith('insert'));
  await run(engine, 'delete from listed_items');
  for (const [table, text] of [
    ['outbox', fromOutbox],
    ['messages', fromMessages],
  ] as const) {
    const last = Number((await first(engine, `select max(ref) as last from ${table}`))['last']);
    const step = STATEMENT_ROWS[engine.kind];
    for (let from = 0; from <= last; from += step) {
      await run(engine, `${text} and ${table}.ref > ${from} and ${table}.ref <= ${from + step}`);
    }
  }
}

function linesText(): string {
  const line = (handle: string, service: string) => `select '${handle}' as handle, '${service}' as line_service`;
  const lines = [line(LINES.seldom, 'imessage'), line(LINES.rare, 'imessage'), line(LINES.sms, 'sms')];
  return `insert into lines (id, account_ref, handle, service, kind, is_active, is_sandbox, contact_first, pace_ms, created_at)
    select 'ln_' || more.handle, first_line.account_ref, more.handle, line_service, 'simulator', 1, 0, 0, 0, ${FIRST_AT}
    from lines first_line cross join (${lines.join(' union all ')}) more where first_line.handle = '${LINE}'`;
}

/** Each peer has one line, but the first one two; group number 0 is the busiest. */
function chatsText(items: number): string {
  const [peers, groups] = [peersOf(items), groupsOf(items)];
  return `insert into chats (id, account_ref, line_ref, identifier, service, name, is_group, participants,
      has_received_inbound, last_message_at, created_at)
    ${numbers(0, peers + groups + 1)}, named as (
      select i, case when i < ${peers} then ${peerText('i')} when i < ${peers + groups} then 'group ' || (i - ${peers})
          else ${peerText('0')} end as identifier,
        case when i < ${peers} then ${lineOfPeer('i')} when i < ${peers + groups} then ${lineOfGroup(`(i - ${peers})`)}
          else '${LINES.seldom}' end as handle,
        case when i >= ${peers} and i < ${peers + groups} then 1 else 0 end as is_group
      from numbers)
    select ${idText('cht', 'i')}, lines.account_ref, lines.ref, identifier, lines.service,
      case when is_group = 1 then identifier end, is_group, '["+15550130001","+15550130002"]', 1, ${FIRST_AT}, ${FIRST_AT}
    from named join lines on lines.handle = named.handle`;
}

/** Every row with its dice, its chat and what it is. */
function rowsText(items: number, from: number, to: number): string {
  const [peers, groups] = [peersOf(items), groupsOf(items)];
  return `${numbers(from, to)}, diced as (
      select i, (i * 48271 + 7) % 2147483647 % 1000 as b, (i * 48271 + 7) % 2147483647 / 1000 % 2 as own,
        (i * 69621 + 11) % 2147483647 % 1000003 as v from numbers),
    placed as (
      select diced.*, case when b < 100 then 1 else 0 end as is_group, case when b >= 100 and b < 130 then 1 else 0 end as is_sms,
        case when b >= 130 and b < 140 then 1 else 0 end as is_failed,
        case when i >= ${items - QUEUED} then 1 else 0 end as is_queued,
        case when v % 10 = 0 then 0 else v / 10 % ${peers} end as peer,
        case when v % 3 = 0 then 0 else v / 10 % ${groups} end as group_number from diced),
    addressed as (
      select placed.*, case when is_group = 1 then 'group ' || group_number else ${peerText('peer')} end as identifier,
        case when is_group = 1 then ${lineOfGroup('group_number')} when peer = 0 and i % 997 = 0 then '${LINES.seldom}'
          else ${lineOfPeer('peer')} end as handle,
        case when is_failed = 1 or is_queued = 1 then 1 else own end as is_own,
        ${FIRST_AT} + i * ${Math.floor(YEAR_MS / items)} as at from placed),
    rows_of as (
      select addressed.*, chats.ref as chat_ref, chats.account_ref, chats.line_ref, chats.is_group as group_flag,
        at + case when i % 500 = 0 then 864000000 else 2000 end as changed_at
      from addressed join lines on lines.handle = addressed.handle
        join chats on chats.account_ref = lines.account_ref and chats.line_ref = lines.ref and chats.identifier = addressed.identifier)`;
}

function outboxText(rows: string): string {
  return `insert into outbox (ref, id, account_ref, line_ref, recipient, is_group, state, payload, attempts, hand_overs,
      error, created_at, updated_at, completed_at)
    ${rows} select i + ${FIRST_REF}, ${idText('obx', 'i')}, account_ref, line_ref, identifier, group_flag,
      case when is_queued = 1 and i % 2 = 0 then 'pending' when is_queued = 1 then 'handed_over' when is_failed = 1 then 'failed' else 'sent' end,
      '{"kind":"message","text":"The parcel left the depot this morning and will be with you by tomorrow noon."}',
      1, 1, case when is_failed = 1 then 'It was refused.' end, at, changed_at, at
    from rows_of where is_own = 1`;
}

function messagesText(rows: string): string {
  return `insert into messages (ref, chat_ref, sent_at, id, account_ref, line_ref, guid, sender, text, service, is_from_me,
      state, outbox_ref, synced_at, updated_at)
    ${rows} select i + ${FIRST_REF}, chat_ref, at, ${idText('msg', 'i')}, account_ref, line_ref, ${idText('guid', 'i')},
      case when is_own = 1 then handle when is_group = 1 then '+15550130001' else identifier end,
      'The parcel left the depot this morning and will be with you by tomorrow noon.',
      case when is_sms = 1 or handle = '${LINES.sms}' then 'sms' else 'imessage' end, is_own,
      case when is_own = 0 then 'received' when is_sms = 1 or b % 10 = 3 then 'sent' else 'delivered' end,
      case when is_own = 1 then i + ${FIRST_REF} end, at, changed_at
    from rows_of where is_failed = 0 and is_queued = 0 order by chat_ref, at`;
}

async function seededOf(engine: Engine, items: number): Promise<SeededItems> {
  const peers = peersOf(items);
  const group = async (number: number) =>
    String((await first(engine, `select id from chats where identifier = 'group ${number}' and is_group = 1`))['id']);
  return {
    items,
    peers: { often: peer(0), rare: peer(peers - 5) },
    groups: { often: await group(0), rare: await group(1) },
    firstAt: FIRST_AT,
    lastAt: FIRST_AT + items * Math.floor(YEAR_MS / items),
  };
}

function peersOf(items: number): number {
  return Math.max(100, items / ITEMS_PER_PEER);
}

function groupsOf(items: number): number {
  return Math.max(10, items / 10 / ITEMS_PER_GROUP);
}

function peer(number: number): string {
  return `+1556${String(number).padStart(7, '0')}`;
}

function peerText(number: string): string {
  return `'+1556' || substr(cast(10000000 + ${number} as text), 2)`;
}

function lineOfPeer(number: string): string {
  return `case when ${number} = 1 then '${LINES.rare}' when ${number} % 100 = 99 then '${LINES.sms}' when ${number} % 100 < 70
    then '${LINES.often}' else '${LINES.seldom}' end`;
}

function lineOfGroup(number: string): string {
  return `case when ${number} % 2 = 0 then '${LINES.often}' else '${LINES.seldom}' end`;
}

/** In the form of a public id. */
function idText(prefix: string, number: string): string {
  return `'${prefix}_0' || substr(cast(10000000000000 + ${number} as text), 2) || '000000000000'`;
}

function numbers(from: number, to: number): string {
  return `with recursive numbers(i) as (select cast(${from} as bigint) union all select i + 1 from numbers where i < ${to - 1})`;
}

function run(engine: Engine, text: string): Promise<Row[]> {
  return engine.commit(async (tx) => ({ value: await tx.one(statement({}, text), {}), log: [], topics: [] }));
}

async function first(engine: Engine, text: string): Promise<Row> {
  const [row] = await engine.read(statement({}, text), {});
  if (row === undefined) throw new Error(`Nothing is found by: ${text}`);
  return row;
}
