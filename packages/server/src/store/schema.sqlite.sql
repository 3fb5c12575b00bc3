-- Trunkline's tables on SQLite, as the migrations leave them. Made by `npm run generate`; to read, not to run:
-- what changes a database is a migration. What ends in _at is Unix milliseconds; a yes or no is 1 or 0.

-- Facts about this installation that are drawn once and kept, such as the epoch of its event log.
create table installation (
  name text primary key,  -- Which fact.
  value text not null     -- The fact.
);

-- Whose lines, chats and keys these are. Every tenant's row carries its account.
create table accounts (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  owner_email text not null,              -- How its owner is reached.
  created_at bigint not null,             -- When the row was made.
  webhook_secret text                     -- What posts to its webhooks without a secret of their own carry, sealed, or null.
);

-- API keys. The key itself is stored nowhere.
create table api_keys (
  ref integer primary key autoincrement,             -- The integer by which other tables refer to the row.
  id text not null unique,                           -- The public id.
  account_ref bigint not null,                       -- Whose it is.
  name text not null,                                -- What its owner calls it.
  prefix text not null,                              -- The beginning of the key, by which a person recognises it.
  hash text not null unique,                         -- The SHA-256 of the whole key, in hex.
  scopes text not null,                              -- What it may do, a JSON array.
  line_refs text,                                    -- The lines it is limited to, a JSON array, or null for all.
  expires_at bigint,                                 -- When it ends by itself, or null.
  revoked_at bigint,                                 -- When it was revoked, or null.
  created_at bigint not null,                        -- When the row was made.
  rate_limit_per_hour bigint not null default 1000,  -- How many requests it may make in an hour.
  last_used_at bigint                                -- When it was last seen, to the minute, or null.
);
create index api_keys_by_account on api_keys (account_ref, ref);

-- Requests of a key in an hour, the sum of what each process adds.
create table request_counts (
  key_ref bigint not null,        -- The key.
  hour_at bigint not null,        -- The beginning of the hour.
  requests bigint not null,       -- How many so far.
  primary key (key_ref, hour_at)
);

-- Lines: the iMessage identities that the server sends from and receives on.
create table lines (
  ref integer primary key autoincrement,      -- The integer by which other tables refer to the row.
  id text not null unique,                    -- The public id.
  account_ref bigint not null,                -- Whose it is.
  handle text not null unique,                -- Its number or e-mail address; no two lines have the same.
  label text,                                 -- What its owner calls it, or null.
  service text not null,                      -- The network that it speaks.
  kind text not null,                         -- The driver that serves it.
  is_active bigint not null,                  -- Whether its driver is to run.
  is_sandbox bigint not null,                 -- Whether it is the shared line for trying things out.
  contact_first bigint not null,              -- Whether it refuses sends to whoever has not written first.
  pace_ms bigint not null,                    -- The least time between two hand-overs, in milliseconds.
  created_at bigint not null,                 -- When the row was made.
  removed_at bigint,                          -- When its operator removed it, or null.
  opt_out_keywords bigint not null default 0  -- Whether a phone opts out by texting STOP, and in again by START.
);

-- What a line's driver said of it last. It counts while the holder that wrote it has the line's lease.
create table line_health (
  line_ref bigint primary key,  -- The line.
  fence bigint not null,        -- The fence of the holder that wrote it.
  state text not null,          -- How the line is: online, degraded or offline.
  reason text,                  -- Why, in a sentence, or null.
  since bigint not null,        -- Since when it is so, under this holder.
  capabilities text             -- What the driver can do, a JSON array, or null before it has said so.
);

-- How far each line's driver has been heard.
create table line_cursors (
  line_ref bigint primary key,  -- The line.
  cursor text not null          -- The cursor of the last event that was committed.
);

-- Chats, one row for each account, line and identifier.
create table chats (
  ref integer primary key autoincrement,      -- The integer by which other tables refer to the row.
  id text not null unique,                    -- The public id.
  account_ref bigint not null,                -- Whose it is.
  line_ref bigint not null,                   -- The line that it is on.
  identifier text not null,                   -- The other's handle, or the group's identifier on the line.
  service text not null,                      -- The network on which it was first seen.
  name text,                                  -- A group's name, or null.
  is_group bigint not null,                   -- Whether it is a group.
  participants text not null,                 -- The handles that belong to it, a JSON array.
  has_received_inbound bigint not null,       -- Whether anybody has ever written to the line in it.
  last_message_at bigint not null,            -- When its latest message was sent; 0 before the first.
  created_at bigint not null,                 -- When the row was made.
  unique (account_ref, line_ref, identifier)
);
create index chats_by_activity on chats (line_ref, last_message_at desc, ref desc);

-- Messages as they were seen on the lines, inbound and own; clustered by chat where the engine can.
create table messages (
  chat_ref bigint not null,                       -- The chat.
  sent_at bigint not null,                        -- When it was sent, by the clock of the line.
  ref bigint not null unique,                     -- The integer by which other tables refer to the row.
  id text not null unique,                        -- The public id.
  account_ref bigint not null,                    -- Whose it is.
  line_ref bigint not null,                       -- The line that saw it.
  guid text not null,                             -- Its name on the line, where it is there once.
  sender text not null,                           -- The handle of whoever wrote it.
  text text,                                      -- What it says, or null.
  service text not null,                          -- The network that carried it.
  is_from_me bigint not null,                     -- Whether the line itself sent it.
  state text not null,                            -- How far it has come: received, sent, delivered or read.
  outbox_ref bigint,                              -- The outbox item that it is the echo of, or null.
  reply_to_guid text,                             -- The message that it answers, or null.
  delivered_at bigint,                            -- When it was delivered, or null.
  read_at bigint,                                 -- When it was read, or null.
  synced_at bigint not null,                      -- When the server first saw it.
  updated_at bigint not null,                     -- When the row last changed.
  is_audio_message bigint not null default 0,     -- Whether it is a voice memo.
  attachment_count bigint not null default 0,     -- How many attachments it has.
  edited_at bigint,                               -- When its sender changed it last, or null.
  unsent_at bigint,                               -- When its sender took it back, or null.
  effect text,                                    -- The effect that it was sent with, or null.
  item_part bigint not null default 0,            -- Which of its outbox item's messages it is, from 0.
  is_whole_item bigint not null default 1,        -- Whether all of the item's messages had been seen with it.
  is_old bigint not null default 0,               -- Whether it is from long before it was seen, so that it was not announced.
  primary key (chat_ref, sent_at desc, ref desc)
) without rowid;
create unique index messages_by_guid on messages (line_ref, guid);

-- The attachments of messages, in their order.
create table attachments (
  message_ref bigint not null,      -- The message.
  place bigint not null,            -- Its place among them, from 0.
  file_ref bigint,                  -- The file that has its bytes, or null while they are not here.
  filename text,                    -- Its name on the line, or null.
  mime_type text,                   -- What the line says that it is, or null.
  size bigint,                      -- Its size in bytes, or null.
  transcription text,               -- What the line made out of a voice memo, or null.
  primary key (message_ref, place)
);

-- Reactions to messages; one that was taken off keeps its row.
create table reactions (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line that saw it.
  chat_ref bigint not null,               -- The chat of the message.
  message_ref bigint not null,            -- The message that it is for.
  type text not null,                     -- Which of the six it is.
  sender text not null,                   -- The handle of whoever reacted.
  is_from_me bigint not null,             -- Whether the line itself reacted.
  added bigint not null,                  -- Whether it is on the message now.
  sent_at bigint not null,                -- When it was put on or taken off, by the clock of the line.
  synced_at bigint not null,              -- When the server saw that.
  unique (message_ref, sender, type)
);
create index reactions_by_chat on reactions (chat_ref);

-- Who types in a chat.
create table typing_indicators (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line.
  chat_ref bigint not null,               -- The chat.
  handle text not null,                   -- Who types.
  is_typing bigint not null,              -- Whether just now.
  updated_at bigint not null,             -- When that changed.
  expires_at bigint not null,             -- When it is over without another word.
  unique (chat_ref, handle)
);
create index typing_expiring on typing_indicators (expires_at) where is_typing = 1;
create index typing_now on typing_indicators (line_ref, expires_at) where is_typing = 1;

-- How far each party has read a chat.
create table read_receipts (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line.
  chat_ref bigint not null,               -- The chat.
  handle text not null,                   -- Who has read it.
  last_read_at bigint not null,           -- When, last.
  synced_at bigint not null,              -- When the server saw that.
  unique (chat_ref, handle)
);

-- Messages whose announcement waits for a later piece.
create table held_messages (
  message_ref bigint primary key,  -- The message, whose own row is there from the first sighting.
  line_ref bigint not null,        -- Its line.
  chat_ref bigint not null,        -- Its chat.
  sender text not null,            -- Its sender, whose next message ends the wait.
  guid text not null,              -- Its name on the line, by which the piece names it.
  announce_at bigint not null      -- When it is announced without the piece.
);
create index held_messages_by_line on held_messages (line_ref, guid);
create index held_messages_due on held_messages (announce_at);

-- The outbox: what was accepted and is to be sent, sent or failed.
create table outbox (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line that sends it.
  recipient text not null,                -- The handle or the group's identifier that it goes to.
  is_group bigint not null,               -- Whether that is a group.
  state text not null,                    -- fetching, pending, sending, handed_over, unknown, waiting, sent or failed.
  payload text not null,                  -- The request as accepted, as JSON.
  attempts bigint not null default 0,     -- The claims that count as attempts.
  hand_overs bigint not null default 0,   -- Every claim; never goes back.
  fence bigint not null default 0,        -- The fence of whoever claimed it last.
  not_before bigint not null default 0,   -- When it may be tried again; 0 for at once.
  echo_due_at bigint,                     -- When waiting for its echo ends, or null.
  guid text,                              -- The name that the line gave to it, or null.
  error text,                             -- Why it failed or what is not known of it, a sentence, or null.
  created_at bigint not null,             -- When the row was made.
  updated_at bigint not null,             -- When the row last changed.
  completed_at bigint,                    -- When it was sent or failed, or null.
  claimed_at bigint,                      -- When it was last claimed, or null.
  handed_over_at bigint,                  -- When it was last handed over, or null.
  kind text not null default 'message',   -- What it asks for: a message, a voice memo, a reaction, typing or a receipt.
  details text,                           -- What its hand-over needs beyond the request, as JSON, or null.
  fetch_url text,                         -- Where its file is still to be fetched from, or null.
  claimed_by text                         -- Who held the lease of its line then; null where that is not known.
);
create index outbox_by_guid on outbox (line_ref, guid) where guid is not null and state <> 'sent';
create index outbox_fetching on outbox (line_ref, recipient, ref) where state = 'fetching';
create index outbox_pending on outbox (line_ref, ref) where state = 'pending';
create index outbox_under_way on outbox (line_ref, ref) where state in ('sending', 'handed_over', 'unknown');
create index outbox_waiting on outbox (line_ref, recipient, ref) where state = 'waiting';

-- What lists in the manner of Sendblue show: own messages from their acceptance on, and those that were seen.
create table listed_items (
  ref integer primary key,               -- The outbox item times 512, or the message times 512 and 256 and the place of its attachment.
  account_ref bigint not null,           -- Whose it is.
  line_ref bigint not null,              -- The line.
  chat_ref bigint,                       -- The group, or null.
  peer text not null,                    -- The handle of the other party; empty for what goes to a group.
  is_outbound bigint not null,           -- Whether it goes out.
  status text not null,                  -- QUEUED, SENT, DELIVERED, ERROR or RECEIVED. One that is under way is QUEUED here.
  service text not null,                 -- The network that carried it, or that of the line until that is known.
  outbox_ref bigint,                     -- The outbox item, or null.
  message_ref bigint,                    -- The message once it was seen, or null.
  place bigint not null,                 -- Which of its attachments this is, from 0.
  created_at bigint not null,            -- When it was accepted, or sent by the clock of the line.
  updated_at bigint not null,            -- When anything of it last changed; never before it was created.
  is_followed bigint not null default 0  -- Whether the send named an address that is told of each change of its status.
);
create index listed_items_by_change on listed_items (account_ref, updated_at, ref);
create index listed_items_by_creation on listed_items (account_ref, created_at, ref);
create index listed_items_by_group on listed_items (account_ref, chat_ref, created_at, ref, is_outbound) where chat_ref is not null;
create index listed_items_by_line on listed_items (line_ref, created_at, ref, account_ref, chat_ref, is_outbound);
create index listed_items_by_pair on listed_items (line_ref, peer, created_at, ref, account_ref, is_outbound);
create index listed_items_by_peer on listed_items (account_ref, peer, created_at, ref, line_ref, chat_ref, is_outbound);
create index listed_items_by_service on listed_items (account_ref, service, created_at, ref, line_ref) where service <> 'imessage';
create index listed_items_by_status on listed_items (account_ref, status, created_at, ref, line_ref);
create index listed_items_of_groups on listed_items (account_ref, created_at, ref, line_ref, is_outbound, chat_ref) where chat_ref is not null;

-- The event log: one total order for the installation, drawn in the commit.
create table events (
  seq integer primary key autoincrement,  -- The place in that order.
  id text not null,                       -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line that it happened on.
  chat_ref bigint,                        -- The chat that it happened in, or null.
  message_ref bigint,                     -- The message that it tells of, or null.
  type text not null,                     -- What happened, such as message.received.
  data text not null,                     -- The body's data, as JSON.
  created_at bigint not null              -- When the row was made.
);
create index events_by_message on events (message_ref) where message_ref is not null;

-- Files, uploaded by clients or brought by lines. The bytes are a blob outside the database, named by the id.
create table files (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  filename text,                          -- Its name without path and control characters, or null.
  mime_type text not null,                -- Its type as it was claimed.
  content_type text,                      -- Its type as its first bytes show it, or null where they show none.
  size bigint not null,                   -- How many bytes it has.
  source text unique,                     -- Where on a line it came from, which no two files share, or null for an upload.
  created_at bigint not null              -- When the row was made.
);

-- Webhooks: who is told of a line's events, or of an account's items.
create table webhooks (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  line_ref bigint not null,               -- The line whose events it is told; 0 for one of all lines.
  url text not null,                      -- Where they are posted to; of a callback the origin alone.
  events text not null,                   -- The types that it asked for, a JSON array.
  secret text not null,                   -- What its posts are signed with, or carry, sealed with the installation's key; empty for nothing.
  is_active bigint not null,              -- Whether anything is sent to it.
  disabled_reason text,                   -- Why nothing is, a sentence, or null.
  failing_since bigint,                   -- Since when nothing has arrived, or null.
  created_at bigint not null,             -- When the row was made.
  deleted_at bigint,                      -- When it was deleted, or null; the row stays until its deliveries are pruned.
  previous_secret text,                   -- The secret before the last rotation, sealed alike, or null.
  previous_ends_at bigint,                -- Until when its posts are signed with that one as well, or null.
  kind text not null default 'v1',        -- v1, account (of all lines of an account) or callback (an origin that sends name).
  numbers text,                           -- The handles of the lines that an account limited it to, a JSON array, or null for all.
  place bigint not null default 0,        -- Its place in the list of its account's.
  is_bare bigint not null default 0       -- Whether it was given as a URL alone.
);
create index webhooks_by_account on webhooks (account_ref, ref);
create index webhooks_by_line on webhooks (line_ref) where deleted_at is null;
create unique index webhooks_by_origin on webhooks (account_ref, url) where kind = 'callback';
create index webhooks_of_accounts on webhooks (account_ref) where kind = 'account';

-- What is due to a webhook: one row for each event that it asked for, written with the event.
create table deliveries (
  webhook_ref bigint not null,              -- The webhook.
  event_seq bigint not null,                -- The event.
  id text not null unique,                  -- The public id, the same over all attempts.
  account_ref bigint not null,              -- Whose it is.
  chat_ref bigint,                          -- The chat whose order it keeps, or null; below 0 an outbox item, whose changes have an order of their own.
  state text not null,                      -- new (the lane's), retry (anybody's), delivered, failed or dropped.
  attempts bigint not null default 0,       -- The attempts so far.
  due_at bigint not null,                   -- When the next attempt is due.
  claimed_until bigint not null default 0,  -- Until when a worker has it for a retry; 0 for nobody.
  last_status bigint,                       -- The last HTTP status, or null.
  last_error text,                          -- Why the last attempt failed, a sentence, or null.
  last_attempt_at bigint,                   -- When the last attempt began, or null.
  last_duration_ms bigint,                  -- How long it took, in milliseconds, or null.
  created_at bigint not null,               -- When the row was made.
  resent_at bigint,                         -- When an operator last had it sent again, or null.
  url text,                                 -- Where it is posted to, or null: to its webhook's URL.
  primary key (webhook_ref, event_seq)
) without rowid;
create index deliveries_by_event on deliveries (event_seq) where url is not null;
create index deliveries_new on deliveries (webhook_ref, event_seq) where state = 'new';
create index deliveries_retry on deliveries (webhook_ref, due_at) where state = 'retry';
create index deliveries_troubled on deliveries (webhook_ref, state, event_seq) where state in ('retry', 'failed', 'dropped');

-- The attempts that failed, each with what came back. A success is in the delivery's own columns until it is sent again.
create table attempts (
  webhook_ref bigint not null,                   -- The webhook.
  event_seq bigint not null,                     -- The event.
  attempt bigint not null,                       -- Which attempt it was, from 1.
  started_at bigint not null,                    -- When it began.
  duration_ms bigint not null,                   -- How long it took, in milliseconds.
  status bigint,                                 -- The HTTP status, or null where there was none.
  error text,                                    -- Why it failed, a sentence, or null for a success.
  answer text,                                   -- The beginning of what the receiver answered, or null.
  primary key (webhook_ref, event_seq, attempt)
);

-- Who owns a lane (a line or a webhook).
create table leases (
  name text primary key,      -- The lane.
  holder text not null,       -- The process that has it, or had it last.
  fence bigint not null,      -- Grows with every change of hands; a write with an older one is refused.
  expires_at bigint not null  -- When the lease ends unless it is renewed, by the database's clock.
);

-- Answers kept for an Idempotency-Key, committed with what they answer.
create table kept_answers (
  key_ref bigint not null,            -- The API key that asked.
  route text not null,                -- What it asked: method and path.
  name text not null,                 -- The Idempotency-Key.
  fingerprint text not null,          -- The hash of the request, so that another one under the same name is refused; or which try it is, first or repeat.
  holder text not null,               -- The process in which the request is under way.
  status bigint,                      -- The HTTP status of the answer, or null while the request is under way.
  body text,                          -- The answer, sealed where it holds a secret, or null.
  expires_at bigint not null,         -- When it is forgotten.
  primary key (key_ref, route, name)
);
create index kept_answers_by_expiry on kept_answers (expires_at);

-- Answers to requests without an Idempotency-Key that are on their way, a row for each commit.
create table unanswered (
  id text primary key,        -- Names the commit, and nothing else.
  holder text not null,       -- The process that writes the answers.
  answers text not null,      -- The answers, parted by U+001E: the request or its hash, its id, the status, the body, parted by U+001F.
  created_at bigint not null  -- When the row was made.
);

-- Which phone on the sandbox line is whose: an account has a phone, or a code to be texted, or neither.
create table sandbox_pairings (
  account_ref bigint primary key,    -- Whose it is.
  code text unique,                  -- What a phone may text to be paired with the account, or null.
  code_expires_at bigint,            -- Until when it may, or null.
  phone text unique,                 -- The paired phone's handle, or null.
  paired_at bigint,                  -- When it was paired, or null.
  code_sent_at bigint,               -- When it sent the code, by its own clock, or null: what it sent before is not the account's.
  day_at bigint not null default 0,  -- The beginning of the day on which the account sent last, in UTC.
  sent bigint not null default 0     -- How many messages were accepted that day.
);

-- Phones that texted wrong codes to the sandbox line.
create table sandbox_phones (
  phone text primary key,      -- The phone's handle.
  since bigint not null,       -- When the first of them came.
  wrong_codes bigint not null  -- How many since then.
);
create index sandbox_phones_by_age on sandbox_phones (since);

-- Who wants no more messages of an account.
create table opt_outs (
  account_ref bigint not null,       -- Whose it is.
  handle text not null,              -- The contact's handle.
  opted_out_at bigint not null,      -- Since when.
  by text not null,                  -- Whose word it was: api or phone.
  primary key (account_ref, handle)
);

-- Pieces of files that agents bring, until all of a file is there.
create table upload_parts (
  line_ref bigint not null,            -- The line that the file came in on.
  name text not null,                  -- The name of the file among all that the line brings.
  start bigint not null,               -- Where in the file the piece begins.
  size bigint not null,                -- Its size in bytes.
  blob text not null,                  -- The blob that has its bytes.
  created_at bigint not null,          -- When the row was made.
  primary key (line_ref, name, start)
);
create unique index upload_parts_by_blob on upload_parts (blob);
create index upload_parts_by_time on upload_parts (created_at);

-- Devices: computers whose agents may dial in, each for some lines. The token itself is stored nowhere.
create table devices (
  ref integer primary key autoincrement,  -- The integer by which other tables refer to the row.
  id text not null unique,                -- The public id.
  account_ref bigint not null,            -- Whose it is.
  name text not null,                     -- What its owner calls it.
  prefix text not null,                   -- The beginning of the token, by which a person recognises it.
  token_hash text not null unique,        -- The SHA-256 of the whole token, in hex.
  line_refs text not null,                -- The lines that it may serve, a JSON array that is never empty.
  created_at bigint not null,             -- When the row was made.
  revoked_at bigint,                      -- When it was revoked, or null.
  connected_at bigint,                    -- When its newest connection began, or null before the first.
  disconnected_at bigint,                 -- When that connection ended, or null while it is there.
  agent text,                             -- What its agent said of itself, a JSON object, or null before the first connection.
  clock_offset_ms bigint                  -- How far its clock is ahead of the server's, in milliseconds, or null before it was measured.
);
create index devices_by_account on devices (account_ref, ref);

-- Answers that did not reach their clients, until an identical request is given them.
create table lost_answers (
  fingerprint text not null,     -- The hash of the request, by which a repeat is known.
  id text not null,              -- The request.
  status bigint not null,        -- The HTTP status of the answer.
  body text not null,            -- The answer, sealed where it holds a secret.
  created_at bigint not null,    -- When the row was made.
  primary key (fingerprint, id)
);
