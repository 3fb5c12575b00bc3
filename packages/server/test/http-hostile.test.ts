/** Clients that mean no good, or know no better: what they send is answered as documented, and others are served. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../src/http/http-limits.ts';
import { KEY, LINE, PHONE, startTestServer, type TestServer } from './harness.ts';
import { head, openRawClient, type RawAnswer, type RawClient, whole } from './raw-client.ts';
import { expected, refusal } from './tenancy.ts';

const MESSAGE = JSON.stringify({ from: LINE, to: PHONE, text: 'Hello' });
const JSON_TYPE = 'Content-Type: application/json';

let test: TestServer;
let address: string;

beforeEach(async () => {
  test = await startTestServer('sqlite');
  address = (await test.server.listen()) ?? '';
});
afterEach(() => test.stop());

async function sent(...parts: readonly (string | Buffer)[]): Promise<RawClient> {
  const client = await openRawClient(address);
  for (const part of parts) client.write(part);
  return client;
}

const only = async (client: RawClient): Promise<RawAnswer> => {
  const [answer, ...more] = await client.answers(1);
  if (answer === undefined || more.length > 0) throw new Error(`Not one answer: ${client.heard()}`);
  return answer;
};

async function expectServed(): Promise<void> {
  const client = await sent(whole('/v1/lines'));
  expect((await only(client)).status).toBe(200);
  client.socket.destroy();
}

async function expectRefusedAndClosed(client: RawClient, code: string): Promise<void> {
  const answer = await only(client);
  expect(refusal(answer)).toEqual(expected(code));
  expect(answer.headers['connection']).toBe('close');
  await client.closed;
  expect(await client.answers(1)).toHaveLength(1);
  await expectServed();
}

describe('request smuggling', () => {
  const smuggled = whole('/v1/lines');

  it.each([
    ['two lengths', head([JSON_TYPE, 'Content-Length: 5', 'Content-Length: 6'])],
    ['two equal lengths', head([JSON_TYPE, 'Content-Length: 5', 'Content-Length: 5'])],
    ['a length and chunks', head([JSON_TYPE, 'Content-Length: 5', 'Transfer-Encoding: chunked'])],
    ['chunks and a length', head([JSON_TYPE, 'Transfer-Encoding: chunked', 'Content-Length: 5'])],
    ['chunks that are not last', head([JSON_TYPE, 'Transfer-Encoding: chunked, gzip'])],
    ['a length that is no number', head([JSON_TYPE, 'Content-Length: +5'])],
    ['a negative length', head([JSON_TYPE, 'Content-Length: -5'])],
    ['a space before a colon', head([JSON_TYPE, 'Content-Length : 5'])],
    ['a bare line feed after a header', head(['X-A: b\nX-C: d'])],
    ['a bare line feed after the request line', 'GET /v1/lines HTTP/1.1\nHost: localhost\r\n\r\n'],
    ['a bare carriage return in a header', head(['X-A: b\rX-C: d'])],
    ['a folded header', head(['X-A: b\r\n c'])],
    ['a folded length', head([JSON_TYPE, 'Content-Length:\r\n 5'])],
    ['a NUL in a header', head(['X-A: b\0c'])],
    ['a NUL in a header name', head(['X-\0A: b'])],
    ['a NUL in the path', head([], 'GET /v1/\0lines HTTP/1.1')],
    ['a method that is none', head([], 'STEAL /v1/lines HTTP/1.1')],
    ['a version that is none', head([], 'GET /v1/lines HTTP/9.9')],
    ['bytes that are no request', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('by %s is refused with 400 and the connection closed', async (_name, bytes) => {
    await expectRefusedAndClosed(await sent(bytes + smuggled), 'bad_request');
  });

  it('by a request without a host is refused', async () => {
    const answer = await only(await sent('GET /v1/lines HTTP/1.1\r\n\r\n'));
    expect(refusal(answer)).toEqual(expected('bad_request'));
  });

  it.each([
    ['a size that is no number', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a chunk longer than it says', '3\r\nhello\r\n0\r\n\r\n'],
    ['a bare line feed after a size', '5\nhello\r\n0\r\n\r\n'],
  ])('by %s in chunks is refused and the connection closed', async (_name, body) => {
    const bytes = head([JSON_TYPE, 'Transfer-Encoding: chunked']);
    await expectRefusedAndClosed(await sent(bytes + body + smuggled), 'bad_request');
  });

  it('does not cut into the answers to whole requests that came before it', async () => {
    const post = head([JSON_TYPE, `Content-Length: ${MESSAGE.length}`]) + MESSAGE;
    const client = await sent(`${post}${whole('/v1/lines')}GARBAGE\r\n\r\n${whole('/v1/lines')}`);
    const answers = await client.answers(3);
    expect(answers.map((answer) => answer.status)).toEqual([201, 200, 400]);
    await client.closed;
  });

  it('finds nothing in a body: what follows it is the next request, answered second', async () => {
    const disguised = JSON.stringify({ from: LINE, to: PHONE, text: whole('/v1/webhooks') });
    const post = head([JSON_TYPE, `Content-Length: ${disguised.length}`]) + disguised;
    const client = await sent(post + whole('/v1/lines'));
    expect((await client.answers(2)).map((answer) => answer.status)).toEqual([201, 200]);
    client.socket.destroy();
  });
});

describe('pipelined requests', () => {
  it('are answered in the order of their coming', async () => {
    const paths = Array.from({ length: 40 }, (_, index) =>
      ['/v1/lines', '/healthz', `/v1/messages/msg_${index}`, '/nowhere', '/readyz'].at(index % 5),
    );
    const client = await sent(paths.map((path) => whole(path ?? '')).join(''));
    const answers = await client.answers(paths.length);
    expect(answers.map((answer) => answer.status)).toEqual(
      paths.map((_, index) => [200, 200, 404, 404, 200][index % 5]),
    );
    expect(new Set(answers.map((answer) => answer.body['request_id'])).size).toBe(paths.length);
    client.socket.destroy();
  });
});

describe('what is too large', () => {
  const limit = HTTP_LIMITS.bodyMaxBytes;
  const padded = (bytes: number) => MESSAGE.replace('Hello', `Hello${' '.repeat(bytes - MESSAGE.length)}`);
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const chunked = head([JSON_TYPE, 'Transfer-Encoding: chunked']);

  it('is not a body of the limit', async () => {
    const body = JSON.stringify({ from: LINE, to: PHONE, text: 'Hello', padding: '' });
    const full = body.replace('""', `"${'x'.repeat(limit - body.length)}"`);
    const answer = await only(await sent(head([JSON_TYPE, `Content-Length: ${limit}`]), full));
    expect([full.length, answer.status]).toEqual([limit, 201]);
  });

  it('is a body of one byte more, with its length said or in chunks', async () => {
    const full = padded(limit + 1);
    await expectRefusedAndClosed(
      await sent(head([JSON_TYPE, `Content-Length: ${limit + 1}`]), full),
      'payload_too_large',
    );
    await expectRefusedAndClosed(await sent(chunked, chunk(full), '0\r\n\r\n'), 'payload_too_large');
  });

  it('is a length that is only said, refused before a byte of it has come', async () => {
    const client = await sent(head([JSON_TYPE, 'Content-Length: 99999999999']));
    await expectRefusedAndClosed(client, 'payload_too_large');
  });

  it('is an endless body in chunks, which is not read to its end', async () => {
    const client = await sent(chunked);
    const piece = chunk('x'.repeat(64 * 1024));
    for (let pieces = 0; pieces < 200 && !client.isClosed(); pieces++) {
      client.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(refusal(await only(client))).toEqual(expected('payload_too_large'));
    await client.closed;
    expect(client.socket.bytesRead).toBeLessThan(10_000);
    await expectServed();
  });

  it('is a chunk extension of a megabyte', async () => {
    const client = await sent(chunked, `5;${'x'.repeat(1024 * 1024)}\r\nhello\r\n0\r\n\r\n`);
    await expectRefusedAndClosed(client, 'payload_too_large');
  });

  it('is a header of a megabyte, and a thousand headers of a kilobyte', async () => {
    await expectRefusedAndClosed(await sent(head([`X-A: ${'x'.repeat(1024 * 1024)}`])), 'headers_too_large');
    const lines = Array.from({ length: 1_000 }, (_, index) => `X-${index}: ${'x'.repeat(1_000)}`);
    await expectRefusedAndClosed(await sent(head(lines)), 'headers_too_large');
  });

  it('is a path and query over 8 KB, by one byte', async () => {
    const path = (bytes: number) => `/v1/chats?from=${'x'.repeat(bytes - '/v1/chats?from='.length)}`;
    const long = await only(await sent(whole(path(HTTP_LIMITS.urlMaxBytes + 1))));
    expect(refusal(long)).toEqual(expected('uri_too_long'));
    const fits = await only(await sent(whole(path(HTTP_LIMITS.urlMaxBytes))));
    expect(refusal(fits)).toEqual(expected('invalid_parameter_value', 'from'));
  });
});

describe('a length that lies', () => {
  it('by being too short cuts the body, and what is left over is no request', async () => {
    await expectRefusedAndClosed(await sent(head([JSON_TYPE, 'Content-Length: 10']) + MESSAGE), 'invalid_json');
    const client = await sent(`${head([JSON_TYPE, 'Content-Length: 2'])}{}${MESSAGE}\r\n`);
    const answers = await client.answers(2);
    expect(answers.map(refusal)).toEqual([expected('missing_required_parameter', 'from'), expected('bad_request')]);
    await client.closed;
  });

  it('by being too long keeps the message unsent when its client hangs up', async () => {
    const client = await sent(head([JSON_TYPE, 'Content-Length: 5000']) + MESSAGE);
    client.socket.end();
    await client.closed;
    await expectServed();
    const sentItems = await test.server.engine.query.selectFrom('outbox').selectAll().execute();
    expect(sentItems).toEqual([]);
  });
});

describe('bodies that strain', () => {
  const post = (payload: string, more: Readonly<Record<string, string>> = {}) =>
    test.server.app.inject({
      method: 'POST',
      url: '/v1/messages',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...more },
      payload,
    });
  const deep = (levels: number) => `{"x":${'['.repeat(levels)}${']'.repeat(levels)},${MESSAGE.slice(1)}`;
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":1`).join();

  it.each([
    ['100,000 keys', `{${keys(100_000)}}`, 413],
    ['20,000 keys that fit', `{${keys(20_000)},${MESSAGE.slice(1)}`, 201],
    ['arrays 10,000 deep', deep(10_000), 201],
    ['objects 10,000 deep', `{"x":${'{"x":'.repeat(10_000)}1${'}'.repeat(10_000)},${MESSAGE.slice(1)}`, 201],
    ['arrays 120,000 deep in a field', `{"from":${'['.repeat(120_000)}${']'.repeat(120_000)}}`, 400],
    ['brackets that never close', '['.repeat(200_000), 400],
  ])('by %s are answered as documented', async (_name, payload, status) => {
    const { statusCode } = await post(payload);
    expect(statusCode).toBe(status);
  });

  it.each([
    ['127 arrays in an object', deep(127), 201],
    ['128 arrays in an object', deep(128), 400],
    ['10,000 arrays', deep(10_000), 400],
    ['120,000 arrays', deep(120_000), 400],
    ['brackets within a text', MESSAGE.replace('Hello', `${'['.repeat(5_000)}\\\\ \\" ${'{'.repeat(5_000)}`), 201],
  ])('by %s, with an Idempotency-Key, are compared or refused', async (name, payload, status) => {
    const { statusCode } = await post(payload, { 'idempotency-key': name.replaceAll(/[ ,]/g, '-') });
    expect(statusCode).toBe(status);
  });

  it('leave the memory as it was', async () => {
    const strain = async (times: number) => {
      for (let time = 0; time < times; time++) {
        await post(`{"from":${'['.repeat(120_000)}${']'.repeat(120_000)}}`);
        await post(`{${keys(20_000)}}`);
      }
      return process.memoryUsage().rss;
    };
    const before = await strain(20);
    expect((await strain(100)) - before).toBeLessThan(150 * 1024 * 1024);
  });
});
