/** Every route's answer, key by key: what a client that was written for the contract will parse. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAT_KEYS, LINE_KEYS, LIST_KEYS, MESSAGE_KEYS, OUTBOX_KEYS, WEBHOOK_KEYS } from './answer-keys.ts';
import { type Answer, expectStatus, LINE, PHONE, startTestServer, type TestServer } from './harness.ts';

const HOOK = 'http://127.0.0.1:9/hook';

const from = encodeURIComponent(LINE);
let test: TestServer;
let chatId: string;
let webhookId: string;
let outboxId: string;
let messageId: string;

beforeAll(async () => {
  test = await startTestServer('sqlite');
  ({ chatId } = await test.text('Hello line'));
  outboxId = await test.send('Hello phone');
  await test.settled(outboxId);
  messageId = String(dataOf(await test.call('GET', `/v1/messages?from=${from}&to=${chatId}`))[0]?.['id']);
  webhookId = (await test.webhook(HOOK)).id;
});
afterAll(() => test.stop());

interface RouteCase {
  readonly name: string;
  readonly call: () => Promise<Answer>;
  readonly status: number;
  readonly keys: readonly string[];
  readonly itemKeys?: readonly string[];
}

const ROUTES: readonly RouteCase[] = [
  {
    name: 'GET /v1/lines',
    call: () => test.call('GET', '/v1/lines'),
    status: 200,
    keys: LIST_KEYS,
    itemKeys: LINE_KEYS,
  },
  {
    name: 'GET /v1/chats',
    call: () => test.call('GET', `/v1/chats?from=${from}`),
    status: 200,
    keys: LIST_KEYS,
    itemKeys: CHAT_KEYS,
  },
  {
    name: 'GET /v1/messages',
    call: () => test.call('GET', `/v1/messages?from=${from}&to=${encodeURIComponent(PHONE)}`),
    status: 200,
    keys: LIST_KEYS,
    itemKeys: MESSAGE_KEYS,
  },
  {
    name: 'POST /v1/messages',
    call: () => test.call('POST', '/v1/messages', { from: LINE, to: PHONE, text: 'Once more' }),
    status: 201,
    keys: ['id', 'status'],
  },
  {
    name: 'GET /v1/messages/{id}',
    call: () => test.call('GET', `/v1/messages/${messageId}`),
    status: 200,
    keys: MESSAGE_KEYS,
  },
  {
    name: 'GET /v1/outbox',
    call: () => test.call('GET', `/v1/outbox?id=${outboxId}`),
    status: 200,
    keys: OUTBOX_KEYS,
  },
  {
    name: 'POST /v1/webhooks',
    call: () => test.call('POST', '/v1/webhooks', { from: LINE, url: HOOK, events: ['message.sent'] }),
    status: 201,
    keys: [...WEBHOOK_KEYS, 'secret'],
  },
  {
    name: 'GET /v1/webhooks',
    call: () => test.call('GET', `/v1/webhooks?from=${from}`),
    status: 200,
    keys: LIST_KEYS,
    itemKeys: WEBHOOK_KEYS,
  },
  {
    name: 'DELETE /v1/webhooks',
    call: () => test.call('DELETE', '/v1/webhooks', { id: webhookId }),
    status: 200,
    keys: ['id', 'deleted'],
  },
  {
    name: 'GET /healthz',
    call: () => test.call('GET', '/healthz', undefined, { key: null }),
    status: 200,
    keys: ['status'],
  },
  {
    name: 'GET /readyz',
    call: () => test.call('GET', '/readyz', undefined, { key: null }),
    status: 200,
    keys: ['status', 'database', 'roles'],
  },
];

describe('the answer of', () => {
  it.each(ROUTES)('$name has its status and exactly its keys', async ({ call, status, keys, itemKeys }) => {
    const answer = await call();
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body).sort()).toEqual([...keys, 'request_id'].sort());
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.body['request_id']).toMatch(/^req_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(answer.headers['x-request-id']).toBe(answer.body['request_id']);
    if (!itemKeys) return;
    const items = dataOf(answer);
    expect(items.length).toBeGreaterThan(0);
    for (const item of items) expect(Object.keys(item).sort()).toEqual([...itemKeys].sort());
  });

  it('another request has another request id', async () => {
    const [one, two] = await Promise.all([test.call('GET', '/v1/lines'), test.call('GET', '/v1/lines')]);
    expect(one?.body['request_id']).not.toBe(two?.body['request_id']);
  });
});

describe('a resource', () => {
  it('Line: the own line and the sandbox line', async () => {
    const lines = dataOf(await test.call('GET', '/v1/lines'));
    expect(lines).toEqual([
      { id: expect.stringMatching(/^ln_/), handle: LINE, label: 'Simulator', service: 'imessage', is_active: true },
      expect.objectContaining({ handle: '+15550100000', label: 'Sandbox' }),
    ]);
  });

  it('Chat: one participant for one-to-one, null where there is no name', async () => {
    const chat = dataOf(await test.call('GET', `/v1/chats?from=${from}`)).find((one) => one['id'] === chatId);
    expect(chat).toEqual({
      id: chatId,
      line_id: expect.stringMatching(/^ln_/),
      identifier: PHONE,
      service: 'imessage',
      name: null,
      is_group: false,
      participants: [PHONE],
      has_received_inbound: true,
      last_message_at: expect.any(Number),
    });
  });

  it('Message: its own one has the line as its sender and the outbox item', async () => {
    const { body } = await test.call('GET', `/v1/messages/${messageId}`);
    expect(body).toMatchObject({
      id: messageId,
      chat_id: chatId,
      sender: LINE,
      text: 'Hello phone',
      attachments: [],
      service: 'imessage',
      is_from_me: true,
      is_audio_message: false,
      outbox_id: outboxId,
      reply_to_guid: null,
    });
    expect(body['synced_at']).toBeGreaterThanOrEqual(Number(body['sent_at']));
    const byGuid = await test.call('GET', `/v1/messages/${String(body['guid'])}`);
    expect(byGuid.body['id']).toBe(messageId);
  });

  it('Message: an inbound one has no outbox item', async () => {
    const messages = dataOf(await test.call('GET', `/v1/messages?from=${from}&to=${chatId}`));
    const inbound = messages.find((one) => one['text'] === 'Hello line');
    expect(inbound).toMatchObject({ sender: PHONE, is_from_me: false, outbox_id: null });
  });

  it('OutboxItem: the request as accepted, with its kind', async () => {
    const item = await test.outbox(outboxId);
    expect(item).toMatchObject({ id: outboxId, status: 'sent', error: null, attempts: 1, max_attempts: 3 });
    expect(item['payload']).toEqual({ kind: 'message', from: LINE, to: PHONE, text: 'Hello phone' });
    expect(item['completed_at']).toBeGreaterThanOrEqual(Number(item['created_at']));
  });
});

describe('what breaks the official client never happens:', () => {
  it('a receipt has no created_at', async () => {
    const { body } = await test.call('POST', '/v1/messages', { from: LINE, to: PHONE, text: 'A receipt' });
    expect(body).toEqual({ id: expect.stringMatching(/^obx_/), status: 'pending', request_id: expect.any(String) });
  });

  it('an error without a field to blame has no param', async () => {
    const { body } = await test.call('GET', '/v1/lines', undefined, { key: null });
    expect(Object.keys(body['error'] as object).sort()).toEqual(['code', 'message', 'type']);
  });

  it('a secret is shown on creation only', async () => {
    const made = expectStatus(
      201,
      await test.call('POST', '/v1/webhooks', { from: LINE, url: HOOK, events: ['message.sent', 'message.sent'] }),
    ).body;
    expect(made['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made).toMatchObject({ url: HOOK, events: ['message.sent'], is_active: true });
    const listed = await test.call('GET', `/v1/webhooks?from=${from}`);
    expect(JSON.stringify(listed.body)).not.toContain('secret');
    expect(dataOf(listed).find((one) => one['id'] === made['id'])).toEqual({
      id: made['id'],
      line_ids: made['line_ids'],
      url: HOOK,
      events: ['message.sent'],
      is_active: true,
    });
  });

  it('DELETE answers 200 with the id, and the second time 404', async () => {
    const { id } = await test.webhook(HOOK);
    const answer = await test.call('DELETE', '/v1/webhooks', { id });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id, deleted: true, request_id: answer.headers['x-request-id'] });
    expect((await test.call('DELETE', '/v1/webhooks', { id })).status).toBe(404);
    const left = dataOf(await test.call('GET', `/v1/webhooks?from=${from}`));
    expect(left.map((one) => one['id'])).not.toContain(id);
  });

  it('lines and webhooks never page', async () => {
    for (const path of ['/v1/lines', `/v1/webhooks?from=${from}`, `/v1/webhooks?from=${from}&limit=1`]) {
      const { body } = await test.call('GET', path);
      expect(body).toMatchObject({ has_more: false, next_cursor: null });
    }
  });
});

function dataOf(answer: Answer): Record<string, unknown>[] {
  return answer.body['data'] as Record<string, unknown>[];
}
