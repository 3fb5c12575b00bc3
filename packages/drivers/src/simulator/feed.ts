/**
 * A line's feed: everything that happened on it, in one order.
 *
 * Whoever writes to a line first takes the line's row, draws positions from it, and keeps it to the commit. So a line
 * has one writer at a time in all processes together, and a reader that has seen position n never misses one below it.
 */
import type { CursorMoved, LineEvent } from '../line-events.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireRow, WireTransaction } from './wire-database.ts';

type WithoutCursor<E> = E extends LineEvent ? Omit<E, 'cursor'> : never;
export type EntryBody = WithoutCursor<Exclude<LineEvent, CursorMoved>>;

const ENTRY_KINDS: ReadonlySet<string> = new Set([
  'message',
  'part',
  'attachment',
  'reaction',
  'typing',
  'read',
  'edited',
  'unsent',
  'transcription',
  'receipt',
  'chat',
  'failure',
] satisfies EntryBody['kind'][]);

/** How many entries are read, and reported, at once. */
const ENTRIES_MAX = 200;

export interface Entry {
  readonly seq: number;
  /** The identifier of the chat that it belongs to. */
  readonly chat: string;
  /** False: the driver passes over it, as if it had never come back from the line. */
  readonly visible: boolean;
  readonly body: EntryBody;
}

export interface NewEntry extends Omit<Entry, 'seq'> {
  readonly line: string;
}

/** The pen of a transaction that holds its lines. */
export interface Feed {
  /** The time of this transaction, read when the lines were held: it does not run backwards along a feed. */
  readonly at: number;
  /** Puts an entry at the end of its line's feed and returns its position. */
  append(entry: NewEntry): number;
}

const TAKE_LINES = statement(
  { line: 'text' },
  `insert into lines (line, head) select i.line, 0 {from items} where true order by i.line
   on conflict (line) do update set head = lines.head returning line, head`,
);
const MOVE_HEADS = statement(
  { line: 'text', head: 'int' },
  'update lines set head = i.head {from items} where lines.line = i.line',
);
const INSERT_ENTRIES = statement(
  { line: 'text', seq: 'int', kind: 'text', chat: 'text', body: 'text', visible: 'int' },
  `insert into entries (line, seq, kind, chat, body, visible)
   select i.line, i.seq, i.kind, i.chat, i.body, i.visible {from items}`,
);
/** With scalar subqueries PostgreSQL walks the primary key and stops at the limit, however much lies behind it. */
const SELECT_ENTRIES = statement(
  { line: 'text', after: 'int' },
  `select seq, chat, body, visible from entries
   where line = (select i.line {from items}) and seq > (select i.after {from items})
   order by seq limit ${ENTRIES_MAX}`,
);
const SELECT_HEAD = statement({ line: 'text' }, 'select head from lines {, items} where lines.line = i.line');

export function feedTopic(line: string): string {
  return `simulator-feed:${line}`;
}

/** Runs a transaction that holds the given lines; their drivers are woken once it is durable. */
export async function writeFeed<T>(
  wire: Wire,
  lines: Iterable<string>,
  run: (tx: WireTransaction, feed: Feed) => Promise<T>,
): Promise<T> {
  const held = [...new Set(lines)].sort();
  const { value, written } = await wire.database.transaction(async (tx) => {
    const heads = await takeLines(tx, held);
    const rows: WireRow[] = [];
    const feed: Feed = { at: wire.now(), append: (entry) => appendRow(heads, rows, entry) };
    const value = await run(tx, feed);
    const written = new Set(rows.map((row) => textOf(row, 'line')));
    await insertRows(tx, rows, [...written], heads);
    return { value, written };
  });
  for (const line of written) wire.database.wake(feedTopic(line));
  return value;
}

/** In one order everywhere, so that two transactions never wait for each other. */
async function takeLines(tx: WireTransaction, lines: readonly string[]): Promise<Map<string, number>> {
  const rows = await tx.each(
    TAKE_LINES,
    lines.map((line) => ({ line })),
  );
  return new Map(rows.map((row) => [textOf(row, 'line'), numberOf(row, 'head')]));
}

function appendRow(heads: Map<string, number>, rows: WireRow[], entry: NewEntry): number {
  const head = heads.get(entry.line);
  if (head === undefined) throw new Error(`The line ${entry.line} is not held by this transaction.`);
  const seq = head + 1;
  heads.set(entry.line, seq);
  const { line, chat, body, visible } = entry;
  rows.push({ line, seq, kind: body.kind, chat, body: JSON.stringify(body), visible: visible ? 1 : 0 });
  return seq;
}

async function insertRows(
  tx: WireTransaction,
  rows: readonly WireRow[],
  lines: readonly string[],
  heads: ReadonlyMap<string, number>,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.each(INSERT_ENTRIES, rows);
  await tx.each(
    MOVE_HEADS,
    lines.map((line) => ({ line, head: heads.get(line) ?? 0 })),
  );
}

/** The next entries after a position, in order. */
export async function readEntries(wire: Wire, line: string, after: number): Promise<Entry[]> {
  const rows = await wire.database.read(SELECT_ENTRIES, [{ line, after }]);
  return rows.map(toEntry).sort((a, b) => a.seq - b.seq);
}

/** The position of a line's newest entry. */
export async function readHead(wire: Wire, line: string): Promise<number> {
  const [row] = await wire.database.read(SELECT_HEAD, [{ line }]);
  return row === undefined ? 0 : numberOf(row, 'head');
}

function toEntry(row: WireRow): Entry {
  const body: unknown = JSON.parse(textOf(row, 'body'));
  if (!isEntryBody(body)) throw new TypeError('The wire holds an entry of a kind that this version does not know.');
  const entry = { seq: numberOf(row, 'seq'), chat: textOf(row, 'chat'), visible: row['visible'] === 1 };
  return { ...entry, body: body.kind === 'message' ? completeMessage(body) : body };
}

/** Messages that were written before there were effects have none, and no item became several of them. */
function completeMessage(body: Extract<EntryBody, { kind: 'message' }>): EntryBody {
  const { effect = null, itemPart = 0, isWholeItem = true, isOld = false } = body;
  return { ...body, effect, itemPart, isWholeItem, isOld };
}

/** Entries are written by `append` alone, so their kind is what can differ: a newer version may have written more. */
function isEntryBody(body: unknown): body is EntryBody {
  return (
    typeof body === 'object' &&
    body !== null &&
    'kind' in body &&
    typeof body.kind === 'string' &&
    ENTRY_KINDS.has(body.kind)
  );
}
