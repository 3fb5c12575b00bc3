/** What a key may do and see: each scope, a restriction to lines, another account, and the line that all share. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '../src/domain/scopes.ts';
import { type Answer, expectStatus, LINE, PHONE, SANDBOX_LINE, startTestServer, type TestServer } from './harness.ts';
import {
  ALL_SCOPES,
  addAccount,
  addKey,
  addLine,
  expected,
  refOf,
  refusal,
  SECOND_LINE,
  STRANGERS_LINE,
} from './tenancy.ts';

const HOOK = 'http://127.0.0.1:9/hook';
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** What the first account has, and what the others try to reach. */
interface Things {
  readonly chatId: string;
  readonly messageId: string;
  readonly guid: string;
  readonly outboxId: string;
  readonly webhookId: string;
}

let test: TestServer;
let own: Things;
let strangersKey: string;
/** Limited to the second line. */
let limitedKey: string;
let secondLineId: string;

beforeAll(async () => {
  test = await startTestServer('sqlite');
  own = await makeThings();
  const stranger = await addAccount(test);
  await addLine(test, STRANGERS_LINE, { accountRef: stranger });
  strangersKey = await addKey(test, { accountRef: stranger });
  const second = await addLine(test, SECOND_LINE);
  secondLineId = second.id;
  limitedKey = await addKey(test, { lineRefs: [second.ref] });
});
afterAll(() => test.stop());

async function makeThings(): Promise<Things> {
  const { guid, chatId } = await test.text('Hello line');
  const outboxId = await test.send('Hello phone');
  await test.settled(outboxId);
  const { body } = await test.call('GET', `/v1/messages/${guid}`);
  const { id: webhookId } = await test.webhook(HOOK);
  return { chatId, guid, outboxId, webhookId, messageId: String(body['id']) };
}

describe('each route takes exactly its scope:', () => {
  const from = encodeURIComponent(LINE);
  const routes: readonly (readonly [Scope, Method, string, unknown])[] = [
    ['lines:read', 'GET', '/v1/lines', undefined],
    ['chats:read', 'GET', `/v1/chats?from=${from}`, undefined],
    ['messages:read', 'GET', `/v1/messages?from=${from}&to=${encodeURIComponent(PHONE)}`, undefined],
    ['messages:read', 'GET', '/v1/messages/msg_1', undefined],
    ['messages:write', 'POST', '/v1/messages', { from: LINE, to: PHONE, text: 'x' }],
    ['outbox:read', 'GET', '/v1/outbox?id=obx_1', undefined],
    ['webhooks:read', 'GET', `/v1/webhooks?from=${from}`, undefined],
    ['webhooks:write', 'POST', '/v1/webhooks', { from: LINE, url: HOOK, events: ['message.sent'] }],
    ['webhooks:write', 'DELETE', '/v1/webhooks', { id: 'wh_1' }],
    ['simulator:write', 'POST', '/simulator/v1/messages', { from: PHONE, to: LINE, text: 'x' }],
    ['simulator:write', 'POST', '/simulator/v1/groups', { line: LINE, participants: [PHONE] }],
    ['simulator:write', 'POST', '/simulator/v1/faults', { line: LINE }],
    ['simulator:write', 'DELETE', '/simulator/v1/faults', { line: LINE }],
    ['simulator:write', 'POST', '/simulator/v1/autoreply', { phone: '+15550106666' }],
    ['admin', 'GET', '/admin/v1/keys', undefined],
    ['admin', 'POST', '/admin/v1/keys', { name: 'x', scopes: ['admin'] }],
    ['admin', 'GET', '/admin/v1/keys/key_1', undefined],
    ['admin', 'DELETE', '/admin/v1/keys/key_1', undefined],
    ['admin', 'GET', '/admin/v1/lines', undefined],
    ['admin', 'POST', '/admin/v1/lines', { handle: '+15550100099', driver: 'simulator' }],
    ['admin', 'GET', '/admin/v1/lines/ln_1', undefined],
    ['admin', 'PATCH', '/admin/v1/lines/ln_1', {}],
    // The line that the row above has added.
    ['admin', 'DELETE', '/admin/v1/lines/%2B15550100099', undefined],
    ['admin', 'GET', '/admin/v1/outbox/obx_1', undefined],
    ['admin', 'GET', '/admin/v1/messages/msg_1', undefined],
    ['simulator:write', 'GET', `/simulator/v1/phones/${encodeURIComponent(PHONE)}/messages`, undefined],
  ];

  for (const [scope, method, path, body] of routes) {
    it(`${method} ${path.split('?')[0]} takes ${scope}`, async () => {
      const [only, without] = await Promise.all([
        addKey(test, { scopes: [scope] }),
        addKey(test, { scopes: ALL_SCOPES.filter((one) => one !== scope) }),
      ]);
      expect([200, 201, 404]).toContain((await test.call(method, path, body, { key: only })).status);
      const refused = await test.call(method, path, body, { key: without });
      expect(refusal(refused)).toEqual(expected('insufficient_scope'));
      expect((refused.body['error'] as { message: string }).message).toContain(`'${scope}'`);
    });
  }
});

interface Reach {
  readonly name: string;
  readonly method: Method;
  readonly path: () => string;
  readonly body?: () => unknown;
}

/** Calls that name an object of the first line by its id alone, and what an absent one answers. */
const BY_ID: readonly (Reach & { readonly code: string; readonly param: string; readonly absent: Reach })[] = [
  {
    name: 'an outbox item',
    method: 'GET',
    path: () => `/v1/outbox?id=${own.outboxId}`,
    code: 'outbox_item_not_found',
    param: 'id',
    absent: { name: '', method: 'GET', path: () => '/v1/outbox?id=obx_none' },
  },
  {
    name: 'a message by its id',
    method: 'GET',
    path: () => `/v1/messages/${own.messageId}`,
    code: 'message_not_found',
    param: 'id',
    absent: { name: '', method: 'GET', path: () => '/v1/messages/msg_none' },
  },
  {
    name: 'a message by its GUID',
    method: 'GET',
    path: () => `/v1/messages/${own.guid}`,
    code: 'message_not_found',
    param: 'id',
    absent: { name: '', method: 'GET', path: () => '/v1/messages/none' },
  },
  {
    name: 'a webhook',
    method: 'DELETE',
    path: () => '/v1/webhooks',
    body: () => ({ id: own.webhookId }),
    code: 'webhook_not_found',
    param: 'id',
    absent: { name: '', method: 'DELETE', path: () => '/v1/webhooks', body: () => ({ id: 'wh_none' }) },
  },
];

/** Calls that name the first line itself. */
const BY_LINE: readonly Reach[] = [
  { name: 'chats', method: 'GET', path: () => `/v1/chats?from=${encodeURIComponent(LINE)}` },
  { name: 'messages', method: 'GET', path: () => `/v1/messages?from=${encodeURIComponent(LINE)}&to=${own.chatId}` },
  { name: 'a message', method: 'GET', path: () => `/v1/messages/${own.guid}?from=${encodeURIComponent(LINE)}` },
  { name: 'webhooks', method: 'GET', path: () => `/v1/webhooks?from=${encodeURIComponent(LINE)}` },
  { name: 'events', method: 'GET', path: () => `/v1/events?from=${encodeURIComponent(LINE)}` },
  {
    name: 'a send',
    method: 'POST',
    path: () => '/v1/messages',
    body: () => ({ from: LINE, to: own.chatId, text: 'x' }),
  },
  {
    name: 'a new webhook',
    method: 'POST',
    path: () => '/v1/webhooks',
    body: () => ({ from: LINE, url: HOOK, events: ['message.sent'] }),
  },
];

const make = (reach: Reach, key: string): Promise<Answer> =>
  test.call(reach.method, reach.path(), reach.body?.(), { key });

describe.each([
  ['another account', () => strangersKey],
  ['a key limited to another line', () => limitedKey],
])('for %s', (_who, key) => {
  for (const reach of BY_ID) {
    it(`${reach.name} is not there, and is refused as an absent one is`, async () => {
      const answer = await make(reach, key());
      expect(refusal(answer)).toEqual(expected(reach.code, reach.param));
      const absent = await make(reach.absent, key());
      expect({ ...answer.body, request_id: '' }).toEqual({ ...absent.body, request_id: '' });
    });
  }
});

describe('a line in `from`', () => {
  for (const reach of BY_LINE) {
    it(`${reach.name}: another account's is not found`, async () => {
      expect(refusal(await make(reach, strangersKey))).toEqual(expected('line_not_found', 'from'));
    });

    it(`${reach.name}: one that the key may not use is not accessible`, async () => {
      expect(refusal(await make(reach, limitedKey))).toEqual(expected('line_not_accessible', 'from'));
    });
  }

  it('lists only those that the key may use, with the sandbox line', async () => {
    const handles = async (key: string) => {
      const { body } = await test.call('GET', '/v1/lines', undefined, { key });
      return (body['data'] as { handle: string }[]).map((line) => line.handle).sort();
    };
    expect(await handles(strangersKey)).toEqual([SANDBOX_LINE, STRANGERS_LINE]);
    expect(await handles(limitedKey)).toEqual([SANDBOX_LINE, SECOND_LINE]);
    expect(await handles(await addKey(test))).toEqual([SANDBOX_LINE, LINE, SECOND_LINE]);
  });

  it("another account's chat is not found on an own line", async () => {
    const from = encodeURIComponent(STRANGERS_LINE);
    const read = await test.call('GET', `/v1/messages?from=${from}&to=${own.chatId}`, undefined, { key: strangersKey });
    expect(refusal(read)).toEqual(expected('chat_not_found', 'to'));
    const body = { from: STRANGERS_LINE, to: own.chatId, text: 'x' };
    const sent = await test.call('POST', '/v1/messages', body, { key: strangersKey });
    expect(refusal(sent)).toEqual(expected('chat_not_found', 'to'));
  });

  it('a chat of another own line is not found either, nor is a message to reply to', async () => {
    await test.call('POST', '/simulator/v1/messages', { from: PHONE, to: SECOND_LINE, text: 'x' });
    const other = await test.call('POST', '/v1/messages', { from: secondLineId, to: own.chatId, text: 'x' });
    expect(refusal(other)).toEqual(expected('chat_not_found', 'to'));
    const reply = { from: SECOND_LINE, to: PHONE, text: 'x', reply_to: own.messageId };
    const answer = await test.call('POST', '/v1/messages', reply);
    expect(refusal(answer)).toEqual(expected('message_not_found', 'reply_to'));
  });
});

describe('the sandbox line before a phone is paired', () => {
  it.each([
    ['an unlimited key', async () => addKey(test)],
    ['a key limited to another line', async () => limitedKey],
    ['another account', async () => strangersKey],
  ])('has webhooks that %s can make, see and delete', async (_who, keyOf) => {
    const key = await keyOf();
    const body = { from: SANDBOX_LINE, url: HOOK, events: ['message.received'] };
    const made = expectStatus(201, await test.call('POST', '/v1/webhooks', body, { key })).body;
    const path = `/v1/webhooks?from=${encodeURIComponent(SANDBOX_LINE)}`;
    const listed = expectStatus(200, await test.call('GET', path, undefined, { key })).body['data'];
    expect(listed).toEqual([expect.objectContaining({ id: made['id'], line_ids: made['line_ids'] })]);
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id: made['id'] }, { key }));
  });

  it('shows no account the webhooks of another', async () => {
    const body = { from: SANDBOX_LINE, url: HOOK, events: ['message.received'] };
    const made = expectStatus(201, await test.call('POST', '/v1/webhooks', body)).body;
    const path = `/v1/webhooks?from=${encodeURIComponent(SANDBOX_LINE)}`;
    expect((await test.call('GET', path, undefined, { key: strangersKey })).body['data']).toEqual([]);
    const deleted = await test.call('DELETE', '/v1/webhooks', { id: made['id'] }, { key: strangersKey });
    expect(refusal(deleted)).toEqual(expected('webhook_not_found', 'id'));
  });

  it('is refused by its id as well', async () => {
    const { id } = await refOf(test, SANDBOX_LINE);
    const answer = await test.call('GET', `/v1/chats?from=${id}`);
    expect(refusal(answer)).toEqual(expected('sandbox_not_activated', 'from'));
  });
});
