/** What browsers of other origins may call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, startTestServer, type TestServer } from './harness.ts';

const ORIGIN = 'https://app.example';

describe('CORS', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer('sqlite');
  });
  afterAll(() => test.stop());

  const inject = (method: 'GET' | 'OPTIONS' | 'POST', path: string, headers: Record<string, string> = {}) =>
    test.server.app.inject({ method, path, headers: { origin: ORIGIN, ...headers } });
  const list = (header: unknown) =>
    String(header)
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .sort();

  it.each(['/v1/messages', '/v1/webhooks', '/v1/events', '/v1/nowhere'])(
    'a preflight of %s answers 204',
    async (path) => {
      const answer = await inject('OPTIONS', path, {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, idempotency-key',
      });
      expect(answer.statusCode).toBe(204);
      expect(answer.body).toBe('');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(list(answer.headers['access-control-allow-methods'])).toEqual(['delete', 'get', 'options', 'post']);
      expect(list(answer.headers['access-control-allow-headers'])).toEqual(
        ['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'x-filename'].sort(),
      );
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(answer.headers['x-request-id']).toMatch(/^req_/);
    },
  );

  it.each([
    ['an answer', '/v1/lines', KEY, 200],
    ['a refusal', '/v1/lines', 'sk_live_wrong', 401],
    ['a route that is not there', '/v1/nowhere', KEY, 404],
  ])('a page may read %s and its headers', async (_what, path, key, status) => {
    const answer = await inject('GET', path, { authorization: `Bearer ${key}` });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(list(answer.headers['access-control-expose-headers'])).toEqual([
      'idempotent-replayed',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'retry-after',
      'x-event-cursor',
      'x-request-id',
    ]);
  });

  it('a page may read the stream', async () => {
    await test.server.app.listen({ host: '127.0.0.1', port: 0 });
    const address = test.server.app.server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const abort = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      headers: { origin: ORIGIN, authorization: `Bearer ${KEY}` },
      signal: abort.signal,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('ratelimit-limit')).toMatch(/^\d+$/);
    abort.abort();
  });

  it.each(['/simulator/v1/messages', '/healthz', '/readyz', '/admin/v1/keys', '/'])(
    '%s is for no other origin',
    async (path) => {
      for (const method of ['OPTIONS', 'GET', 'POST'] as const) {
        const answer = await inject(method, path, { 'access-control-request-method': 'POST' });
        const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
        expect([method, answer.statusCode, names]).toEqual([method, expect.any(Number), []]);
      }
    },
  );
});
