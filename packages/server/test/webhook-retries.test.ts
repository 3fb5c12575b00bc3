/** Attempts after the first: when, how often, how they are signed, and that a restart forgets none of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RETRY_WAITS_MS } from '../src/webhooks/retry-schedule.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createHome, ENGINES, type Home, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, type Behaviour, isSigned, type Receiver, startReceiver } from './receiver.ts';

/** What wakes a retry looks at least this often. */
const POLL_MS = 1_100;
const RANDOM = 0.75;
const FACTOR = 1.1;

describe.each(ENGINES)('retries on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let receiver: Receiver;
  let secret: string;

  const start = () => startTestServer(engine, { clock, home, random: () => RANDOM });
  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    test = await start();
    receiver = await startReceiver(answers(500));
    ({ secret } = await test.webhook(receiver.url, ['message.received']));
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  const delivery = () => test.server.engine.query.selectFrom('deliveries').selectAll().executeTakeFirstOrThrow();
  const attempts = () => test.server.engine.query.selectFrom('attempts').selectAll().orderBy('attempt').execute();

  /** Moves on, a little at a time, until that many attempts were made and the last is written down. */
  const attempted = (count: number) =>
    waitFor(async () => {
      await clock.advance(50);
      const row = await delivery();
      return row.attempts >= count ? row : undefined;
    }, `attempt ${count}`);

  /** Puts the wall clock at the moment, and lets what is due then be seen. */
  async function at(moment: number): Promise<void> {
    clock.jump(moment - clock.now());
    await clock.advance(POLL_MS);
  }

  it('follow the schedule to the twelfth attempt, each signed anew under the same id, and then it has failed', async () => {
    await test.text('Hello');
    for (const [index, wait] of RETRY_WAITS_MS.entries()) {
      const row = await attempted(index + 1);
      expect(row).toMatchObject({ state: 'retry', attempts: index + 1, last_status: 500 });
      // The wait counts from the end of the attempt; by this clock an attempt takes next to nothing.
      const waited = row.due_at - Number(row.last_attempt_at) - Math.round(wait * FACTOR);
      expect(waited).toBeGreaterThanOrEqual(0);
      expect(waited).toBeLessThan(1_000);
      await at(row.due_at - POLL_MS - 500);
      expect(receiver.received).toHaveLength(index + 1);
      await at(row.due_at);
    }
    const row = await attempted(12);
    expect(row).toMatchObject({ state: 'failed', attempts: 12, due_at: 0 });
    await at(clock.now() + 48 * 60 * 60_000);
    expect(receiver.received).toHaveLength(12);

    expect((await attempts()).map((one) => one.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const timestamps = receiver.received.map((one) => Number(one.headers['x-webhook-timestamp']));
    expect(new Set(timestamps).size).toBe(12);
    expect(timestamps).toEqual(timestamps.toSorted((a, b) => a - b));
    expect((await attempts()).map((one) => one.started_at)).toEqual(timestamps);
    expect(Number(timestamps.at(-1)) - Number(timestamps[0])).toBeGreaterThan(75 * 60 * 60_000);
    expect(new Set(receiver.received.map((one) => one.headers['x-webhook-delivery-id']))).toEqual(new Set([row.id]));
    expect(new Set(receiver.received.map((one) => one.headers['x-webhook-signature'])).size).toBe(12);
    for (const one of receiver.received) {
      expect(isSigned(one, secret)).toBe(true);
      const body = JSON.parse(one.body) as Record<string, unknown>;
      expect(String(body['timestamp'])).toBe(one.headers['x-webhook-timestamp']);
      expect(body['delivery_id']).toBe(row.id);
      const { timestamp: _of, ...rest } = body;
      const { timestamp: _first, ...firstRest } = JSON.parse(receiver.received[0]?.body ?? '{}') as typeof body;
      expect(rest).toEqual(firstRest);
    }
  });

  const twoMinutesOn = (): string => new Date(clock.now() + 100_000).toUTCString();
  const WAITS: readonly (readonly [string, () => Behaviour, number, number])[] = [
    ['500', () => answers(500), 5_500, 6_500],
    ['429', () => answers(429), 60_000, 61_000],
    ['502', () => answers(502), 60_000, 61_000],
    ['504', () => answers(504), 60_000, 61_000],
    ['503 with Retry-After: 90', () => answers(503, { 'retry-after': '90' }), 90_000, 91_000],
    ['503 with Retry-After: 3600', () => answers(503, { 'retry-after': '3600' }), 120_000, 121_000],
    ['429 with Retry-After: 1', () => answers(429, { 'retry-after': '1' }), 60_000, 61_000],
    ['503 with a date', () => answers(503, { 'retry-after': twoMinutesOn() }), 98_000, 101_000],
    ['503 with garbage', () => answers(503, { 'retry-after': 'by 2099' }), 5_500, 6_500],
  ];
  for (const [name, behaviour, least, most] of engine === 'sqlite' ? WAITS : WAITS.slice(0, 1)) {
    it(`waits after ${name}`, async () => {
      receiver.behave(behaviour());
      await test.text('Hello');
      const row = await attempted(1);
      const wait = row.due_at - Number(row.last_attempt_at);
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThan(most);
    });
  }

  it('come a minute after a time-out at least, which ends an attempt after 15 s', async () => {
    receiver.behave(() => undefined);
    await test.text('Hello');
    await waitFor(async () => {
      await clock.advance(1);
      return receiver.received.length === 1 ? true : undefined;
    }, 'the attempt');
    await clock.advance(14_000);
    expect((await delivery()).state).toBe('new');
    const row = await attempted(1);
    expect(row).toMatchObject({ state: 'retry', last_status: null, last_error: 'No answer within 15 s.' });
    expect(Number(row.last_duration_ms)).toBeGreaterThanOrEqual(15_000);
    expect(Number(row.last_duration_ms)).toBeLessThan(15_200);
    expect(row.due_at - Number(row.last_attempt_at)).toBeGreaterThanOrEqual(75_000);
  });

  it('end with the first success, which is written down', async () => {
    await test.text('Hello');
    await at((await attempted(1)).due_at);
    await attempted(2);
    receiver.behave(answers(204));
    await at((await delivery()).due_at);
    const row = await attempted(3);
    expect(row).toMatchObject({ state: 'delivered', attempts: 3, last_status: 204, last_error: null, due_at: 0 });
    expect((await attempts()).map((one) => one.status)).toEqual([500, 500]);
    await at(clock.now() + 24 * 60 * 60_000);
    expect(receiver.received).toHaveLength(3);
  });

  it('survive a restart, as does a first attempt that was never made', async () => {
    await test.text('Before');
    const before = await attempted(1);
    await test.stop();
    receiver.behave(answers(200));
    test = await start();
    await clock.advance(POLL_MS);
    expect(receiver.received).toHaveLength(1);
    await at(before.due_at);
    const row = await attempted(2);
    expect(row).toMatchObject({ id: before.id, state: 'delivered', attempts: 2 });
    expect(receiver.received.map((one) => one.headers['x-webhook-delivery-id'])).toEqual([row.id, row.id]);
  });
});

describe('a delivery that was committed and not begun', () => {
  it('is made by the next process', async () => {
    const home = await createHome('sqlite');
    const receiver = await startReceiver();
    const api = await startTestServer('sqlite', { home, environment: { TRUNKLINE_ROLES: 'api,lines' } });
    const { secret } = await api.webhook(receiver.url);
    const { guid } = await api.text('Nobody delivers this yet');
    await api.stop();
    expect(receiver.received).toEqual([]);
    const next = await startTestServer('sqlite', { home });
    const one = await waitFor(() => receiver.received[0], 'the delivery');
    expect(one.data['guid']).toBe(guid);
    expect(isSigned(one, secret)).toBe(true);
    await next.stop();
    await receiver.close();
    await home.remove();
  });
});
