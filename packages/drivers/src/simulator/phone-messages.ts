/** What a phone shows: its one-to-one chats and its groups, oldest first. */
import { isSendStyle, type SendStyle } from '../effect.ts';
import type { SeenAttachment } from '../line-events.ts';
import { parseAttachments } from './content.ts';
import { MESSAGE_STATES, type MessageState } from './messages.ts';
import { type PhoneReaction, readReactions } from './reactions.ts';
import { numberOf, statement, textOf, textOrNull, type Wire } from './wire.ts';
import type { WireRow } from './wire-database.ts';

const PHONE_MESSAGES_MAX = 1_000;
const CURSOR = /^(\d{1,15})\.(\d{1,15})\.(.+)$/;

export interface PhoneQuery {
  readonly phone: string;
  /** Only what was said with these lines. */
  readonly lines?: readonly string[];
  /** At most 1,000. */
  readonly limit?: number;
  /** From an earlier page; the messages after it are wanted. */
  readonly cursor?: string;
}

export interface PhoneMessage {
  readonly guid: string;
  readonly chatIdentifier: string;
  readonly isGroup: boolean;
  readonly line: string;
  /** From the phone's side: whether this phone wrote it. */
  readonly fromMe: boolean;
  readonly sender: string;
  /** Null where there are attachments alone, and once it was taken back. */
  readonly text: string | null;
  readonly attachments: readonly SeenAttachment[];
  readonly isAudioMessage: boolean;
  readonly replyToGuid: string | null;
  readonly effect: SendStyle | null;
  readonly reactions: readonly PhoneReaction[];
  /** How far a line's message came (`sent`, `delivered`, `read`); `received`, then `read`, for what a phone wrote. */
  readonly state: MessageState;
  readonly edited: boolean;
  readonly unsent: boolean;
  /** Unix milliseconds. */
  readonly sentAt: number;
}

export interface PhonePage {
  readonly messages: readonly PhoneMessage[];
  /** Null when there is nothing more. */
  readonly nextCursor: string | null;
}

const SELECT_MESSAGES = statement(
  { phone: 'text', line: 'text', after_at: 'int', after_line: 'text', after_seq: 'int' },
  `select m.guid, m.line, m.seq, m.chat, m.is_group, m.sender, m.text, m.state, m.sent_at,
     e.attachments, e.is_audio, e.reply_to, e.effect, e.edited_at, e.unsent_at
   from messages m left join message_extras e on e.guid = m.guid
   where m.chat in (
       select i.phone {from items}
       union all
       select g.identifier from group_members g {, items} where g.phone = i.phone
     )
     and ((select i.line {from items}) = '' or m.line = (select i.line {from items}))
     and (m.sent_at, m.line, m.seq) > (
       (select i.after_at {from items}), (select i.after_line {from items}), (select i.after_seq {from items})
     )
   order by m.sent_at, m.line, m.seq limit ${PHONE_MESSAGES_MAX + 1}`,
);

/** Null when the cursor is not one of ours. */
export async function readPhoneMessages(wire: Wire, query: PhoneQuery): Promise<PhonePage | null> {
  const after = query.cursor === undefined ? { at: -1, line: '', seq: 0 } : parseCursor(query.cursor);
  if (after === null) return null;
  const limit = Math.min(Math.max(query.limit ?? PHONE_MESSAGES_MAX, 1), PHONE_MESSAGES_MAX);
  const place = { after_at: after.at, after_line: after.line, after_seq: after.seq };
  const rows = await Promise.all(
    (query.lines ?? ['']).map((line) => wire.database.read(SELECT_MESSAGES, [{ phone: query.phone, line, ...place }])),
  );
  const ordered = rows.flat().toSorted(byTime);
  const page = ordered.slice(0, limit);
  const last = ordered.length > limit ? page.at(-1) : undefined;
  const reactions = await readReactions(
    wire,
    page.map((row) => textOf(row, 'guid')),
  );
  return {
    messages: page.map((row) => toMessage(row, query.phone, reactions.get(textOf(row, 'guid')) ?? [])),
    nextCursor: last === undefined ? null : cursorOf(last),
  };
}

/** Lines are compared only to keep their messages apart; within one line, the order of the feed decides. */
function byTime(a: WireRow, b: WireRow): number {
  return (
    numberOf(a, 'sent_at') - numberOf(b, 'sent_at') ||
    compareText(textOf(a, 'line'), textOf(b, 'line')) ||
    numberOf(a, 'seq') - numberOf(b, 'seq')
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Safe in a URL as it is: a line's `+` would come back as a space. */
function cursorOf(row: WireRow): string {
  const place = `${numberOf(row, 'sent_at')}.${numberOf(row, 'seq')}.${textOf(row, 'line')}`;
  return Buffer.from(place).toString('base64url');
}

function parseCursor(cursor: string): { at: number; line: string; seq: number } | null {
  const [, at, seq, line] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return at === undefined || seq === undefined || line === undefined
    ? null
    : { at: Number(at), line, seq: Number(seq) };
}

function toMessage(row: WireRow, phone: string, reactions: readonly PhoneReaction[]): PhoneMessage {
  const sender = textOf(row, 'sender');
  const text = textOf(row, 'text');
  const attachments = textOrNull(row, 'attachments');
  return {
    guid: textOf(row, 'guid'),
    chatIdentifier: textOf(row, 'chat'),
    isGroup: numberOf(row, 'is_group') === 1,
    line: textOf(row, 'line'),
    fromMe: sender === phone,
    sender,
    text: text === '' ? null : text,
    attachments: attachments === null ? [] : parseAttachments(attachments),
    isAudioMessage: row['is_audio'] === 1,
    replyToGuid: textOrNull(row, 'reply_to'),
    effect: isSendStyle(row['effect']) ? row['effect'] : null,
    reactions,
    state: toState(textOf(row, 'state')),
    edited: row['edited_at'] !== null,
    unsent: row['unsent_at'] !== null,
    sentAt: numberOf(row, 'sent_at'),
  };
}

function toState(text: string): MessageState {
  const state = MESSAGE_STATES.find((known) => known === text);
  if (state === undefined) throw new TypeError('The wire holds a message in a state that this version does not know.');
  return state;
}
