/** Does what is due on a line: takes the futures and writes what becomes of them in one transaction. */

import { plainText } from './content.ts';
import { type Feed, writeFeed } from './feed.ts';
import type { FutureBody } from './futures.ts';
import { directChat, readGroups } from './group-chats.ts';
import { deliverMessages, noteTranscription } from './messages.ts';
import { type Texting, writeTexts } from './phone-texts.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireRow, WireTransaction } from './wire-database.ts';

const DUE_BATCH_MAX = 200;
const FUTURE_KINDS: ReadonlySet<string> = new Set([
  'delivered',
  'preview',
  'transcription',
  'reply',
] satisfies FutureBody['kind'][]);

const SELECT_DUE = statement(
  { line: 'text', now: 'int' },
  `select id from futures
   where line = (select i.line {from items}) and due_at <= (select i.now {from items})
   order by due_at, cause limit ${DUE_BATCH_MAX}`,
);
/** Deleting is what makes a future ours: the driver of another process gets no row for it. */
const TAKE_DUE = statement(
  { id: 'text' },
  'delete from futures where id in (select i.id {from items}) returning due_at, cause, body',
);

/** Returns how much it did. */
export async function doDueOnce(wire: Wire, line: string): Promise<number> {
  const due = await wire.database.read(SELECT_DUE, [{ line, now: wire.now() }]);
  if (due.length === 0) return 0;
  return writeFeed(wire, [line], async (tx, feed) => {
    const rows = await tx.each(
      TAKE_DUE,
      due.map((row) => ({ id: textOf(row, 'id') })),
    );
    const bodies = rows.toSorted(byDueTime).map(toBody);
    await deliver(tx, feed, line, bodies);
    completePreviews(feed, line, bodies);
    await transcribe(tx, feed, line, bodies);
    await reply(wire, tx, feed, line, bodies);
    return bodies.length;
  });
}

function byDueTime(a: WireRow, b: WireRow): number {
  return numberOf(a, 'due_at') - numberOf(b, 'due_at') || numberOf(a, 'cause') - numberOf(b, 'cause');
}

async function deliver(tx: WireTransaction, feed: Feed, line: string, bodies: readonly FutureBody[]): Promise<void> {
  const due = bodies.filter((body) => body.kind === 'delivered');
  const delivered = await deliverMessages(
    tx,
    due.map((body) => body.guid),
  );
  for (const { guid, chat } of due) {
    const visible = delivered.get(guid);
    if (visible === undefined) continue;
    const body = { kind: 'receipt', receipt: 'delivered', guid, at: feed.at } as const;
    feed.append({ line, chat, visible, body });
  }
}

function completePreviews(feed: Feed, line: string, bodies: readonly FutureBody[]): void {
  for (const body of bodies) {
    if (body.kind !== 'preview') continue;
    const part = { kind: 'part', guid: body.guid, partOf: body.partOf } as const;
    feed.append({ line, chat: body.chat, visible: true, body: part });
  }
}

async function transcribe(tx: WireTransaction, feed: Feed, line: string, bodies: readonly FutureBody[]): Promise<void> {
  for (const body of bodies) {
    if (body.kind !== 'transcription') continue;
    const { guid, chat, transcription } = body;
    await noteTranscription(tx, guid, transcription);
    feed.append({ line, chat, visible: true, body: { kind: 'transcription', guid, transcription } });
  }
}

async function reply(
  wire: Wire,
  tx: WireTransaction,
  feed: Feed,
  line: string,
  bodies: readonly FutureBody[],
): Promise<void> {
  const replies = bodies.filter((body) => body.kind === 'reply');
  const groupIds = replies.filter((body) => body.isGroup).map((body) => body.chat);
  const groups = await readGroups((select, items) => tx.each(select, items), groupIds);
  const texts = replies.flatMap(({ guid, chat, isGroup, from, text }): Texting[] => {
    const observed = isGroup ? groups.get(chat)?.chat : directChat(from);
    return observed === undefined
      ? []
      : [{ guid, isNamed: false, line, chat: observed, from, content: plainText(text) }];
  });
  await writeTexts(wire, tx, feed, texts);
}

function toBody(row: WireRow): FutureBody {
  const body: unknown = JSON.parse(textOf(row, 'body'));
  if (!isFutureBody(body)) throw new TypeError('The wire holds a future of a kind that this version does not know.');
  return body;
}

/** Futures are written by `scheduleFutures` alone, so their kind is what can differ. */
function isFutureBody(body: unknown): body is FutureBody {
  return (
    typeof body === 'object' &&
    body !== null &&
    'kind' in body &&
    typeof body.kind === 'string' &&
    FUTURE_KINDS.has(body.kind)
  );
}
