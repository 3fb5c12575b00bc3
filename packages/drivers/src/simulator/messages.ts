/** The messages on the air. */
import { type Content, isPlain, parseAttachments } from './content.ts';
import { numberOf, statement, textOf } from './wire.ts';
import type { WireRow, WireTransaction } from './wire-database.ts';

/** `sent`, `delivered` and `read` are for the line's own messages; a phone's message is `received`, then `read`. */
export const MESSAGE_STATES = ['sent', 'delivered', 'read', 'received'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export interface NewMessage {
  readonly guid: string;
  readonly line: string;
  readonly seq: number;
  readonly chat: string;
  readonly isGroup: boolean;
  readonly sender: string;
  readonly content: Content;
  /** The hand-over that the message came from; null for a phone's message. */
  readonly origin: { readonly reference: string; readonly attempt: number } | null;
  /** False: the line never hears of this message. */
  readonly echoes: boolean;
  readonly state: MessageState;
  readonly sentAt: number;
}

const INSERT_MESSAGES = statement(
  {
    guid: 'text',
    line: 'text',
    seq: 'int',
    chat: 'text',
    is_group: 'int',
    from_line: 'int',
    sender: 'text',
    text: 'text',
    reference: 'text',
    attempt: 'int',
    echoes: 'int',
    state: 'text',
    sent_at: 'int',
  },
  `insert into messages
     (guid, line, seq, chat, is_group, from_line, sender, text, reference, attempt, echoes, state, sent_at)
   select i.guid, i.line, i.seq, i.chat, i.is_group, i.from_line, i.sender, i.text, i.reference, i.attempt, i.echoes,
     i.state, i.sent_at {from items}`,
);
const INSERT_EXTRAS = statement(
  { guid: 'text', attachments: 'text', is_audio: 'int', reply_to: 'text', effect: 'text' },
  `insert into message_extras (guid, attachments, is_audio, reply_to, effect)
   select i.guid, i.attachments, i.is_audio, i.reply_to, i.effect {from items}`,
);
const DELIVER = statement(
  { guid: 'text' },
  `update messages set state = 'delivered' {from items}
   where messages.guid = i.guid and messages.state = 'sent' returning messages.guid, messages.echoes`,
);

export async function insertMessages(tx: WireTransaction, messages: readonly NewMessage[]): Promise<void> {
  const rows = messages.map((message) => ({
    guid: message.guid,
    line: message.line,
    seq: message.seq,
    chat: message.chat,
    is_group: message.isGroup ? 1 : 0,
    from_line: message.origin === null ? 0 : 1,
    sender: message.sender,
    text: message.content.text,
    reference: message.origin?.reference ?? null,
    attempt: message.origin?.attempt ?? null,
    echoes: message.echoes ? 1 : 0,
    state: message.state,
    sent_at: message.sentAt,
  }));
  if (rows.length > 0) await tx.each(INSERT_MESSAGES, rows);
  const extras = messages.filter(({ content }) => !isPlain(content)).map(extrasRow);
  if (extras.length > 0) await tx.each(INSERT_EXTRAS, extras);
}

function extrasRow({ guid, content }: NewMessage): WireRow {
  return {
    guid,
    attachments: JSON.stringify(content.attachments),
    is_audio: content.isAudio ? 1 : 0,
    reply_to: content.replyToGuid,
    effect: content.effect,
  };
}

/** Marks messages as delivered; returns those that were not before, and whether the line hears of each. */
export async function deliverMessages(tx: WireTransaction, guids: readonly string[]): Promise<Map<string, boolean>> {
  const items = guids.map((guid) => ({ guid }));
  const rows = items.length === 0 ? [] : await tx.each(DELIVER, items);
  return new Map(rows.map((row) => [textOf(row, 'guid'), numberOf(row, 'echoes') === 1]));
}

const SELECT_ATTACHMENTS = statement(
  { guid: 'text' },
  'select e.guid, e.attachments from message_extras e {, items} where e.guid = i.guid',
);
const UPDATE_ATTACHMENTS = statement(
  { guid: 'text', attachments: 'text' },
  'update message_extras set attachments = i.attachments {from items} where message_extras.guid = i.guid',
);

/** Writes down what the line has made out of a voice memo. */
export async function noteTranscription(tx: WireTransaction, guid: string, transcription: string): Promise<void> {
  const [row] = await tx.each(SELECT_ATTACHMENTS, [{ guid }]);
  if (row === undefined) return;
  const attachments = parseAttachments(textOf(row, 'attachments')).map((one) => ({ ...one, transcription }));
  await tx.each(UPDATE_ATTACHMENTS, [{ guid, attachments: JSON.stringify(attachments) }]);
}
