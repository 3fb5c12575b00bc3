/** Two accounts, three lines and what belongs to each: the objects that the access matrix and the fuzzer ask for. */
import { randomBytes } from 'node:crypto';
import { createIds } from '../src/domain/ids.ts';
import { handleOf } from '../src/domain/listed-item.ts';
import { SCOPES } from '../src/domain/scopes.ts';
import type { EngineKind } from '../src/store/database.ts';
import { makeWav } from './audio-media.ts';
import { expectStatus, startTestServer, type TestServer, waitFor } from './harness.ts';
import {
  addAccount,
  addKey,
  addLine,
  addRemoteLine,
  keyIdOf,
  SECOND_LINE,
  STRANGERS_LINE,
  sendRaw,
} from './tenancy.ts';

/** Nothing listens there, and no event of these tests is delivered to it. */
export const HOOK = 'http://127.0.0.1:9/hook';
/** Subscribed to where a webhook is wanted and no delivery. */
export const QUIET_EVENTS = ['line.status'];

/** Whose a thing is, seen from the first line of the first account. */
export const OWNERS = ['own', 'other', 'foreign', 'absent'] as const;
export type Owner = (typeof OWNERS)[number];

export interface SceneLine {
  readonly id: string;
  readonly ref: number;
  readonly handle: string;
}

/** A line and its things. Of the absent one everything is well formed and names nothing. */
export interface Place {
  readonly owner: Owner;
  readonly line: SceneLine;
  /** A second line of the same account and the same keys, for what breaks or removes a line. */
  readonly spare: SceneLine;
  /** A third one, which an agent would reach: for devices. */
  readonly remote: SceneLine;
  /** Who has written to this line and to no other. */
  readonly peer: string;
  readonly chatId: string;
  readonly groupId: string;
  readonly messageId: string;
  readonly guid: string;
  readonly outboxId: string;
  readonly webhookId: string;
  /** Of the webhook, as if it had been delivered. */
  readonly deliveryId: string;
  readonly keyId: string;
  /** For the remote line alone. */
  readonly deviceId: string;
  readonly fileId: string;
  /** A file that can be heard. */
  readonly audioId: string;
  /** Every scope, every line of the account. Null where there is nothing to own. */
  readonly ownerKey: string | null;
  readonly ownerKeyId: string;
  /** Of the message from the peer, in the manner of Sendblue. */
  readonly handle: string;
}

export interface Scene {
  readonly test: TestServer;
  /** For what cannot be asked without a socket. */
  readonly address: string;
  readonly places: Readonly<Record<Owner, Place>>;
  readonly accounts: { readonly first: number; readonly second: number };
  /** A handle that no line has: one of so many, that a long run does not fill the database with lines. */
  freshHandle(): string;
  /** A webhook to delete: the same one until it is gone. */
  spareWebhook(place: Place): Promise<string>;
  forgetSpareWebhook(place: Place): void;
  /** A message of the peer's to take back: the same one until it is gone. */
  spareMessage(place: Place): Promise<string>;
  forgetSpareMessage(place: Place): void;
  makeKey(place: Place): Promise<string>;
  makeDevice(place: Place): Promise<string>;
}

const ids = createIds(Date.now, randomBytes);
const FIRST_LINE = '+15550100011';
/** More than the access matrix asks for, each of which must be new there. */
const FRESH_HANDLES = 400;

export async function createScene(engine: EngineKind): Promise<Scene> {
  const test = await startTestServer(engine);
  const address = await test.server.listen();
  if (address === null) throw new Error('The server does not listen.');
  const first = await addAccount(test);
  const second = await addAccount(test);
  const firstKey = await addKey(test, { accountRef: first, scopes: SCOPES });
  const secondKey = await addKey(test, { accountRef: second, scopes: SCOPES });
  const [own, other, foreign] = await Promise.all([
    createPlace(test, 'own', { accountRef: first, key: firstKey, handle: FIRST_LINE, peer: '+15550106001' }),
    createPlace(test, 'other', { accountRef: first, key: firstKey, handle: SECOND_LINE, peer: '+15550106002' }),
    createPlace(test, 'foreign', { accountRef: second, key: secondKey, handle: STRANGERS_LINE, peer: '+15550106003' }),
  ]);
  let handles = 0;
  const spares = new Map<Owner, string>();
  const messages = new Map<Owner, string>();
  return {
    test,
    address,
    places: { own, other, foreign, absent: absentPlace() },
    accounts: { first, second },
    freshHandle: () => `+1555020${String(handles++ % FRESH_HANDLES).padStart(4, '0')}`,
    async spareWebhook(place) {
      const spare = spares.get(place.owner) ?? (await makeWebhook(test, place));
      spares.set(place.owner, spare);
      return spare;
    },
    forgetSpareWebhook: (place) => void spares.delete(place.owner),
    async spareMessage(place) {
      const spare = messages.get(place.owner) ?? (await makeMessage(test, place));
      messages.set(place.owner, spare);
      return spare;
    },
    forgetSpareMessage: (place) => void messages.delete(place.owner),
    makeKey: (place) => makeKeyOf(test, place),
    makeDevice: (place) => makeDeviceOf(test, place),
  };
}

interface Owned {
  readonly accountRef: number;
  readonly key: string;
  readonly handle: string;
  readonly peer: string;
}

async function createPlace(test: TestServer, owner: Owner, of: Owned): Promise<Place> {
  const { accountRef, key, handle, peer } = of;
  const line = { ...(await addLine(test, handle, { accountRef })), handle };
  const spareHandle = `${handle.slice(0, -2)}9${handle.slice(-1)}`;
  const spare = { ...(await addLine(test, spareHandle, { accountRef })), handle: spareHandle };
  const remote = await addRemoteLine(test, `${handle.slice(0, -2)}8${handle.slice(-1)}`, key);
  const post = async (path: string, body: unknown) =>
    expectStatus(201, await test.call('POST', path, body, { key })).body;
  const texted = await post('/simulator/v1/messages', { from: peer, to: handle, text: `Hello ${owner}` });
  const group = await post('/simulator/v1/groups', { line: handle, participants: [peer], name: `Group ${owner}` });
  const sent = await post('/v1/messages', { from: handle, to: peer, text: `Hello from ${owner}` });
  const guid = String(texted['guid']);
  const message = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`, undefined, { key })).body;
  await isSent(test, key, String(sent['id']));
  // A group too must have written first.
  await post('/simulator/v1/messages', { from: peer, to: group['chat_id'], text: `Hello group ${owner}` });
  const messageId = String(message['id']);
  const ownerKeyId = await keyIdOf(test, key);
  const made = {
    owner,
    line,
    spare,
    remote,
    peer,
    guid,
    messageId,
    handle: handleOf(messageId),
    ownerKey: key,
    ownerKeyId,
  };
  const place = { ...made, chatId: String(texted['chat_id']), groupId: String(group['chat_id']) };
  const audioId = await uploadTo(test, key, Buffer.from(makeWav({ rate: 8_000, seconds: 0.1 })));
  const rest = {
    outboxId: String(sent['id']),
    webhookId: '',
    deliveryId: '',
    keyId: '',
    deviceId: '',
    fileId: await uploadTo(test, key, 'Some text'),
    audioId,
  };
  const whole: Place = { ...place, ...rest };
  const webhookId = await makeWebhook(test, whole);
  const deliveryId = await makeDeliveries(test, webhookId, whole);
  const deviceId = await makeDeviceOf(test, whole);
  return { ...whole, webhookId, deliveryId, keyId: await makeKeyOf(test, whole), deviceId };
}

function absentPlace(): Place {
  return {
    owner: 'absent',
    line: { id: ids.make('line'), ref: 0, handle: '+15550109991' },
    spare: { id: ids.make('line'), ref: 0, handle: '+15550109992' },
    remote: { id: ids.make('line'), ref: 0, handle: '+15550109993' },
    peer: '+15550106009',
    chatId: ids.make('chat'),
    groupId: ids.make('chat'),
    messageId: ids.make('message'),
    handle: ids.uuid().toUpperCase(),
    guid: ids.uuid().toUpperCase(),
    outboxId: ids.make('outbox'),
    webhookId: ids.make('webhook'),
    deliveryId: ids.make('delivery'),
    keyId: ids.make('key'),
    deviceId: ids.make('device'),
    fileId: ids.make('file'),
    audioId: ids.make('file'),
    ownerKey: null,
    ownerKeyId: ids.make('key'),
  };
}

async function isSent(test: TestServer, key: string, id: string): Promise<void> {
  await waitFor(async () => {
    const { body } = await test.call('GET', `/v1/outbox?id=${id}`, undefined, { key });
    return body['status'] === 'sent' || undefined;
  }, 'the first message to be sent');
}

async function uploadTo(test: TestServer, key: string, payload: string | Buffer): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await sendRaw(test, { method: 'POST', path: '/v1/files', headers, payload });
  return String(expectStatus(201, answer).body['id']);
}

/** A new webhook of the line, or the name of one that never was. */
async function makeWebhook(test: TestServer, { ownerKey, line }: Place): Promise<string> {
  if (ownerKey === null) return ids.make('webhook');
  const body = { from: line.handle, url: HOOK, events: QUIET_EVENTS };
  return String(expectStatus(201, await test.call('POST', '/v1/webhooks', body, { key: ownerKey })).body['id']);
}

/** The GUID of a new message from the peer, or the name of one that never was. */
async function makeMessage(test: TestServer, { ownerKey, line, peer }: Place): Promise<string> {
  if (ownerKey === null) return ids.uuid().toUpperCase();
  const body = { from: peer, to: line.handle, text: 'To be taken back' };
  return String(
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', body, { key: ownerKey })).body['guid'],
  );
}

/**
 * A delivery of each of the line's first two events, which the webhook did not ask for: written down as if the second
 * attempt had arrived, and never sent. Gives the newer one.
 */
async function makeDeliveries(test: TestServer, webhookId: string, { line }: Place): Promise<string> {
  const { query } = test.server.engine;
  const webhook = await query
    .selectFrom('webhooks')
    .select(['ref', 'account_ref'])
    .where('id', '=', webhookId)
    .executeTakeFirstOrThrow();
  const events = query.selectFrom('events').select('seq').where('line_ref', '=', line.ref).orderBy('seq').limit(2);
  const at = Date.now();
  let newest = '';
  for (const { seq } of await events.execute()) {
    newest = ids.make('delivery');
    const key = { webhook_ref: webhook.ref, event_seq: seq };
    const last = { attempts: 2, last_status: 200, last_attempt_at: at, last_duration_ms: 1 };
    const rest = { account_ref: webhook.account_ref, state: 'delivered', due_at: 0, claimed_until: 0, created_at: at };
    await query
      .insertInto('deliveries')
      .values({ id: newest, ...key, ...last, ...rest })
      .execute();
    const failed = { attempt: 1, started_at: at, duration_ms: 1, status: 500, error: 'The receiver answered 500.' };
    await query
      .insertInto('attempts')
      .values({ ...key, ...failed })
      .execute();
  }
  return newest;
}

/** A new key of the line's account, or the name of one that never was. */
async function makeKeyOf(test: TestServer, { ownerKey }: Place): Promise<string> {
  if (ownerKey === null) return ids.make('key');
  const body = { name: 'Made', scopes: ['lines:read'] };
  return String(expectStatus(201, await test.call('POST', '/admin/v1/keys', body, { key: ownerKey })).body['id']);
}

/** A new device for the remote line, or the name of one that never was. */
async function makeDeviceOf(test: TestServer, { ownerKey, remote }: Place): Promise<string> {
  if (ownerKey === null) return ids.make('device');
  const body = { name: 'Made', lines: [remote.id] };
  return String(expectStatus(201, await test.call('POST', '/admin/v1/devices', body, { key: ownerKey })).body['id']);
}
