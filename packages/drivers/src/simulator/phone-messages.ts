/** What a phone shows: its one-to-one chats and its groups, oldest first. */
import { MESSAGE_STATES, type MessageState } from './messages.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
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
  readonly text: string;
  readonly attachments: readonly string[];
  readonly isAudioMessage: boolean;
  readonly replyToGuid: string | null;
  readonly effect: string | null;
  readonly reactions: readonly string[];
  /** How far a line's message came (`sent`, `delivered`, `read`); `received` for what a phone wrote. */
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
  `select guid, line, seq, chat, is_group, sender, text, state, sent_at from messages
   where chat in (
       select i.phone {from items}
       union all
       select m.identifier from group_members m {, items} where m.phone = i.phone
     )
     and ((select i.line {from items}) = '' or line = (select i.line {from items}))
     and (sent_at, line, seq) > (
       (select i.after_at {from items}), (select i.after_line {from items}), (select i.after_seq {from items})
     )
   order by sent_at, line, seq limit ${PHONE_MESSAGES_MAX + 1}`,
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
  return {
    messages: page.map((row) => toMessage(row, query.phone)),
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

function toMessage(row: WireRow, phone: string): PhoneMessage {
  const sender = textOf(row, 'sender');
  return {
    guid: textOf(row, 'guid'),
    chatIdentifier: textOf(row, 'chat'),
    isGroup: numberOf(row, 'is_group') === 1,
    line: textOf(row, 'line'),
    fromMe: sender === phone,
    sender,
    text: textOf(row, 'text'),
    attachments: [],
    isAudioMessage: false,
    replyToGuid: null,
    effect: null,
    reactions: [],
    state: toState(textOf(row, 'state')),
    edited: false,
    unsent: false,
    sentAt: numberOf(row, 'sent_at'),
  };
}

function toState(text: string): MessageState {
  const state = MESSAGE_STATES.find((known) => known === text);
  if (state === undefined) throw new TypeError('The wire holds a message in a state that this version does not know.');
  return state;
}
