/** The phones' side of a conversation: a phone texts a line, or a group with a line in it. */
import type { ObservedChat } from '../line-events.ts';
import { type Content, plainText, seenContent } from './content.ts';
import { type Feed, writeFeed } from './feed.ts';
import { type Future, scheduleFutures } from './futures.ts';
import { directChat, isGroupIdentifier, readGroups } from './group-chats.ts';
import { insertMessages, type NewMessage } from './messages.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';

const LINK = /\bhttps?:\/\/\S/i;

export interface PhoneText {
  readonly from: string;
  /** The line's handle, or a group's identifier. */
  readonly to: string;
  /** A text, or more than that. */
  readonly text: string | Content;
  /** Comes that long after the message, in milliseconds: what the line makes out of a voice memo. */
  readonly transcribed?: { readonly transcription: string; readonly afterMs: number };
  /** Names the message: the second text under one GUID is the first one again. */
  readonly guid?: string;
}

/** A message and its place in the feed of the line that it reached. */
export interface Texted {
  readonly guid: string;
  readonly line: string;
  readonly seq: number;
}

/** A text whose chat and GUID are settled. */
export interface Texting {
  readonly guid: string;
  readonly isNamed: boolean;
  readonly line: string;
  readonly chat: ObservedChat;
  readonly from: string;
  readonly content: Content;
  readonly transcribed?: { readonly transcription: string; readonly afterMs: number } | undefined;
}

const SELECT_KNOWN = statement(
  { guid: 'text' },
  'select m.guid, m.line, m.seq from messages m {, items} where m.guid = i.guid',
);
const READ_CHATS = statement(
  { line: 'text', chat: 'text' },
  `update messages set state = 'read' {from items}
   where messages.line = i.line and messages.chat = i.chat and messages.state = 'delivered'
   returning messages.guid, messages.line, messages.chat, messages.seq, messages.echoes`,
);

/** Finds the chat that a text is for; null when there is no such group, or the phone is not in it. */
export async function addressText(wire: Wire, text: PhoneText): Promise<Texting | null> {
  const { from, to } = text;
  const settled = {
    guid: text.guid ?? wire.newGuid(),
    isNamed: text.guid !== undefined,
    from,
    content: typeof text.text === 'string' ? plainText(text.text) : text.text,
    transcribed: text.transcribed,
  };
  if (!isGroupIdentifier(to)) return { ...settled, line: to, chat: directChat(from) };
  const groups = await readGroups((select, items) => wire.database.read(select, items), [to]);
  const group = groups.get(to);
  return group?.chat.participants.includes(from) ? { ...settled, line: group.line, chat: group.chat } : null;
}

/** Writes a batch of texts, in their order; a text whose GUID is known is answered with the message that has it. */
export function writeNamedTexts(wire: Wire, texts: readonly Texting[]): Promise<Texted[]> {
  const lines = texts.map((text) => text.line);
  return writeFeed(wire, lines, async (tx, feed) => {
    const texted = await readKnown(tx, texts);
    const fresh = new Map(texts.filter((text) => !texted.has(text.guid)).map((text) => [text.guid, text]));
    for (const written of await writeTexts(wire, tx, feed, [...fresh.values()])) texted.set(written.guid, written);
    return texts.flatMap((text) => texted.get(text.guid) ?? []);
  });
}

async function readKnown(tx: WireTransaction, texts: readonly Texting[]): Promise<Map<string, Texted>> {
  const named = texts.filter((text) => text.isNamed).map(({ guid }) => ({ guid }));
  const rows = named.length === 0 ? [] : await tx.each(SELECT_KNOWN, named);
  return new Map(
    rows.map((row) => {
      const guid = textOf(row, 'guid');
      return [guid, { guid, line: textOf(row, 'line'), seq: numberOf(row, 'seq') }];
    }),
  );
}

/** Puts texts on the air. Whoever writes in a one-to-one chat has read what was delivered there. */
export async function writeTexts(
  wire: Wire,
  tx: WireTransaction,
  feed: Feed,
  texts: readonly Texting[],
): Promise<Texted[]> {
  await readDirectChats(tx, feed, texts);
  const messages: NewMessage[] = [];
  const futures: Future[] = [];
  for (const text of texts) {
    const { guid, line, chat, content, transcribed } = text;
    const hasLink = LINK.test(content.text);
    const seq = appendText(wire, feed, text, hasLink);
    messages.push({
      guid,
      line,
      seq,
      chat: chat.identifier,
      isGroup: chat.isGroup,
      sender: text.from,
      content,
      origin: null,
      echoes: true,
      state: 'received',
      sentAt: feed.at,
    });
    if (transcribed) {
      const { transcription, afterMs } = transcribed;
      const body = { kind: 'transcription', guid, chat: chat.identifier, transcription } as const;
      futures.push({ line, dueAt: feed.at + afterMs, cause: seq, body });
    }
    if (!hasLink) continue;
    const body = { kind: 'preview', guid: wire.newGuid(), chat: chat.identifier, partOf: guid } as const;
    futures.push({ line, dueAt: feed.at + wire.timings.previewMs, cause: seq, body });
  }
  await insertMessages(tx, messages);
  await scheduleFutures(tx, futures);
  return messages.map(({ guid, line, seq }) => ({ guid, line, seq }));
}

async function readDirectChats(tx: WireTransaction, feed: Feed, texts: readonly Texting[]): Promise<void> {
  const direct = texts.filter((text) => !text.chat.isGroup);
  const chats = new Map(direct.map(({ line, from }) => [`${line} ${from}`, { line, chat: from }]));
  if (chats.size > 0) await readDelivered(tx, feed, [...chats.values()]);
}

/** Marks what was delivered in these chats as read, and tells the lines. */
export async function readDelivered(
  tx: WireTransaction,
  feed: Feed,
  chats: readonly { readonly line: string; readonly chat: string }[],
): Promise<void> {
  const read = [...(await tx.each(READ_CHATS, chats))];
  read.sort((a, b) => numberOf(a, 'seq') - numberOf(b, 'seq'));
  for (const row of read) {
    const body = { kind: 'receipt', receipt: 'read', guid: textOf(row, 'guid'), at: feed.at } as const;
    feed.append({ line: textOf(row, 'line'), chat: textOf(row, 'chat'), visible: numberOf(row, 'echoes') === 1, body });
  }
}

/** As on a Mac, a message with a link is seen before the row that carries its preview. */
function appendText(wire: Wire, feed: Feed, { guid, line, chat, from, content }: Texting, hasLink: boolean): number {
  return feed.append({
    line,
    chat: chat.identifier,
    visible: true,
    body: {
      kind: 'message',
      guid,
      chat,
      isFromMe: false,
      sender: from,
      ...seenContent(content),
      service: 'imessage',
      sentAt: feed.at,
      reference: null,
      deliveredAt: null,
      readAt: null,
      itemPart: 0,
      isWholeItem: true,
      isOld: false,
      awaits: hasLink ? { what: 'preview', until: feed.at + wire.timings.previewHoldMs } : null,
    },
  });
}
