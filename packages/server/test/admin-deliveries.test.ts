/** Deliveries as an operator sees them, and sends them again: one, or all that did not arrive. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createHome, ENGINES, expectStatus, type Home, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, hangs, isSigned, type Receiver, startReceiver } from './receiver.ts';

interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly [key: string]: unknown;
}

const POLL_MS = 1_100;
const HOUR_MS = 3_600_000;

describe.each(ENGINES)('an operator of deliveries on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let receiver: Receiver;
  let webhook: { id: string; secret: string };

  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    test = await startTestServer(engine, { clock, home });
    receiver = await startReceiver();
    webhook = await test.webhook(receiver.url, ['message.received']);
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  const get = async (path: string) => expectStatus(200, await test.call('GET', `/admin/v1${path}`)).body;
  const listed = async (query = '') => (await get(`/deliveries?${query}`))['data'] as Delivery[];
  const attemptsOf = async (id: string) =>
    (await get(`/deliveries/${id}/attempts`))['data'] as Record<string, unknown>[];
  const post = (path: string, body?: unknown) => test.call('POST', `/admin/v1${path}`, body);
  const passUntil = <T>(check: () => Promise<T | undefined> | T | undefined, what: string) =>
    waitFor(async () => {
      await clock.advance(20);
      return check();
    }, what);
  const pass = async (ms: number) => {
    clock.jump(ms);
    await clock.advance(POLL_MS);
  };
  /** Texts come in, and all deliveries get to that state. */
  const deliver = async (texts: readonly string[], state: string) => {
    for (const text of texts) await test.text(text);
    return passUntil(async () => {
      const all = await listed(`limit=100`);
      return all.length > 0 && all.every((one) => one.state === state) ? all : undefined;
    }, `all to be ${state}`);
  };
  const becomes = (id: string, state: string, attempts: number) =>
    passUntil(async () => {
      const one = (await get(`/deliveries/${id}`)) as Delivery;
      return one.state === state && one.attempts === attempts ? one : undefined;
    }, `${id} to be ${state} with ${attempts} attempts`);
  /** By twelve failures in a row, without waiting for them. */
  const giveUp = async () => {
    await test.server.engine.query.updateTable('deliveries').set({ state: 'failed', due_at: 0 }).execute();
  };

  it('sees a delivery with the body that was sent, and each attempt with what came back', async () => {
    receiver.behave(answers(500));
    const [one] = await deliver(['Hello'], 'retry');
    const { id } = one as Delivery;
    expect(one).toMatchObject({
      ...{ webhook_id: webhook.id, event: 'message.received', attempts: 1, last_status: 500, resent_at: null },
      ...{ last_error: 'The receiver answered 500.', next_attempt_at: expect.any(Number) },
    });
    receiver.behave(answers(204));
    await pass(10_000);
    const done = await becomes(id, 'delivered', 2);
    expect(done['next_attempt_at']).toBeNull();
    expect(done['body']).toEqual(JSON.parse(receiver.received.at(-1)?.body ?? ''));
    expect(await attemptsOf(id)).toMatchObject([
      { attempt: 1, status: 500, error: 'The receiver answered 500.', answer: 'noted' },
      { attempt: 2, status: 204, error: null, answer: null },
    ]);
    const first = await get(`/deliveries/${id}/attempts?limit=1`);
    expect(first).toMatchObject({ data: [{ attempt: 1 }], has_more: true });
    const second = await get(`/deliveries/${id}/attempts?limit=1&cursor=${String(first['next_cursor'])}`);
    expect(second).toMatchObject({ data: [{ attempt: 2 }], has_more: false });
  });

  it('sends one again that has arrived: the same id, signed anew, and the attempts are counted on', async () => {
    const [one] = await deliver(['Hello'], 'delivered');
    const { id } = one as Delivery;
    await pass(HOUR_MS);
    const answer = expectStatus(200, await post(`/deliveries/${id}/resend`)).body;
    expect(answer).toMatchObject({ id, state: 'retry', attempts: 1 });
    await becomes(id, 'delivered', 2);
    const [first, again] = receiver.received;
    if (!first || !again) throw new Error('Both came.');
    expect(again.headers['x-webhook-delivery-id']).toBe(id);
    expect(isSigned(again, webhook.secret)).toBe(true);
    expect(Number(again.headers['x-webhook-timestamp'])).toBeGreaterThan(Number(first.headers['x-webhook-timestamp']));
    expect(again.data).toEqual(first.data);
    expect((await attemptsOf(id)).map((each) => [each['attempt'], each['status']])).toEqual([
      [1, 200],
      [2, 200],
    ]);
    receiver.behave(answers(500));
    expectStatus(200, await post(`/deliveries/${id}/resend`));
    await becomes(id, 'retry', 3);
    receiver.behave(answers(200));
    await pass(3 * 60_000);
    await becomes(id, 'delivered', 4);
    expect((await attemptsOf(id)).map((each) => each['status'])).toEqual([200, 200, 500, 200]);
  });

  it('sends one again that had failed for good, once for each time that it is asked to', async () => {
    receiver.behave(answers(500));
    const [one] = await deliver(['Hello'], 'retry');
    const { id } = one as Delivery;
    for (const [count, wait] of [3e4, 6e4, 2e5, 9e5, 3e6, 1e7, 3e7, 5e7, 8e7, 1e8, 1.2e8].entries()) {
      await pass(wait);
      await becomes(id, count === 10 ? 'failed' : 'retry', count + 2);
    }
    expectStatus(200, await post(`/deliveries/${id}/resend`));
    await becomes(id, 'failed', 13);
    receiver.behave(answers(200));
    expectStatus(200, await post(`/deliveries/${id}/resend`));
    await becomes(id, 'delivered', 14);
    expect(await attemptsOf(id)).toHaveLength(14);
  });

  it('sends one again once for an Idempotency-Key, with a body of no fields or with none', async () => {
    const [one] = await deliver(['Hello'], 'delivered');
    const path = `/admin/v1/deliveries/${String(one?.id)}/resend`;
    const options = { headers: { 'idempotency-key': 'once' } };
    const first = expectStatus(200, await test.call('POST', path, undefined, options));
    const again = expectStatus(200, await test.call('POST', path, {}, options));
    expect(again.body).toEqual(first.body);
    await becomes(String(one?.id), 'delivered', 2);
    const bulk = `/admin/v1/webhooks/${webhook.id}/resend`;
    const all = { since: 0, state: 'all' };
    expect((await test.call('POST', bulk, all, options)).body).toMatchObject({ resent: 1 });
    expect((await test.call('POST', bulk, all, options)).headers['idempotent-replayed']).toBe('true');
    await becomes(String(one?.id), 'delivered', 3);
    expect(receiver.received).toHaveLength(3);
  });

  it('sends what waits for its retry at once', async () => {
    receiver.behave(answers(503, { 'retry-after': '120' }));
    const [one] = await deliver(['Hello'], 'retry');
    receiver.behave(answers(200));
    expectStatus(200, await post(`/deliveries/${String(one?.id)}/resend`));
    await becomes(String(one?.id), 'delivered', 2);
  });

  it('sends what did not arrive since some time, and leaves the rest alone', async () => {
    const [early] = await deliver(['Arrives'], 'delivered');
    receiver.behave(answers(500));
    await test.text('Too old');
    await passUntil(async () => ((await listed('state=retry')).length === 1 ? true : undefined), 'the old one');
    await giveUp();
    await test.server.engine.query
      .updateTable('deliveries')
      .set({ state: 'delivered' })
      .where('id', '=', String(early?.id))
      .execute();
    await pass(2 * HOUR_MS);
    const since = clock.now();
    for (const text of ['One', 'Two', 'Three']) await test.text(text);
    await passUntil(async () => ((await listed('state=retry')).length === 3 ? true : undefined), 'the failures');
    await test.server.engine.query
      .updateTable('deliveries')
      .set({ state: 'failed', due_at: 0 })
      .where('state', '=', 'retry')
      .execute();
    const before = receiver.received.length;
    receiver.behave(answers(200));
    const answer = expectStatus(200, await post(`/webhooks/${webhook.id}/resend`, { since }));
    expect(answer.body).toMatchObject({ webhook_id: webhook.id, resent: 3 });
    await passUntil(async () => ((await listed('state=delivered')).length === 4 ? true : undefined), 'the three');
    const again = receiver.received.slice(before).map((one) => one.data['text']);
    expect(again.toSorted()).toEqual(['One', 'Three', 'Two']);
    expect((await listed('state=failed')).map((one) => one.attempts)).toEqual([1]);
    expect((await post(`/webhooks/${webhook.id}/resend`, { since, state: 'failed' })).body).toMatchObject({
      resent: 0,
    });
    expect((await post(`/webhooks/${webhook.id}/resend`, { since, state: 'all' })).body).toMatchObject({ resent: 3 });
    await passUntil(() => (receiver.received.length === before + 6 ? true : undefined), 'all of them again');
  });

  it('sends what was dropped once the webhook is active again, and is told to make it so', async () => {
    receiver.behave(answers(500));
    const [one] = await deliver(['Dropped'], 'retry');
    const id = String(one?.id);
    expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${webhook.id}`, { is_active: false }));
    const refused = [
      await post(`/deliveries/${id}/resend`),
      await post(`/webhooks/${webhook.id}/resend`, { since: 0 }),
    ];
    for (const { status, body } of refused) {
      expect({ status, error: body['error'] }).toMatchObject({ status: 409, error: { code: 'webhook_inactive' } });
    }
    receiver.behave(answers(200));
    expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${webhook.id}`, { is_active: true }));
    const answer = await post(`/webhooks/${webhook.id}/resend`, { since: 0 });
    expect(answer.body).toMatchObject({ resent: 1 });
    await becomes(id, 'delivered', 2);
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id: webhook.id }));
    expect((await post(`/deliveries/${id}/resend`)).status).toBe(409);
    expect((await post(`/webhooks/${webhook.id}/resend`, { since: 0 })).status).toBe(404);
    expect((await listed()).map((each) => each.id)).toEqual([id]);
  });

  it('sends what was dropped before its first attempt had ended', async () => {
    receiver.behave(hangs);
    await test.text('Hangs');
    await passUntil(() => receiver.received[0], 'the attempt');
    const [one] = await listed();
    const id = String(one?.id);
    const asked = async (is_active: boolean) =>
      expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${webhook.id}`, { is_active }));
    await asked(false);
    await asked(true);
    receiver.behave(answers(200));
    expectStatus(200, await post(`/deliveries/${id}/resend`));
    await passUntil(async () => ((await get(`/deliveries/${id}`))['state'] === 'delivered' ? true : undefined), 'it');
    expect(receiver.received.length).toBe(2);
  });

  it('pages through deliveries while more arrive, each once, and finds them by state, event and time', async () => {
    const other = await test.webhook(receiver.url, ['message.received', 'message.sent']);
    for (let index = 0; index < 5; index++) await test.text(`${index}`);
    await test.settled(await test.send('Own'));
    const all = await passUntil(async () => {
      const rows = await listed('limit=100&state=delivered');
      return rows.length === 11 ? rows : undefined;
    }, 'all deliveries');
    for (const limit of [1, 3, 4]) {
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const page = await get(`/deliveries?limit=${limit}${cursor}`);
        seen.push(...(page['data'] as Delivery[]).map((one) => one.id));
        if (limit === 4) await test.text('Later');
        if (page['next_cursor'] === null) break;
        cursor = `&cursor=${String(page['next_cursor'])}`;
      }
      expect(seen).toEqual(all.map((one) => one.id));
      if (limit === 4) expect((await listed('limit=100')).length).toBeGreaterThan(11);
    }
    const ofOther = await listed(`webhook=${other.id}&event=message.sent`);
    expect(ofOther).toMatchObject([{ webhook_id: other.id, event: 'message.sent' }]);
    expect(await listed('event=message.sent')).toEqual(ofOther);
    expect(await listed(`since=${clock.now() + HOUR_MS}`)).toEqual([]);
    expect(await listed('state=dropped')).toEqual([]);
    expect((await listed(`webhook=${webhook.id}&limit=2`)).map((one) => one['webhook_id'])).toEqual([
      webhook.id,
      webhook.id,
    ]);
    const { next_cursor: cursor } = await get('/deliveries?limit=1');
    const elsewhere = await test.call('GET', `/admin/v1/deliveries?limit=1&state=failed&cursor=${String(cursor)}`);
    expect(elsewhere).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
  });

  it.each([
    ['/deliveries?state=lost', 'state'],
    ['/deliveries?event=no.event', 'event'],
    ['/deliveries?since=yesterday', 'since'],
  ])('%s is refused', async (path, param) => {
    expect(await test.call('GET', `/admin/v1${path}`)).toMatchObject({ status: 400, body: { error: { param } } });
  });
});

describe('a delivery that is sent again', () => {
  /** Counts the attempts that are under way at the same time, for each delivery. */
  async function watchfulReceiver(answerAfterMs: number) {
    const underWay = new Map<string, number>();
    const seen = { most: 0 };
    const receiver = await startReceiver((response, one) => {
      const id = String(one.headers['x-webhook-delivery-id']);
      const now = (underWay.get(id) ?? 0) + 1;
      underWay.set(id, now);
      seen.most = Math.max(seen.most, now);
      setTimeout(() => {
        underWay.set(id, (underWay.get(id) ?? 1) - 1);
        response.writeHead(200).end();
      }, answerAfterMs);
    });
    return { receiver, seen };
  }

  it('from two processes at once, again and again, is never under way twice', async () => {
    const home = await createHome('postgres');
    const { receiver, seen } = await watchfulReceiver(60);
    const [one, two] = [await startTestServer('postgres', { home }), await startTestServer('postgres', { home })];
    const webhook = await one.webhook(receiver.url, ['message.received']);
    for (const text of ['One', 'Two', 'Three']) await one.text(text);
    const deliveries = async () => (await one.call('GET', '/admin/v1/deliveries')).body['data'] as Delivery[];
    const settled = (attempts: number) =>
      waitFor(async () => {
        const all = await deliveries();
        const isOver = all.length === 3 && all.every((each) => each.state === 'delivered' && each.attempts >= attempts);
        return isOver ? all : undefined;
      }, `all to be delivered with ${attempts} attempts`);
    const ids = (await settled(1)).map((each) => each.id);
    for (let round = 0; round < 12; round++) {
      const asked = ids.flatMap((id) => [
        one.call('POST', `/admin/v1/deliveries/${id}/resend`),
        two.call('POST', `/admin/v1/deliveries/${id}/resend`),
      ]);
      const body = { since: 0, state: 'all' };
      asked.push(two.call('POST', `/admin/v1/webhooks/${webhook.id}/resend`, body));
      for (const answer of await Promise.all(asked)) expectStatus(200, answer);
      await new Promise((resolve) => setTimeout(resolve, round * 10));
    }
    const all = await settled(2);
    expect(seen.most).toBe(1);
    for (const each of all) {
      const attempts = (await one.call('GET', `/admin/v1/deliveries/${each.id}/attempts?limit=100`)).body['data'];
      const posted = receiver.received.filter((got) => got.headers['x-webhook-delivery-id'] === each.id);
      expect(attempts).toHaveLength(each.attempts);
      expect(posted).toHaveLength(each.attempts);
    }
    await two.stop();
    await one.stop();
    await receiver.close();
    await home.remove();
  });
});
