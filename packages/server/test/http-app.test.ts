/** What the HTTP server itself answers: faults of ours, health, and requests that never reach a route. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../src/clock.ts';
import { createIds } from '../src/domain/ids.ts';
import { type AppDeps, createApp } from '../src/http/app.ts';
import type { HealthChecks } from '../src/http/health.ts';
import { type Result, route } from '../src/http/route.ts';
import type { Log } from '../src/log.ts';
import { StorageUnavailableError } from '../src/store/database.ts';
import { WriterOverloadedError } from '../src/store/writer.ts';

const NEVER_SHOWN = 'select * from secrets at /srv/store.ts';
const THING = {
  name: 'getThing',
  summary: 'Gives a thing.',
  answer: null,
  method: 'GET',
  path: '/v1/thing',
  scope: 'lines:read',
} as const;
const apps: ReturnType<typeof createApp>[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** An app with one route, and whatever was logged. */
function appWith(handle: () => Promise<Result>, health: Partial<HealthChecks> = {}) {
  const logged: unknown[] = [];
  const note = (...entry: unknown[]) => void logged.push(entry);
  const log = { debug: note, info: note, warn: note, error: note, fatal: note } as unknown as Log;
  const scopes = new Set(['lines:read'] as const);
  const key = {
    rateLimitPerHour: 10,
    expiresAt: null,
    keyId: 'key_1',
    accountId: 'acc_0',
    accountEmail: '',
    keyHash: '',
  };
  const caller = { accountRef: 1, keyRef: 1, scopes, lineRefs: null, ...key };
  const authenticator = { authenticate: async () => caller, recheck: async () => caller, close: () => undefined };
  const query = z.object({ q: z.string().optional() });
  const routes = [route({ ...THING, query, handle })];
  const checks = { database: async () => undefined, roles: ['api'], isStopping: () => false, ...health };
  const allowance = () => ({ limit: 10, remaining: 10, resetSeconds: 1, isOver: false });
  const rateLimits = { spend: allowance, look: allowance, stop: async () => undefined };
  const doors = { authenticator, rateLimits, failedAttempts: { note: () => null } };
  // What only a POST needs.
  const repeats = { lostAnswers: { goesOn: () => undefined } } as unknown as Pick<
    AppDeps,
    'engine' | 'writer' | 'secrets' | 'lostAnswers' | 'blobs' | 'links'
  >;
  const app = createApp({
    ...doors,
    ...repeats,
    clock: systemClock,
    ids: createIds(Date.now, randomBytes),
    log,
    routes,
    health: checks,
    queuedWrites: () => 0,
    fileLimitMb: 1,
  });
  apps.push(app);
  return { app, logged };
}

describe('a fault of ours', () => {
  it('is 500 without a word of what went wrong, which the log has with the request id', async () => {
    const { app, logged } = appWith(() => Promise.reject(new Error(NEVER_SHOWN)));
    const answer = await app.inject('/v1/thing?q=private');
    const body = answer.json();
    expect(answer.statusCode).toBe(500);
    expect(body).toEqual({
      error: { type: 'api_error', code: 'internal_error', message: expect.not.stringContaining('secrets') },
      request_id: answer.headers['x-request-id'],
    });
    expect(answer.body).not.toContain('store.ts');
    expect(logged).toEqual([
      [expect.objectContaining({ request: body.request_id, route: '/v1/thing' }), expect.any(String)],
    ]);
    expect(JSON.stringify(logged)).not.toContain('private');
  });

  it.each([
    ['a database that is away', new StorageUnavailableError(new Error(NEVER_SHOWN))],
    ['a queue that is full', new WriterOverloadedError()],
  ])('is 503 with Retry-After for %s', async (_name, error) => {
    const { app } = appWith(() => Promise.reject(error));
    const answer = await app.inject('/v1/thing');
    expect(answer.statusCode).toBe(503);
    expect(answer.json().error).toMatchObject({ type: 'api_error', code: 'overloaded' });
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).not.toContain('secrets');
  });
});

describe('/readyz', () => {
  const nothing = async () => ({});

  it.each([
    ['the database answers', {}, 200, { status: 'ready', database: 'ok' }],
    [
      'the database does not answer',
      { database: () => Promise.reject(new Error(NEVER_SHOWN)) },
      503,
      { status: 'not_ready', database: 'unavailable' },
    ],
    ['the process stops', { isStopping: () => true }, 503, { status: 'stopping', database: 'ok' }],
  ])('while %s', async (_name, health, status, body) => {
    const { app } = appWith(nothing, health);
    const answer = await app.inject('/readyz');
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ ...body, roles: ['api'], request_id: answer.headers['x-request-id'] });
    expect((await app.inject('/healthz')).json()).toMatchObject({ status: 'ok' });
  });
});

describe('a request that is no HTTP', () => {
  it.each([
    ['garbage', 'HELO example.com\r\n\r\n'],
    ['two lengths', 'POST /v1/thing HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    ['a header of a megabyte', `GET /v1/thing HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n`],
  ])('is refused and its connection closed: %s', async (_name, bytes) => {
    const { app } = appWith(async () => ({ ok: true }));
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(received));
    });
    expect(text).toMatch(/^(HTTP\/1\.1 4(00|31) |$)/);
    expect((await app.inject('/v1/thing')).statusCode).toBe(200);
  });
});
