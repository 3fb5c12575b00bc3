/** What a phone does besides writing messages: it reacts, types, reads, and changes or takes back what it wrote. */
import type { ObservedChat } from '../line-events.ts';
import type { Tapback } from '../tapback.ts';
import { type Feed, writeFeed } from './feed.ts';
import { directChat, isGroupIdentifier, readGroups } from './group-chats.ts';
import { readDelivered } from './phone-texts.ts';
import { putReaction } from './reactions.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';

/** Where something happened: the line that hears of it, the chat, and the position of the entry that tells it. */
export interface Happened {
  readonly line: string;
  readonly chatIdentifier: string;
  /** Null where nothing changed, so that there is nothing to hear of. */
  readonly seq: number | null;
}

/** `from` is the phone, `guid` names the message. */
interface OnMessage {
  readonly from: string;
  readonly guid: string;
}

interface InChat {
  readonly from: string;
  /** The line's handle, or a group's identifier. */
  readonly to: string;
}

interface Target {
  readonly guid: string;
  readonly line: string;
  readonly chat: ObservedChat;
  readonly sender: string;
  readonly isUnsent: boolean;
}

const SELECT_MESSAGE = statement(
  { guid: 'text' },
  `select m.line, m.chat, m.is_group, m.sender, e.unsent_at
   from messages m left join message_extras e on e.guid = m.guid {, items} where m.guid = i.guid`,
);
const EDIT = statement(
  { guid: 'text', text: 'text' },
  'update messages set text = i.text {from items} where messages.guid = i.guid',
);
const MARK_EDITED = statement(
  { guid: 'text', at: 'int' },
  `insert into message_extras (guid, attachments, is_audio, edited_at) select i.guid, '[]', 0, i.at {from items}
   where true on conflict (guid) do update set edited_at = excluded.edited_at`,
);
const MARK_UNSENT = statement(
  { guid: 'text', at: 'int' },
  `insert into message_extras (guid, attachments, is_audio, unsent_at) select i.guid, '[]', 0, i.at {from items}
   where true on conflict (guid) do update set unsent_at = excluded.unsent_at, attachments = '[]'`,
);

/** Null where the phone has no such message. */
export async function react(
  wire: Wire,
  { from, guid, type, added }: OnMessage & { readonly type: Tapback; readonly added: boolean },
): Promise<Happened | null> {
  return onMessage(wire, { from, guid }, ({ line, chat }, tx, feed) =>
    putReaction(tx, feed, {
      line,
      chat: chat.identifier,
      target: guid,
      sender: from,
      isFromLine: false,
      type,
      added,
      reference: null,
    }),
  );
}

/** Null where the phone has no such message of its own that is still there. */
export function edit(
  wire: Wire,
  { from, guid, text }: OnMessage & { readonly text: string },
): Promise<Happened | null> {
  return onOwnMessage(wire, { from, guid }, async ({ line, chat }, tx, feed) => {
    await tx.each(EDIT, [{ guid, text }]);
    await tx.each(MARK_EDITED, [{ guid, at: feed.at }]);
    const body = { kind: 'edited', guid, text, at: feed.at } as const;
    return feed.append({ line, chat: chat.identifier, visible: true, body });
  });
}

/** Null where the phone has no such message of its own that is still there. */
export function unsend(wire: Wire, { from, guid }: OnMessage): Promise<Happened | null> {
  return onOwnMessage(wire, { from, guid }, async ({ line, chat }, tx, feed) => {
    await tx.each(EDIT, [{ guid, text: '' }]);
    await tx.each(MARK_UNSENT, [{ guid, at: feed.at }]);
    return feed.append({ line, chat: chat.identifier, visible: true, body: { kind: 'unsent', guid, at: feed.at } });
  });
}

/** Null where there is no such group, or the phone is not in it. */
export function showTyping(
  wire: Wire,
  { from, to, isTyping }: InChat & { readonly isTyping: boolean },
): Promise<Happened | null> {
  return inChat(wire, { from, to }, async (line, chat, _tx, feed) => {
    const body = { kind: 'typing', chat, handle: from, isTyping, at: feed.at } as const;
    return feed.append({ line, chat: chat.identifier, visible: true, body });
  });
}

/** Null where there is no such group, or the phone is not in it. */
export function markRead(wire: Wire, { from, to }: InChat): Promise<Happened | null> {
  return inChat(wire, { from, to }, async (line, chat, tx, feed) => {
    await readDelivered(tx, feed, [{ line, chat: chat.identifier }]);
    const body = { kind: 'read', chat, handle: from, at: feed.at } as const;
    return feed.append({ line, chat: chat.identifier, visible: true, body });
  });
}

async function inChat(
  wire: Wire,
  { from, to }: InChat,
  run: (line: string, chat: ObservedChat, tx: WireTransaction, feed: Feed) => Promise<number>,
): Promise<Happened | null> {
  const found = isGroupIdentifier(to) ? await groupOf(wire, to, from) : { line: to, chat: directChat(from) };
  if (found === null) return null;
  const { line, chat } = found;
  const seq = await writeFeed(wire, [line], (tx, feed) => run(line, chat, tx, feed));
  return { line, chatIdentifier: chat.identifier, seq };
}

function onOwnMessage(
  wire: Wire,
  { from, guid }: OnMessage,
  run: (target: Target, tx: WireTransaction, feed: Feed) => Promise<number>,
): Promise<Happened | null> {
  return onMessage(wire, { from, guid }, run, ({ sender, isUnsent }) => sender === from && !isUnsent);
}

/** Looks again once the line is held: what another took back meanwhile is not there any more. */
async function onMessage(
  wire: Wire,
  { from, guid }: OnMessage,
  run: (target: Target, tx: WireTransaction, feed: Feed) => Promise<number | null>,
  isMeant: (target: Target) => boolean = () => true,
): Promise<Happened | null> {
  const found = await findTarget(wire, from, guid, (items) => wire.database.read(SELECT_MESSAGE, items));
  if (found === null) return null;
  const { line, chat } = found;
  return writeFeed(wire, [line], async (tx, feed) => {
    const target = await findTarget(wire, from, guid, (items) => tx.each(SELECT_MESSAGE, items));
    if (target === null || !isMeant(target)) return null;
    return { line, chatIdentifier: chat.identifier, seq: await run(target, tx, feed) };
  });
}

/** A message that the phone shows. */
async function findTarget(
  wire: Wire,
  phone: string,
  guid: string,
  select: (items: readonly { guid: string }[]) => ReturnType<Wire['database']['read']>,
): Promise<Target | null> {
  const [row] = await select([{ guid }]);
  if (row === undefined) return null;
  const identifier = textOf(row, 'chat');
  const isGroup = numberOf(row, 'is_group') === 1;
  const chat = isGroup ? (await groupOf(wire, identifier, phone))?.chat : directOf(identifier, phone);
  if (!chat) return null;
  const isUnsent = row['unsent_at'] !== null;
  return { guid, line: textOf(row, 'line'), chat, sender: textOf(row, 'sender'), isUnsent };
}

function directOf(identifier: string, phone: string): ObservedChat | null {
  return identifier === phone ? directChat(phone) : null;
}

async function groupOf(
  wire: Wire,
  identifier: string,
  phone: string,
): Promise<{ readonly line: string; readonly chat: ObservedChat } | null> {
  const groups = await readGroups((select, items) => wire.database.read(select, items), [identifier]);
  const group = groups.get(identifier);
  return group?.chat.participants.includes(phone) ? group : null;
}
