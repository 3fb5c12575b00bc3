/**
 * The hot functions of the store, each called once as the server calls it. Their statements are what the checked-in
 * plans explain, so a query that one of them gains is seen by itself; a hot function that is new gets a step here.
 */
import { randomBytes } from 'node:crypto';
import { createIds } from '../src/domain/ids.ts';
import { findKeyByHash } from '../src/store/accounts.ts';
import { announceDue } from '../src/store/announcements.ts';
import { findOutgoingFiles, readAttachments } from '../src/store/attachments.ts';
import { readBacklog } from '../src/store/backlog.ts';
import { ensureCallbacks, isCallbackEnsured } from '../src/store/callbacks.ts';
import { findChat, findChatById, findChatIds, pageOfChats } from '../src/store/chat-pages.ts';
import type { Engine } from '../src/store/database.ts';
import {
  type AttemptResult,
  claimRetries,
  extendRetries,
  nextRetries,
  readNewDeliveries,
  readWebhooksWithNew,
  recordAttempts,
} from '../src/store/deliveries.ts';
import { type DeliveryFilter, NEWEST_DELIVERY, pageOfDeliveries } from '../src/store/delivery-pages.ts';
import { findDelivery, readAttempts } from '../src/store/delivery-records.ts';
import { findDeviceById, findDeviceByToken, pageOfDevices } from '../src/store/devices.ts';
import { anyEchoOverdue, expireItems } from '../src/store/echo-limits.ts';
import { logBounds, readEvents, readEventsOfAccount } from '../src/store/events.ts';
import { fetchingItems, settleFetches } from '../src/store/fetches.ts';
import { createFiles, findAnyFile, findFileOfSource, findKnownFiles } from '../src/store/files.ts';
import { checkGuards, settleGuards } from '../src/store/guards.ts';
import { anyHeld } from '../src/store/held-messages.ts';
import { appendItemEvents } from '../src/store/item-events.ts';
import { completeNames, findKept, reserveName } from '../src/store/kept-answers.ts';
import { readRequests, recordKeyUse } from '../src/store/key-use.ts';
import { acquireLeases, releaseLeases, renewLeases } from '../src/store/leases.ts';
import { readLineCursor, readLines } from '../src/store/lines.ts';
import { findMessages, findOwnGuids, NEWEST, pageOfMessages } from '../src/store/messages.ts';
import { findOptOut, readOptOuts, setOptOuts } from '../src/store/opt-outs.ts';
import { type AcceptItem, acceptItems, findOutboxItem } from '../src/store/outbox.ts';
import { claimItems, type Outcome, settleItems } from '../src/store/outbox-lane.ts';
import { nextRetryAt, sendingItems } from '../src/store/outbox-under-way.ts';
import { anyTypingExpired, endTyping, readReceipts, readTyping } from '../src/store/presence.ts';
import { findAgedEvents, pruneDeliveries, pruneEvents } from '../src/store/pruning.ts';
import { readReactions } from '../src/store/reactions.ts';
import { RESENDABLE, resendDeliveries, resendDelivery } from '../src/store/resends.ts';
import { readPairedPhone, readPairing } from '../src/store/sandbox-pairings.ts';
import { recordSightings } from '../src/store/sightings.ts';
import type { Guard } from '../src/store/ticket.ts';
import { dropAnswers, markAnswersLost } from '../src/store/unanswered.ts';
import { findWebhookRecord, pageOfWebhooks } from '../src/store/webhook-records.ts';
import { findWebhook, readActiveWebhooks, readWebhooksOfLine } from '../src/store/webhooks.ts';
import { createWriter, type Writer } from '../src/store/writer.ts';
import { LIST_STEPS } from './plan-lists.ts';
import { LINES } from './plan-seed.ts';
import {
  direct,
  edited,
  failure,
  inbound,
  own,
  PICTURE,
  part,
  reaction,
  read,
  receipt,
  transcribed,
  typing,
  unsent,
} from './sightings.ts';
import { STARTED_AT } from './stage.ts';

/** The line, account, chat and webhook number 2 of the seed. */
const REF = 2;
const HOLDER = 'holder';
const NOW = STARTED_AT + 100_000;
const CLAIM = { lane: `line ${REF}`, fence: 1 };
const PEER = '+16661';
/** Who has opted out of account number 2. */
const TIRED = '+18881';
const PAGE = 50;
const DELIVERIES: DeliveryFilter = {
  ...{ accountRef: REF, lineRefs: null, webhookRef: null },
  ...{ state: null, event: null, since: 0 },
};
const OLD = { after: 0, through: PAGE, before: NOW };

export interface Place {
  readonly engine: Engine;
  readonly writer: Writer;
  /** The names of the writes so far. */
  readonly writes: readonly string[];
}

export type PlanStep = (place: Place) => Promise<unknown>;

export function openPlace(engine: Engine): Place {
  const writer = createWriter(
    engine,
    createIds(() => NOW, randomBytes),
    ({ id }) => `https://files.test/${id}`,
  );
  const writes: string[] = [];
  return {
    engine,
    writes,
    writer: {
      ...writer,
      write(write, item, ticket) {
        writes.push(write.name);
        return writer.write(write, item, ticket);
      },
    },
  };
}

/** Writes that are too rare for their plans to matter, and why. A write is here or in a step. */
export const RARE_WRITES: Readonly<Record<string, string>> = {
  create_first_installation: 'Once in the life of a database.',
  create_accounts: 'By an operator.',
  create_keys: 'By an operator.',
  create_lines: 'By an operator.',
  create_webhooks: 'When a client sets up.',
  delete_webhooks: 'When a client gives up.',
  replace_account_webhooks: 'When a client sets up.',
  append_account_webhooks: 'When a client sets up.',
  remove_account_webhooks: 'When a client gives up.',
  disable_webhooks: 'When a receiver is gone.',
  set_webhooks: 'By an operator.',
  rotate_secrets: 'By an operator.',
  revoke_keys: 'By an operator.',
  create_devices: 'By an operator.',
  revoke_devices: 'By an operator.',
  note_devices: 'When an agent comes or goes.',
  add_upload_parts: 'When an agent brings a file of several megabytes.',
  drop_upload_parts: 'The same, at its end.',
  drop_old_upload_parts: 'When an agent comes, and when it begins such a file.',
  set_lines: 'By an operator.',
  revive_lines: 'By an operator.',
  remove_lines: 'By an operator.',
  purge_lines: 'By an operator.',
  record_health: "When a line's state changes.",
  activate_sandbox: 'When a client sets up.',
  deactivate_sandbox: 'When a client gives up.',
  prune_webhooks: 'Once a minute, and nobody waits for it.',
  prune_kept_answers: 'Once a minute, and nobody waits for it.',
  prune_lost_answers: 'Once a minute, and nobody waits for it.',
  prune_unanswered: 'Once a minute, and nobody waits for it.',
  prune_request_counts: 'Once a minute, and nobody waits for it.',
  prune_sandbox_phones: 'Once a minute, and nobody waits for it.',
};

/** By what the step does; the plans are filed under these names. */
export const PLAN_STEPS: Readonly<Record<string, PlanStep>> = {
  'accept to a handle': ({ writer }) => accept(writer, { kind: 'handle', handle: PEER }),
  'accept to a chat': ({ writer }) => accept(writer, { kind: 'chat', id: 'cht_1' }),
  'accept on the sandbox line': ({ writer }) =>
    accept(writer, { kind: 'handle', handle: PEER }, { id: 'obx_on_sandbox', requires: 'nothing', isOnSandbox: true }),
  'refuse to write to who opted out': ({ writer }) =>
    accept(writer, { kind: 'handle', handle: TIRED }, { id: 'obx_refused', requires: 'nothing' }),
  'opt contacts out and in': async ({ writer }) => {
    const one = { accountRef: REF, by: 'api', now: NOW } as const;
    await writer.write(setOptOuts, { ...one, handle: TIRED, optedOut: false });
    await writer.write(setOptOuts, { ...one, handle: TIRED, optedOut: true });
  },
  'has a contact opted out': ({ engine }) => findOptOut(engine, REF, TIRED),
  'who of these has opted out': ({ engine }) =>
    readOptOuts(engine.readEach, [
      { accountRef: REF, handle: TIRED },
      { accountRef: REF, handle: PEER },
    ]),
  'claim items of the outbox': ({ writer }) =>
    writer.write(claimItems, { claim: CLAIM, lineRef: REF, limit: 8, now: NOW }),
  'settle items': async ({ writer }) => {
    const outcomes: readonly Outcome[] = [
      { state: 'handed_over', guid: 'guid' },
      { state: 'not_started', reason: 'Busy.' },
      { state: 'returned' },
      { state: 'failed', reason: 'No.' },
      { state: 'done' },
    ];
    const settle = (outcome: Outcome, index: number) =>
      writer.write(settleItems, { claim: CLAIM, lineRef: REF, ref: index + 1, handOver: 1, outcome, now: NOW });
    await Promise.all(outcomes.map(settle));
  },
  "a line's items to fetch": ({ engine }) => fetchingItems(engine, REF, 8),
  'settle a fetch': async ({ writer }) => {
    const given = { accountRef: REF, filename: null, mimeType: 'image/png', contentType: null, size: 1, now: NOW };
    const file = { ...given, id: 'file_fetched', source: null };
    const fetched = { state: 'fetched', kind: 'message', details: '{}', file } as const;
    const settlement = { claim: CLAIM, lineRef: REF, now: NOW };
    const fetchingRef = 13 * LINES + REF;
    await Promise.all([
      writer.write(settleFetches, { ...settlement, ref: fetchingRef, outcome: fetched }),
      writer.write(settleFetches, { ...settlement, ref: fetchingRef + 1, outcome: { state: 'failed', reason: 'No' } }),
    ]);
  },
  "a line's items under way": ({ engine }) => sendingItems(engine, REF),
  "a line's next try": ({ engine }) => nextRetryAt(engine, REF),
  'is an echo overdue': ({ engine }) => anyEchoOverdue(engine, NOW),
  'give up on echoes': ({ writer }) => writer.write(expireItems, { now: NOW }),
  'an outbox item by its id': ({ engine }) => findOutboxItem(engine, REF, 'obx_1'),
  "record a driver's report": async ({ engine, writer }) => {
    const line = (await readLines(engine)).find((one) => one.ref === REF);
    if (!line) throw new Error('The seed has no such line.');
    const events = [
      own('an echo by its reference', { reference: 'obx_1' }),
      own('an echo by its guid'),
      inbound('a text', { sender: PEER }),
      inbound('a text that waits', { awaits: { what: 'preview', until: NOW + 1 } }),
      inbound('a word', { sender: TIRED, text: 'STOP' }),
      part('guid 1'),
      receipt('guid 1', 'read'),
      own('guid 2', { deliveredAt: NOW }),
      reaction('guid 1', 'love', PEER),
      typing(PEER),
      read(PEER),
      edited('guid 1'),
      unsent('guid 1'),
      transcribed('guid 1'),
      inbound('a picture', { attachments: [PICTURE] }),
      failure('obx_1', 'No.'),
    ];
    await writer.write(recordSightings, { claim: CLAIM, line, events, now: NOW });
  },
  'record a report of the sandbox line': async ({ engine, writer }) => {
    const line = (await readLines(engine)).find((one) => one.ref === REF);
    if (!line) throw new Error('The seed has no such line.');
    const events = [
      inbound('a code', { sender: PEER, text: 'C0DE0003' }),
      inbound('a wrong code', { sender: PEER, text: 'C0DE9999' }),
      own('an echo on the sandbox line', { chat: direct(PEER), reference: 'obx_3' }),
      own('one by its guid', { chat: direct(PEER) }),
    ];
    await writer.write(recordSightings, { claim: CLAIM, line: { ...line, isSandbox: true }, events, now: NOW });
  },
  'the phone that is paired with an account': ({ engine }) => readPairedPhone(engine, REF, REF),
  'how an account stands with the sandbox': ({ engine }) => readPairing(engine, REF),
  "which messages are the account's": ({ engine }) => findOwnGuids(engine, REF, REF, ['guid 1']),
  'the cursor of a line': ({ engine }) => readLineCursor(engine, REF),
  'is a held message due': ({ engine }) => anyHeld(engine, NOW),
  'announce what is due': ({ writer }) => writer.write(announceDue, { now: NOW }),
  'is typing over': ({ engine }) => anyTypingExpired(engine, NOW),
  'end typing': ({ writer }) => writer.write(endTyping, { now: NOW }),
  'reactions to a message': ({ engine }) => readReactions(engine, REF),
  'who types in a chat': ({ engine }) => readTyping(engine, REF),
  'who has read a chat': ({ engine }) => readReceipts(engine, REF),
  'the attachments of messages': ({ engine }) => readAttachments(engine.readEach, [REF]),
  'the file that came from somewhere': ({ engine }) => findFileOfSource(engine, 'voice memo of file_1'),
  'files that go out': ({ engine }) => findOutgoingFiles(engine, REF, ['file_1']),
  'a page of messages': ({ engine }) => pageOfMessages(engine, REF, NEWEST, PAGE),
  'a message by its id': ({ engine }) => findMessages(engine, REF, 'msg_1'),
  'messages by their GUID': ({ engine }) => findMessages(engine, REF, 'guid 1'),
  'the first page of chats': ({ engine }) => pageOfChats(engine, REF, REF, null, PAGE),
  'a later page of chats': ({ engine }) =>
    pageOfChats(engine, REF, REF, { lastMessageAt: STARTED_AT + 5_000, ref: REF }, PAGE),
  'a chat by its id, on a line': ({ engine }) => findChat(engine, REF, REF, { id: 'cht_1' }),
  'a chat by its identifier': ({ engine }) => findChat(engine, REF, REF, { identifier: PEER }),
  'a chat by its id': ({ engine }) => findChatById(engine, REF, 'cht_1'),
  'the chats of messages': async ({ engine }) =>
    findChatIds(engine, REF, await readLines(engine), [{ guid: 'guid 1', line: '+15551', chatIdentifier: PEER }]),
  'new deliveries of a webhook': ({ engine }) => readNewDeliveries(engine, REF, 0, PAGE),
  'webhooks with new deliveries': ({ engine }) => readWebhooksWithNew(engine),
  'claim retries': ({ writer }) => writer.write(claimRetries, { webhookRef: REF, now: NOW, until: NOW + 1, max: PAGE }),
  'keep retries': ({ writer }) => writer.write(extendRetries, { webhookRef: REF, eventSeq: REF, until: NOW + 1 }),
  'next retries': ({ engine }) => nextRetries(engine),
  'record attempts': async ({ writer }) => {
    await Promise.all([writer.write(recordAttempts, attempt(null)), writer.write(recordAttempts, attempt('No.'))]);
  },
  'tell of items': async ({ engine, writer }) => {
    await writer.write(ensureCallbacks, { id: 'whk_new', accountRef: REF, origin: 'https://127.0.0.1', now: NOW });
    await isCallbackEnsured(engine, REF, 'https://127.0.0.1');
    await tellOfItem(engine);
  },
  'webhooks of a line': ({ engine }) => readWebhooksOfLine(engine, REF, REF),
  'a webhook by its id': ({ engine }) => findWebhook(engine, REF, 'whk_1'),
  'a file by its id': ({ engine }) => findAnyFile(engine, 'file_1'),
  'which of these are files': ({ engine }) => findKnownFiles(engine, ['file_1', 'file_2']),
  'make files': async ({ writer }) => {
    const given = { accountRef: REF, filename: null, mimeType: 'image/png', contentType: null, size: 1, now: NOW };
    await writer.write(createFiles, { ...given, id: 'file_new', source: null });
    await writer.write(createFiles, { ...given, id: 'file_again', source: 'source 1' });
  },
  "a page of an account's webhooks": ({ engine }) =>
    pageOfWebhooks(engine, { accountRef: REF, lineRefs: null }, Number.MAX_SAFE_INTEGER, PAGE),
  'a webhook for its operator': ({ engine }) => findWebhookRecord(engine, REF, 'whk_1'),
  "a page of an account's deliveries": ({ engine }) => pageOfDeliveries(engine, DELIVERIES, NEWEST_DELIVERY, PAGE),
  "a later page of a webhook's deliveries": ({ engine }) =>
    pageOfDeliveries(engine, { ...DELIVERIES, webhookRef: REF }, { eventSeq: 20_000, webhookRef: REF }, PAGE),
  'a page of failed deliveries': ({ engine }) =>
    pageOfDeliveries(engine, { ...DELIVERIES, state: 'failed', since: NOW }, NEWEST_DELIVERY, PAGE),
  'a page of deliveries of one event': ({ engine }) =>
    pageOfDeliveries(engine, { ...DELIVERIES, event: 'message.sent' }, NEWEST_DELIVERY, PAGE),
  'a delivery by its id': ({ engine }) => findDelivery(engine, REF, 'dlv_1'),
  'the attempts of a delivery': ({ engine }) => readAttempts(engine, { webhookRef: REF, eventSeq: REF }, 0, PAGE),
  'send a delivery again': ({ writer }) =>
    writer.write(resendDelivery, { webhookRef: REF, eventSeq: REF + LINES, now: NOW }),
  'send deliveries again': ({ writer }) =>
    writer.write(resendDeliveries, {
      webhookRef: REF,
      before: 27_000,
      since: 0,
      states: RESENDABLE,
      max: PAGE,
      now: NOW,
    }),
  'active webhooks': ({ engine }) => readActiveWebhooks(engine),
  'the tail of the event log': ({ engine }) => readEvents(engine, 27_000, PAGE),
  "an account's events": ({ engine }) =>
    readEventsOfAccount(engine, { accountRef: REF, after: 27_000, until: 27_500 }, PAGE),
  'the ends of the event log': ({ engine }) => logBounds(engine),
  'events that are too old': ({ engine }) => findAgedEvents(engine, 0, NOW, PAGE),
  'remove old deliveries': ({ writer }) => writer.write(pruneDeliveries, { ...OLD, max: PAGE }),
  'remove old events': ({ writer }) => writer.write(pruneEvents, OLD),
  'what waits': ({ engine }) => readBacklog(engine),
  'a key by its hash': ({ engine }) => findKeyByHash(engine, 'hash1'),
  'a device by its token': ({ engine }) => findDeviceByToken(engine, 'hash1'),
  'a device for its operator': ({ engine }) => findDeviceById(engine, REF, 'dev_1'),
  "a page of an account's devices": ({ engine }) => pageOfDevices(engine, REF, Number.MAX_SAFE_INTEGER, PAGE),
  'note what keys spend': ({ writer }) =>
    writer.write(recordKeyUse, { keyRef: REF, hourAt: 1, requests: 1, usedAt: NOW }),
  "a key's requests": ({ engine }) => readRequests(engine, REF, 1),
  'is a request a repeat': ({ engine }) => findKept(engine, guard('name 1', 1)),
  'guard a write': async ({ engine }) => {
    const fresh = { ...guard(null, 0), id: 'req_new' };
    const guards = [guard('name 1', 1), guard('name 9', 9), guard(null, 1), guard('a new name', 1), fresh];
    await engine.commit(async (tx) => {
      await checkGuards({ tx, wake: () => undefined }, guards, {
        mayBeLost: true,
        marks: 0,
        lookedAt: Number.NEGATIVE_INFINITY,
      });
      await settleGuards(tx, guards.slice(4), guards.slice(3));
      return { value: null, log: [], topics: [] };
    });
  },
  'reserve a name': ({ writer }) => writer.write(reserveName, null),
  'complete a name': async ({ writer }) => {
    const answered = { ...guard('name 19', 19), answer: { status: 201, body: '{}' } };
    await Promise.all([writer.write(completeNames, answered), writer.write(completeNames, guard('name 1', 1))]);
  },
  'drop the answers of a commit': ({ writer }) => writer.write(dropAnswers, { ids: ['commit 1'] }),
  'mark an answer as lost': ({ writer }) => writer.write(markAnswersLost, guard(null, 2)),
  'take a lease': ({ writer }) => writer.write(acquireLeases, { name: CLAIM.lane, holder: HOLDER, ms: 1 }),
  'renew a lease': ({ writer }) => writer.write(renewLeases, lease({ ms: 1 })),
  'release a lease': ({ writer }) => writer.write(releaseLeases, lease({})),
  ...LIST_STEPS,
};

/** Of the account's second line, with a callback that is known and one that is not. */
async function tellOfItem(engine: Engine): Promise<void> {
  const ids = createIds(() => NOW, randomBytes);
  const item = { accountRef: REF, lineRef: REF, lineHandle: '+15551', chatRef: REF, messageRef: REF, now: NOW };
  const urls = ['https://127.0.0.1/a', 'https://127.0.0.1:8443/b', null];
  await engine.commit(async (tx) => {
    const batch = { tx, emit: () => undefined, newId: ids.make, linkFile: () => '', wake: () => undefined };
    const news = urls.map((callbackUrl) => ({
      ...item,
      outboxRef: REF,
      kind: 'status' as const,
      callbackUrl,
      render: () => '{}',
    }));
    await appendItemEvents(batch, news);
    return { value: null, log: [], topics: [] };
  });
}

function accept(
  writer: Writer,
  to: { kind: 'handle'; handle: string } | { kind: 'chat'; id: string },
  more: Partial<AcceptItem> = {},
) {
  const item = {
    accountRef: REF,
    lineRef: REF,
    requires: 'contact' as const,
    kind: 'message' as const,
    payload: '{}',
    details: null,
    now: NOW,
  };
  return writer.write(acceptItems, { ...item, id: `obx_to_a_${to.kind}`, to, ...more });
}

/** Of the seed's row with that number. */
function guard(name: string | null, row: number): Guard {
  return {
    keyRef: row + 1,
    route: 'POST /v1/messages',
    name,
    fingerprint: `fingerprint ${row}`,
    attempt: null,
    id: `req_${row}`,
    now: STARTED_AT,
    answer: null,
  };
}

function attempt(error: string | null): AttemptResult {
  return {
    webhookRef: REF,
    eventSeq: error === null ? REF : REF + 1,
    attempt: 1,
    isRetry: true,
    startedAt: NOW,
    durationMs: 1,
    status: error === null ? 200 : 500,
    error,
    answer: error,
    dueAt: error === null ? null : NOW + 1,
  };
}

function lease<T extends object>(more: T): T & { name: string; holder: string; fence: number } {
  return { name: CLAIM.lane, holder: HOLDER, fence: 2, ...more };
}
