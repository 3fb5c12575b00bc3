/**
 * A record of a message database for those who have no Mac: its schema, how much of what is in it, and its newest rows
 * with filler in the place of everything that somebody wrote and of everybody's name.
 */
import Database from 'better-sqlite3';
import { COLUMN_RULES } from './column-rules.ts';
import { createMadeUpNames } from './made-up-names.ts';
import { type Redaction, type Row, redactRow, type ShownRow } from './redact-row.ts';

const BUSY_WAIT_MS = 5_000;
/** The newest message of every record was written at this moment: 2026-01-01, in nanoseconds since 2001. */
const NEWEST_AT = 788_918_400n * 1_000_000_000n;

/** What a message is counted by. */
const KINDS = [
  ...['service', 'is_from_me', 'item_type', 'associated_message_type', 'error', 'is_audio_message'],
  ...['schedule_type', 'was_downgraded', 'is_finished'],
] as const;

export interface ChatDbRecord {
  readonly schema: readonly string[];
  readonly counts: readonly ShownRow[];
  readonly bodies: { readonly read: number; readonly unreadable: number };
  readonly tables: Readonly<Record<string, readonly ShownRow[]>>;
}

/** `rowsMax` messages, the newest, with what belongs to them. Nothing is written: the connection can only read. */
export function recordChatDb(path: string, rowsMax: number): ChatDbRecord {
  const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS });
  database.defaultSafeIntegers();
  try {
    // One moment of the whole file; the snapshot ends with it.
    return database.transaction(() => readRecord(database, rowsMax))();
  } finally {
    database.close();
  }
}

function readRecord(database: Database.Database, rowsMax: number): ChatDbRecord {
  const all = (sql: string, ...values: (bigint | number | string)[]) =>
    database.prepare<unknown[], Row>(sql).all(...values);
  const [newest] = all('SELECT max(date) AS at FROM message WHERE date < 2000000000000000000');
  const shift = typeof newest?.['at'] === 'bigint' ? NEWEST_AT - newest['at'] : 0n;
  const redaction: Redaction = { names: createMadeUpNames(), shift };
  const tables = Object.entries(readTables(all, rowsMax)).map(([table, rows]): [string, ShownRow[]] => [
    table,
    rows.map((row) => redactRow(table, row, redaction)),
  ]);
  const schema = all('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name');
  const shown = Object.fromEntries(tables);
  return {
    schema: schema.map(({ sql }) => String(sql)),
    counts: countKinds(all).map((row) => redactRow('message', row, redaction)),
    bodies: countBodies(shown['message'] ?? []),
    tables: shown,
  };
}

type All = (sql: string, ...values: (bigint | number | string)[]) => Row[];

/** Only the tables that are there; each is known by name, and so is what belongs to which messages. */
function readTables(all: All, rowsMax: number): Record<string, Row[]> {
  const messages = 'SELECT ROWID FROM message ORDER BY ROWID DESC LIMIT ?';
  const chats = `SELECT chat_id FROM chat_message_join WHERE message_id IN (${messages})`;
  const attachments = `SELECT attachment_id FROM message_attachment_join WHERE message_id IN (${messages})`;
  const members = `SELECT handle_id FROM chat_handle_join WHERE chat_id IN (${chats})`;
  const places: Readonly<Record<string, string>> = {
    handle: `ROWID IN (${members}) OR ROWID IN (SELECT handle_id FROM message WHERE ROWID IN (${messages}))`,
    chat: `ROWID IN (${chats})`,
    message: `ROWID IN (${messages})`,
    attachment: `ROWID IN (${attachments})`,
    chat_message_join: `message_id IN (${messages})`,
    chat_handle_join: `chat_id IN (${chats})`,
    message_attachment_join: `message_id IN (${messages})`,
    chat_recoverable_message_join: `message_id IN (${messages})`,
    deleted_messages: 'ROWID IN (SELECT ROWID FROM deleted_messages ORDER BY ROWID DESC LIMIT ?)',
  };
  const present = new Set(all("SELECT name FROM sqlite_schema WHERE type = 'table'").map(({ name }) => name));
  const tables: Record<string, Row[]> = {};
  for (const table of Object.keys(COLUMN_RULES)) {
    const place = places[table];
    if (place === undefined || !present.has(table)) continue;
    const values = Array.from(place.matchAll(/\?/g), () => rowsMax);
    tables[table] = all(`SELECT ROWID, * FROM ${table} WHERE ${place} ORDER BY ROWID`, ...values);
  }
  return tables;
}

/** By the columns that this release has, and by where the text is. */
function countKinds(all: All): Row[] {
  const columns = new Set(all("SELECT name FROM pragma_table_info('message')").map(({ name }) => name));
  const kinds = KINDS.filter((one) => columns.has(one));
  const has = ['text', 'attributedBody', 'message_summary_info', 'payload_data']
    .filter((one) => columns.has(one))
    .map((one) => `${one} IS NOT NULL AS has_${one}`);
  const groups = [...kinds, ...has];
  const places = groups.map((_, at) => at + 1).join(', ');
  return all(`SELECT ${groups.join(', ')}, count(*) AS messages FROM message GROUP BY ${places}`);
}

function countBodies(messages: readonly ShownRow[]): ChatDbRecord['bodies'] {
  const bodies = messages
    .map((row) => row['attributedBody'] ?? null)
    .filter((one) => typeof one === 'object' && one !== null);
  const read = bodies.filter((one) => 'base64' in one).length;
  return { read, unreadable: bodies.length - read };
}
