/** What a key may spend in an hour, in one process and in several, and who else is limited. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILED_ATTEMPTS_PER_MINUTE } from '../src/access/failed-attempts.ts';
import { startRateLimits } from '../src/access/rate-limits.ts';
import { createLog } from '../src/log.ts';
import type { Writer } from '../src/store/writer.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { type Answer, createHome, ENGINES, startTestServer, type TestServer } from './harness.ts';
import { addKey, expected, refusal } from './tenancy.ts';

const HOUR_MS = 3_600_000;
/** Twenty minutes into an hour. */
const TWENTY_PAST = 1_750_000_000_000 - (1_750_000_000_000 % HOUR_MS) + 20 * 60_000;

const KEYLESS = { scopes: new Set<never>(), lineRefs: null, expiresAt: null, keyId: 'key_0', keyHash: '' };
const NOBODY = { accountRef: 0, keyRef: 999, accountId: 'acc_0', accountEmail: '', ...KEYLESS };

const look = (test: TestServer, key: string, path = '/v1/lines') => test.call('GET', path, undefined, { key });

function headers(answer: Answer) {
  return ['limit', 'remaining', 'reset'].map((name) => Number(answer.headers[`ratelimit-${name}`]));
}

describe.each(ENGINES)('the rate limit on %s', (engine) => {
  it('lets an hour of requests be spent at once, says what is left, then 429 with Retry-After', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer(engine, { clock });
    const key = await addKey(test, { rateLimitPerHour: 3 });
    const answers = [await look(test, key), await look(test, key), await look(test, key), await look(test, key)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map((answer) => headers(answer).slice(0, 2))).toEqual([
      [3, 2],
      [3, 1],
      [3, 0],
      [3, 0],
    ]);
    const last = answers[3] as Answer;
    expect(refusal(last)).toEqual(expected('rate_limit_exceeded'));
    expect(last.headers['retry-after']).toMatch(/^\d+$/);
    expect(Number(last.headers['retry-after'])).toBe(headers(last)[2]);
    expect(Math.abs(Number(last.headers['retry-after']) - 40 * 60)).toBeLessThan(60);
    await test.stop();
  });

  it('is per key, and starts anew when Retry-After is over', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer(engine, { clock });
    const [key, neighbour] = [await addKey(test, { rateLimitPerHour: 1 }), await addKey(test, { rateLimitPerHour: 1 })];
    await look(test, key);
    const refused = await look(test, key);
    expect([refused.status, (await look(test, neighbour)).status]).toEqual([429, 200]);
    await clock.advance(Number(refused.headers['retry-after']) * 1_000);
    expect((await look(test, key)).status).toBe(200);
    await test.stop();
  });

  it('counts refusals of what the key asked for, and not what the operator and the phones do', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer(engine, { clock });
    const key = await addKey(test, { rateLimitPerHour: 2 });
    const phones = '/simulator/v1/phones/%2B15550109999/messages';
    for (let time = 0; time < 4; time++) expect((await look(test, key, phones)).status).toBe(200);
    expect(headers(await look(test, key, phones)).slice(0, 2)).toEqual([2, 2]);
    expect((await look(test, key, '/v1/outbox?id=obx_0')).status).toBe(404);
    expect((await look(test, key, '/v1/messages?from=x')).status).toBe(400);
    expect((await look(test, key)).status).toBe(429);
    expect((await look(test, key, phones)).status).toBe(200);
    await test.stop();
  });

  it('survives a restart', async () => {
    const home = await createHome(engine);
    const clock = createFakeClock(TWENTY_PAST);
    const first = await startTestServer(engine, { home, clock });
    const key = await addKey(first, { rateLimitPerHour: 3 });
    await look(first, key);
    await look(first, key);
    await first.stop();
    const second = await startTestServer(engine, { home, clock });
    expect(headers(await look(second, key)).slice(0, 2)).toEqual([3, 0]);
    expect((await look(second, key)).status).toBe(429);
    await second.stop();
    await home.remove();
  });

  it('notes when a key was last used, once a minute at most', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer(engine, { clock });
    const key = await addKey(test);
    const lastUse = async () => {
      await clock.advance(1_100);
      await test.server.writer.idle();
      const query = test.server.engine.query.selectFrom('api_keys').select('last_used_at').orderBy('ref', 'desc');
      return (await query.executeTakeFirstOrThrow()).last_used_at;
    };
    expect(await lastUse()).toBeNull();
    await look(test, key);
    const first = Number(await lastUse());
    expect(Math.abs(first - clock.now())).toBeLessThan(10_000);
    await look(test, key);
    expect(await lastUse()).toBe(first);
    await clock.advance(61_000);
    await look(test, key);
    expect(Number(await lastUse())).toBeGreaterThan(first + 60_000);
    await test.stop();
  });
});

describe('the rate limit of several processes', () => {
  it('is one: after a second each knows what the others counted', async () => {
    const home = await createHome('postgres');
    const clock = createFakeClock(TWENTY_PAST);
    const one = await startTestServer('postgres', { home, clock });
    const other = await startTestServer('postgres', { home, clock, environment: { TRUNKLINE_ROLES: 'api' } });
    const key = await addKey(one, { rateLimitPerHour: 10 });
    for (let time = 0; time < 4; time++) {
      expect((await look(one, key)).status).toBe(200);
      expect((await look(other, key)).status).toBe(200);
    }
    await clock.advance(1_100);
    await Promise.all([one.server.writer.idle(), other.server.writer.idle()]);
    // Each adds its own and reads the sum back: one of them wrote before the other.
    expect((await look(one, key)).status).toBe(200);
    expect((await look(other, key)).status).toBe(200);
    await clock.advance(1_100);
    await Promise.all([one.server.writer.idle(), other.server.writer.idle()]);
    const statuses = [await look(one, key), await look(other, key), await look(one, key), await look(other, key)];
    expect(statuses.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(statuses.at(-1)?.status).toBe(429);
    await one.stop();
    await other.stop();
    await home.remove();
  });
});

describe('75: for any pattern of arrivals', () => {
  it('no hour admits more than the limit, and who heeds Retry-After is admitted', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer('sqlite', { clock });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(HOUR_MS), { maxLength: 25 }),
        async (limit, gaps) => {
          const key = await addKey(test, { rateLimitPerHour: limit });
          const admitted = new Map<number, number>();
          for (const gap of gaps) {
            await passTime(clock, gap);
            const hour = Math.floor(clock.now() / HOUR_MS);
            const answer = await look(test, key);
            if (answer.status === 200) admitted.set(hour, (admitted.get(hour) ?? 0) + 1);
            else {
              await passTime(clock, Number(answer.headers['retry-after']) * 1_000);
              expect((await look(test, key)).status).toBe(200);
              const next = Math.floor(clock.now() / HOUR_MS);
              admitted.set(next, (admitted.get(next) ?? 0) + 1);
            }
          }
          for (const count of admitted.values()) expect(count).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 10 },
    );
    await test.stop();
  });
});

/** A wall clock that moves: the timers of an hour would take long to run. */
async function passTime(clock: FakeClock, ms: number): Promise<void> {
  clock.jump(ms);
  await clock.advance(1_100);
}

describe('wrong keys', () => {
  it('are limited per address, without holding up a right one', async () => {
    const test = await startTestServer('sqlite');
    const wrong = () => test.call('GET', '/v1/lines', undefined, { key: 'sk_live_wrong' });
    const statuses = new Map<number, number>();
    for (let time = 0; time < FAILED_ATTEMPTS_PER_MINUTE + 5; time++) {
      const { status } = await wrong();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [401, FAILED_ATTEMPTS_PER_MINUTE],
      [429, 5],
    ]);
    const refused = await wrong();
    expect(refusal(refused)).toEqual(expected('rate_limit_exceeded'));
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d?$/);
    expect((await test.call('GET', '/v1/lines')).status).toBe(200);
    const elsewhere = await test.server.app.inject({ path: '/v1/lines', remoteAddress: '192.0.2.7' });
    expect(elsewhere.statusCode).toBe(401);
    await test.stop();
  });
});

describe('while what was counted is being written', () => {
  it('it still counts', async () => {
    const clock = createFakeClock(TWENTY_PAST);
    const test = await startTestServer('sqlite');
    let finish: (total: number) => void = () => undefined;
    const writing = new Promise<number>((resolve) => {
      finish = resolve;
    });
    const writer = { ...test.server.writer, write: () => writing } as unknown as Writer;
    const limits = startRateLimits({ engine: test.server.engine, writer, clock, log: createLog('silent', false) });
    const caller = { ...NOBODY, rateLimitPerHour: 1 };
    const first = await limits.spend(caller);
    await clock.advance(1_000);
    const during = await limits.spend(caller);
    finish(1);
    await clock.advance(1);
    const after = await limits.spend(caller);
    expect([first.isOver, during.isOver, after.isOver]).toEqual([false, true, true]);
    await limits.stop();
    await test.stop();
  });
});
