/** Webhooks as their operator sees and changes them: listed, switched off and on, moved, and their end explained. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { ENGINES, expectStatus, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, hangs, type Receiver, startReceiver } from './receiver.ts';
import { addLine, SECOND_LINE } from './tenancy.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 1_100;
const REAL_PAUSE_MS = 500;
const CUT_OFF_AFTER_MS = 3_500;
const ATTEMPT_MAX_MS = 14_000;

describe.each(ENGINES)('an operator of webhooks on %s', (engine) => {
  let clock: FakeClock;
  let test: TestServer;
  let receiver: Receiver;
  let id: string;

  beforeEach(async () => {
    clock = createFakeClock();
    test = await startTestServer(engine, { clock });
    receiver = await startReceiver();
    ({ id } = await test.webhook(receiver.url, ['message.received']));
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
  });

  const get = async (path = `/admin/v1/webhooks/${id}`) => expectStatus(200, await test.call('GET', path)).body;
  const patch = (body: unknown, of = id) => test.call('PATCH', `/admin/v1/webhooks/${of}`, body);
  const pass = async (ms: number) => {
    clock.jump(ms);
    await clock.advance(POLL_MS);
  };
  const passUntil = <T>(check: () => Promise<T | undefined> | T | undefined, what: string) =>
    waitFor(async () => {
      await clock.advance(20);
      return check();
    }, what);
  const states = async () =>
    (await test.server.engine.query.selectFrom('deliveries').select('state').orderBy('event_seq').execute()).map(
      (row) => row.state,
    );
  const arrived = (count: number, at = receiver) =>
    passUntil(() => (at.received.length >= count ? true : undefined), `${count} deliveries`);

  it('sees each with its line, its state and its newest delivery, and no secret', async () => {
    expect(await get()).toMatchObject({
      ...{ id, url: receiver.url, events: ['message.received'], is_active: true, line_handle: LINE },
      ...{ disabled_reason: null, failing_since: null, previous_secret_ends_at: null, newest_delivery: null },
    });
    await test.text('Hello');
    const { newest_delivery: newest } = await passUntil(async () => {
      const shown = await get();
      return (shown['newest_delivery'] as { state: string } | null)?.state === 'delivered' ? shown : undefined;
    }, 'the delivery');
    expect(newest).toMatchObject({ id: expect.stringMatching(/^dlv_/), last_status: 200, last_error: null });
    expect(JSON.stringify([await get(), await get('/admin/v1/webhooks')])).not.toContain('whsec_');
  });

  it('pages through all of the account, newest first, or through those of one line', async () => {
    const { id: second } = await test.webhook(receiver.url);
    const { id: third } = await test.webhook(receiver.url);
    const first = await get('/admin/v1/webhooks?limit=2');
    expect((first['data'] as { id: string }[]).map((one) => one.id)).toEqual([third, second]);
    expect(first['has_more']).toBe(true);
    const rest = await get(`/admin/v1/webhooks?limit=2&cursor=${String(first['next_cursor'])}`);
    expect(rest).toMatchObject({ data: [{ id }], has_more: false, next_cursor: null });
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id: second }));
    const ofLine = await get(`/admin/v1/webhooks?line=${encodeURIComponent(LINE)}`);
    expect((ofLine['data'] as { id: string }[]).map((one) => one.id)).toEqual([third, id]);
    expect((await test.call('GET', `/admin/v1/webhooks/${second}`)).status).toBe(404);
    const wrong = await test.call('GET', `/admin/v1/webhooks?limit=3&line=ln_x&cursor=${String(first['next_cursor'])}`);
    expect(wrong.status).toBe(404);
  });

  it('learns why a webhook ended by itself', async () => {
    receiver.behave(answers(410));
    await test.text('Gone');
    const shown = await passUntil(async () => {
      const one = await get();
      return one['is_active'] === false ? one : undefined;
    }, 'the end');
    expect(shown['disabled_reason']).toBe('The receiver answered 410 Gone.');
    expect(shown['newest_delivery']).toMatchObject({ state: 'failed', last_status: 410 });
  });

  it('learns since when it fails, and that five days were too long', async () => {
    receiver.behave(answers(500));
    await test.text('Day 0');
    await passUntil(async () => ((await get())['failing_since'] === null ? undefined : true), 'the first failure');
    await pass(5.1 * DAY_MS);
    await passUntil(async () => ((await get())['is_active'] === false ? true : undefined), 'the end');
    expect((await get())['disabled_reason']).toBe('Nothing was delivered for five days.');
  });

  it('switches it off, which drops what is due, and on again, which begins anew', async () => {
    receiver.behave(answers(500));
    await test.text('Waits');
    await passUntil(async () => ((await states())[0] === 'retry' ? true : undefined), 'the failure');
    const off = expectStatus(200, await patch({ is_active: false })).body;
    expect(off).toMatchObject({ is_active: false, disabled_reason: 'It was switched off.' });
    expect(await states()).toEqual(['dropped']);
    await test.text('While it was off');
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(1);
    receiver.behave(answers(200));
    const on = expectStatus(200, await patch({ is_active: true })).body;
    expect(on).toMatchObject({ is_active: true, disabled_reason: null, failing_since: null });
    await test.text('After that');
    await arrived(2);
    expect(receiver.received.map((one) => one.data['text'])).toEqual(['Waits', 'After that']);
    await passUntil(async () => ((await states()).includes('delivered') ? true : undefined), 'the delivery');
    expect(await states()).toEqual(['dropped', 'delivered']);
  });

  it('moves it to another place while an attempt is under way, which ends where it began', async () => {
    let answer = () => undefined as unknown;
    receiver.behave((response) => {
      answer = () => response.writeHead(200).end();
    });
    await test.text('Before', '+15550107001');
    await arrived(1);
    const other = await startReceiver();
    expectStatus(200, await patch({ url: other.url, events: ['message.received', 'message.sent'] }));
    for (let turn = 0; turn < 10; turn++) await clock.advance(20);
    await test.text('After', '+15550107002');
    await arrived(1, other);
    answer();
    await passUntil(
      async () => ((await states()).every((one) => one === 'delivered') ? true : undefined),
      'both deliveries',
    );
    expect(receiver.received.map((one) => one.data['text'])).toEqual(['Before']);
    expect(other.received.map((one) => one.data['text'])).toEqual(['After']);
    await test.settled(await test.send('Own'));
    await arrived(2, other);
    expect(other.received.map((one) => one.event)).toEqual(['message.received', 'message.sent']);
    await other.close();
  });

  it('stops within its time although an attempt hangs at a place that the webhook has left', async () => {
    receiver.behave(hangs);
    await test.text('Hangs');
    await arrived(1);
    const other = await startReceiver();
    expectStatus(200, await patch({ url: other.url }));
    for (let turn = 0; turn < 10; turn++) await clock.advance(20);
    const stopping = test.stop();
    let isOver = false;
    void stopping.finally(() => {
      isOver = true;
    });
    // What the stop does in real time comes first: until it waits for nothing but the attempt.
    await new Promise((resolve) => setTimeout(resolve, REAL_PAUSE_MS));
    await clock.advance(CUT_OFF_AFTER_MS);
    let passed = CUT_OFF_AFTER_MS;
    await waitFor(async () => {
      await clock.advance(1);
      passed++;
      return isOver || undefined;
    }, 'the stop');
    await stopping;
    expect(passed).toBeLessThan(ATTEMPT_MAX_MS);
    await other.close();
    test = await startTestServer(engine);
  });

  it('is refused a URL that may not be called, an unknown event, and a webhook of a removed line', async () => {
    const paramOf = async (answer: ReturnType<typeof patch>) => {
      const { status, body } = await answer;
      return [status, (body['error'] as { param?: string } | undefined)?.param];
    };
    expect(await paramOf(patch({ url: 'http://169.254.169.254/latest' }))).toEqual([400, 'url']);
    expect(await paramOf(patch({ events: ['typing.started'] }))).toEqual([400, 'events']);
    expect(await get()).toMatchObject({ url: receiver.url, events: ['message.received'] });
    await addLine(test, SECOND_LINE);
    const made = await test.call('POST', '/v1/webhooks', {
      from: SECOND_LINE,
      url: receiver.url,
      events: ['message.sent'],
    });
    const { id: lost } = expectStatus(201, made).body as { id: string };
    expectStatus(200, await test.call('DELETE', `/admin/v1/lines/${encodeURIComponent(SECOND_LINE)}`));
    expect(await paramOf(patch({ is_active: true }, lost))).toEqual([400, 'is_active']);
    expect(await get(`/admin/v1/webhooks/${lost}`)).toMatchObject({
      ...{ is_active: false, disabled_reason: 'Its line was removed.' },
    });
  });
});
