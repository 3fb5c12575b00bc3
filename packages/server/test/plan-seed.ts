/** Enough rows, evenly spread and the same every time, that a planner has a reason for each of its choices. */
import { sql } from 'kysely';
import type { Engine } from '../src/store/database.ts';
import { STARTED_AT } from './stage.ts';

export const LINES = 1_400;
const CHATS = 5 * LINES;
/** PostgreSQL looks at 30,000 rows of a table: with no more than that, its statistics are the same every time. */
const ROWS_MOST = 20 * LINES;
/** The line with half of all chats. */
const BUSY_LINE = 2;
/** The chats that have messages. */
const CHATS_IN_USE = 1_000;
/** Of ten kept answers this one is not there yet. */
const UNDER_WAY = 9;
const NUMBERED = [
  'accounts',
  'api_keys',
  'devices',
  'lines',
  'chats',
  'messages',
  'files',
  'reactions',
  'typing_indicators',
  'read_receipts',
  'outbox',
  'webhooks',
] as const;

/** Row `i` belongs to line `i % LINES + 1`; `i / LINES` tells a line's rows apart. Line and account have one number. */
const LINE = `i % ${LINES} + 1`;
const TURN = `i / ${LINES}`;
const CHAT_LINE = `case when i < ${CHATS / 2} then ${BUSY_LINE} else ${LINE} end`;
const AT = `${STARTED_AT} + i`;
/** A tenth of what is listed is the busy line's. */
const ITEM_LINE = `case when i < ${ROWS_MOST / 10} then ${BUSY_LINE} else ${LINE} end`;
const IS_OUTBOUND = 'i % 20 < 10';

interface Seed {
  readonly rows: number;
  readonly table: string;
  readonly columns: string;
  readonly values: string;
}

const SEEDS: readonly Seed[] = [
  {
    rows: LINES,
    table: 'accounts',
    columns: 'ref, id, owner_email, created_at',
    values: `i + 1, 'acc_' || i, 'owner@localhost', ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'api_keys',
    columns: 'ref, id, account_ref, name, prefix, hash, scopes, created_at',
    values: `i + 1, 'key_' || i, ${LINE}, 'Key', 'sk_live_', 'hash' || i, '[]', ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'devices',
    columns: 'ref, id, account_ref, name, prefix, token_hash, line_refs, created_at',
    values: `i + 1, 'dev_' || i, ${LINE}, 'Device', 'dtk_', 'hash' || i, '[' || (${LINE}) || ']', ${AT}`,
  },
  {
    rows: LINES,
    table: 'lines',
    columns:
      'ref, id, account_ref, handle, service, kind, is_active, is_sandbox, contact_first, pace_ms, created_at, opt_out_keywords',
    values: `i + 1, 'ln_' || i, ${LINE}, '+1555' || i, 'imessage', 'simulator', 1, 0, 0, 0, ${AT}, 1`,
  },
  {
    rows: LINES,
    table: 'sandbox_pairings',
    columns: 'account_ref, code, code_expires_at, phone, paired_at',
    values: `i + 1, case when i % 2 = 0 then 'C0DE' || substr('000' || (i + 1), length('000' || (i + 1)) - 3) end,
      case when i % 2 = 0 then ${AT} + 1000000000 end, case when i % 2 = 1 then '+1666' || i end, case when i % 2 = 1 then ${AT} end`,
  },
  {
    rows: LINES,
    table: 'sandbox_phones',
    columns: 'phone, since, wrong_codes',
    values: `'+1777' || i, ${AT}, 1`,
  },
  {
    rows: ROWS_MOST,
    table: 'opt_outs',
    columns: 'account_ref, handle, opted_out_at, by',
    values: `${LINE}, '+1888' || i, ${AT}, 'api'`,
  },
  { rows: LINES, table: 'line_cursors', columns: 'line_ref, cursor', values: "i + 1, '0'" },
  {
    rows: CHATS,
    table: 'leases',
    columns: 'name, holder, fence, expires_at',
    values: "'line ' || (i + 1), 'holder', 1, 0",
  },
  {
    rows: CHATS,
    table: 'chats',
    columns: `ref, id, account_ref, line_ref, identifier, service, is_group, participants, has_received_inbound,
      last_message_at, created_at`,
    values: `i + 1, 'cht_' || i, ${CHAT_LINE}, ${CHAT_LINE}, '+1666' || i, 'imessage', 0, '[]', 1, ${AT}, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'messages',
    columns: `ref, chat_ref, sent_at, id, account_ref, line_ref, guid, sender, text, service, is_from_me, state,
      synced_at, updated_at`,
    values: `i + 1, i % ${CHATS_IN_USE} + 1, ${AT}, 'msg_' || i, ${LINE}, ${LINE}, 'guid ' || i, '+1666' || ${TURN},
      'Some words of a message', 'imessage', 0, 'received', ${AT}, ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'held_messages',
    columns: 'message_ref, line_ref, chat_ref, sender, guid, announce_at',
    values: `i + 1, ${LINE}, i + 1, '+1666' || ${TURN}, 'guid ' || i, ${AT} + 1000000`,
  },
  {
    rows: LINES,
    table: 'line_health',
    columns: 'line_ref, fence, state, since',
    values: `i + 1, 1, 'online', ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'files',
    columns: 'ref, id, account_ref, filename, mime_type, size, source, created_at',
    values: `i + 1, 'file_' || i, ${LINE}, 'hike.jpg', 'image/jpeg', 1, 'source ' || i, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'attachments',
    columns: 'message_ref, place, file_ref, filename, mime_type, size',
    values: "i + 1, 0, i + 1, 'hike.jpg', 'image/jpeg', 1",
  },
  {
    rows: ROWS_MOST,
    table: 'reactions',
    columns:
      'ref, id, account_ref, line_ref, chat_ref, message_ref, type, sender, is_from_me, added, sent_at, synced_at',
    values: `i + 1, 'rxn_' || i, ${LINE}, ${LINE}, i % ${CHATS_IN_USE} + 1, i + 1, 'love', '+1666', 0, 1, ${AT}, ${AT}`,
  },
  {
    rows: CHATS,
    table: 'typing_indicators',
    columns: 'ref, id, account_ref, line_ref, chat_ref, handle, is_typing, updated_at, expires_at',
    values: `i + 1, 'ind_' || i, ${CHAT_LINE}, ${CHAT_LINE}, i + 1, '+1666' || i,
      case when i % 100 = 0 then 1 else 0 end, ${AT}, ${AT} + 1000000`,
  },
  {
    rows: CHATS,
    table: 'read_receipts',
    columns: 'ref, id, account_ref, line_ref, chat_ref, handle, last_read_at, synced_at',
    values: `i + 1, 'rcp_' || i, ${CHAT_LINE}, ${CHAT_LINE}, i + 1, '+1666' || i, ${AT}, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'outbox',
    columns: `ref, id, account_ref, line_ref, recipient, is_group, state, payload, attempts, hand_overs, echo_due_at,
      guid, fetch_url, created_at, updated_at`,
    values: `i + 1, 'obx_' || i, ${LINE}, ${LINE}, '+1666' || (${TURN} % 10), 0, ${outboxState(TURN)}, '{}', 1, 1,
      ${AT} + 1000000, 'sent ' || i, case when ${TURN} = 13 then 'https://' || i end, ${AT}, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'listed_items',
    columns: `ref, account_ref, line_ref, chat_ref, peer, is_outbound, status, service, outbox_ref, message_ref, place,
      created_at, updated_at`,
    values: `(i + 1) * 512 + case when ${IS_OUTBOUND} then 0 else 256 end, ${ITEM_LINE}, ${ITEM_LINE},
      case when i % 10 = 5 then i % ${CHATS_IN_USE} + 1 end, '+1666' || (i % 700), case when ${IS_OUTBOUND} then 1 else 0 end,
      case when i % 20 = 0 then 'ERROR' when i % 20 = 1 then 'QUEUED' when i % 20 = 2 then 'SENT' when ${IS_OUTBOUND} then 'DELIVERED'
        else 'RECEIVED' end,
      case when i % 33 = 0 then 'sms' else 'imessage' end, case when ${IS_OUTBOUND} then i + 1 end,
      case when ${IS_OUTBOUND} and i % 20 < 2 then null else i + 1 end, 0, ${AT}, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'events',
    columns: 'seq, id, account_ref, line_ref, chat_ref, message_ref, type, data, created_at',
    values: `i + 1, 'evt_' || i, ${LINE}, ${LINE}, i % ${CHATS_IN_USE} + 1, i + 1, 'message.received', '{}', ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'webhooks',
    columns: 'ref, id, account_ref, line_ref, url, events, secret, is_active, created_at',
    values: `i + 1, 'whk_' || i, ${LINE}, ${LINE}, 'http://127.0.0.1/', '["message.sent"]', 'secret', 1, ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'webhooks',
    columns: 'ref, id, account_ref, line_ref, url, events, secret, is_active, kind, created_at',
    values: `i + 1000001, 'whk_of_items_' || i, ${LINE}, 0, 'http://10.0.0.' || i, '["item.status"]', '', 1,
      case when i < ${LINES} then 'account' else 'callback' end, ${AT}`,
  },
  {
    rows: ROWS_MOST,
    table: 'deliveries',
    columns:
      'webhook_ref, event_seq, id, account_ref, chat_ref, state, attempts, due_at, last_attempt_at, last_duration_ms, created_at',
    values: `${LINE}, i + 1, 'dlv_' || i, ${LINE}, i % ${CHATS_IN_USE} + 1,
      case ${TURN} when 18 then 'retry' when 19 then 'new' else 'delivered' end, 1, ${AT}, ${AT}, 1, ${AT}`,
  },
  {
    rows: 2 * LINES,
    table: 'attempts',
    columns: 'webhook_ref, event_seq, attempt, started_at, duration_ms, status, error',
    values: `${LINE}, i + 1, 1, ${AT}, 1, 500, 'It answered 500.'`,
  },
  {
    rows: 2 * LINES,
    table: 'request_counts',
    columns: 'key_ref, hour_at, requests',
    values: `i % ${2 * LINES} + 1, i, 1`,
  },
  {
    rows: ROWS_MOST,
    table: 'kept_answers',
    columns: 'key_ref, route, name, fingerprint, holder, status, body, expires_at',
    values: `i % ${2 * LINES} + 1, 'POST /v1/messages', 'name ' || i, 'fingerprint ' || i, 'holder',
      case when i % 10 = ${UNDER_WAY} then null else 201 end, case when i % 10 = ${UNDER_WAY} then null else '{}' end,
      ${AT} + 1000000`,
  },
  {
    rows: ROWS_MOST,
    table: 'lost_answers',
    columns: 'fingerprint, id, status, body, created_at',
    values: `'fingerprint ' || i, 'req_' || i, 201, '{}', ${AT}`,
  },
];

export async function seedForPlans(engine: Engine): Promise<void> {
  for (const { rows, table, columns, values } of SEEDS) {
    if (engine.kind === 'postgres') await run(engine, `alter table ${table} set (autovacuum_enabled = false)`);
    await run(
      engine,
      `insert into ${table} (${columns}) with recursive numbers(i) as
         (select 0 union all select i + 1 from numbers where i < ${rows - 1}) select ${values} from numbers`,
    );
  }
  if (engine.kind === 'sqlite') return;
  for (const table of NUMBERED) {
    await run(engine, `select setval(pg_get_serial_sequence('${table}', 'ref'), (select max(ref) from ${table}))`);
  }
  await run(engine, "select setval(pg_get_serial_sequence('events', 'seq'), (select max(seq) from events))");
}

/**
 * What PostgreSQL learns about its rows in time; the vacuum leaves nothing to chance. On SQLite the server never gathers
 * statistics, so the plans are those of a database without.
 */
export async function gatherStatistics(engine: Engine): Promise<void> {
  if (engine.kind === 'postgres') await run(engine, 'vacuum analyze');
}

/** Nearly all items are sent; one line in ten has one of every other state besides. */
function outboxState(turn: string): string {
  const states = ['fetching', 'failed', 'waiting', 'unknown', 'handed_over', 'sending', 'pending'];
  const cases = states.map(
    (state, index) => `when ${turn} = ${13 + index} and i % ${LINES} < ${LINES / 10} then '${state}'`,
  );
  return `case ${cases.join(' ')} else 'sent' end`;
}

async function run(engine: Engine, text: string): Promise<void> {
  await sql.raw(text).execute(engine.query);
}
