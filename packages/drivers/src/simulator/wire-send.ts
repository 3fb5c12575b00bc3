/** The line's hand-overs, put on the air in batches. */
import type { ChatAddress } from '../line-driver.ts';
import type { ObservedChat } from '../line-events.ts';
import { type Arrival, answersTo } from './autoreplies.ts';
import { type Content, seenContent } from './content.ts';
import { type Feed, writeFeed } from './feed.ts';
import { type Future, scheduleFutures } from './futures.ts';
import { directChat, readGroups } from './group-chats.ts';
import { insertMessages, type NewMessage } from './messages.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireRow, WireTransaction } from './wire-database.ts';

export interface Sending {
  readonly line: string;
  readonly reference: string;
  readonly attempt: number;
  readonly chat: ChatAddress;
  readonly content: Content;
  /** False: the line never says that the message went out. */
  readonly echoes: boolean;
  /** How long after it went out it is delivered; null: never. */
  readonly deliveredAfterMs: number | null;
  /** Whether `isRepeat` is wanted. */
  readonly asksIfRepeat: boolean;
}

export type SendOutcome =
  /** On the air. `isRepeat`, where it was asked for: an earlier message of the same reference was there before it. */
  | { readonly state: 'sent'; readonly guid: string; readonly isRepeat: boolean }
  /** The network has promised that this attempt would never go out. */
  | { readonly state: 'voided' }
  | { readonly state: 'no_such_group' };

interface Ready {
  readonly sending: Sending;
  readonly chat: ObservedChat;
  readonly guid: string;
}

const CLAIM = statement(
  { reference: 'text', attempt: 'int' },
  `insert into hand_overs (reference, attempt, state) select i.reference, i.attempt, 'sent' {from items} where true
   on conflict (reference, attempt) do nothing returning reference, attempt`,
);
const SELECT_VOIDED = statement(
  { reference: 'text', attempt: 'int' },
  `select h.reference, h.attempt from hand_overs h {, items}
   where h.reference = i.reference and h.attempt = i.attempt and h.state = 'void'`,
);
const SELECT_SENT = statement(
  { reference: 'text' },
  'select m.reference from messages m {, items} where m.reference = i.reference',
);

/**
 * Writes a batch of hand-overs, in their order. Nothing is deduplicated: a real network would not either, and the
 * tests that count a server's double sends rely on it. Only an attempt that was voided is refused.
 */
export function writeSendings(wire: Wire, sendings: readonly Sending[]): Promise<SendOutcome[]> {
  const lines = sendings.map((sending) => sending.line);
  return writeFeed(wire, lines, async (tx, feed) => {
    const groupChats = await readChats(tx, sendings);
    const voided = await claimHandOvers(tx, sendings);
    const repeated = await readRepeated(tx, sendings);
    const ready: Ready[] = [];
    const outcomes = sendings.map((sending): SendOutcome => {
      if (voided.has(attemptKey(sending))) return { state: 'voided' };
      const chat = sending.chat.isGroup ? groupChats.get(sending.chat.identifier) : directChat(sending.chat.identifier);
      if (chat === undefined) return { state: 'no_such_group' };
      const guid = wire.newGuid();
      ready.push({ sending, chat, guid });
      return { state: 'sent', guid, isRepeat: repeated.has(sending.reference) };
    });
    await putOnAir(wire, tx, feed, ready);
    return outcomes;
  });
}

export async function readChats(
  tx: WireTransaction,
  sendings: readonly { readonly line: string; readonly chat: ChatAddress }[],
): Promise<Map<string, ObservedChat>> {
  const toGroups = sendings.filter((sending) => sending.chat.isGroup);
  const identifiers = toGroups.map((sending) => sending.chat.identifier);
  const groups = await readGroups((select, items) => tx.each(select, items), identifiers);
  const chats = new Map<string, ObservedChat>();
  for (const { line, chat } of toGroups) {
    const group = groups.get(chat.identifier);
    if (group?.line === line) chats.set(chat.identifier, group.chat);
  }
  return chats;
}

/**
 * Takes the journal's row of each hand-over and returns those that were voided before. The insert waits for a look-up
 * that is voiding the same attempt in another process, and the select sees what it has committed. Where every row was
 * new there is nothing to select.
 */
export async function claimHandOvers(
  tx: WireTransaction,
  sendings: readonly { readonly reference: string; readonly attempt: number }[],
): Promise<Set<string>> {
  const items = sendings.map(({ reference, attempt }) => ({ reference, attempt }));
  const fresh = keysOf(await tx.each(CLAIM, items));
  const known = items.filter((item) => !fresh.has(attemptKey(item)));
  return known.length === 0 ? new Set() : keysOf(await tx.each(SELECT_VOIDED, known));
}

/** Only for those who ask: a look at every reference would be paid by each send. */
async function readRepeated(tx: WireTransaction, sendings: readonly Sending[]): Promise<Set<string>> {
  const asked = sendings.filter((sending) => sending.asksIfRepeat).map(({ reference }) => ({ reference }));
  if (asked.length === 0) return new Set();
  const rows = await tx.each(SELECT_SENT, asked);
  return new Set(rows.map((row) => textOf(row, 'reference')));
}

async function putOnAir(wire: Wire, tx: WireTransaction, feed: Feed, ready: readonly Ready[]): Promise<void> {
  const messages: NewMessage[] = [];
  const arrivals: Arrival[] = [];
  const futures: Future[] = [];
  for (const { sending, chat, guid } of ready) {
    const { line, content, echoes, deliveredAfterMs } = sending;
    const { identifier, isGroup } = chat;
    const seq = appendEcho(feed, sending, chat, guid);
    const state = deliveredAfterMs === 0 ? 'delivered' : 'sent';
    const origin = { reference: sending.reference, attempt: sending.attempt };
    messages.push({
      guid,
      line,
      seq,
      chat: identifier,
      isGroup,
      sender: line,
      content,
      origin,
      echoes,
      state,
      sentAt: feed.at,
    });
    if (deliveredAfterMs === null) continue;
    const at = feed.at + deliveredAfterMs;
    arrivals.push({ line, seq, chat: identifier, isGroup, phones: chat.participants, text: content.text, at });
    if (deliveredAfterMs === 0) continue;
    futures.push({ line, dueAt: at, cause: seq, body: { kind: 'delivered', guid, chat: identifier } });
  }
  await insertMessages(tx, messages);
  const answers = await answersTo(wire, tx, arrivals);
  await scheduleFutures(tx, [...futures, ...answers]);
}

function appendEcho(feed: Feed, sending: Sending, chat: ObservedChat, guid: string): number {
  return feed.append({
    line: sending.line,
    chat: chat.identifier,
    visible: sending.echoes,
    body: {
      kind: 'message',
      guid,
      chat,
      isFromMe: true,
      sender: sending.line,
      ...seenContent(sending.content),
      service: 'imessage',
      sentAt: feed.at,
      reference: sending.reference,
      deliveredAt: sending.deliveredAfterMs === 0 ? feed.at : null,
      readAt: null,
      itemPart: 0,
      isWholeItem: true,
      isOld: false,
      awaits: null,
    },
  });
}

function keysOf(rows: readonly WireRow[]): Set<string> {
  return new Set(
    rows.map((row) => attemptKey({ reference: textOf(row, 'reference'), attempt: numberOf(row, 'attempt') })),
  );
}

export function attemptKey({ reference, attempt }: { reference: string; attempt: number }): string {
  return `${reference} ${attempt}`;
}
