/** Where reading goes on: after a restart, and after another database has taken the place of the known one. */
import { createHash } from 'node:crypto';
import type { OpenChatDb } from './open-chat-db.ts';
import type { Position, ReaderMemory, Sample } from './reader-memory.ts';
import { millisecondsIn, momentOf, numberOf, textOf, toAppleNanoseconds } from './row-values.ts';
import { maxRowid } from './rows.ts';
import { OLD_BY_MS } from './to-events.ts';

const SAMPLES = 5;
/** Another database is searched this far back for rows that the known one did not have. */
const REACH_MS = 7 * 24 * 3_600_000;
const CURSOR = /^([0-9a-f]+)-[0-9a-f]+\.(\d{1,15})$/;

export type Beginning =
  /** The same rows under the same numbers. */
  | { readonly is: 'known'; readonly position: Position }
  | { readonly is: 'first'; readonly position: Position }
  /** Another database: what it brings by these numbers is looked through first. */
  | { readonly is: 'other'; readonly position: Position; readonly rowids: readonly number[] };

export function cursorOf({ epoch }: Position, frontier: number): string {
  return `${epoch}.${frontier}`;
}

export function findBeginning(
  db: OpenChatDb,
  memory: ReaderMemory,
  { cursor, now }: { readonly cursor: string | null; readonly now: number },
): Beginning {
  const known = memory.position() ?? positionOfCursor(db, cursor, now);
  const newest = maxRowid(db);
  if (known === null) return { is: 'first', position: positionAt(db, newest, now, now) };
  if (isSameNumbering(db, known, newest)) return { is: 'known', position: known };
  const since = Math.max(known.begunAt - OLD_BY_MS, known.caughtUpAt - REACH_MS);
  const rowids = rowsSince(db, since, newest).map(({ rowid }) => rowid);
  return { is: 'other', position: positionAt(db, newest, known.begunAt, known.caughtUpAt), rowids };
}

/**
 * Numbers are never given twice in one database. A row under another GUID, numbers that end before those that were
 * seen, or no known row at all: that is another database, or an older state of this one.
 */
export function isSameNumbering(db: OpenChatDb, { file, samples, frontier }: Position, newest: number): boolean {
  if (file !== db.file || newest < frontier) return false;
  const there = new Map(guidsAt(db, samples).map(({ rowid, guid }) => [rowid, guid]));
  const isOther = samples.some(({ rowid, guid }) => (there.get(rowid) ?? guid) !== guid);
  return !isOther && (samples.length === 0 || there.size > 0);
}

/** Rows to know the database by, newer ones too: its owner deletes old ones. */
export function renewSamples(db: OpenChatDb, position: Position): Position {
  const samples = takeSamples(db, position.frontier);
  const isNew = JSON.stringify(samples) !== JSON.stringify(position.samples);
  return isNew ? { ...position, samples } : position;
}

function positionAt(db: OpenChatDb, frontier: number, begunAt: number, caughtUpAt: number): Position {
  const samples = takeSamples(db, frontier);
  const mark = createHash('sha256').update(JSON.stringify(samples)).digest('hex').slice(0, 8);
  return { epoch: `${db.file}-${mark}`, file: db.file, samples, frontier, begunAt, caughtUpAt };
}

/** The journal was lost: what the server remembers holds for the same file. */
function positionOfCursor(db: OpenChatDb, cursor: string | null, now: number): Position | null {
  const [, file, number] = CURSOR.exec(cursor ?? '') ?? [];
  const frontier = Number(number);
  if (file !== db.file || frontier > maxRowid(db)) return null;
  const [row] = db.all(
    `SELECT ${millisecondsIn('date')} AS date FROM message WHERE ROWID <= ? ORDER BY ROWID DESC LIMIT 1`,
    frontier,
  );
  const readAt = momentOf(row ?? {}, 'date') ?? now;
  return positionAt(db, frontier, readAt, Math.min(readAt, now));
}

function takeSamples(db: OpenChatDb, frontier: number): Sample[] {
  const samples = new Map<number, string>();
  for (let step = 0; step < SAMPLES; step += 1) {
    const from = Math.floor((frontier * step) / SAMPLES);
    const sql = 'SELECT ROWID AS rowid, guid FROM message WHERE ROWID > ? AND ROWID <= ? ORDER BY ROWID LIMIT 1';
    for (const row of db.all(sql, from, frontier)) samples.set(numberOf(row, 'rowid'), textOf(row, 'guid') ?? '');
  }
  const last = 'SELECT ROWID AS rowid, guid FROM message WHERE ROWID <= ? ORDER BY ROWID DESC LIMIT 1';
  for (const row of db.all(last, frontier)) samples.set(numberOf(row, 'rowid'), textOf(row, 'guid') ?? '');
  return [...samples].map(([rowid, guid]) => ({ rowid, guid }));
}

function guidsAt(db: OpenChatDb, samples: readonly Sample[]): Sample[] {
  const rows = db.all(
    'SELECT ROWID AS rowid, guid FROM message WHERE ROWID IN (SELECT value FROM json_each(?))',
    JSON.stringify(samples.map(({ rowid }) => rowid)),
  );
  return rows.map((row) => ({ rowid: numberOf(row, 'rowid'), guid: textOf(row, 'guid') ?? '' }));
}

/** By their dates. */
export function rowsSince(db: OpenChatDb, moment: number, newest: number): Sample[] {
  // The plus keeps the planner from walking the whole table in the order of its numbers.
  const rows = db.all(
    'SELECT ROWID AS rowid, guid FROM message WHERE date >= ? AND +ROWID <= ? ORDER BY +ROWID',
    toAppleNanoseconds(moment),
    newest,
  );
  return rows.map((row) => ({ rowid: numberOf(row, 'rowid'), guid: textOf(row, 'guid') ?? '' }));
}
