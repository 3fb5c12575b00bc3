/**
 * The tables, as the query builder sees them. `ref` is a row's integer, `id` its public TypeID; what ends in `_at` is
 * Unix milliseconds; a yes or no is 1 or 0, which both engines compare alike. The sentences on each table and column
 * stand in `schema-sentences.ts`, and `schema.sqlite.sql` and `schema.postgres.sql` show them with what the engines have.
 */
import type { Generated } from 'kysely';
import type { DevicesTable, UploadPartsTable } from './device-tables.ts';

export interface AccountsTable {
  ref: Generated<number>;
  id: string;
  owner_email: string;
  created_at: number;
  webhook_secret: string | null;
}

export interface ApiKeysTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  name: string;
  prefix: string;
  hash: string;
  scopes: string;
  line_refs: string | null;
  expires_at: number | null;
  revoked_at: number | null;
  created_at: number;
  rate_limit_per_hour: Generated<number>;
  last_used_at: number | null;
}

export interface LinesTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  handle: string;
  label: string | null;
  service: string;
  kind: string;
  is_active: number;
  is_sandbox: number;
  contact_first: number;
  pace_ms: number;
  created_at: number;
  removed_at: number | null;
  opt_out_keywords: Generated<number>;
}

export interface LineHealthTable {
  line_ref: number;
  fence: number;
  state: string;
  reason: string | null;
  since: number;
  capabilities: string | null;
}

export interface LineCursorsTable {
  line_ref: number;
  cursor: string;
}

export interface ChatsTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  identifier: string;
  service: string;
  name: string | null;
  is_group: number;
  participants: string;
  has_received_inbound: number;
  last_message_at: number;
  created_at: number;
}

export interface MessagesTable {
  chat_ref: number;
  sent_at: number;
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  guid: string;
  sender: string;
  text: string | null;
  service: string;
  is_from_me: number;
  state: string;
  outbox_ref: number | null;
  reply_to_guid: string | null;
  delivered_at: number | null;
  read_at: number | null;
  synced_at: number;
  updated_at: number;
  is_audio_message: Generated<number>;
  attachment_count: Generated<number>;
  edited_at: number | null;
  unsent_at: number | null;
  effect: string | null;
  item_part: number;
  is_whole_item: number;
  is_old: number;
}

export interface AttachmentsTable {
  message_ref: number;
  place: number;
  file_ref: number | null;
  filename: string | null;
  mime_type: string | null;
  size: number | null;
  transcription: string | null;
}

export interface ReactionsTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  chat_ref: number;
  message_ref: number;
  type: string;
  sender: string;
  is_from_me: number;
  added: number;
  sent_at: number;
  synced_at: number;
}

export interface TypingIndicatorsTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  chat_ref: number;
  handle: string;
  is_typing: number;
  updated_at: number;
  expires_at: number;
}

export interface ReadReceiptsTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  chat_ref: number;
  handle: string;
  last_read_at: number;
  synced_at: number;
}

export interface HeldMessagesTable {
  message_ref: number;
  line_ref: number;
  chat_ref: number;
  sender: string;
  guid: string;
  announce_at: number;
}

export interface OutboxTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  recipient: string;
  is_group: number;
  state: string;
  payload: string;
  attempts: number;
  hand_overs: number;
  fence: number;
  not_before: number;
  echo_due_at: number | null;
  guid: string | null;
  error: string | null;
  created_at: number;
  updated_at: number;
  completed_at: number | null;
  claimed_at: number | null;
  handed_over_at: number | null;
  kind: Generated<string>;
  claimed_by: Generated<string | null>;
  details: string | null;
  fetch_url: Generated<string | null>;
}

export interface ListedItemsTable {
  ref: number;
  account_ref: number;
  line_ref: number;
  chat_ref: number | null;
  peer: string;
  is_outbound: number;
  status: string;
  service: string;
  outbox_ref: number | null;
  message_ref: number | null;
  place: number;
  created_at: number;
  updated_at: number;
  is_followed: Generated<number>;
}

export interface EventsTable {
  seq: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  chat_ref: number | null;
  message_ref: number | null;
  type: string;
  data: string;
  created_at: number;
}

export interface WebhooksTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  line_ref: number;
  url: string;
  events: string;
  secret: string;
  is_active: number;
  disabled_reason: string | null;
  failing_since: number | null;
  created_at: number;
  deleted_at: number | null;
  previous_secret: string | null;
  previous_ends_at: number | null;
  kind: Generated<string>;
  numbers: string | null;
  place: Generated<number>;
  is_bare: Generated<number>;
}

export interface DeliveriesTable {
  webhook_ref: number;
  event_seq: number;
  id: string;
  account_ref: number;
  chat_ref: number | null;
  state: string;
  attempts: number;
  due_at: number;
  claimed_until: number;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: number | null;
  last_duration_ms: number | null;
  created_at: number;
  resent_at: number | null;
  url: string | null;
}

export interface AttemptsTable {
  webhook_ref: number;
  event_seq: number;
  attempt: number;
  started_at: number;
  duration_ms: number;
  status: number | null;
  error: string | null;
  answer: string | null;
}

export interface LeasesTable {
  name: string;
  holder: string;
  fence: number;
  expires_at: number;
}

export interface RequestCountsTable {
  key_ref: number;
  hour_at: number;
  requests: number;
}

export interface KeptAnswersTable {
  key_ref: number;
  route: string;
  name: string;
  fingerprint: string;
  holder: string;
  status: number | null;
  body: string | null;
  expires_at: number;
}

export interface UnansweredTable {
  id: string;
  holder: string;
  answers: string;
  created_at: number;
}

export interface LostAnswersTable {
  fingerprint: string;
  id: string;
  status: number;
  body: string;
  created_at: number;
}

export interface FilesTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  filename: string | null;
  mime_type: string;
  content_type: string | null;
  size: number;
  source: string | null;
  created_at: number;
}

export interface SandboxPairingsTable {
  account_ref: number;
  code: string | null;
  code_expires_at: number | null;
  phone: string | null;
  paired_at: number | null;
  code_sent_at: number | null;
  day_at: Generated<number>;
  sent: Generated<number>;
}

export interface SandboxPhonesTable {
  phone: string;
  since: number;
  wrong_codes: number;
}

export interface OptOutsTable {
  account_ref: number;
  handle: string;
  opted_out_at: number;
  by: string;
}

export interface InstallationTable {
  name: string;
  value: string;
}

export interface Schema {
  accounts: AccountsTable;
  api_keys: ApiKeysTable;
  lines: LinesTable;
  line_health: LineHealthTable;
  line_cursors: LineCursorsTable;
  chats: ChatsTable;
  messages: MessagesTable;
  attachments: AttachmentsTable;
  reactions: ReactionsTable;
  typing_indicators: TypingIndicatorsTable;
  read_receipts: ReadReceiptsTable;
  held_messages: HeldMessagesTable;
  outbox: OutboxTable;
  listed_items: ListedItemsTable;
  upload_parts: UploadPartsTable;
  events: EventsTable;
  webhooks: WebhooksTable;
  deliveries: DeliveriesTable;
  attempts: AttemptsTable;
  leases: LeasesTable;
  request_counts: RequestCountsTable;
  kept_answers: KeptAnswersTable;
  unanswered: UnansweredTable;
  lost_answers: LostAnswersTable;
  files: FilesTable;
  sandbox_pairings: SandboxPairingsTable;
  sandbox_phones: SandboxPhonesTable;
  opt_outs: OptOutsTable;
  devices: DevicesTable;
  installation: InstallationTable;
}
