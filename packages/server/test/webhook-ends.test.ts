/** How a webhook ends: gone by its receiver's word, given up after five days, deleted; and that its end is final. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  type Home,
  LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { answers, hangs, type Receiver, startReceiver } from './receiver.ts';

const DAY_MS = 24 * 60 * 60_000;
const POLL_MS = 1_100;

describe.each(ENGINES)('a webhook on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let receiver: Receiver;
  let id: string;

  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    test = await startTestServer(engine, { clock, home });
    receiver = await startReceiver();
    ({ id } = await test.webhook(receiver.url, ['message.received']));
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  const row = () =>
    test.server.engine.query.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const deliveries = () => test.server.engine.query.selectFrom('deliveries').selectAll().orderBy('event_seq').execute();
  const passUntil = <T>(check: () => Promise<T | undefined> | T | undefined, what: string) =>
    waitFor(async () => {
      await clock.advance(20);
      return check();
    }, what);
  /** A text comes in, and its delivery ends in that state. */
  const deliver = async (text: string, state: string) => {
    await test.text(text);
    return passUntil(async () => (await deliveries()).at(-1)?.state === state || undefined, `${text} to be ${state}`);
  };
  async function pass(ms: number): Promise<void> {
    clock.jump(ms);
    await clock.advance(POLL_MS);
  }
  const listed = async () => {
    const answer = await test.call('GET', `/v1/webhooks?from=${encodeURIComponent(LINE)}`);
    return (expectStatus(200, answer).body['data'] as { id: string; is_active: boolean }[]).find(
      (one) => one.id === id,
    );
  };

  it('that answers 410 is disabled at once, and gets nothing more', async () => {
    receiver.behave(answers(500));
    await deliver('Waits for its retry', 'retry');
    receiver.behave(answers(410));
    await deliver('Gone', 'failed');
    await passUntil(async () => ((await row()).is_active === 0 ? true : undefined), 'the webhook to be disabled');
    expect((await row()).disabled_reason).toMatch(/410.*\.$/);
    expect((await deliveries()).map((one) => one.state)).toEqual(['dropped', 'failed']);
    expect(await listed()).toMatchObject({ is_active: false });
    const count = receiver.received.length;
    await test.text('Never told');
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count);
    expect(await deliveries()).toHaveLength(2);
  });

  it('that fails for five days is disabled, and says so', async () => {
    receiver.behave(answers(500));
    await deliver('Day 0', 'retry');
    expect((await row()).failing_since).not.toBeNull();
    await pass(4.9 * DAY_MS);
    await deliver('Day 4.9', 'retry');
    expect((await row()).is_active).toBe(1);
    await pass(0.2 * DAY_MS);
    await test.text('Day 5.1');
    await passUntil(async () => ((await row()).is_active === 0 ? true : undefined), 'the webhook to be disabled');
    expect((await row()).disabled_reason).toMatch(/five days\.$/);
    expect(await listed()).toMatchObject({ is_active: false });
    const count = receiver.received.length;
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count);
  });

  it('that succeeds once in between is not', async () => {
    receiver.behave(answers(500));
    await deliver('Day 0', 'retry');
    await pass(4.9 * DAY_MS);
    receiver.behave(answers(200));
    await deliver('Day 4.9', 'delivered');
    await passUntil(async () => ((await row()).failing_since === null ? true : undefined), 'the failing to end');
    receiver.behave(answers(500));
    await pass(DAY_MS);
    await deliver('Day 5.9', 'retry');
    expect((await row()).is_active).toBe(1);
    expect(Number((await row()).failing_since)).toBeGreaterThan(clock.now() - DAY_MS);
  });

  it('remembers over a restart since when it fails', async () => {
    receiver.behave(answers(500));
    await deliver('Day 0', 'retry');
    const since = (await row()).failing_since;
    await test.stop();
    clock.jump(5.1 * DAY_MS);
    test = await startTestServer(engine, { clock, home });
    expect((await row()).failing_since).toBe(since);
    await passUntil(async () => ((await row()).is_active === 0 ? true : undefined), 'the webhook to be disabled');
  });

  it('that is deleted while it waits for a retry gets nothing more', async () => {
    receiver.behave(answers(500));
    await deliver('Hello', 'retry');
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id }));
    const count = receiver.received.length;
    await test.text('After its end');
    await pass(DAY_MS);
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count);
    expect((await deliveries()).map((one) => one.state)).toEqual(['dropped']);
    expect(await listed()).toBeUndefined();
  });

  it('that is deleted while an attempt hangs is asked for nothing more, however that attempt ends', async () => {
    receiver.behave(hangs);
    await test.text('First');
    await test.text('Second');
    await passUntil(() => (receiver.received.length >= 1 ? true : undefined), 'an attempt');
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id }));
    const count = receiver.received.length;
    await clock.advance(20_000);
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count);
    for (const one of await deliveries()) expect(one.state).toBe('dropped');
  });
});

describe('two processes on one PostgreSQL', () => {
  it('agree on since when a webhook fails: a success in one is a success in both', async () => {
    const clock = createFakeClock();
    const home = await createHome('postgres');
    const receiver = await startReceiver(answers(500));
    const one = await startTestServer('postgres', { clock, home });
    const { id } = await one.webhook(receiver.url, ['message.received']);
    const row = () =>
      one.server.engine.query.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const passUntil = (check: () => Promise<boolean>, what: string) =>
      waitFor(async () => {
        await clock.advance(20);
        return (await check()) || undefined;
      }, what);

    await one.text('Day 0');
    await passUntil(async () => (await row()).failing_since !== null, 'the first failure');
    // The second process has read that it fails. The first, whose lane it is, sees one success; the second sees none.
    const two = await startTestServer('postgres', { clock, home, environment: { TRUNKLINE_ROLES: 'worker' } });
    receiver.behave((response, got) => answers(got.data['text'] === 'Day 1' ? 200 : 500)(response, got));
    clock.jump(DAY_MS);
    await one.text('Day 1');
    const delivered = one.server.engine.query.selectFrom('deliveries').select('id').where('state', '=', 'delivered');
    await passUntil(async () => (await delivered.execute()).length === 1, 'the success');
    await one.stop();
    const tries = async () => {
      const { query } = two.server.engine;
      return (await query.selectFrom('attempts').select('attempt').execute()).length;
    };
    const count = await tries();
    clock.jump(4.5 * DAY_MS);
    await passUntil(async () => (await tries()) > count, 'another failure in the second process');
    // Time for a verdict that must not come.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await clock.advance(POLL_MS);
    const after = await two.server.engine.query.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow();
    expect(after).toMatchObject({ is_active: 1, disabled_reason: null });
    await two.stop();
    await receiver.close();
    await home.remove();
  });
});
