/** Reactions: what sightings make of them, and what clients read. */
import type { ReactionSeen, Tapback } from '@trunkline/drivers';
import type { EventType } from '../domain/events.ts';
import type { Reaction } from '../domain/reaction.ts';
import { reactionEventData } from '../wire/v1.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import { findKnownMessages, type KnownMessage } from './known-messages.ts';
import { guidKey, type Seen, type Told } from './report.ts';
import type { Batch } from './writer.ts';

const ofMessages = statement(
  { message_ref: 'int' },
  `select reactions.id, reactions.message_ref, reactions.sender, reactions.type, reactions.added
   from reactions{, items} where reactions.message_ref = i.message_ref`,
);

const upsertReactions = insertInto(
  'reactions',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    chat_ref: 'int',
    message_ref: 'int',
    type: 'text',
    sender: 'text',
    is_from_me: 'int',
    added: 'int',
    sent_at: 'int',
    synced_at: 'int',
  },
  `on conflict (message_ref, sender, type) do update set added = excluded.added, sent_at = excluded.sent_at,
     synced_at = excluded.synced_at`,
);

const reactionsOfMessage = statement(
  { message_ref: 'int' },
  `select reactions.*, messages.id as message_id from reactions join messages on messages.ref = reactions.message_ref
   where reactions.message_ref = i.message_ref order by reactions.sent_at, reactions.ref`,
);

interface Known {
  readonly id: string;
  readonly added: boolean;
}

/**
 * Decides in the order of the sightings. A reaction to a message that is not here is nobody's, and one that changes
 * nothing is not told again.
 */
export async function recordReactions(batch: Batch, all: readonly Seen[]): Promise<readonly Told[]> {
  const seen = all.flatMap((one, place) =>
    one.event.kind === 'reaction' ? [{ seen: one, event: one.event, guid: one.event.target, place }] : [],
  );
  if (seen.length === 0) return [];
  const messages = await findKnownMessages(batch.tx, seen);
  const states = await readStates(batch.tx, [...messages.values()]);
  const rows = new Map<string, Row>();
  const told: Told[] = [];
  for (const { seen: one, event, place } of seen) {
    const message = messages.get(guidKey(one.report, event.target));
    if (!message) continue;
    const key = stateKey(message.ref, event.sender, event.type);
    const before = states.get(key);
    if ((before?.added ?? false) === event.added) continue;
    const id = before?.id ?? batch.newId('reaction');
    states.set(key, { id, added: event.added });
    rows.set(key, reactionRow(message, event, id, one.report.now));
    told.push({ place, event: eventOf(message, event, id, one.report.now) });
  }
  await batch.tx.each(upsertReactions, [...rows.values()]);
  return told;
}

async function readStates(tx: Tx, messages: readonly KnownMessage[]): Promise<Map<string, Known>> {
  const refs = [...new Set(messages.map(({ ref }) => ref))];
  const rows = await tx.each(
    ofMessages,
    refs.map((ref) => ({ message_ref: ref })),
  );
  return new Map(
    rows.map((row) => [
      stateKey(Number(row['message_ref']), String(row['sender']), String(row['type'])),
      { id: String(row['id']), added: row['added'] === 1 },
    ]),
  );
}

function stateKey(messageRef: number, sender: string, type: string): string {
  return `${messageRef} ${sender} ${type}`;
}

function reactionRow(message: KnownMessage, event: ReactionSeen, id: string, now: number): Row {
  return {
    id,
    account_ref: message.accountRef,
    line_ref: message.lineRef,
    chat_ref: message.chatRef,
    message_ref: message.ref,
    type: event.type,
    sender: event.sender,
    is_from_me: event.isFromMe ? 1 : 0,
    added: event.added ? 1 : 0,
    sent_at: event.at,
    synced_at: now,
  };
}

function eventOf(message: KnownMessage, event: ReactionSeen, id: string, now: number): Told['event'] {
  const { type, sender, isFromMe, added, at } = event;
  const reaction = { id, messageId: message.id, type, sender, isFromMe, added, sentAt: at, syncedAt: now };
  const name: EventType = added ? 'reaction.added' : 'reaction.removed';
  return {
    accountRef: message.accountRef,
    lineRef: message.lineRef,
    chatRef: message.chatRef,
    messageRef: message.ref,
    type: name,
    data: JSON.stringify(reactionEventData(reaction, message.chatId, message.lineHandle)),
    now,
  };
}

/** Oldest first, those that were taken off included. */
export async function readReactions(engine: Engine, messageRef: number): Promise<readonly Reaction[]> {
  const rows = await engine.read(reactionsOfMessage, { message_ref: messageRef });
  return rows.map((row) => ({
    id: String(row['id']),
    messageId: String(row['message_id']),
    type: String(row['type']) as Tapback,
    sender: String(row['sender']),
    isFromMe: row['is_from_me'] === 1,
    added: row['added'] === 1,
    sentAt: Number(row['sent_at']),
    syncedAt: Number(row['synced_at']),
  }));
}
