/** A sentence on each table and column of webhooks and of what is due to them, for `schema-sentences.ts`. */

const REF = 'The integer by which other tables refer to the row.';
const ID = 'The public id.';
const ACCOUNT = 'Whose it is.';
const CREATED = 'When the row was made.';

export const WEBHOOK_SENTENCES = {
  webhooks: {
    table: "Webhooks: who is told of a line's events, or of an account's items.",
    columns: {
      ref: REF,
      id: ID,
      account_ref: ACCOUNT,
      line_ref: 'The line whose events it is told; 0 for one of all lines.',
      url: 'Where they are posted to; of a callback the origin alone.',
      events: 'The types that it asked for, a JSON array.',
      secret: "What its posts are signed with, or carry, sealed with the installation's key; empty for nothing.",
      is_active: 'Whether anything is sent to it.',
      disabled_reason: 'Why nothing is, a sentence, or null.',
      failing_since: 'Since when nothing has arrived, or null.',
      created_at: CREATED,
      deleted_at: 'When it was deleted, or null; the row stays until its deliveries are pruned.',
      previous_secret: 'The secret before the last rotation, sealed alike, or null.',
      previous_ends_at: 'Until when its posts are signed with that one as well, or null.',
      kind: 'v1, account (of all lines of an account) or callback (an origin that sends name).',
      numbers: 'The handles of the lines that an account limited it to, a JSON array, or null for all.',
      place: "Its place in the list of its account's.",
      is_bare: 'Whether it was given as a URL alone.',
    },
  },
  deliveries: {
    table: 'What is due to a webhook: one row for each event that it asked for, written with the event.',
    columns: {
      webhook_ref: 'The webhook.',
      event_seq: 'The event.',
      id: 'The public id, the same over all attempts.',
      account_ref: ACCOUNT,
      chat_ref:
        'The chat whose order it keeps, or null; below 0 an outbox item, whose changes have an order of their own.',
      state: "new (the lane's), retry (anybody's), delivered, failed or dropped.",
      attempts: 'The attempts so far.',
      due_at: 'When the next attempt is due.',
      claimed_until: 'Until when a worker has it for a retry; 0 for nobody.',
      last_status: 'The last HTTP status, or null.',
      last_error: 'Why the last attempt failed, a sentence, or null.',
      last_attempt_at: 'When the last attempt began, or null.',
      last_duration_ms: 'How long it took, in milliseconds, or null.',
      created_at: CREATED,
      resent_at: 'When an operator last had it sent again, or null.',
      url: "Where it is posted to, or null: to its webhook's URL.",
    },
  },
  attempts: {
    table:
      "The attempts that failed, each with what came back. A success is in the delivery's own columns until it is sent again.",
    columns: {
      webhook_ref: 'The webhook.',
      event_seq: 'The event.',
      attempt: 'Which attempt it was, from 1.',
      started_at: 'When it began.',
      duration_ms: 'How long it took, in milliseconds.',
      status: 'The HTTP status, or null where there was none.',
      error: 'Why it failed, a sentence, or null for a success.',
      answer: 'The beginning of what the receiver answered, or null.',
    },
  },
} as const;
