/** The contract of the v1 API, row by row: every endpoint with its answer, every error, everything that is never done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../src/domain/errors.ts';
import { makeWav } from './audio-media.ts';
import { upload } from './file-client.ts';
import {
  type Answer,
  expectStatus,
  KEY,
  LINE,
  PHONE,
  SANDBOX_LINE,
  startTestServer,
  type TestServer,
} from './harness.ts';
import { addAccount, addKey, addLine, refusal, SECOND_LINE } from './tenancy.ts';

const HOOK = 'http://127.0.0.1:9/hook';
const SMS_LINE = '+15550100066';
const SANDBOX_PHONE = '+15550107601';
const NOBODY = '+15550107602';
const TIRED = '+15550107603';
const NOTHING = '00000000000000000000000000';

type Method = 'GET' | 'POST' | 'DELETE';
type Body = Record<string, unknown>;

interface Things {
  readonly file: string;
  readonly audio: string;
  readonly message: string;
  readonly chat: string;
  readonly item: string;
  readonly webhook: string;
  /** A key of the account without a scope that any route here needs. */
  readonly weak: string;
  /** A key that is limited to another line. */
  readonly limited: string;
  /** A key that has spent its hour. */
  readonly spent: string;
  /** A key of an account that has not paired a phone with the sandbox line. */
  readonly unpaired: string;
}

let test: TestServer;
let address: string;
let things: Things;

beforeAll(async () => {
  test = await startTestServer('sqlite');
  address = String(await test.server.listen());
  things = await prepare();
});
afterAll(() => test.stop());

async function prepare(): Promise<Things> {
  const fileOf = async (bytes: Uint8Array, type: string) =>
    String(expectStatus(201, await upload(address, bytes, { headers: { 'content-type': type } })).body['id']);
  const { guid, chatId } = await test.text('Hello');
  const message = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`)).body;
  const item = await test.send('Hi');
  await test.settled(item);
  const sms = { handle: SMS_LINE, driver: 'simulator', service: 'sms', settings: { contact_first: false } };
  expectStatus(201, await test.call('POST', '/admin/v1/lines', sms));
  const second = await addLine(test, SECOND_LINE);
  const stranger = await addAccount(test);
  const limits = { scopes: ['lines:read'] as const, rateLimitPerHour: 1 };
  const spent = await addKey(test, limits);
  expectStatus(200, await test.call('GET', '/v1/lines', undefined, { key: spent }));
  const code = expectStatus(200, await test.call('POST', '/v1/sandbox')).body['activation_code'];
  const pairing = { from: SANDBOX_PHONE, to: SANDBOX_LINE, text: code };
  expectStatus(201, await test.call('POST', '/simulator/v1/messages', pairing));
  return {
    file: await fileOf(Buffer.from('Some text'), 'text/plain'),
    audio: await fileOf(makeWav({ rate: 8_000, seconds: 0.2 }), 'audio/wav'),
    message: String(message['id']),
    chat: chatId,
    item,
    webhook: (await test.webhook(HOOK, ['line.status'])).id,
    weak: await addKey(test, { scopes: ['admin'] }),
    limited: await addKey(test, { lineRefs: [second.ref] }),
    spent,
    unpaired: await addKey(test, { accountRef: stranger }),
  };
}

const withQuery = (path: string, query: Readonly<Record<string, string>>) => `${path}?${new URLSearchParams(query)}`;
const inChat = () => ({ from: LINE, to: PHONE });

const LIST = ['data', 'has_more', 'next_cursor'];
const RECEIPT = ['id', 'status'];
const LINE_KEYS = ['handle', 'id', 'is_active', 'label', 'service'];
const CHAT_KEYS = 'has_received_inbound id identifier is_group last_message_at line_id name participants service'.split(
  ' ',
);
const MESSAGE_KEYS =
  'attachments chat_id guid id is_audio_message is_from_me line_id outbox_id reply_to_guid send_style sender sent_at service synced_at text'.split(
    ' ',
  );
const REACTION_KEYS = 'added id is_from_me message_id sender sent_at synced_at type'.split(' ');
const ITEM_KEYS = 'attempts completed_at created_at error id line_id max_attempts payload status'.split(' ');
const FILE_KEYS = ['filename', 'id', 'mime_type', 'size', 'url'];
const WEBHOOK_KEYS = ['events', 'id', 'is_active', 'line_ids', 'url'];
const SANDBOX_KEYS = 'activated_at activation_code contact_identifier sandbox_line_handle status usage'.split(' ');

/** Section 4, in its order. `item`: the keys of each item of a list. */
const ENDPOINTS: readonly {
  readonly row: string;
  readonly path: () => string;
  readonly body?: () => Body;
  readonly status: number;
  readonly keys: readonly string[];
  readonly item?: readonly string[];
}[] = [
  { row: 'GET /v1/lines', path: () => '/v1/lines', status: 200, keys: LIST, item: LINE_KEYS },
  {
    row: 'GET /v1/chats',
    path: () => withQuery('/v1/chats', { from: LINE }),
    status: 200,
    keys: LIST,
    item: CHAT_KEYS,
  },
  {
    row: 'GET /v1/messages',
    path: () => withQuery('/v1/messages', inChat()),
    status: 200,
    keys: LIST,
    item: MESSAGE_KEYS,
  },
  {
    row: 'POST /v1/messages',
    path: () => '/v1/messages',
    body: () => ({ ...inChat(), text: 'Hi' }),
    status: 201,
    keys: RECEIPT,
  },
  {
    row: 'POST /v1/audio-messages',
    path: () => '/v1/audio-messages',
    body: () => ({ ...inChat(), audio_message: things.audio }),
    status: 201,
    keys: RECEIPT,
  },
  {
    row: 'POST /v1/reactions',
    path: () => '/v1/reactions',
    body: () => ({ ...inChat(), message_id: things.message, type: 'love' }),
    status: 201,
    keys: RECEIPT,
  },
  {
    row: 'GET /v1/reactions',
    path: () => withQuery('/v1/reactions', { message_id: things.message }),
    status: 200,
    keys: LIST,
    item: REACTION_KEYS,
  },
  { row: 'POST /v1/typing', path: () => '/v1/typing', body: inChat, status: 201, keys: RECEIPT },
  {
    row: 'GET /v1/typing',
    path: () => withQuery('/v1/typing', inChat()),
    status: 200,
    keys: LIST,
    item: ['chat_id', 'handle', 'id', 'is_typing', 'updated_at'],
  },
  { row: 'POST /v1/receipts', path: () => '/v1/receipts', body: inChat, status: 201, keys: RECEIPT },
  {
    row: 'GET /v1/receipts',
    path: () => withQuery('/v1/receipts', inChat()),
    status: 200,
    keys: LIST,
    item: ['chat_id', 'handle', 'id', 'last_read_at', 'synced_at'],
  },
  { row: 'GET /v1/outbox', path: () => withQuery('/v1/outbox', { id: things.item }), status: 200, keys: ITEM_KEYS },
  { row: 'GET /v1/files', path: () => withQuery('/v1/files', { id: things.file }), status: 302, keys: [] },
  {
    row: 'POST /v1/webhooks',
    path: () => '/v1/webhooks',
    body: () => ({ from: LINE, url: HOOK, events: ['line.status'] }),
    status: 201,
    keys: [...WEBHOOK_KEYS, 'secret'].sort(),
  },
  {
    row: 'GET /v1/webhooks',
    path: () => withQuery('/v1/webhooks', { from: LINE }),
    status: 200,
    keys: LIST,
    item: WEBHOOK_KEYS,
  },
  {
    row: 'DELETE /v1/webhooks',
    path: () => '/v1/webhooks',
    body: () => ({ id: things.webhook }),
    status: 200,
    keys: ['deleted', 'id'],
  },
  { row: 'GET /v1/sandbox', path: () => '/v1/sandbox', status: 200, keys: SANDBOX_KEYS },
  { row: 'POST /v1/sandbox', path: () => '/v1/sandbox', status: 200, keys: SANDBOX_KEYS },
  { row: 'GET /v1/messages/:id', path: () => `/v1/messages/${things.message}`, status: 200, keys: MESSAGE_KEYS },
  { row: 'GET /v1/chats/:id', path: () => `/v1/chats/${things.chat}`, status: 200, keys: CHAT_KEYS },
  { row: 'GET /v1/files/:id', path: () => `/v1/files/${things.file}`, status: 200, keys: FILE_KEYS },
];

describe('section 4: the answer of', () => {
  beforeAll(async () => {
    // So that every list has an item to look at.
    for (const [path, body] of [
      ['/simulator/v1/typing', { from: PHONE, to: LINE }],
      ['/simulator/v1/reads', { from: PHONE, to: LINE }],
      ['/simulator/v1/reactions', { from: PHONE, message_id: things.message, type: 'like' }],
    ] as const) {
      expectStatus(201, await test.call('POST', path, body));
    }
  });

  it.each(ENDPOINTS)('$row', async ({ row, path, body, status, keys, item }) => {
    const answer = await test.call(row.split(' ')[0] as Method, path(), body?.());
    expectStatus(status, answer);
    expect(answer.headers['x-request-id']).toMatch(/^req_/);
    if (status === 302) {
      expect(String(answer.headers['location'])).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/files\/file_/);
      return;
    }
    expect(answer.body['request_id']).toBe(answer.headers['x-request-id']);
    expect(Object.keys(answer.body).sort()).toEqual([...keys, 'request_id'].sort());
    if (!item) return;
    const data = answer.body['data'] as Body[];
    expect(data.length).toBeGreaterThan(0);
    for (const one of data) expect(Object.keys(one).sort()).toEqual(item);
  });

  it('POST /v1/files', async () => {
    const answer = expectStatus(201, await upload(address, Buffer.from('x')));
    expect(Object.keys(answer.body).sort()).toEqual([...FILE_KEYS, 'request_id'].sort());
  });

  it('DELETE /v1/sandbox', async () => {
    const key = things.unpaired;
    const answer = expectStatus(200, await test.call('DELETE', '/v1/sandbox', undefined, { key }));
    expect(Object.keys(answer.body).sort()).toEqual([...SANDBOX_KEYS, 'request_id'].sort());
    expect(answer.body).toMatchObject({ status: 'pending', activation_code: expect.stringMatching(/^[0-9a-z]{8}$/i) });
  });
});

type Refused = () => Promise<Answer>;
const post =
  (
    path: string,
    body: () => Body | undefined,
    options: () => { key?: string | null; headers?: Record<string, string> } = () => ({}),
  ): Refused =>
  () =>
    test.call('POST', path, body(), options());
const get =
  (path: () => string, key?: () => string | null): Refused =>
  () =>
    test.call('GET', path(), undefined, key ? { key: key() } : {});
const send = (more: () => Body) => post('/v1/messages', () => ({ ...inChat(), text: 'Hi', ...more() }));

/** Section 5, in its order: code, type, status, param, and what provokes it. */
const REFUSALS: readonly (readonly [code: string, type: string, status: number, param: string | undefined, Refused])[] =
  [
    [
      'missing_api_key',
      'authentication_error',
      401,
      undefined,
      get(
        () => '/v1/lines',
        () => null,
      ),
    ],
    [
      'invalid_api_key',
      'authentication_error',
      401,
      undefined,
      get(
        () => '/v1/lines',
        () => 'sk_live_no',
      ),
    ],
    [
      'insufficient_scope',
      'authorization_error',
      403,
      undefined,
      get(
        () => '/v1/lines',
        () => things.weak,
      ),
    ],
    [
      'line_not_accessible',
      'authorization_error',
      403,
      'from',
      get(
        () => withQuery('/v1/chats', { from: LINE }),
        () => things.limited,
      ),
    ],
    [
      'sandbox_not_activated',
      'authorization_error',
      403,
      'from',
      get(
        () => withQuery('/v1/chats', { from: SANDBOX_LINE }),
        () => things.unpaired,
      ),
    ],
    ['missing_required_parameter', 'invalid_request_error', 400, 'from', get(() => '/v1/chats')],
    ['missing_required_parameter', 'invalid_request_error', 400, 'text', post('/v1/messages', inChat)],
    ['invalid_parameter_value', 'invalid_request_error', 400, 'to', send(() => ({ to: 'nobody' }))],
    ['invalid_parameter_value', 'invalid_request_error', 400, 'text', send(() => ({ text: 'a\0b' }))],
    ['invalid_parameter_value', 'invalid_request_error', 400, 'attachments', send(() => ({ attachments: ['a', 'b'] }))],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'limit',
      get(() => withQuery('/v1/chats', { from: LINE, limit: 'x' })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'cursor',
      get(() => withQuery('/v1/chats', { from: LINE, cursor: 'x' })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'type',
      post('/v1/reactions', () => ({ ...inChat(), message_id: things.message, type: 'hug' })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'state',
      post('/v1/typing', () => ({ ...inChat(), state: 'x' })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'events',
      post('/v1/webhooks', () => ({ from: LINE, url: HOOK, events: ['typing.started'] })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'url',
      post('/v1/webhooks', () => ({ from: LINE, url: 'https://169.254.169.254/x', events: ['message.sent'] })),
    ],
    [
      'invalid_parameter_value',
      'invalid_request_error',
      400,
      'audio_message',
      post('/v1/audio-messages', () => ({ ...inChat(), audio_message: things.file })),
    ],
    ['invalid_json', 'invalid_request_error', 400, undefined, () => raw('{')],
    ['empty_file', 'invalid_request_error', 400, undefined, () => upload(address, Buffer.alloc(0))],
    [
      'advanced_features_required',
      'invalid_request_error',
      400,
      'from',
      post('/v1/audio-messages', () => ({ from: SMS_LINE, to: PHONE, audio_message: things.audio })),
    ],
    [
      'sandbox_contact_mismatch',
      'invalid_request_error',
      400,
      'to',
      post('/v1/messages', () => ({ from: SANDBOX_LINE, to: NOBODY, text: 'Hi' })),
    ],
    ['contact_has_not_messaged', 'invalid_request_error', 403, 'to', send(() => ({ to: NOBODY }))],
    ['recipient_opted_out', 'invalid_request_error', 403, 'to', toOptedOut],
    ['line_not_found', 'not_found_error', 404, 'from', send(() => ({ from: '+15550109990' }))],
    ['chat_not_found', 'not_found_error', 404, 'to', send(() => ({ to: `cht_${NOTHING}` }))],
    ['chat_not_found', 'not_found_error', 404, 'to', get(() => withQuery('/v1/messages', { from: LINE, to: NOBODY }))],
    ['message_not_found', 'not_found_error', 404, 'reply_to', send(() => ({ reply_to: `msg_${NOTHING}` }))],
    [
      'message_not_found',
      'not_found_error',
      404,
      'message_id',
      get(() => withQuery('/v1/reactions', { message_id: 'x' })),
    ],
    [
      'outbox_item_not_found',
      'not_found_error',
      404,
      'id',
      get(() => withQuery('/v1/outbox', { id: `obx_${NOTHING}` })),
    ],
    [
      'webhook_not_found',
      'not_found_error',
      404,
      'id',
      () => test.call('DELETE', '/v1/webhooks', { id: `wh_${NOTHING}` }),
    ],
    ['file_not_found', 'not_found_error', 404, 'attachments', send(() => ({ attachments: [`file_${NOTHING}`] }))],
    [
      'file_not_found',
      'not_found_error',
      404,
      'audio_message',
      post('/v1/audio-messages', () => ({ ...inChat(), audio_message: `file_${NOTHING}` })),
    ],
    ['file_not_found', 'not_found_error', 404, 'id', get(() => withQuery('/v1/files', { id: `file_${NOTHING}` }))],
    [
      'rate_limit_exceeded',
      'rate_limit_error',
      429,
      undefined,
      get(
        () => '/v1/lines',
        () => things.spent,
      ),
    ],
    ['sandbox_quota_exceeded', 'rate_limit_error', 429, undefined, overQuota],
    ['route_not_found', 'not_found_error', 404, undefined, get(() => '/v1/nothing')],
    ['method_not_allowed', 'invalid_request_error', 405, undefined, () => test.call('PATCH', '/v1/lines', {})],
    ['payload_too_large', 'invalid_request_error', 413, undefined, send(() => ({ more: 'x'.repeat(300_000) }))],
    ['unsupported_media_type', 'invalid_request_error', 415, undefined, () => raw('x', 'text/plain')],
    ['idempotency_key_reused', 'invalid_request_error', 409, undefined, reused],
  ];

async function raw(payload: string, type = 'application/json'): Promise<Answer> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': type };
  const response = await test.server.app.inject({ method: 'POST', url: '/v1/messages', headers, payload });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
}

async function overQuota(): Promise<Answer> {
  const one = { from: SANDBOX_LINE, to: SANDBOX_PHONE, text: 'Hi' };
  for (let sent = 0; sent < 50; sent++) expectStatus(201, await test.call('POST', '/v1/messages', one));
  return test.call('POST', '/v1/messages', one);
}

async function toOptedOut(): Promise<Answer> {
  const settings = { opt_out_keywords: true };
  expectStatus(200, await test.call('PATCH', `/admin/v1/lines/${encodeURIComponent(LINE)}`, { settings }));
  await test.text('STOP', TIRED);
  return test.call('POST', '/v1/messages', { from: LINE, to: TIRED, text: 'Hi' });
}

async function reused(): Promise<Answer> {
  const headers = { 'idempotency-key': 'the same' };
  expectStatus(201, await test.call('POST', '/v1/messages', { ...inChat(), text: 'one' }, { headers }));
  return test.call('POST', '/v1/messages', { ...inChat(), text: 'two' }, { headers });
}

/** Refusals of the contract that only trouble or other tests can provoke, and where those stand. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  sandbox_requires_owner: 'No key belongs to no owner yet.',
  idempotency_key_in_progress: 'idempotency.test.ts',
  file_too_large: 'file-limits.test.ts',
  internal_error: 'http-app.test.ts',
  overloaded: 'http-admission.test.ts',
  bad_request: 'http-hostile.test.ts',
  headers_too_large: 'http-hostile.test.ts',
  uri_too_long: 'http-hostile.test.ts',
  request_timeout: 'http-hostile.test.ts',
  key_not_found: 'admin-keys.test.ts',
  device_not_found: 'admin-devices.test.ts',
  delivery_not_found: 'admin-deliveries.test.ts',
  webhook_inactive: 'admin-deliveries.test.ts',
  not_implemented: 'sendblue-around.test.ts',
};

describe('section 5: the refusal', () => {
  it.each(REFUSALS)('%s: %s, %i, %s', async (code, type, status, param, provoke) => {
    const answer = await provoke();
    expect(refusal(answer)).toEqual({ status, type, code, param });
    if (status === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('is in this table, or it is said where else it is tested', () => {
    const here = new Set<string>(REFUSALS.map(([code]) => code));
    const missing = Object.keys(ERRORS).filter((code) => !here.has(code) && !(code in ELSEWHERE));
    expect(missing).toEqual([]);
  });
});

describe('never', () => {
  it('is there a null where a field must be left out', async () => {
    const refused = await test.call('GET', '/v1/lines', undefined, { key: null });
    expect(refused.body['error']).not.toHaveProperty('param');
    const webhooks = await test.call('GET', withQuery('/v1/webhooks', { from: LINE }));
    for (const one of webhooks.body['data'] as Body[]) expect(one).not.toHaveProperty('secret');
    const receipt = await test.call('POST', '/v1/messages', { ...inChat(), text: 'Hi' });
    expect(receipt.body).not.toHaveProperty('created_at');
  });

  it('does DELETE /v1/webhooks answer 204', async () => {
    const { id } = await test.webhook(HOOK, ['line.status']);
    const answer = await test.call('DELETE', '/v1/webhooks', { id });
    expect([answer.status, answer.body]).toEqual([200, { id, deleted: true, request_id: expect.any(String) }]);
  });

  it('does GET /v1/files redirect otherwise than by 302 to an absolute address, whatever the Host', async () => {
    const path = withQuery('/v1/files', { id: things.file });
    const answer = await test.call('GET', path, undefined, { headers: { host: 'evil.example' } });
    expect(answer.status).toBe(302);
    expect(new URL(String(answer.headers['location'])).host).toBe(new URL(address).host);
  });

  it.each(['/v1/lines', '/v1/reactions', '/v1/typing', '/v1/receipts', '/v1/webhooks'])(
    'does %s page',
    async (path) => {
      const query = { ...inChat(), message_id: things.message, limit: '1' };
      const { body } = expectStatus(200, await test.call('GET', withQuery(path, query)));
      expect([body['has_more'], body['next_cursor']]).toEqual([false, null]);
    },
  );

  it('is a webhook told of what it did not ask for', async () => {
    const { id } = await test.webhook(HOOK, ['message.received']);
    await test.settled(await test.send('Not for it'));
    const { engine } = test.server;
    const rows = await engine.query
      .selectFrom('deliveries')
      .innerJoin('events', 'events.seq', 'deliveries.event_seq')
      .innerJoin('webhooks', 'webhooks.ref', 'deliveries.webhook_ref')
      .select('events.type')
      .where('webhooks.id', '=', id)
      .execute();
    expect(rows).toEqual([]);
  });
});
