/** Every refusal that these routes can give: status, type, code and param, and which of several comes first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, LINE, PHONE, SANDBOX_LINE, startTestServer, type TestServer } from './harness.ts';
import { addKey, expected, refusal, sendRaw } from './tenancy.ts';

const COLD = '+15550107777';
const HOOK = 'http://127.0.0.1:9/hook';
const NOTHING = '00000000000000000000000000';
const JSON_TYPE = { 'content-type': 'application/json' };
const from = encodeURIComponent(LINE);
const sandbox = encodeURIComponent(SANDBOX_LINE);

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer('sqlite');
});
afterAll(() => test.stop());

type Case = readonly [
  name: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body: unknown,
  code: string,
  param?: string,
];

const send = (more: object) => ({ from: LINE, to: PHONE, text: 'x', ...more });
const hook = (more: object) => ({ from: LINE, url: HOOK, events: ['message.sent'], ...more });
const MISSING = 'missing_required_parameter';
const INVALID = 'invalid_parameter_value';

const CASES: readonly Case[] = [
  // What is absent, in the documented order.
  ['chats: from', 'GET', '/v1/chats', undefined, MISSING, 'from'],
  ['messages: from before to', 'GET', '/v1/messages', undefined, MISSING, 'from'],
  ['messages: to', 'GET', `/v1/messages?from=${from}`, undefined, MISSING, 'to'],
  ['outbox: id', 'GET', '/v1/outbox', undefined, MISSING, 'id'],
  ['webhooks: from', 'GET', '/v1/webhooks', undefined, MISSING, 'from'],
  ['send: from first', 'POST', '/v1/messages', {}, MISSING, 'from'],
  ['send: no body at all', 'POST', '/v1/messages', undefined, MISSING, 'from'],
  ['send: to', 'POST', '/v1/messages', { from: LINE, text: 'x' }, MISSING, 'to'],
  ['send: neither text nor attachments', 'POST', '/v1/messages', { from: LINE, to: PHONE }, MISSING, 'text'],
  ['send: empty ones are absent', 'POST', '/v1/messages', send({ text: '', attachments: [] }), MISSING, 'text'],
  ['send: null is absent', 'POST', '/v1/messages', send({ text: null }), MISSING, 'text'],
  ['send: an absent text before a bad to', 'POST', '/v1/messages', { from: LINE, to: 'x' }, MISSING, 'text'],
  ['send: an absent text before a bad from', 'POST', '/v1/messages', { from: 7, to: PHONE }, MISSING, 'text'],
  ['send: an absent to before a bad from', 'POST', '/v1/messages', { from: 'x', text: 'x' }, MISSING, 'to'],
  ['webhook: from', 'POST', '/v1/webhooks', {}, MISSING, 'from'],
  ['webhook: url', 'POST', '/v1/webhooks', { from: LINE, events: ['message.sent'] }, MISSING, 'url'],
  ['webhook: events', 'POST', '/v1/webhooks', { from: LINE, url: HOOK }, MISSING, 'events'],
  ['webhook: absent events before a bad url', 'POST', '/v1/webhooks', { from: LINE, url: 'x' }, MISSING, 'events'],
  ['delete webhook: id', 'DELETE', '/v1/webhooks', {}, MISSING, 'id'],
  ['delete webhook: no body', 'DELETE', '/v1/webhooks', undefined, MISSING, 'id'],

  // Values that cannot be used.
  ['from is no handle', 'GET', '/v1/chats?from=abc', undefined, INVALID, 'from'],
  ['from twice', 'GET', `/v1/chats?from=${from}&from=${from}`, undefined, INVALID, 'from'],
  ['from with NUL', 'GET', '/v1/chats?from=%00', undefined, INVALID, 'from'],
  ['to is no handle', 'GET', `/v1/messages?from=${from}&to=abc`, undefined, INVALID, 'to'],
  ['limit is no number', 'GET', `/v1/chats?from=${from}&limit=ten`, undefined, INVALID, 'limit'],
  ['cursor is not ours', 'GET', `/v1/chats?from=${from}&cursor=abc`, undefined, INVALID, 'cursor'],
  ['outbox id of another kind', 'GET', '/v1/outbox?id=msg_1', undefined, INVALID, 'id'],
  ['send: from of another type', 'POST', '/v1/messages', send({ from: 7 }), INVALID, 'from'],
  ['send: from empty', 'POST', '/v1/messages', send({ from: '' }), INVALID, 'from'],
  ['send: to of another type', 'POST', '/v1/messages', send({ to: ['x'] }), INVALID, 'to'],
  ['send: to without a country', 'POST', '/v1/messages', send({ to: '5550109999' }), INVALID, 'to'],
  ['send: text of another type', 'POST', '/v1/messages', send({ text: 5 }), INVALID, 'text'],
  ['send: NUL in the text', 'POST', '/v1/messages', send({ text: 'a\0b' }), INVALID, 'text'],
  ['send: half a surrogate pair', 'POST', '/v1/messages', send({ text: 'a\ud800b' }), INVALID, 'text'],
  ['send: 20,001 characters', 'POST', '/v1/messages', send({ text: 'x'.repeat(20_001) }), INVALID, 'text'],
  [
    'send: attachments of another type',
    'POST',
    '/v1/messages',
    send({ attachments: 'file_1' }),
    INVALID,
    'attachments',
  ],
  ['send: two files', 'POST', '/v1/messages', send({ attachments: ['file_1', 'file_2'] }), INVALID, 'attachments'],
  ['send: a file of another kind', 'POST', '/v1/messages', send({ attachments: ['msg_1'] }), INVALID, 'attachments'],
  ['send: reply_to of another type', 'POST', '/v1/messages', send({ reply_to: 1 }), INVALID, 'reply_to'],
  ['send: an unknown style', 'POST', '/v1/messages', send({ send_style: 'Slam' }), INVALID, 'send_style'],
  ['send: a style of another type', 'POST', '/v1/messages', send({ send_style: 1 }), INVALID, 'send_style'],
  ['webhook: no event', 'POST', '/v1/webhooks', hook({ events: [] }), INVALID, 'events'],
  ['webhook: events of another type', 'POST', '/v1/webhooks', hook({ events: 'message.sent' }), INVALID, 'events'],
  ['webhook: an unknown event', 'POST', '/v1/webhooks', hook({ events: ['message.sent', 'x'] }), INVALID, 'events'],
  ['webhook: typing', 'POST', '/v1/webhooks', hook({ events: ['typing.started'] }), INVALID, 'events'],
  ['webhook: receipts', 'POST', '/v1/webhooks', hook({ events: ['receipt.read'] }), INVALID, 'events'],
  ['webhook: no url', 'POST', '/v1/webhooks', hook({ url: 'hook' }), INVALID, 'url'],
  ['webhook: empty url', 'POST', '/v1/webhooks', hook({ url: '' }), INVALID, 'url'],
  ['webhook: http elsewhere', 'POST', '/v1/webhooks', hook({ url: 'http://example.com/' }), INVALID, 'url'],
  ['webhook: another protocol', 'POST', '/v1/webhooks', hook({ url: 'ftp://example.com/' }), INVALID, 'url'],
  ['delete webhook: an id of another kind', 'DELETE', '/v1/webhooks', { id: 'msg_1' }, INVALID, 'id'],

  // What is not there.
  ['no such line', 'GET', '/v1/chats?from=%2B15550199999', undefined, 'line_not_found', 'from'],
  ['no such line by id', 'GET', `/v1/webhooks?from=ln_${NOTHING}`, undefined, 'line_not_found', 'from'],
  ['right prefix, any suffix', 'POST', '/v1/messages', send({ from: 'ln_x' }), 'line_not_found', 'from'],
  [
    'read: a handle never seen',
    'GET',
    `/v1/messages?from=${from}&to=%2B15550107777`,
    undefined,
    'chat_not_found',
    'to',
  ],
  ['read: no such chat', 'GET', `/v1/messages?from=${from}&to=cht_${NOTHING}`, undefined, 'chat_not_found', 'to'],
  ['send: no such chat', 'POST', '/v1/messages', send({ to: `cht_${NOTHING}` }), 'chat_not_found', 'to'],
  ['send: no such file', 'POST', '/v1/messages', send({ attachments: ['file_1'] }), 'file_not_found', 'attachments'],
  ['send: no such message', 'POST', '/v1/messages', send({ reply_to: 'msg_1' }), 'message_not_found', 'reply_to'],
  ['no such outbox item', 'GET', `/v1/outbox?id=obx_${NOTHING}`, undefined, 'outbox_item_not_found', 'id'],
  ['no such webhook', 'DELETE', '/v1/webhooks', { id: `wh_${NOTHING}` }, 'webhook_not_found', 'id'],
  ['no such message by id', 'GET', `/v1/messages/msg_${NOTHING}`, undefined, 'message_not_found', 'id'],
  ['no such message by GUID', 'GET', '/v1/messages/8F1D', undefined, 'message_not_found', 'id'],
  ['a message id of 300 characters', 'GET', `/v1/messages/${'x'.repeat(300)}`, undefined, 'message_not_found', 'id'],
  ['a message id with NUL', 'GET', '/v1/messages/a%00b', undefined, 'message_not_found', 'id'],

  // Contact-first, and the sandbox line before pairing.
  ['contact first', 'POST', '/v1/messages', send({ to: COLD }), 'contact_has_not_messaged', 'to'],
  ['sandbox: chats', 'GET', `/v1/chats?from=${sandbox}`, undefined, 'sandbox_not_activated', 'from'],
  [
    'sandbox: messages',
    'GET',
    `/v1/messages?from=${sandbox}&to=%2B15550107777`,
    undefined,
    'sandbox_not_activated',
    'from',
  ],
  ['sandbox: send', 'POST', '/v1/messages', send({ from: SANDBOX_LINE }), 'sandbox_not_activated', 'from'],
  ['sandbox: events', 'GET', `/v1/events?from=${sandbox}`, undefined, 'sandbox_not_activated', 'from'],
  ['sandbox: one message', 'GET', `/v1/messages/msg_1?from=${sandbox}`, undefined, 'sandbox_not_activated', 'from'],

  // Of several faults the one that is checked first is named.
  ['format before line', 'POST', '/v1/messages', send({ from: '+15550199999', to: 'x' }), INVALID, 'to'],
  ['url before line', 'POST', '/v1/webhooks', hook({ from: '+15550199999', url: 'x' }), INVALID, 'url'],
  [
    'line before file',
    'POST',
    '/v1/messages',
    send({ from: 'ln_x', attachments: ['file_1'] }),
    'line_not_found',
    'from',
  ],
  [
    'file before sandbox',
    'POST',
    '/v1/messages',
    send({ from: SANDBOX_LINE, attachments: ['file_1'] }),
    'file_not_found',
    'attachments',
  ],
  [
    'file before chat',
    'POST',
    '/v1/messages',
    send({ to: 'cht_x', attachments: ['file_1'] }),
    'file_not_found',
    'attachments',
  ],
  [
    'sandbox before chat',
    'POST',
    '/v1/messages',
    send({ from: SANDBOX_LINE, to: 'cht_x' }),
    'sandbox_not_activated',
    'from',
  ],
  ['chat before reply', 'POST', '/v1/messages', send({ to: 'cht_x', reply_to: 'msg_1' }), 'chat_not_found', 'to'],
  [
    'contact-first before reply',
    'POST',
    '/v1/messages',
    send({ to: COLD, reply_to: 'msg_1' }),
    'contact_has_not_messaged',
    'to',
  ],
  ['line before chat', 'GET', '/v1/messages?from=ln_x&to=cht_x', undefined, 'line_not_found', 'from'],
  ['limit before line', 'GET', '/v1/chats?from=ln_x&limit=x', undefined, INVALID, 'limit'],
];

describe('refused:', () => {
  for (const [name, method, path, body, code, param] of CASES) {
    it(name, async () => {
      expect(refusal(await test.call(method, path, body))).toEqual(expected(code, param));
    });
  }
});

const V1: readonly (readonly ['GET' | 'POST' | 'DELETE', string])[] = [
  ['GET', '/v1/lines'],
  ['GET', '/v1/chats'],
  ['GET', '/v1/messages'],
  ['POST', '/v1/messages'],
  ['GET', '/v1/messages/msg_1'],
  ['GET', '/v1/outbox'],
  ['POST', '/v1/webhooks'],
  ['GET', '/v1/webhooks'],
  ['DELETE', '/v1/webhooks'],
  ['GET', '/v1/events'],
  ['POST', '/simulator/v1/messages'],
  ['POST', '/simulator/v1/groups'],
  ['POST', '/simulator/v1/faults'],
  ['DELETE', '/simulator/v1/faults'],
  ['POST', '/simulator/v1/autoreply'],
  ['GET', '/simulator/v1/phones/%2B15550109999/messages'],
];

describe('before anything else is looked at,', () => {
  it.each(V1)('%s %s needs a key', async (method, path) => {
    const answer = await test.call(method, path, undefined, { key: null });
    expect(refusal(answer)).toEqual(expected('missing_api_key'));
  });

  it.each(V1)('%s %s needs its scope, before its body is read', async (method, path) => {
    const key = await addKey(test, { scopes: ['files:read'] });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'text/plain' };
    const answer = await sendRaw(test, { method, path, headers, ...(method === 'GET' ? {} : { payload: 'x' }) });
    expect(refusal(answer)).toEqual(expected('insufficient_scope'));
    const scope = /'([a-z]+:[a-z]+)'/.exec(String((answer.body['error'] as { message: string }).message))?.[1];
    expect(scope).toMatch(/^(lines|chats|messages|outbox|webhooks|simulator):(read|write)$/);
  });

  it.each([
    ['another scheme', `Basic ${KEY}`],
    ['no scheme', KEY],
    ['no key', 'Bearer'],
    ['a key of another form', 'Bearer sk_test_0123456789abcdefghijklmnopqrstuvwxyz'],
    ['an unknown key', `Bearer ${KEY}x`],
    ['two keys', `Bearer ${KEY} ${KEY}`],
  ])('a key in the header is checked: %s', async (_name, authorization) => {
    const answer = await sendRaw(test, { method: 'GET', path: '/v1/lines', headers: { authorization } });
    expect(refusal(answer)).toEqual(expected('invalid_api_key'));
  });

  it('an expired key and a revoked key are invalid', async () => {
    const expired = await addKey(test, { expiresAt: Date.now() - 1 });
    const alive = await addKey(test, { expiresAt: Date.now() + 60_000 });
    const lines = (key: string) => test.call('GET', '/v1/lines', undefined, { key });
    expect(refusal(await lines(expired))).toEqual(expected('invalid_api_key'));
    expect((await lines(alive)).status).toBe(200);
    const keys = test.server.engine.query.updateTable('api_keys').set({ revoked_at: Date.now() });
    await keys.where('name', '=', 'Test').execute();
    test.server.engine.wake('keys');
    expect(refusal(await lines(alive))).toEqual(expected('invalid_api_key'));
  });
});

describe('a route that does not exist', () => {
  it.each(['/', '/v1', '/v1/nothing', '/v1/lines/x', '/v1/messages/a/b', '/v2/lines', '/v1/lines/'])(
    '%s is 404, with or without a key',
    async (path) => {
      expect(refusal(await test.call('GET', path))).toEqual(expected('route_not_found'));
      expect(refusal(await test.call('GET', path, undefined, { key: null }))).toEqual(expected('route_not_found'));
    },
  );

  it.each(['/v1/messages/%ZZ', '/v1/%E0%A4%A'])('%s, a path that cannot be decoded, is one', async (path) => {
    expect(refusal(await test.call('GET', path))).toEqual(expected('route_not_found'));
  });

  it.each([
    ['DELETE', '/v1/lines', ['GET']],
    ['PUT', '/v1/messages', ['GET', 'POST']],
    ['PATCH', '/v1/webhooks', ['DELETE', 'GET', 'POST']],
    ['POST', '/v1/messages/msg_1', ['GET']],
    ['POST', '/v1/events?from=x', ['GET']],
    ['GET', '/simulator/v1/faults', ['DELETE', 'POST']],
    ['DELETE', '/simulator/v1/phones/x/messages', ['GET']],
    ['POST', '/healthz', ['GET']],
    ['DELETE', '/readyz', ['GET']],
  ])('%s %s is 405 and says what is allowed', async (method, path, allowed) => {
    const answer = await sendRaw(test, { method, path });
    expect(refusal(answer)).toEqual(expected('method_not_allowed'));
    expect(String(answer.headers['allow']).split(', ').sort()).toEqual(allowed);
  });
});

describe('a body', () => {
  const post = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    sendRaw(test, {
      method: 'POST',
      path: '/v1/messages',
      headers: { authorization: `Bearer ${KEY}`, ...headers },
      payload,
    });
  const good = JSON.stringify(send({}));

  it.each([
    ['nothing', ''],
    ['half an object', '{"from":'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a number', '1'],
    ['two objects', '{}{}'],
  ])('of %s is invalid JSON', async (_name, payload) => {
    expect(refusal(await post(payload))).toEqual(expected('invalid_json'));
  });

  it('that is not UTF-8 is invalid JSON, whatever its charset says', async () => {
    const latin1 = Buffer.from(JSON.stringify(send({ text: 'café' })), 'latin1');
    expect(refusal(await post(latin1))).toEqual(expected('invalid_json'));
    const declared = { 'content-type': 'application/json; charset=iso-8859-1' };
    expect(refusal(await post(latin1, declared))).toEqual(expected('invalid_json'));
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml'])(
    'of type %s is 415',
    async (type) => {
      expect(refusal(await post(good, { 'content-type': type }))).toEqual(expected('unsupported_media_type'));
    },
  );

  it('without a type is 415, and with a charset is taken', async () => {
    expect(refusal(await post(good, {}))).toEqual(expected('unsupported_media_type'));
    expect((await post(good, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  });

  it('over the limit is 413', async () => {
    const large = JSON.stringify(send({ text: 'x'.repeat(300 * 1024) }));
    expect(refusal(await post(large))).toEqual(expected('payload_too_large'));
  });

  it('has its media type and size checked before its JSON, and its JSON before its fields', async () => {
    expect(refusal(await post('{', { 'content-type': 'text/plain' }))).toEqual(expected('unsupported_media_type'));
    expect(refusal(await post(`{${'x'.repeat(300 * 1024)}`))).toEqual(expected('payload_too_large'));
  });

  it('may carry fields that nobody knows', async () => {
    const body = send({ text: 'Plain', idempotency: 1, __proto__: { a: 1 }, constructor: 'x', priority: null });
    const answer = await test.call('POST', '/v1/messages', body);
    expect(answer.status).toBe(201);
    const item = await test.outbox(String(answer.body['id']));
    expect(item['payload']).toEqual({ kind: 'message', from: LINE, to: PHONE, text: 'Plain' });
  });

  it('of 100,000 keys, or 100 levels deep, is answered like any other', async () => {
    const wide = `{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
    expect(refusal(await post(wide))).toEqual(expected(MISSING, 'from'));
    const deep = `{"from":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect(refusal(await post(deep))).toEqual(expected(MISSING, 'to'));
  });
});
