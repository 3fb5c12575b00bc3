/**
 * What each table and column is for, in the order in which `schema.sqlite.sql` and `schema.postgres.sql` show them. The
 * types see to it that none is without its sentence and no sentence without its column.
 */
import { DEVICE_SENTENCES } from './device-sentences.ts';
import type { Schema } from './schema.ts';
import { WEBHOOK_SENTENCES } from './webhook-sentences.ts';

type Sentences = {
  readonly [T in keyof Schema]: {
    readonly table: string;
    readonly columns: { readonly [C in keyof Schema[T]]: string };
  };
};

const REF = 'The integer by which other tables refer to the row.';
const ID = 'The public id.';
const ACCOUNT = 'Whose it is.';
const CREATED = 'When the row was made.';

export const SCHEMA_SENTENCES = {
  installation: {
    table: 'Facts about this installation that are drawn once and kept, such as the epoch of its event log.',
    columns: { name: 'Which fact.', value: 'The fact.' },
  },
  accounts: {
    table: "Whose lines, chats and keys these are. Every tenant's row carries its account.",
    columns: {
      ref: REF,
      id: ID,
      owner_email: 'How its owner is reached.',
      created_at: CREATED,
      webhook_secret: 'What posts to its webhooks without a secret of their own carry, sealed, or null.',
    },
  },
  api_keys: {
    table: 'API keys. The key itself is stored nowhere.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      name: 'What its owner calls it.',
      prefix: 'The beginning of the key, by which a person recognises it.',
      hash: 'The SHA-256 of the whole key, in hex.',
      scopes: 'What it may do, a JSON array.',
      line_refs: 'The lines it is limited to, a JSON array, or null for all.',
      expires_at: 'When it ends by itself, or null.',
      revoked_at: 'When it was revoked, or null.',
      created_at: CREATED,
      rate_limit_per_hour: 'How many requests it may make in an hour.',
      last_used_at: 'When it was last seen, to the minute, or null.',
    },
  },
  request_counts: {
    table: 'Requests of a key in an hour, the sum of what each process adds.',
    columns: { key_ref: 'The key.', hour_at: 'The beginning of the hour.', requests: 'How many so far.' },
  },
  lines: {
    table: 'Lines: the iMessage identities that the server sends from and receives on.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      handle: 'Its number or e-mail address; no two lines have the same.',
      label: 'What its owner calls it, or null.',
      service: 'The network that it speaks.',
      kind: 'The driver that serves it.',
      is_active: 'Whether its driver is to run.',
      is_sandbox: 'Whether it is the shared line for trying things out.',
      contact_first: 'Whether it refuses sends to whoever has not written first.',
      pace_ms: 'The least time between two hand-overs, in milliseconds.',
      created_at: CREATED,
      removed_at: 'When its operator removed it, or null.',
      opt_out_keywords: 'Whether a phone opts out by texting STOP, and in again by START.',
    },
  },
  line_health: {
    table: "What a line's driver said of it last. It counts while the holder that wrote it has the line's lease.",
    columns: {
      line_ref: 'The line.',
      fence: 'The fence of the holder that wrote it.',
      state: 'How the line is: online, degraded or offline.',
      reason: 'Why, in a sentence, or null.',
      since: 'Since when it is so, under this holder.',
      capabilities: 'What the driver can do, a JSON array, or null before it has said so.',
    },
  },
  line_cursors: {
    table: "How far each line's driver has been heard.",
    columns: { line_ref: 'The line.', cursor: 'The cursor of the last event that was committed.' },
  },
  chats: {
    table: 'Chats, one row for each account, line and identifier.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line that it is on.',
      identifier: "The other's handle, or the group's identifier on the line.",
      service: 'The network on which it was first seen.',
      name: "A group's name, or null.",
      is_group: 'Whether it is a group.',
      participants: 'The handles that belong to it, a JSON array.',
      has_received_inbound: 'Whether anybody has ever written to the line in it.',
      last_message_at: 'When its latest message was sent; 0 before the first.',
      created_at: CREATED,
    },
  },
  messages: {
    table: 'Messages as they were seen on the lines, inbound and own; clustered by chat where the engine can.',
    columns: {
      chat_ref: 'The chat.',
      sent_at: 'When it was sent, by the clock of the line.',
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line that saw it.',
      guid: 'Its name on the line, where it is there once.',
      sender: 'The handle of whoever wrote it.',
      text: 'What it says, or null.',
      service: 'The network that carried it.',
      is_from_me: 'Whether the line itself sent it.',
      state: 'How far it has come: received, sent, delivered or read.',
      outbox_ref: 'The outbox item that it is the echo of, or null.',
      reply_to_guid: 'The message that it answers, or null.',
      delivered_at: 'When it was delivered, or null.',
      read_at: 'When it was read, or null.',
      synced_at: 'When the server first saw it.',
      updated_at: 'When the row last changed.',
      is_audio_message: 'Whether it is a voice memo.',
      attachment_count: 'How many attachments it has.',
      edited_at: 'When its sender changed it last, or null.',
      unsent_at: 'When its sender took it back, or null.',
      effect: 'The effect that it was sent with, or null.',
      item_part: "Which of its outbox item's messages it is, from 0.",
      is_whole_item: "Whether all of the item's messages had been seen with it.",
      is_old: 'Whether it is from long before it was seen, so that it was not announced.',
    },
  },
  attachments: {
    table: 'The attachments of messages, in their order.',
    columns: {
      message_ref: 'The message.',
      place: 'Its place among them, from 0.',
      file_ref: 'The file that has its bytes, or null while they are not here.',
      filename: 'Its name on the line, or null.',
      mime_type: 'What the line says that it is, or null.',
      size: 'Its size in bytes, or null.',
      transcription: 'What the line made out of a voice memo, or null.',
    },
  },
  reactions: {
    table: 'Reactions to messages; one that was taken off keeps its row.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line that saw it.',
      chat_ref: 'The chat of the message.',
      message_ref: 'The message that it is for.',
      type: 'Which of the six it is.',
      sender: 'The handle of whoever reacted.',
      is_from_me: 'Whether the line itself reacted.',
      added: 'Whether it is on the message now.',
      sent_at: 'When it was put on or taken off, by the clock of the line.',
      synced_at: 'When the server saw that.',
    },
  },
  typing_indicators: {
    table: 'Who types in a chat.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line.',
      chat_ref: 'The chat.',
      handle: 'Who types.',
      is_typing: 'Whether just now.',
      updated_at: 'When that changed.',
      expires_at: 'When it is over without another word.',
    },
  },
  read_receipts: {
    table: 'How far each party has read a chat.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line.',
      chat_ref: 'The chat.',
      handle: 'Who has read it.',
      last_read_at: 'When, last.',
      synced_at: 'When the server saw that.',
    },
  },
  held_messages: {
    table: 'Messages whose announcement waits for a later piece.',
    columns: {
      message_ref: 'The message, whose own row is there from the first sighting.',
      line_ref: 'Its line.',
      chat_ref: 'Its chat.',
      sender: 'Its sender, whose next message ends the wait.',
      guid: 'Its name on the line, by which the piece names it.',
      announce_at: 'When it is announced without the piece.',
    },
  },
  outbox: {
    table: 'The outbox: what was accepted and is to be sent, sent or failed.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line that sends it.',
      recipient: "The handle or the group's identifier that it goes to.",
      is_group: 'Whether that is a group.',
      state: 'fetching, pending, sending, handed_over, unknown, waiting, sent or failed.',
      payload: 'The request as accepted, as JSON.',
      attempts: 'The claims that count as attempts.',
      hand_overs: 'Every claim; never goes back.',
      fence: 'The fence of whoever claimed it last.',
      claimed_by: 'Who held the lease of its line then; null where that is not known.',
      not_before: 'When it may be tried again; 0 for at once.',
      echo_due_at: 'When waiting for its echo ends, or null.',
      guid: 'The name that the line gave to it, or null.',
      error: 'Why it failed or what is not known of it, a sentence, or null.',
      created_at: CREATED,
      updated_at: 'When the row last changed.',
      completed_at: 'When it was sent or failed, or null.',
      claimed_at: 'When it was last claimed, or null.',
      handed_over_at: 'When it was last handed over, or null.',
      kind: 'What it asks for: a message, a voice memo, a reaction, typing or a receipt.',
      details: 'What its hand-over needs beyond the request, as JSON, or null.',
      fetch_url: 'Where its file is still to be fetched from, or null.',
    },
  },
  listed_items: {
    table:
      'What lists in the manner of Sendblue show: own messages from their acceptance on, and those that were seen.',
    columns: {
      ref: 'The outbox item times 512, or the message times 512 and 256 and the place of its attachment.',
      account_ref: ACCOUNT,
      line_ref: 'The line.',
      chat_ref: 'The group, or null.',
      peer: 'The handle of the other party; empty for what goes to a group.',
      is_outbound: 'Whether it goes out.',
      status: 'QUEUED, SENT, DELIVERED, ERROR or RECEIVED. One that is under way is QUEUED here.',
      service: 'The network that carried it, or that of the line until that is known.',
      outbox_ref: 'The outbox item, or null.',
      message_ref: 'The message once it was seen, or null.',
      place: 'Which of its attachments this is, from 0.',
      created_at: 'When it was accepted, or sent by the clock of the line.',
      updated_at: 'When anything of it last changed; never before it was created.',
      is_followed: 'Whether the send named an address that is told of each change of its status.',
    },
  },
  events: {
    table: 'The event log: one total order for the installation, drawn in the commit.',
    columns: {
      seq: 'The place in that order.',
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line that it happened on.',
      chat_ref: 'The chat that it happened in, or null.',
      message_ref: 'The message that it tells of, or null.',
      type: 'What happened, such as message.received.',
      data: "The body's data, as JSON.",
      created_at: CREATED,
    },
  },
  files: {
    table:
      'Files, uploaded by clients or brought by lines. The bytes are a blob outside the database, named by the id.',
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      filename: 'Its name without path and control characters, or null.',
      mime_type: 'Its type as it was claimed.',
      content_type: 'Its type as its first bytes show it, or null where they show none.',
      size: 'How many bytes it has.',
      source: 'Where on a line it came from, which no two files share, or null for an upload.',
      created_at: CREATED,
    },
  },
  ...WEBHOOK_SENTENCES,
  leases: {
    table: 'Who owns a lane (a line or a webhook).',
    columns: {
      name: 'The lane.',
      holder: 'The process that has it, or had it last.',
      fence: 'Grows with every change of hands; a write with an older one is refused.',
      expires_at: "When the lease ends unless it is renewed, by the database's clock.",
    },
  },
  kept_answers: {
    table: 'Answers kept for an Idempotency-Key, committed with what they answer.',
    columns: {
      key_ref: 'The API key that asked.',
      route: 'What it asked: method and path.',
      name: 'The Idempotency-Key.',
      fingerprint:
        'The hash of the request, so that another one under the same name is refused; or which try it is, first or repeat.',
      holder: 'The process in which the request is under way.',
      status: 'The HTTP status of the answer, or null while the request is under way.',
      body: 'The answer, sealed where it holds a secret, or null.',
      expires_at: 'When it is forgotten.',
    },
  },
  unanswered: {
    table: 'Answers to requests without an Idempotency-Key that are on their way, a row for each commit.',
    columns: {
      id: 'Names the commit, and nothing else.',
      holder: 'The process that writes the answers.',
      answers:
        'The answers, parted by U+001E: the request or its hash, its id, the status, the body, parted by U+001F.',
      created_at: CREATED,
    },
  },
  sandbox_pairings: {
    table: 'Which phone on the sandbox line is whose: an account has a phone, or a code to be texted, or neither.',
    columns: {
      account_ref: ACCOUNT,
      code: 'What a phone may text to be paired with the account, or null.',
      code_expires_at: 'Until when it may, or null.',
      phone: "The paired phone's handle, or null.",
      paired_at: 'When it was paired, or null.',
      code_sent_at: "When it sent the code, by its own clock, or null: what it sent before is not the account's.",
      day_at: 'The beginning of the day on which the account sent last, in UTC.',
      sent: 'How many messages were accepted that day.',
    },
  },
  sandbox_phones: {
    table: 'Phones that texted wrong codes to the sandbox line.',
    columns: {
      phone: "The phone's handle.",
      since: 'When the first of them came.',
      wrong_codes: 'How many since then.',
    },
  },
  opt_outs: {
    table: 'Who wants no more messages of an account.',
    columns: {
      account_ref: ACCOUNT,
      handle: "The contact's handle.",
      opted_out_at: 'Since when.',
      by: 'Whose word it was: api or phone.',
    },
  },
  ...DEVICE_SENTENCES,
  lost_answers: {
    table: 'Answers that did not reach their clients, until an identical request is given them.',
    columns: {
      fingerprint: 'The hash of the request, by which a repeat is known.',
      id: 'The request.',
      status: 'The HTTP status of the answer.',
      body: 'The answer, sealed where it holds a secret.',
      created_at: CREATED,
    },
  },
} as const satisfies Sentences;
