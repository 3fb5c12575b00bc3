/** The client against the real server: what it sends is what phones see, and what it gives is what its types say. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdminClient } from '../src/admin.ts';
import {
  AuthenticationError,
  AuthorizationError,
  createClient,
  InvalidRequestError,
  type MessagesClient,
  MessagesError,
  NotFoundError,
  RateLimitError,
  TimeoutError,
  verifyWebhook,
  type WebhookEvent,
} from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

let server: RealServer;
let client: MessagesClient;
let admin: ReturnType<typeof createAdminClient>;

beforeAll(async () => {
  server = await startRealServer();
  client = createClient({ apiKey: KEY, baseUrl: server.url });
  admin = createAdminClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

const phoneTexts = async (phone = PHONE) =>
  (await admin.simulator.listPhoneMessages({ phone })).data.map((one) => one.text);

describe('a send', () => {
  it('is accepted at once, reaches the phone, and is a message of the chat', async () => {
    const item = await client.sendMessage({ from: LINE, to: PHONE, text: 'From the SDK' });
    expect(item).toEqual({
      id: expect.stringMatching(/^obx_/),
      status: 'pending',
      requestId: expect.stringMatching(/^req_/),
    });

    const settled = await client.waitForOutbox(item.id);
    expect(settled).toMatchObject({ id: item.id, status: 'sent', attempts: 1, maxAttempts: 3, error: null });
    expect(settled.payload).toEqual({ kind: 'message', from: LINE, to: PHONE, text: 'From the SDK' });
    expect(await client.getOutboxItem({ id: item.id })).toEqual({ ...settled, requestId: expect.any(String) });

    const [message] = (await client.listMessages({ from: LINE, to: PHONE, limit: 1 })).data;
    expect(message).toMatchObject({ text: 'From the SDK', isFromMe: true, outboxId: item.id, sender: LINE });
    expect(await client.getMessage({ id: message?.id ?? '' })).toMatchObject({ guid: message?.guid });
    expect(await phoneTexts()).toContain('From the SDK');
  });

  it('can reply, with the key of the wire', async () => {
    const [greeting] = (await client.listMessages({ from: LINE, to: PHONE })).data.slice(-1);
    const { id } = await client.sendMessage({ from: LINE, to: PHONE, text: 'A reply', replyTo: greeting?.id });
    const settled = await client.waitForOutbox(id, { pollMs: 20 });
    expect(settled.payload.replyTo).toBe(greeting?.id);
  });

  it('can have an effect, which the message and the phone tell', async () => {
    const { id } = await client.sendMessage({ from: LINE, to: PHONE, text: 'Done', sendStyle: 'slam' });
    expect((await client.waitForOutbox(id, { pollMs: 20 })).payload.sendStyle).toBe('slam');
    const [message] = (await client.listMessages({ from: LINE, to: PHONE, limit: 1 })).data;
    expect(message).toMatchObject({ text: 'Done', sendStyle: 'slam' });
    const { data } = await admin.simulator.listPhoneMessages({ phone: PHONE });
    expect(data.at(-1)).toMatchObject({ text: 'Done', effect: 'slam' });
    await admin.simulator.sendText({ from: PHONE, to: LINE, text: 'Hooray', effect: 'confetti' });
    const [answer] = (await client.listMessages({ from: LINE, to: PHONE, limit: 1 })).data;
    expect(answer).toMatchObject({ text: 'Hooray', isFromMe: false, sendStyle: 'confetti' });
  });

  it('that failed is given, with its reason, and not thrown', async () => {
    const { id } = await client.sendMessage({ from: LINE, to: '+15550100400', text: 'To nobody' });
    expect(await client.waitForOutbox(id)).toMatchObject({ status: 'failed', error: expect.stringMatching(/\S/) });
  });

  it('that is not settled in time is a TimeoutError of the wait', async () => {
    const { id } = await client.sendMessage({ from: LINE, to: '+15550100408', text: 'To silence' });
    const error = await refusalOf(client.waitForOutbox(id, { timeout: 300, pollMs: 50 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain(id);
  });

  it('named by an idempotency key is done once, from two clients', async () => {
    const params = { from: LINE, to: PHONE, text: 'Only once' };
    const first = await client.sendMessage(params, { idempotencyKey: 'one-of-a-kind' });
    const again = await createClient({ apiKey: KEY, baseUrl: server.url }).sendMessage(params, {
      idempotencyKey: 'one-of-a-kind',
    });
    expect(again).toEqual(first);
    const other = await refusalOf(
      client.sendMessage({ ...params, text: 'Something else' }, { idempotencyKey: 'one-of-a-kind' }),
    );
    expect(other).toBeInstanceOf(InvalidRequestError);
    expect(other).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
  });
});

describe('a list', () => {
  it('goes over all pages with for await, with and without an await before it', async () => {
    const phone = '+15550103001';
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      await admin.simulator.sendText({ from: phone, to: LINE, text });
    }
    const list = () => client.listMessages({ from: LINE, to: phone, limit: 2 });
    const texts: (string | null)[] = [];
    for await (const message of list()) texts.push(message.text);
    expect(texts).toEqual(['five', 'four', 'three', 'two', 'one']);

    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'hasMore', 'nextCursor', 'requestId']);
    expect(page).toMatchObject({ hasMore: true, nextCursor: expect.any(String) });
    const rest: (string | null)[] = [];
    for await (const message of page) rest.push(message.text);
    expect(rest).toEqual(texts);
    const second = await client.listMessages({ from: LINE, to: phone, limit: 2, cursor: page.nextCursor ?? '' });
    expect(second.data.map((message) => message.text)).toEqual(['three', 'two']);
  });

  it('of lines and of chats has the keys of its types', async () => {
    const [line] = (await client.listLines()).data;
    expect(line).toEqual({
      id: expect.stringMatching(/^ln_/),
      handle: LINE,
      label: 'Simulator',
      service: 'imessage',
      isActive: true,
    });
    const chats = await client.listChats({ from: line?.id ?? '' });
    expect(chats.data.find((chat) => chat.identifier === PHONE)).toMatchObject({
      lineId: line?.id,
      isGroup: false,
      participants: [PHONE],
      hasReceivedInbound: true,
    });
  });
});

describe('a webhook', () => {
  it('is made with its secret, listed without, and deleted', async () => {
    const { url } = server;
    const webhook = await client.createWebhook({ from: LINE, url: `${url}/hook`, events: ['message.received'] });
    expect(webhook).toMatchObject({
      secret: expect.stringMatching(/^whsec_/),
      isActive: true,
      lineIds: [expect.any(String)],
    });
    const [listed] = (await client.listWebhooks({ from: LINE })).data;
    expect(listed).toEqual({ ...webhook, secret: undefined, requestId: undefined });
    expect(await client.deleteWebhook({ id: webhook.id })).toEqual({
      id: webhook.id,
      deleted: true,
      requestId: expect.stringMatching(/^req_/),
    });
    const gone = await refusalOf(client.deleteWebhook({ id: webhook.id }));
    expect(gone).toBeInstanceOf(NotFoundError);
    expect(gone).toMatchObject({ status: 404, code: 'webhook_not_found', param: 'id' });
  });
});

describe('a delivery of the real server', () => {
  it('is verified from the request that it came with, in its order, as the stream shows it', async () => {
    const verified: Promise<WebhookEvent>[] = [];
    let secret = '';
    const receiver = createServer((request, response) => {
      const event = verifyWebhook(request, secret);
      verified.push(event);
      event.then(
        () => response.end(),
        () => response.writeHead(400).end(),
      );
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/hook`;
    const webhook = await client.createWebhook({ from: LINE, url, events: ['message.received', 'message.sent'] });
    secret = webhook.secret;
    try {
      const phone = '+15550103002';
      await admin.simulator.sendText({ from: phone, to: LINE, text: 'Grüße 👋' });
      const item = await client.sendMessage({ from: LINE, to: phone, text: 'Back' });
      while (verified.length < 2) await sleep(10);
      const [received, sent] = await Promise.all(verified);
      expect(received).toMatchObject({
        event: 'message.received',
        data: { text: 'Grüße 👋', sender: phone, lineHandle: LINE, isFromMe: false },
        deliveryId: expect.stringMatching(/^dlv_/),
      });
      expect(sent).toMatchObject({ event: 'message.sent', data: { text: 'Back', outboxId: item.id } });
    } finally {
      await client.deleteWebhook({ id: webhook.id });
      receiver.close();
    }
  });
});

describe('a refusal', () => {
  it('of a wrong key is an error of its kind, and does not show the key', async () => {
    const error = await refusalOf(createClient({ baseUrl: server.url, apiKey: `${KEY}x` }).listLines());
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toBeInstanceOf(MessagesError);
    const requestId = expect.stringMatching(/^req_/);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', requestId, name: 'AuthenticationError' });
    expect(JSON.stringify(error) + String(error) + error.stack).not.toContain(KEY);
  });

  it('has its real status, its code and its parameter', async () => {
    const cold = await refusalOf(client.sendMessage({ from: LINE, to: '+15550107777', text: 'Hello' }));
    expect(cold).toBeInstanceOf(AuthorizationError);
    expect(cold).toMatchObject({
      status: 403,
      type: 'invalid_request_error',
      code: 'contact_has_not_messaged',
      param: 'to',
    });
    const empty = await refusalOf(client.sendMessage({ from: LINE, to: PHONE }));
    expect(empty).toBeInstanceOf(InvalidRequestError);
    expect(empty).toMatchObject({ status: 400, code: 'missing_required_parameter', param: 'text' });
    const unknown = await refusalOf(client.getOutboxItem({ id: 'obx_01k0q3v5x8f9q2t7m4n6p8r0sa' }));
    expect(unknown).toBeInstanceOf(NotFoundError);
  });

  it('for a scope or for the hour says which, and when to come again', async () => {
    const made = await admin.createKey({ name: 'Reader', scopes: ['lines:read'], rateLimitPerHour: 1 });
    const reader = createClient({ apiKey: made.key, baseUrl: server.url, maxRetries: 1 });
    const narrow = await refusalOf(reader.sendMessage({ from: LINE, to: PHONE, text: 'Hello' }));
    expect(narrow).toBeInstanceOf(AuthorizationError);
    expect(narrow.code).toBe('insufficient_scope');
    // The hour is an hour: the client does not wait for it, and keeps the server's code.
    const late = await refusalOf(reader.listLines());
    expect(late).toBeInstanceOf(RateLimitError);
    expect(late).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(late instanceof RateLimitError && late.retryAfterMs).toBeGreaterThan(60_000);
  });
});
