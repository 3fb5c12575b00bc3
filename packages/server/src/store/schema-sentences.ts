/**
 * What each table and column is for, in the order in which `schema.sqlite.sql` and `schema.postgres.sql` show them. The
 * types see to it that none is without its sentence and no sentence without its column.
 */
import type { Schema } from './schema.ts';

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
    columns: { ref: REF, id: ID, owner_email: 'How its owner is reached.', created_at: CREATED },
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
      state: 'pending, sending, handed_over, unknown, waiting, sent or failed.',
      payload: 'The request as accepted, as JSON.',
      attempts: 'The claims that count as attempts.',
      hand_overs: 'Every claim; never goes back.',
      fence: 'The fence of whoever claimed it last.',
      not_before: 'When it may be tried again; 0 for at once.',
      echo_due_at: 'When waiting for its echo ends, or null.',
      guid: 'The name that the line gave to it, or null.',
      error: 'Why it failed or what is not known of it, a sentence, or null.',
      created_at: CREATED,
      updated_at: 'When the row last changed.',
      completed_at: 'When it was sent or failed, or null.',
      claimed_at: 'When it was last claimed, or null.',
      handed_over_at: 'When it was last handed over, or null.',
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
  webhooks: {
    table: "Webhooks: who is told of a line's events.",
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line whose events it is told.',
      url: 'Where they are posted to.',
      events: 'The types that it asked for, a JSON array.',
      secret: "What its posts are signed with, sealed with the installation's key.",
      is_active: 'Whether anything is sent to it.',
      disabled_reason: 'Why nothing is, a sentence, or null.',
      failing_since: 'Since when nothing has arrived, or null.',
      created_at: CREATED,
      deleted_at: 'When it was deleted, or null; the row stays until its deliveries are pruned.',
    },
  },
  deliveries: {
    table: 'What is due to a webhook: one row for each event that it asked for, written with the event.',
    columns: {
      webhook_ref: 'The webhook.',
      event_seq: 'The event.',
      id: 'The public id, the same over all attempts.',
      account_ref: ACCOUNT,
      chat_ref: 'The chat whose order it keeps, or null.',
      state: "new (the lane's), retry (anybody's), delivered, failed or dropped.",
      attempts: 'The attempts so far.',
      due_at: 'When the next attempt is due.',
      claimed_until: 'Until when a worker has it for a retry; 0 for nobody.',
      last_status: 'The last HTTP status, or null.',
      last_error: 'Why the last attempt failed, a sentence, or null.',
      last_attempt_at: 'When the last attempt began, or null.',
      last_duration_ms: 'How long it took, in milliseconds, or null.',
      created_at: CREATED,
    },
  },
  attempts: {
    table: "The attempts that failed, each with what came back. A success is in the delivery's own columns.",
    columns: {
      webhook_ref: 'The webhook.',
      event_seq: 'The event.',
      attempt: 'Which attempt it was, from 1.',
      started_at: 'When it began.',
      duration_ms: 'How long it took, in milliseconds.',
      status: 'The HTTP status, or null where there was none.',
      error: 'Why it failed, a sentence.',
      answer: 'The beginning of what the receiver answered, or null.',
    },
  },
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
      fingerprint: 'The hash of the request, so that another one under the same name is refused.',
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
