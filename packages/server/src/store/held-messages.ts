/** Messages whose announcement waits for a later piece. The rows survive crashes and takeovers. */
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';

export interface HeldMessage {
  readonly ref: number;
  readonly lineRef: number;
  readonly chatRef: number;
  readonly sender: string;
  readonly guid: string;
}

const insertHeld = insertInto('held_messages', {
  message_ref: 'int',
  line_ref: 'int',
  chat_ref: 'int',
  sender: 'text',
  guid: 'text',
  announce_at: 'int',
});

const selectHeld = statement(
  { line_ref: 'int' },
  `select held_messages.* from held_messages{, items} where held_messages.line_ref = i.line_ref`,
);

/** Whoever deletes the row announces the message: two who try at once are told apart here. */
const deleteHeldRow = statement(
  { ref: 'int' },
  'delete from held_messages where message_ref = i.ref returning message_ref',
);

const selectDue = statement(
  { now: 'int' },
  'select message_ref from held_messages where announce_at <= i.now order by announce_at, message_ref',
);

export async function holdMessages(tx: Tx, rows: readonly Row[]): Promise<void> {
  await tx.each(insertHeld, rows);
}

/** Oldest first. */
export async function selectHeldOfLines(tx: Tx, lineRefs: readonly number[]): Promise<HeldMessage[]> {
  const rows = await tx.each(
    selectHeld,
    lineRefs.map((lineRef) => ({ line_ref: lineRef })),
  );
  return rows
    .map((row) => ({
      ref: Number(row['message_ref']),
      lineRef: Number(row['line_ref']),
      chatRef: Number(row['chat_ref']),
      sender: String(row['sender']),
      guid: String(row['guid']),
    }))
    .sort((a, b) => a.ref - b.ref);
}

/** Gives back those that were still held. */
export async function deleteHeld(tx: Tx, refs: readonly number[]): Promise<number[]> {
  const freed: number[] = [];
  for (const ref of refs) {
    const rows = await tx.one(deleteHeldRow, { ref });
    if (rows.length > 0) freed.push(ref);
  }
  return freed;
}

export async function selectDueHeld(tx: Tx, now: number): Promise<number[]> {
  return (await tx.one(selectDue, { now })).map((row) => Number(row['message_ref']));
}

const anyDue = statement(
  { now: 'int' },
  'select 1 as found where (select min(announce_at) from held_messages) <= i.now',
);

/** Whether a message's time to wait is up. */
export async function anyHeld(engine: Engine, now: number): Promise<boolean> {
  return (await engine.read(anyDue, { now })).length > 0;
}
