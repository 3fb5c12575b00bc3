/** A small world in which every write has something to do, and what it looks like afterwards. PostgreSQL only. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { dayOf, SANDBOX_DAILY_MAX } from '../src/domain/sandbox.ts';
import type { Engine } from '../src/store/database.ts';
import type { AttemptResult } from '../src/store/deliveries.ts';
import type { Claim } from '../src/store/leases.ts';
import { listedItems } from '../src/store/migrations/0011-listed-items.ts';
import { RESENDABLE } from '../src/store/resends.ts';
import type { Guard } from '../src/store/ticket.ts';
import { WRITES } from '../src/store/writes.ts';
import { PHONE } from './harness.ts';
import { failure, inbound, own, part, receipt } from './sightings.ts';
import { type Process, STARTED_AT } from './stage.ts';

export type WriteName = keyof typeof WRITES;
/** 1 or 2: two of one kind that run at once are told apart by what they make. */
export type Run = (process: Process, variant: 1 | 2) => Promise<unknown>;

const NOW = STARTED_AT;
const LONG_AGO = NOW - 86_400_000;
const FENCE = 5;
const RESETS_A_VACUUM = 100;
const STRANGER = '+15550109002';
/** Has written on the line, and texts what a line may listen for. */
const TIRED = '+15550109004';
/** What pairs a phone with the second account. */
const CODE = 'C0DE0002';
const LINE_CLAIM: Claim = { lane: 'line 1', fence: FENCE };
const LEASE = { name: 'line 1', holder: 'the holder', fence: FENCE };
const TABLES = [
  'attempts',
  'deliveries',
  'events',
  'webhooks',
  'files',
  'listed_items',
  'held_messages',
  'reactions',
  'typing_indicators',
  'read_receipts',
  'attachments',
  'messages',
  'chats',
  'outbox',
  'line_cursors',
  'line_health',
  'leases',
  'unanswered',
  'lost_answers',
  'kept_answers',
  'request_counts',
  'sandbox_pairings',
  'sandbox_phones',
  'opt_outs',
  'api_keys',
  'devices',
  'upload_parts',
  'lines',
  'accounts',
  'installation',
];

/** As the migration lists what is there. */
const LISTED = listedItems
  .statements({ kind: 'postgres', identity: '' })
  .filter((text) => text.startsWith('insert'))
  .join('; ');

/**
 * Makes the world, keeps a copy of each of its tables, and gives the database two routines, whose plans each connection
 * keeps: `put_back` and `world`. What they say is thousands of times too long to be planned anew for each run.
 */
export async function prepare(engine: Engine): Promise<void> {
  const copies = TABLES.map((table) => `create table beginning.${table} as table ${table}`);
  const back = TABLES.map((table) => `delete from ${table}; insert into ${table} select * from beginning.${table}`);
  const parts = Object.entries(DUMP).map(([name, query]) => `'${name}', (select json_agg(t) from (${query}) t)`);
  await sql
    .raw(`begin; ${SEED}; ${LISTED}; create schema beginning; ${copies.join('; ')};
      create procedure put_back() language plpgsql as $$ begin
        -- A crash may take what is put back, but no run waits for the disk to have it.
        set local synchronous_commit = off;
        ${back.join('; ')};
      end $$;
      create function world() returns text language plpgsql as $$ begin
        return json_build_object(${parts.join(', ')});
      end $$;
      commit`)
    .execute(engine.query);
}

let resets = 0;

/** Puts the world back to how each run begins. */
export async function reset(engine: Engine): Promise<void> {
  await sql`call put_back()`.execute(engine.query);
  // Every reset leaves its rows behind: soon the tables are a thousand times as long as what is in them.
  if (++resets % RESETS_A_VACUUM === 0) await sql.raw(`vacuum ${TABLES.join(', ')}`).execute(engine.query);
}

const SEED = `
  insert into accounts values (1, 'acc_1', 'owner@localhost', ${NOW}), (2, 'acc_2', 'other@localhost', ${NOW});
  insert into lines (ref, id, account_ref, handle, service, kind, is_active, is_sandbox, contact_first, pace_ms, created_at,
    removed_at, opt_out_keywords) values (1, 'ln_1', 1, '+15550100001', 'imessage', 'simulator', 1, 0, 0, 0, ${NOW}, null, 1),
    (2, 'ln_removed', 1, '+15550100088', 'imessage', 'simulator', 0, 0, 0, 0, ${NOW}, ${NOW}, 0),
    (3, 'ln_sandbox', 1, '+15550100000', 'imessage', 'simulator', 1, 1, 1, 0, ${NOW}, null, 0);
  insert into opt_outs values (1, '${PHONE}', ${NOW}, 'api');
  insert into sandbox_pairings values (1, null, null, '${STRANGER}', ${NOW}, ${NOW}, ${dayOf(NOW)}, ${SANDBOX_DAILY_MAX - 1}),
    (2, '${CODE}', ${NOW + 1}, null, null, null, 0, 0);
  insert into sandbox_phones values ('+15550109003', ${LONG_AGO}, 9);
  insert into api_keys (ref, id, account_ref, name, prefix, hash, scopes, created_at)
    values (1, 'key_1', 1, 'First key', 'sk_live_', 'hash', '[]', ${NOW});
  insert into upload_parts (line_ref, name, start, size, blob, created_at) values (1, 'at_0', 0, 10, 'file_part_0', 5);
  insert into devices (ref, id, account_ref, name, prefix, token_hash, line_refs, created_at)
    values (1, 'dev_1', 1, 'Office Mac', 'dtk_', 'hash', '[1]', ${NOW});
  insert into kept_answers values (1, 'POST /v1/messages', 'under way 1', 'f', 'p', null, null, ${NOW + 1}),
    (1, 'POST /v1/messages', 'under way 2', 'f', 'p', null, null, ${NOW + 1});
  insert into unanswered values ('commit 1', 'p', '[]', ${NOW}), ('commit 2', 'p', '[]', ${NOW}), ('commit 3', 'p', '[]', ${LONG_AGO});
  insert into lost_answers values ('f', 'req_old', 201, '{}', ${LONG_AGO});
  insert into line_cursors values (1, '0');
  insert into leases values ('line 1', 'the holder', ${FENCE}, 0), ('line 2', 'the holder', ${FENCE}, 0),
    ('line 3', 'the holder', ${FENCE}, 0);
  insert into chats values (1, 'cht_1', 1, 1, '${PHONE}', 'imessage', null, 0, '["${PHONE}"]', 1, ${NOW}, ${NOW}),
    (2, 'cht_2', 1, 2, '${PHONE}', 'imessage', null, 0, '["${PHONE}"]', 1, ${NOW}, ${NOW});
  insert into outbox (ref, id, account_ref, line_ref, recipient, is_group, state, payload, attempts, hand_overs, fence,
    not_before, echo_due_at, guid, created_at, updated_at) values
    (1, 'obx_pending', 1, 1, '${PHONE}', 0, 'pending', '{}', 0, 0, 0, 0, null, null, ${NOW}, ${NOW}),
    (2, 'obx_sending', 1, 1, '${PHONE}', 0, 'sending', '{}', 1, 1, ${FENCE}, 0, null, null, ${NOW}, ${NOW}),
    (3, 'obx_waiting', 1, 1, '${STRANGER}', 0, 'waiting', '{}', 1, 1, ${FENCE}, ${NOW}, null, null, ${NOW}, ${NOW}),
    (4, 'obx_overdue', 1, 1, '${PHONE}', 0, 'handed_over', '{}', 1, 1, ${FENCE}, 0, ${NOW}, 'O', ${NOW}, ${NOW}),
    (5, 'obx_doubted', 1, 1, '${PHONE}', 0, 'unknown', '{}', 1, 1, ${FENCE}, 0, ${NOW}, null, ${NOW}, ${NOW}),
    (6, 'obx_cut_short', 1, 2, '${PHONE}', 0, 'sending', '{}', 1, 1, ${FENCE}, 0, null, null, 1, 1);
  insert into outbox (ref, id, account_ref, line_ref, recipient, is_group, state, payload, fetch_url, created_at, updated_at)
    values (7, 'obx_fetching', 1, 1, '${STRANGER}', 0, 'fetching', '{}', 'http://4', ${NOW}, ${NOW});
  insert into messages (chat_ref, sent_at, ref, id, account_ref, line_ref, guid, sender, text, service, is_from_me,
    state, synced_at, updated_at) values
    (1, ${NOW}, 1, 'msg_own', 1, 1, 'OWN', '+15550100001', 'Hello', 'imessage', 1, 'sent', ${NOW}, ${NOW}),
    (1, ${NOW}, 2, 'msg_held', 1, 1, 'HELD', '${PHONE}', 'http://', 'imessage', 0, 'received', ${NOW}, ${NOW}),
    (2, ${NOW}, 3, 'msg_purged', 1, 2, 'PURGED', '${PHONE}', 'http://', 'imessage', 0, 'received', ${NOW}, ${NOW});
  insert into held_messages values (2, 1, 1, '${PHONE}', 'HELD', ${NOW}), (3, 2, 2, '${PHONE}', 'PURGED', ${NOW});
  insert into webhooks (ref, id, account_ref, line_ref, url, events, secret, is_active, created_at) values
    (1, 'wh_1', 1, 1, 'http://1', '["message.received","message.sent"]', 's', 1, ${NOW}),
    (2, 'wh_2', 1, 1, 'http://2', '["message.received"]', 's', 1, ${NOW}),
    (3, 'wh_3', 1, 2, 'http://3', '["message.received"]', 's', 0, ${NOW});
  insert into events (seq, id, account_ref, line_ref, chat_ref, message_ref, type, data, created_at) values
    (1, 'evt_1', 1, 1, 1, 1, 'message.sent', '{}', ${NOW}), (2, 'evt_2', 1, 1, 1, null, 'message.sent', '{}', ${NOW}),
    (3, 'evt_3', 1, 2, 2, null, 'message.received', '{}', ${NOW}), (4, 'evt_4', 1, 1, 1, null, 'message.sent', '{}', ${NOW});
  insert into deliveries (webhook_ref, event_seq, id, account_ref, chat_ref, state, attempts, due_at, claimed_until,
    created_at) values (1, 1, 'dlv_1', 1, 1, 'new', 0, ${NOW}, 0, ${NOW}), (1, 2, 'dlv_2', 1, 1, 'retry', 1, ${NOW}, 0, ${NOW}),
    (3, 3, 'dlv_3', 1, 2, 'dropped', 1, ${NOW}, 0, ${NOW}), (2, 4, 'dlv_4', 1, 1, 'failed', 1, 0, 0, ${NOW});
  insert into deliveries (webhook_ref, event_seq, id, account_ref, chat_ref, state, attempts, due_at, last_status,
    last_attempt_at, last_duration_ms, created_at) values (2, 1, 'dlv_5', 1, 1, 'delivered', 1, 0, 200, ${NOW}, 5, ${NOW});
  insert into attempts values (1, 2, 1, ${NOW}, 5, 500, 'answered 500', null), (2, 4, 1, ${NOW}, 5, 500, 'no', null);
  insert into webhooks (ref, id, account_ref, line_ref, url, events, secret, is_active, created_at, deleted_at)
    values (4, 'wh_gone', 1, 1, 'http://4', '[]', 's', 0, ${NOW}, ${LONG_AGO});
  insert into webhooks (ref, id, account_ref, line_ref, url, events, secret, is_active, disabled_reason, kind, created_at)
    values (5, 'wh_account', 1, 0, 'http://5', '["item.received"]', 's', 1, null, 'account', ${NOW}),
    (6, 'wh_callback', 1, 0, 'http://6', '["item.status"]', '', 1, null, 'callback', ${LONG_AGO}),
    (7, 'wh_failed', 1, 0, 'http://7', '["item.status"]', '', 0, 'It failed.', 'callback', ${LONG_AGO});
  insert into events (seq, id, account_ref, line_ref, chat_ref, message_ref, type, data, created_at)
    values (5, 'evt_5', 1, 1, 1, 2, 'item.received', '{}', ${NOW}), (6, 'evt_6', 1, 2, 2, null, 'item.status', '{}', ${NOW});
  insert into deliveries (webhook_ref, event_seq, id, account_ref, chat_ref, state, attempts, due_at, claimed_until, url,
    created_at) values (5, 5, 'dlv_6', 1, 1, 'new', 0, ${NOW}, 0, null, ${NOW}),
    (6, 6, 'dlv_7', 1, 2, 'new', 0, ${NOW}, 0, 'http://6/a', ${NOW});
  insert into leases values ('webhook 4', '', 1, 0);
  insert into kept_answers values (1, 'POST /v1/messages', 'old', 'f', 'the holder', 201, '{}', ${LONG_AGO});
  insert into request_counts values (1, ${LONG_AGO}, 3);
  select setval(pg_get_serial_sequence('events', 'seq'), 100), setval('messages_ref_seq', 100),
    setval(pg_get_serial_sequence('chats', 'ref'), 100), setval(pg_get_serial_sequence('outbox', 'ref'), 100),
    setval(pg_get_serial_sequence('webhooks', 'ref'), 100), setval(pg_get_serial_sequence('lines', 'ref'), 100),
    setval(pg_get_serial_sequence('accounts', 'ref'), 100), setval(pg_get_serial_sequence('api_keys', 'ref'), 100),
    setval(pg_get_serial_sequence('devices', 'ref'), 100)`;

const report = {
  claim: LINE_CLAIM,
  line: {
    ref: 1,
    id: 'ln_1',
    accountRef: 1,
    handle: '+15550100001',
    label: null,
    service: 'imessage',
    kind: 'simulator',
    isActive: true,
    isSandbox: false,
    contactFirst: false,
    optOutKeywords: true,
    capabilities: null,
    paceMs: 0,
  },
  events: [
    own('E1', { reference: 'obx_sending', cursor: '1' }),
    own('E2', { reference: 'obx_pending', cursor: '2' }),
    own('O', { cursor: '3' }),
    own('D', { reference: 'obx_doubted', cursor: '4' }),
    { ...failure('obx_waiting', 'Too late.'), cursor: '5' },
    { ...receipt('OWN', 'delivered'), cursor: '6' },
    { ...receipt('OWN', 'read'), cursor: '7' },
    { ...part('HELD'), cursor: '8' },
    inbound('IN', { sender: STRANGER, cursor: '9' }),
    inbound('STOP', { sender: TIRED, text: 'Stop', cursor: '10' }),
    inbound('START', { sender: PHONE, text: 'Start', cursor: '11' }),
  ],
  now: NOW,
} as const;

/** Two phones text one code, and go on: the first one is another account's so far. */
const sandboxReport = (variant: 1 | 2) => {
  const sender = variant === 1 ? STRANGER : PHONE;
  const text = (guid: string, said: string) => inbound(`${guid}${variant}`, { sender, text: said, cursor: '1' });
  return {
    claim: { lane: 'line 3', fence: FENCE },
    line: { ...report.line, ref: 3, id: 'ln_sandbox', handle: '+15550100000', isSandbox: true, contactFirst: true },
    events: [text('CODE', ` ${CODE.toLowerCase()}`), text('MORE', 'Hello')],
    now: NOW,
  };
};

function attempt(variant: 1 | 2): AttemptResult {
  const common = { webhookRef: 1, eventSeq: 2, attempt: 2, isRetry: true, startedAt: NOW, durationMs: 1, answer: null };
  return variant === 1
    ? { ...common, status: 200, error: null, dueAt: null }
    : { ...common, status: 500, error: 'answered 500', dueAt: NOW + 5_000 };
}

/** All of the log that the world begins with. */
const AGED = { after: 0, through: 100, before: NOW + 1 };
/** What nobody uses any more. */
const AGED_ROWS = { before: LONG_AGO + 1, max: 500 };

const listed = (variant: 1 | 2, url: string) => ({
  ...{ id: `wh_${url}_${variant}`, type: 'receive' as const, url, sealedSecret: `secret ${variant}` },
  ...{ numbers: null, isBare: variant === 1 },
});
const newAccount = (variant: 1 | 2) => ({ id: `acc_new_${variant}`, ownerEmail: 'a@b', now: NOW });
const newLine = (variant: 1 | 2) => ({ ...report.line, id: `ln_new_${variant}`, handle: '+15550100077', now: NOW });
const newKey = (variant: 1 | 2) => ({
  id: `key_new_${variant}`,
  name: 'A key',
  prefix: 'sk_live_',
  hash: createHash('sha256').update(`${variant}`).digest('hex'),
  scopes: [],
  lineRefs: null,
  expiresAt: null,
  rateLimitPerHour: 1_000,
  now: NOW,
});

/** A repeatable request: by its key, or where `name` is null by what it says. */
const guard = (variant: 1 | 2, name: string | null): Guard => ({
  ...{
    keyRef: 1,
    route: 'POST /v1/messages',
    name,
    fingerprint: 'same',
    attempt: null,
    id: `req_${variant}`,
    now: NOW,
  },
  answer: { status: 201, body: `{"id":${variant}}` },
});
const FILE = { accountRef: 1, filename: null, mimeType: 'image/png', contentType: null, now: NOW };
const nothing = () => undefined;
const SETTINGS = { contactFirst: null, optOutKeywords: false, paceMs: null } as const;

/** One item for each write, and what of its result can be compared from run to run. */
export const RUNS: Readonly<Record<WriteName, Run>> = {
  acceptItems: ({ writer }, variant) => {
    const rest = { to: { kind: 'handle', handle: STRANGER }, kind: 'message', payload: '{}', details: null } as const;
    const item = {
      ...rest,
      id: `obx_new_${variant}`,
      accountRef: 1,
      lineRef: 1,
      requires: 'contact',
      now: NOW,
    } as const;
    const shared = {
      ...item,
      id: `obx_shared_${variant}`,
      lineRef: 3,
      requires: 'nothing',
      isOnSandbox: true,
    } as const;
    const others = [PHONE, TIRED].map((handle) => ({
      ...item,
      id: `obx_${handle}_${variant}`,
      to: { kind: 'handle', handle } as const,
    }));
    return Promise.all([item, shared, ...others].map((one) => writer.write(WRITES.acceptItems, one)));
  },
  claimItems: async ({ writer }) => {
    const items = await writer.write(WRITES.claimItems, { claim: LINE_CLAIM, lineRef: 1, limit: 10, now: NOW });
    return items === 'fenced' ? items : items.map((item) => item.id);
  },
  settleItems: ({ writer }, variant) =>
    writer.write(WRITES.settleItems, {
      claim: LINE_CLAIM,
      lineRef: 1,
      ref: 2,
      handOver: 1,
      outcome: variant === 1 ? { state: 'not_started', reason: 'Later.' } : { state: 'handed_over', guid: 'E1' },
      now: NOW,
    }),
  settleFetches: ({ writer }, variant) => {
    const file = { ...FILE, id: `file_fetched_${variant}`, size: variant, source: null };
    const fetched = { state: 'fetched', kind: 'message', details: '{}', file } as const;
    const outcome = variant === 1 ? fetched : ({ state: 'failed', reason: 'it is empty' } as const);
    return writer.write(WRITES.settleFetches, { claim: LINE_CLAIM, lineRef: 1, ref: 7, outcome, now: NOW });
  },
  expireItems: ({ writer }) => writer.write(WRITES.expireItems, { now: NOW }),
  recordSightings: ({ writer }, variant) =>
    Promise.all([
      writer.write(WRITES.recordSightings, report),
      writer.write(WRITES.recordSightings, sandboxReport(variant)),
    ]),
  announceDue: ({ writer }) => writer.write(WRITES.announceDue, { now: NOW }),
  endTyping: ({ writer }) => writer.write(WRITES.endTyping, { now: NOW }),
  claimRetries: async ({ writer }) => {
    const item = { webhookRef: 1, now: NOW, until: NOW + 15_000, max: 10 };
    return (await writer.write(WRITES.claimRetries, item)).map((delivery) => delivery.id);
  },
  extendRetries: ({ writer }) =>
    writer.write(WRITES.extendRetries, { webhookRef: 1, eventSeq: 2, until: NOW + 30_000 }),
  recordAttempts: ({ writer }, variant) => writer.write(WRITES.recordAttempts, attempt(variant)),
  createFiles: async ({ writer }, variant) => {
    const file = { ...FILE, id: `file_new_${variant}`, size: variant, source: 'ln_1:at_0' };
    const made = await writer.write(WRITES.createFiles, file);
    return made.isNew;
  },
  createWebhooks: ({ writer }, variant) =>
    writer.write(WRITES.createWebhooks, {
      id: `wh_new_${variant}`,
      accountRef: 1,
      lineRef: 1,
      url: 'http://3',
      events: ['message.received'],
      sealedSecret: 's',
      now: NOW,
    }),
  deleteWebhooks: ({ writer }) => writer.write(WRITES.deleteWebhooks, { id: 'wh_1', accountRef: 1, now: NOW }),
  disableWebhooks: ({ writer }) =>
    writer.write(WRITES.disableWebhooks, { ref: 1, url: 'http://1', reason: 'It answered 410.' }),
  setWebhooks: ({ writer }, variant) =>
    writer.write(WRITES.setWebhooks, {
      ...{ id: 'wh_1', accountRef: 1, events: null },
      ...(variant === 1 ? { url: null, isActive: false } : { url: 'http://9', isActive: true }),
    }),
  rotateSecrets: ({ writer }, variant) =>
    writer.write(WRITES.rotateSecrets, {
      ...{ id: 'wh_1', accountRef: 1, sealedSecret: `secret ${variant}` },
      previousEndsAt: variant === 1 ? NOW + 1 : null,
    }),
  replaceAccountWebhooks: ({ writer }, variant) =>
    writer.write(WRITES.replaceAccountWebhooks, {
      ...{ accountRef: 1, now: NOW, sealedAccountSecret: `secret ${variant}` },
      webhooks: [listed(variant, 'http://5'), listed(variant, `http://new/${variant}`)],
    }),
  appendAccountWebhooks: ({ writer }, variant) =>
    writer.write(WRITES.appendAccountWebhooks, {
      ...{ accountRef: 1, now: NOW, sealedAccountSecret: undefined },
      webhooks: [listed(variant, `http://more/${variant}`)],
    }),
  removeAccountWebhooks: ({ writer }) =>
    writer.write(WRITES.removeAccountWebhooks, { accountRef: 1, urls: ['http://5'], type: null, now: NOW }),
  ensureCallbacks: ({ writer }, variant) =>
    Promise.all(
      ['http://6', 'http://7', 'http://8'].map((origin) =>
        writer.write(WRITES.ensureCallbacks, { id: `wh_${origin}_${variant}`, accountRef: 1, origin, now: NOW }),
      ),
    ),
  resendDelivery: ({ writer }, variant) =>
    writer.write(WRITES.resendDelivery, { webhookRef: variant, eventSeq: variant === 1 ? 2 : 1, now: NOW }),
  resendDeliveries: ({ writer }, variant) =>
    writer.write(WRITES.resendDeliveries, {
      ...{ webhookRef: 2, before: 100, since: 0, now: NOW, max: 10 },
      states: variant === 1 ? ['failed', 'dropped'] : RESENDABLE,
    }),
  acquireLeases: ({ writer }, variant) =>
    writer.write(WRITES.acquireLeases, { name: 'line 1', holder: `taker ${variant}`, ms: 12_000 }),
  renewLeases: ({ writer }) => writer.write(WRITES.renewLeases, { ...LEASE, ms: 12_000 }),
  releaseLeases: ({ writer }) => writer.write(WRITES.releaseLeases, LEASE),
  createFirstInstallation: ({ writer }, variant) =>
    writer.write(WRITES.createFirstInstallation, {
      account: newAccount(variant),
      key: newKey(variant),
      lines: [newLine(variant)],
    }),
  createAccounts: async ({ writer }, variant) =>
    (await writer.write(WRITES.createAccounts, { ...newAccount(variant), id: `acc_other_${variant}` })) > 0,
  createKeys: ({ writer }, variant) =>
    writer.write(WRITES.createKeys, {
      ...newKey(variant),
      id: `key_other_${variant}`,
      hash: `h${variant}`,
      accountRef: 1,
    }),
  recordKeyUse: ({ writer }, variant) =>
    writer.write(WRITES.recordKeyUse, { keyRef: 1, hourAt: NOW, requests: variant, usedAt: NOW }),
  reserveName: ({ writer }, variant) => {
    const ticket = { guard: { ...guard(variant, 'mine'), answer: null }, begun: nothing, committed: nothing };
    return writer.write(WRITES.reserveName, null, ticket);
  },
  completeNames: ({ writer }, variant) => writer.write(WRITES.completeNames, guard(variant, `under way ${variant}`)),
  dropAnswers: ({ writer }, variant) => writer.write(WRITES.dropAnswers, { ids: [`commit ${variant}`] }),
  markAnswersLost: ({ writer }, variant) => writer.write(WRITES.markAnswersLost, guard(variant, null)),
  revokeKeys: ({ writer }) => writer.write(WRITES.revokeKeys, { accountRef: 1, id: 'key_1', now: NOW }),
  createDevices: ({ writer }, variant) =>
    writer.write(WRITES.createDevices, {
      id: `dev_other_${variant}`,
      accountRef: 1,
      name: 'Second Mac',
      prefix: 'dtk_',
      tokenHash: `h${variant}`,
      lineRefs: [1, 2],
      now: NOW,
    }),
  revokeDevices: ({ writer }) => writer.write(WRITES.revokeDevices, { accountRef: 1, id: 'dev_1', now: NOW }),
  addUploadParts: ({ writer }, variant) => {
    const blob = `file_part_${variant}`;
    return writer.write(WRITES.addUploadParts, { lineRef: 1, name: 'at_0', start: 10, size: 10, blob, now: NOW });
  },
  dropUploadParts: ({ writer }) => writer.write(WRITES.dropUploadParts, { lineRef: 1, name: 'at_0' }),
  dropOldUploadParts: ({ writer }) => writer.write(WRITES.dropOldUploadParts, { before: NOW }),
  noteDevices: ({ writer }, variant) =>
    writer.write(WRITES.noteDevices, {
      ...{ ref: 1, connectedAt: NOW + variant, disconnectedAt: variant === 1 ? NOW + 2 : null },
      agent: { version: `0.${variant}.0`, platform: 'macOS' },
      clockOffsetMs: variant,
    }),
  setLines: ({ writer }, variant) =>
    writer.write(WRITES.setLines, { ref: variant, label: 'Set', isActive: true, ...SETTINGS, paceMs: 9 }),
  reviveLines: ({ writer }) =>
    writer.write(WRITES.reviveLines, {
      accountRef: 1,
      handle: '+15550100088',
      kind: 'simulator',
      service: null,
      label: 'Back',
      ...SETTINGS,
    }),
  removeLines: ({ writer }, variant) => writer.write(WRITES.removeLines, { ref: 1, cutsOff: variant === 2, now: NOW }),
  purgeLines: ({ writer }, variant) => {
    const part = variant === 1 ? 'chats' : 'deliveries';
    return writer.write(WRITES.purgeLines, { lineRef: 2, part, after: 0, max: 1_000 });
  },
  recordHealth: ({ writer }) =>
    writer.write(WRITES.recordHealth, {
      claim: LINE_CLAIM,
      lineRef: 1,
      state: 'offline',
      capabilities: null,
      reason: 'It is asleep.',
      now: NOW,
    }),
  setOptOuts: ({ writer }, variant) => {
    const one = { accountRef: 1, by: 'api', now: NOW } as const;
    return Promise.all(
      [
        { ...one, handle: PHONE, optedOut: variant === 1 },
        { ...one, handle: STRANGER, optedOut: variant === 2 },
        { ...one, handle: TIRED, optedOut: variant === 1 },
      ].map((change) => writer.write(WRITES.setOptOuts, change)),
    );
  },
  activateSandbox: ({ writer }) =>
    writer.write(WRITES.activateSandbox, {
      accountRef: 2,
      seen: { code: CODE, phone: null },
      fresh: { accountRef: 2, code: 'C0DE0003', expiresAt: NOW + 1 },
    }),
  deactivateSandbox: ({ writer }, variant) =>
    writer.write(WRITES.deactivateSandbox, { accountRef: variant, code: `C0DE001${variant}`, expiresAt: NOW + 1 }),
  createLines: async ({ writer }, variant) =>
    (await writer.write(WRITES.createLines, { ...newLine(variant), id: `ln_other_${variant}` })) !== null,
  pruneDeliveries: ({ writer }) => writer.write(WRITES.pruneDeliveries, { ...AGED, max: 500 }),
  pruneEvents: ({ writer }) => writer.write(WRITES.pruneEvents, AGED),
  pruneWebhooks: ({ writer }) => writer.write(WRITES.pruneWebhooks, AGED_ROWS),
  pruneKeptAnswers: ({ writer }) => writer.write(WRITES.pruneKeptAnswers, AGED_ROWS),
  pruneUnanswered: ({ writer }) => writer.write(WRITES.pruneUnanswered, AGED_ROWS),
  pruneLostAnswers: ({ writer }) => writer.write(WRITES.pruneLostAnswers, AGED_ROWS),
  pruneRequestCounts: ({ writer }) => writer.write(WRITES.pruneRequestCounts, AGED_ROWS),
  pruneSandboxPhones: ({ writer }) => writer.write(WRITES.pruneSandboxPhones, AGED_ROWS),
};

/** Whether anybody waits for a lock of another in this database. */
export async function isWaiting(engine: Engine): Promise<boolean> {
  const { rows } = await sql`select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(engine.query);
  return rows.length > 0;
}

/** Every table, without what differs from run to run: refs, drawn ids, numbers of events and the database's clock. */
export async function dump(engine: Engine): Promise<string> {
  const { rows } = await sql`select world() as world`.execute(engine.query);
  return JSON.stringify(rows);
}

/** A callback's is that of whoever made it first. */
const WEBHOOK_NAME = "case when kind = 'callback' then '' else id end";

const DUMP = {
  outbox: `select id, recipient, state, attempts, hand_overs, fence, not_before, echo_due_at, guid, error, completed_at
    from outbox order by id`,
  messages: `select m.guid, m.account_ref, c.identifier, m.sender, m.state, m.delivered_at, m.read_at, o.id as item
    from messages m join chats c on c.ref = m.chat_ref left join outbox o on o.ref = m.outbox_ref order by m.guid`,
  chats: `select account_ref, line_ref, identifier, name, participants, has_received_inbound, last_message_at
    from chats order by identifier, line_ref, account_ref`,
  listed: `select l.peer, l.is_outbound, l.status, l.service, l.is_followed, l.place, m.guid
    from listed_items l left join messages m on m.ref = l.message_ref order by l.peer, l.is_outbound, l.status, m.guid, l.place`,
  held: 'select guid, announce_at from held_messages order by guid',
  reactions: 'select message_ref, sender, type, added, sent_at from reactions order by message_ref, sender, type',
  typing: 'select chat_ref, handle, is_typing, updated_at, expires_at from typing_indicators order by chat_ref, handle',
  reads: 'select chat_ref, handle, last_read_at from read_receipts order by chat_ref, handle',
  events: `select e.type, m.guid, c.identifier from events e left join messages m on m.ref = e.message_ref
    left join chats c on c.ref = e.chat_ref order by e.seq`,
  deliveries: `select w.id, d.url, (select count(*) from events e where e.seq <= d.event_seq) as place, d.state, d.attempts,
    d.due_at, d.claimed_until, d.last_error, d.resent_at from deliveries d join webhooks w on w.ref = d.webhook_ref order by 1, 3`,
  attempts: 'select webhook_ref, attempt, status, error from attempts order by webhook_ref, event_seq, attempt',
  webhooks: `select ${WEBHOOK_NAME} as id, kind, numbers, place, is_bare, url, is_active, disabled_reason, failing_since, deleted_at, secret, previous_secret, previous_ends_at
    from webhooks order by 1, url`,
  leases: 'select name, holder, fence, expires_at > 0 as runs from leases order by name',
  cursors: 'select * from line_cursors order by line_ref',
  accounts: 'select id, webhook_secret from accounts order by id',
  keys: 'select id, hash, revoked_at, last_used_at from api_keys order by id',
  upload_parts: 'select line_ref, name, start, size from upload_parts order by name, start',
  devices: `select id, line_refs, revoked_at, connected_at, disconnected_at, agent, clock_offset_ms from devices order by id`,
  kept: 'select key_ref, route, name, fingerprint, status, body from kept_answers order by name',
  unanswered: 'select id, answers from unanswered order by id',
  lost: 'select fingerprint, id, body from lost_answers order by id',
  requests: 'select * from request_counts order by key_ref, hour_at',
  optOuts: 'select * from opt_outs order by account_ref, handle',
  lines: 'select id, handle, label, is_active, pace_ms, opt_out_keywords, removed_at from lines order by id',
  health: 'select * from line_health order by line_ref',
  files: 'select id, size, source from files order by id',
  pairings: 'select * from sandbox_pairings order by account_ref',
  guesses: 'select * from sandbox_phones order by phone',
  installation: 'select * from installation order by name',
};
