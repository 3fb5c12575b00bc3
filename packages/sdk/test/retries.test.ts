/** What the client does in bad hours: lost answers before the real server, and faults that a script plays. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answering,
  json,
  refusal,
  type ScriptedServer,
  startScriptedServer,
} from '../../cli/test/scripted-server.ts';
import { createAdminClient } from '../src/admin.ts';
import {
  ConnectionError,
  createClient,
  InvalidRequestError,
  type MessagesClient,
  MessagesError,
  RateLimitError,
  TimeoutError,
} from '../src/index.ts';
import { type LosingProxy, startLosingProxy } from './losing-proxy.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const SEND = { from: LINE, to: PHONE, text: 'Hello' };
const RECEIPT = { id: 'obx_1', status: 'pending', request_id: 'req_1' };
/** The first answers, one after another, and then the last for ever. */
const inTurn =
  (...answers: readonly Answering[]): Answering =>
  (response, asked, count) =>
    (answers[count - 1] ?? answers.at(-1) ?? refusal(500, 'internal_error'))(response, asked, count);
const cutOff: Answering = (response) => void response.destroy();
const silent: Answering = () => undefined;

describe('a lost answer', () => {
  let server: RealServer;
  let proxy: LosingProxy;
  beforeAll(async () => {
    server = await startRealServer();
    proxy = await startLosingProxy(server.url);
  });
  afterAll(async () => {
    await proxy.close();
    await server.remove();
  });

  it('is asked for again under the same key, and the phone has the message once', async () => {
    const client = createClient({ apiKey: KEY, baseUrl: proxy.url });
    proxy.lose(2);
    const item = await client.sendMessage({ ...SEND, text: 'Lost twice' });
    expect(proxy.keys).toHaveLength(3);
    expect(new Set(proxy.keys).size).toBe(1);
    await client.waitForOutbox(item.id);
    const phone = await createAdminClient({ apiKey: KEY, baseUrl: server.url }).simulator.listPhoneMessages({
      phone: PHONE,
    });
    expect(phone.data.filter((message) => message.text === 'Lost twice')).toHaveLength(1);
  });

  it('of a deletion is not taken for a thing that was never there', async () => {
    const client = createClient({ apiKey: KEY, baseUrl: proxy.url });
    const webhook = await client.createWebhook({ from: LINE, url: `${server.url}/hook`, events: ['message.sent'] });
    proxy.lose(1);
    expect(await client.deleteWebhook({ id: webhook.id })).toMatchObject({ id: webhook.id, deleted: true });
  });

  it('is a ConnectionError when the retries are used up', async () => {
    const client = createClient({ apiKey: KEY, baseUrl: proxy.url, maxRetries: 1 });
    proxy.lose(2);
    const error = await refusalOf(client.sendMessage(SEND));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ status: 0, code: 'connection_failed', name: 'ConnectionError' });
    expect(proxy.keys).toHaveLength(2);
  });
});

describe('a server in trouble', () => {
  let scripted: ScriptedServer;
  let client: MessagesClient;
  beforeAll(async () => {
    scripted = await startScriptedServer();
    client = createClient({ apiKey: KEY, baseUrl: scripted.url });
  });
  afterAll(() => scripted.close());
  beforeEach(() => scripted.behave(json(201, RECEIPT)));

  it.each([
    ['a cut connection', cutOff],
    ['500', refusal(500, 'internal_error')],
    ['502 that is no JSON', ((response) => void response.writeHead(502).end('<html>Bad gateway</html>')) as Answering],
    ['503', refusal(503, 'overloaded')],
    ['429 with its seconds', refusal(429, 'rate_limit_exceeded', { 'retry-after': '0' })],
    ['409 while the first is under way', refusal(409, 'idempotency_key_in_progress')],
  ])('%s is tried again, with one key over all attempts', async (_name, fault) => {
    scripted.behave(inTurn(fault, json(201, RECEIPT)));
    expect(await client.sendMessage(SEND)).toEqual({ id: 'obx_1', status: 'pending', requestId: 'req_1' });
    const keys = scripted.asked.map((one) => one.headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(scripted.asked[1]?.body).toBe(scripted.asked[0]?.body);
  });

  it.each([
    ['400', refusal(400, 'invalid_parameter_value')],
    ['409 of a key used otherwise', refusal(409, 'idempotency_key_reused')],
    ['413', refusal(413, 'payload_too_large')],
    ['what says that it should not be', refusal(500, 'internal_error', { 'x-should-retry': 'false' })],
  ])('%s is not tried again', async (_name, fault) => {
    scripted.behave(fault);
    await refusalOf(client.sendMessage(SEND));
    expect(scripted.asked).toHaveLength(1);
  });

  it('two calls have two keys', async () => {
    await client.sendMessage(SEND);
    await client.sendMessage(SEND);
    expect(scripted.asked[0]?.headers['idempotency-key']).not.toBe(scripted.asked[1]?.headers['idempotency-key']);
  });

  it('Retry-After is waited for, in seconds and as a date', async () => {
    const times: number[] = [];
    const noting =
      (answer: Answering): Answering =>
      (response, asked, count) => {
        times.push(performance.now());
        answer(response, asked, count);
      };
    const date = () => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000).toUTCString();
    const dated: Answering = (...all) => refusal(503, 'overloaded', { 'retry-after': date() })(...all);
    scripted.behave(
      inTurn(
        noting(refusal(429, 'rate_limit_exceeded', { 'retry-after': '1' })),
        noting(dated),
        noting(json(201, RECEIPT)),
      ),
    );
    await client.sendMessage(SEND);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThan(950);
    expect(third - second).toBeGreaterThan(950);
  });

  it('a Retry-After of an hour is not waited for, and the error says it', async () => {
    scripted.behave(refusal(429, 'sandbox_quota_exceeded', { 'retry-after': '3600' }));
    const error = await refusalOf(client.sendMessage(SEND));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ code: 'sandbox_quota_exceeded', retryAfterMs: 3_600_000 });
    expect(error.headers?.get('retry-after')).toBe('3600');
    expect(scripted.asked).toHaveLength(1);
  });

  it('after all retries the last code of the server is what is thrown', async () => {
    scripted.behave(
      inTurn(refusal(500, 'internal_error'), refusal(429, 'rate_limit_exceeded', { 'retry-after': '0' })),
    );
    const error = await refusalOf(client.sendMessage(SEND));
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', retryAfterMs: 0 });
    expect(scripted.asked).toHaveLength(3);
  });

  it.each([405, 409, 413, 415, 422, 431])('%s keeps its status', async (status) => {
    scripted.behave(refusal(status, 'some_code'));
    const error = await refusalOf(client.sendMessage(SEND));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({ status, code: 'some_code', name: 'InvalidRequestError' });
  });

  it('silence is a TimeoutError, after each attempt had its time', async () => {
    scripted.behave(silent);
    const error = await refusalOf(
      createClient({ apiKey: KEY, baseUrl: scripted.url, timeout: 100, maxRetries: 1 }).sendMessage(SEND),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ status: 0, code: 'timeout' });
    expect(scripted.asked).toHaveLength(2);
    const one = await refusalOf(client.listLines({ timeout: 50 }));
    expect(one).toBeInstanceOf(TimeoutError);
  });

  it('an answer that stops in the middle is tried again', async () => {
    const half: Answering = (response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"id": "obx_');
      setTimeout(() => response.destroy(), 20);
    };
    scripted.behave(inTurn(half, json(201, RECEIPT)));
    expect((await client.sendMessage(SEND)).id).toBe('obx_1');
  });

  it('an answer that is no JSON is an error with a short excerpt, and without the key', async () => {
    scripted.behave(
      (response, asked) =>
        void response
          .writeHead(200, { 'x-request-id': 'req_9' })
          .end(`<h1>${asked.headers.authorization}</h1>${'x'.repeat(9_000)}`),
    );
    const error = await refusalOf(client.listLines());
    expect(error).toBeInstanceOf(MessagesError);
    expect(error).toMatchObject({ status: 200, code: 'unexpected_answer', requestId: 'req_9' });
    expect(error.message).toContain('<h1>Bearer');
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).not.toContain(KEY);
  });

  it('a redirect is not followed, for a POST would arrive as a GET', async () => {
    scripted.behave((response) => void response.writeHead(301, { location: '/elsewhere' }).end());
    expect(await refusalOf(client.sendMessage(SEND))).toMatchObject({ status: 301, code: 'unexpected_redirect' });
    expect(scripted.asked).toHaveLength(1);
  });

  it('a signal ends a call at once: before it, under way, and between attempts', async () => {
    const reason = new Error('enough');
    await expect(client.listLines({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(scripted.asked).toHaveLength(0);

    scripted.behave(silent);
    const underWay = new AbortController();
    const call = client.sendMessage(SEND, { signal: underWay.signal });
    while (scripted.asked.length === 0) await sleep(5);
    underWay.abort(reason);
    await expect(call).rejects.toBe(reason);

    scripted.behave(refusal(503, 'overloaded', { 'retry-after': '30' }));
    const waiting = new AbortController();
    const later = client.sendMessage(SEND, { signal: waiting.signal });
    while (scripted.asked.length === 0) await sleep(5);
    await sleep(50);
    waiting.abort(reason);
    await expect(later).rejects.toBe(reason);
    expect(scripted.asked).toHaveLength(1);
  });

  it('a list that is whole is asked for once, whatever it says; a cursor that leads to itself is followed once', async () => {
    const page = { data: [{ id: 'ln_1' }], has_more: true, next_cursor: 'again', request_id: 'req_1' };
    scripted.behave(json(200, page));
    const countOf = async (list: AsyncIterable<unknown>): Promise<number> => {
      let count = 0;
      for await (const _item of list) count += 1;
      return count;
    };
    expect(await countOf(client.listLines())).toBe(1);
    expect(scripted.asked).toHaveLength(1);
    expect(await countOf(client.listChats({ from: LINE }))).toBe(2);
  });
});

describe('what a client is made with', () => {
  it('a base URL keeps its path, with and without a slash at its end', async () => {
    const scripted = await startScriptedServer();
    try {
      scripted.behave(json(200, { data: [], has_more: false, next_cursor: null, request_id: 'req_1' }));
      for (const end of ['', '/', '//']) {
        const client = createClient({ apiKey: KEY, baseUrl: `${scripted.url}/gateway/one${end}` });
        expect((await client.listChats({ from: LINE })).data).toEqual([]);
      }
      expect(scripted.asked.map((one) => one.path)).toEqual(
        Array.from({ length: 3 }, () => '/gateway/one/v1/chats?from=%2B15550100001'),
      );
    } finally {
      await scripted.close();
    }
  });

  it.each([
    ['no key', {}, 'missing_api_key'],
    ['an empty key', { apiKey: ' ' }, 'missing_api_key'],
    ['a key that no header can carry', { apiKey: 'sk_live_ü' }, 'invalid_api_key'],
    ['a base URL that is none', { apiKey: KEY, baseUrl: 'localhost:8080' }, 'invalid_base_url'],
    ['a password in the base URL', { apiKey: KEY, baseUrl: 'http://me:pass@localhost' }, 'invalid_base_url'],
    ['no time at all', { apiKey: KEY, timeout: 0 }, 'invalid_timeout'],
    ['half a retry', { apiKey: KEY, maxRetries: 0.5 }, 'invalid_max_retries'],
  ])('%s is refused at once', (_name, config, code) => {
    expect(() => createClient(config)).toThrow(expect.objectContaining({ code, type: 'configuration_error' }));
  });

  it('a fetch of its own is called as a browser wants it, and a key that no header can carry is never sent', async () => {
    const seen: unknown[] = [];
    async function own(this: unknown, input: unknown): Promise<Response> {
      seen.push(this, String(input));
      return Response.json(RECEIPT);
    }
    const client = createClient({ apiKey: KEY, baseUrl: 'https://example.com', fetch: own });
    expect((await client.sendMessage(SEND)).id).toBe('obx_1');
    expect(seen).toEqual([undefined, 'https://example.com/v1/messages']);
    const error = await refusalOf(client.sendMessage(SEND, { idempotencyKey: 'new\nline' }));
    expect(error).toMatchObject({ code: 'invalid_idempotency_key', status: 0 });
    expect(seen).toHaveLength(2);
  });

  it('the key and the address come from the environment where they are not given', async () => {
    const scripted = await startScriptedServer();
    const variables = ['MESSAGES_API_KEY', 'TRUNKLINE_API_KEY', 'TRUNKLINE_URL'] as const;
    const before = variables.map((name) => [name, process.env[name]] as const);
    try {
      scripted.behave(json(200, { data: [], has_more: false, next_cursor: null, request_id: 'req_1' }));
      process.env['TRUNKLINE_URL'] = scripted.url;
      process.env['TRUNKLINE_API_KEY'] = 'sk_live_second';
      expect((await createClient().listLines()).data).toEqual([]);
      process.env['MESSAGES_API_KEY'] = 'sk_live_first';
      expect((await createClient().listLines()).data).toEqual([]);
      expect((await createClient({ apiKey: 'sk_live_given' }).listLines()).data).toEqual([]);
      expect(scripted.asked.map((one) => one.headers.authorization)).toEqual([
        'Bearer sk_live_second',
        'Bearer sk_live_first',
        'Bearer sk_live_given',
      ]);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await scripted.close();
    }
  });
});
