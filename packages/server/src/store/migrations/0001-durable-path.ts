/**
 * The durable path: accounts and keys, lines and chats, messages, the outbox, the event log, webhooks and deliveries.
 * `ref` is the integer by which other tables refer to a row; `id` the public TypeID, stored here and nowhere else.
 */
import type { MigrationText } from './migration.ts';

export const durablePath: MigrationText = {
  name: '0001-durable-path',
  statements: (engine) => [
    // Facts about this installation, such as the epoch of its event log.
    'create table installation (name text primary key, value text not null)',

    // Whose lines, chats and keys these are. Every tenant's row carries its account.
    `create table accounts (ref ${engine.identity}, id text not null unique, owner_email text not null, created_at bigint not null)`,

    // API keys. Only the SHA-256 of the key is stored; `prefix` is what a person recognises it by.
    // `line_refs` is a JSON array of the lines it is limited to, or null for all.
    `create table api_keys (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      name text not null, prefix text not null, hash text not null unique, scopes text not null, line_refs text,
      expires_at bigint, revoked_at bigint, created_at bigint not null)`,

    // Lines. `kind` names the driver; `pace_ms` is the least time between two hand-overs; `contact_first` refuses
    // sends to whoever has not written first.
    `create table lines (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      handle text not null unique, label text, service text not null, kind text not null, is_active bigint not null,
      is_sandbox bigint not null, contact_first bigint not null, pace_ms bigint not null, created_at bigint not null)`,

    // How far a line's driver has been heard: the cursor of the last event that was committed.
    'create table line_cursors (line_ref bigint primary key, cursor text not null)',

    // Chats, one row per line and identifier. `participants` is a JSON array; `last_message_at` is 0 before the first.
    `create table chats (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, identifier text not null, service text not null, name text, is_group bigint not null,
      participants text not null, has_received_inbound bigint not null, last_message_at bigint not null,
      created_at bigint not null, unique (account_ref, line_ref, identifier))`,
    'create index chats_by_activity on chats (line_ref, last_message_at desc, ref desc)',

    // Messages, inbound and own, clustered by chat where the engine can: a page of a chat is read from a few pages.
    // `state` is received, sent, delivered or read; `outbox_ref` the item that it is the echo of.
    ...messages(engine.kind),
    'create unique index messages_by_guid on messages (line_ref, guid)',

    // Messages whose announcement waits for a later piece; the row itself is there from the first sighting.
    `create table held_messages (message_ref bigint primary key, line_ref bigint not null, chat_ref bigint not null,
      sender text not null, guid text not null, announce_at bigint not null)`,
    'create index held_messages_by_line on held_messages (line_ref, guid)',
    'create index held_messages_due on held_messages (announce_at)',

    // The outbox. `payload` is the request as accepted; `hand_overs` counts every claim and never goes back, `attempts`
    // only those that count; `fence` is the claimer's; `echo_due_at` is when waiting for the echo ends.
    `create table outbox (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, recipient text not null, is_group bigint not null, state text not null,
      payload text not null, attempts bigint not null default 0, hand_overs bigint not null default 0,
      fence bigint not null default 0, not_before bigint not null default 0, echo_due_at bigint, guid text,
      error text, created_at bigint not null, updated_at bigint not null, completed_at bigint)`,
    "create index outbox_pending on outbox (line_ref, ref) where state = 'pending'",
    "create index outbox_waiting on outbox (line_ref, recipient, ref) where state = 'waiting'",
    "create index outbox_under_way on outbox (line_ref, ref) where state in ('sending', 'handed_over', 'unknown')",
    // Items whose echo has not come, by the GUID that the line gave them; an item that failed for want of it included.
    "create index outbox_by_guid on outbox (line_ref, guid) where guid is not null and state <> 'sent'",

    // The event log. `seq` is one total order for the installation, drawn in the commit; `data` the body's JSON.
    `create table events (seq ${engine.identity}, id text not null, account_ref bigint not null,
      line_ref bigint not null, chat_ref bigint, message_ref bigint, type text not null, data text not null,
      created_at bigint not null)`,

    // Webhooks. `events` is a JSON array; a deleted one keeps its row until its deliveries are pruned.
    `create table webhooks (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, url text not null, events text not null, secret text not null,
      is_active bigint not null, disabled_reason text, failing_since bigint, created_at bigint not null,
      deleted_at bigint)`,
    'create index webhooks_by_line on webhooks (line_ref) where deleted_at is null',

    // What is due to a webhook: one row per event, written with it. `state` is new (the lane's), retry (anybody's),
    // delivered, failed or dropped (its webhook was deleted or disabled).
    `create table deliveries (webhook_ref bigint not null, event_seq bigint not null, id text not null unique,
      account_ref bigint not null, chat_ref bigint, state text not null, attempts bigint not null default 0,
      due_at bigint not null, claimed_until bigint not null default 0, last_status bigint, last_error text,
      last_attempt_at bigint, last_duration_ms bigint, created_at bigint not null,
      primary key (webhook_ref, event_seq))${engine.kind === 'sqlite' ? ' without rowid' : ''}`,
    "create index deliveries_new on deliveries (webhook_ref, event_seq) where state = 'new'",
    "create index deliveries_retry on deliveries (webhook_ref, due_at) where state = 'retry'",

    // The attempts that failed, each with what came back. A success is in the delivery's own columns.
    `create table attempts (webhook_ref bigint not null, event_seq bigint not null, attempt bigint not null,
      started_at bigint not null, duration_ms bigint not null, status bigint, error text, answer text,
      primary key (webhook_ref, event_seq, attempt))`,

    // Who owns a lane (a line or a webhook), by the database's clock. `fence` grows with every change of hands.
    `create table leases (name text primary key, holder text not null, fence bigint not null,
      expires_at bigint not null)`,
  ],
};

function messages(kind: 'sqlite' | 'postgres'): string[] {
  const columns = `id text not null unique, account_ref bigint not null, line_ref bigint not null, guid text not null,
      sender text not null, text text, service text not null, is_from_me bigint not null, state text not null,
      outbox_ref bigint, reply_to_guid text, delivered_at bigint, read_at bigint, synced_at bigint not null,
      updated_at bigint not null`;
  if (kind === 'sqlite') {
    return [
      `create table messages (chat_ref bigint not null, sent_at bigint not null, ref bigint not null unique,
      ${columns}, primary key (chat_ref, sent_at desc, ref desc)) without rowid`,
    ];
  }
  return [
    `create table messages (chat_ref bigint not null, sent_at bigint not null, ref bigserial primary key,
      ${columns})`,
    'create unique index messages_by_chat on messages (chat_ref, sent_at desc, ref desc)',
  ];
}
