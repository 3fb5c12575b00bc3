/** Sending again in the store: what a late result of an earlier attempt does to it, and how many at a time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AttemptResult, claimRetries, recordAttempts } from '../src/store/deliveries.ts';
import { readAttempts } from '../src/store/delivery-records.ts';
import { RESENDABLE, type ResentSome, resendDeliveries, resendDelivery } from '../src/store/resends.ts';
import { setWebhooks } from '../src/store/webhook-settings.ts';
import { createWebhooks, disableWebhooks } from '../src/store/webhooks.ts';
import { ENGINES } from './harness.ts';
import { inbound } from './sightings.ts';
import { openStage, type Stage } from './stage.ts';

const CLAIM_MS = 15_000;
const ID = 'wh_1';
const URL = 'http://127.0.0.1:9/';

describe.each(ENGINES)('deliveries that are sent again on %s', (engine) => {
  let stage: Stage;
  let webhookRef: number;

  beforeEach(async () => {
    stage = await openStage(engine);
    const { line, writer } = stage;
    await writer.write(createWebhooks, {
      ...{ id: ID, accountRef: line.accountRef, lineRef: line.ref, url: URL },
      ...{ events: ['message.received'], sealedSecret: 'sealed1:x', now: stage.now() },
    });
    const row = await stage.engine.query.selectFrom('webhooks').select('ref').executeTakeFirstOrThrow();
    webhookRef = row.ref;
  });
  afterEach(() => stage.close());

  const rows = () => stage.engine.query.selectFrom('deliveries').selectAll().orderBy('event_seq').execute();
  const only = async () => {
    const [row, ...more] = await rows();
    if (!row || more.length > 0) throw new Error('There is not one delivery.');
    return row;
  };
  const receive = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await stage.report([inbound(`guid ${index} ${stage.now()}`, { cursor: String(stage.now() + index) })]);
    }
  };
  const result = async (more: Partial<AttemptResult>): Promise<AttemptResult> => ({
    ...{ webhookRef, eventSeq: (await only()).event_seq, attempt: 1, isRetry: false, startedAt: stage.now() },
    ...{ durationMs: 1, status: 500, error: 'It answered 500.', answer: null, dueAt: stage.now() + 5_000 },
    ...more,
  });
  const record = async (more: Partial<AttemptResult>) => stage.writer.write(recordAttempts, await result(more));
  const resend = async () => {
    const { event_seq: eventSeq } = await only();
    return stage.writer.write(resendDelivery, { webhookRef, eventSeq, now: stage.now() });
  };
  const claim = () =>
    stage.writer.write(claimRetries, { webhookRef, now: stage.now(), until: stage.now() + CLAIM_MS, max: 10 });
  const setActive = (isActive: boolean) =>
    stage.writer.write(setWebhooks, { id: ID, accountRef: stage.line.accountRef, url: null, events: null, isActive });

  it("keep their claim when the lane's attempt from before they were dropped fails late", async () => {
    await receive(1);
    await setActive(false);
    expect((await only()).state).toBe('dropped');
    await setActive(true);
    expect(await resend()).toBe('resent');
    expect(await claim()).toMatchObject([{ attempts: 0, isRetry: true }]);
    const claimedUntil = (await only()).claimed_until;
    await record({});
    expect(await only()).toMatchObject({ state: 'retry', attempts: 1, claimed_until: claimedUntil });
    stage.pass(10_000);
    expect(await claim()).toEqual([]);
    await record({ isRetry: true, status: 200, error: null, dueAt: null });
    expect(await only()).toMatchObject({ state: 'delivered', attempts: 1, claimed_until: 0 });
  });

  it('keep the claim of an attempt that is under way, whatever is asked meanwhile', async () => {
    await receive(1);
    await record({ dueAt: stage.now() });
    expect(await claim()).toHaveLength(1);
    expect(await resend()).toBe('resent');
    expect(await claim()).toEqual([]);
    await setActive(false);
    await setActive(true);
    expect(await resend()).toBe('resent');
    expect(await claim()).toEqual([]);
    await record({ attempt: 2, isRetry: true, dueAt: stage.now() + 30_000 });
    expect(await only()).toMatchObject({ state: 'retry', attempts: 2, claimed_until: 0 });
    stage.pass(1);
    expect(await resend()).toBe('resent');
    expect(await claim()).toHaveLength(1);
  });

  it('count a failure that comes after they were dropped', async () => {
    await receive(1);
    await setActive(false);
    await record({});
    expect(await only()).toMatchObject({ state: 'dropped', attempts: 1 });
    await setActive(true);
    await resend();
    expect(await only()).toMatchObject({ state: 'retry', attempts: 1, due_at: stage.now() });
  });

  it('count on from the last attempt where a success of an earlier one came late', async () => {
    await receive(1);
    await record({ dueAt: stage.now() });
    await record({ attempt: 2, isRetry: true, dueAt: stage.now() });
    await record({ attempt: 1, status: 200, error: null, dueAt: null });
    expect(await only()).toMatchObject({ state: 'delivered', attempts: 1 });
    await resend();
    expect(await only()).toMatchObject({ state: 'retry', attempts: 2 });
    const { event_seq: eventSeq } = await only();
    expect((await readAttempts(stage.engine, { webhookRef, eventSeq }, 0, 10)).map((one) => one.attempt)).toEqual([
      1, 2,
    ]);
  });

  it('are so many at a time, from the newest to the oldest, and none of before', async () => {
    await receive(3);
    stage.pass(120_000);
    const since = stage.now();
    await receive(7);
    const done = { state: 'delivered', attempts: 1, last_attempt_at: since, last_duration_ms: 1, last_status: 200 };
    await stage.engine.query.updateTable('deliveries').set(done).execute();
    const step = { webhookRef, since, states: RESENDABLE, max: 3, now: stage.now() };
    const counts: number[] = [];
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
      const some: ResentSome = await stage.writer.write(resendDeliveries, { ...step, before });
      if (some === 'inactive') throw new Error('The webhook is active.');
      counts.push(some.count);
      before = some.next;
    }
    expect(counts).toEqual([3, 3, 1]);
    expect((await rows()).map((row) => row.state)).toEqual([
      ...Array<string>(3).fill('delivered'),
      ...Array<string>(7).fill('retry'),
    ]);
    const kept = await stage.engine.query.selectFrom('attempts').selectAll().execute();
    expect(kept).toHaveLength(7);
    expect(kept[0]).toMatchObject({ attempt: 1, status: 200, error: null });
  });

  it('are none of a webhook that was disabled, which a 410 from a place it has left does not do', async () => {
    await receive(1);
    const gone = (url: string) =>
      stage.writer.write(disableWebhooks, { ref: webhookRef, url, reason: 'The receiver answered 410 Gone.' });
    await gone('http://127.0.0.1:9/before');
    expect(await resend()).toBe('resent');
    expect((await only()).state).toBe('new');
    await gone(URL);
    expect(await resend()).toBe('inactive');
    const step = { webhookRef, before: 1_000, since: 0, states: RESENDABLE, max: 3, now: stage.now() };
    expect(await stage.writer.write(resendDeliveries, step)).toBe('inactive');
    expect((await only()).state).toBe('dropped');
  });
});
