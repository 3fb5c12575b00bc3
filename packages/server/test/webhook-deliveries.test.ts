/** What a receiver gets, and what a receiver that misbehaves does to itself and to nobody else. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import {
  answers,
  type Behaviour,
  closesEarly,
  hangs,
  isSigned,
  isStandardSigned,
  type Received,
  type Receiver,
  startReceiver,
} from './receiver.ts';

/** Whoever waits for one that hangs waits two seconds for each event before its third, four in all. */
const PROMPTLY_MS = 3_500;

describe.each(ENGINES)('webhooks on %s', (engine) => {
  let test: TestServer;
  const receivers: Receiver[] = [];

  const receiver = async (behaviour?: Behaviour): Promise<Receiver> => {
    const one = await startReceiver(behaviour);
    receivers.push(one);
    return one;
  };
  beforeEach(async () => {
    test = await startTestServer(engine);
  });
  afterEach(async () => {
    for (const one of receivers.splice(0)) await one.close();
    await test.stop();
  });

  const deliveryOf = (id: unknown) =>
    test.server.engine.query
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', String(id))
      .executeTakeFirstOrThrow();
  const attemptsAt = () => test.server.engine.query.selectFrom('attempts').selectAll().execute();
  const received = (one: Receiver, count: number) =>
    waitFor(() => (one.received.length >= count ? one.received : undefined), `${count} deliveries`);
  const settled = (id: unknown, state: string) =>
    waitFor(async () => {
      const row = await deliveryOf(id);
      return row.state === state ? row : undefined;
    }, `the delivery to be ${state}`);

  it('deliver both directions, signed so that a few lines of node:crypto verify it', async () => {
    const healthy = await receiver();
    const { secret } = await test.webhook(healthy.url);
    const { guid, chatId } = await test.text('Ünïcode 😀 "quoted" \\ \u2028');
    const outboxId = await test.send('And out');
    const all = await received(healthy, 2);

    for (const one of all) {
      const timestamp = String(one.headers['x-webhook-timestamp']);
      const hmac = createHmac('sha256', Buffer.from(secret, 'utf8')).update(`${timestamp}.`).update(one.body, 'utf8');
      expect(one.headers['x-webhook-signature']).toBe(hmac.digest('hex'));
      expect(isSigned(one, `${secret}x`)).toBe(false);
      expect(isStandardSigned(one, secret)).toBe(true);
      expect(isStandardSigned(one, `whsec_${Buffer.alloc(32).toString('base64')}`)).toBe(false);
      expect(one.headers['webhook-id']).toBe(one.headers['x-webhook-delivery-id']);
      expect(one.headers['webhook-timestamp']).toBe(String(Math.floor(Number(timestamp) / 1_000)));
      const body = JSON.parse(one.body) as Record<string, unknown>;
      expect(Object.keys(body)).toEqual(['event', 'data', 'timestamp', 'delivery_id']);
      expect(String(body['timestamp'])).toBe(timestamp);
      expect(Math.abs(Number(timestamp) - Date.now())).toBeLessThan(10_000);
      expect(body['delivery_id']).toBe(one.headers['x-webhook-delivery-id']);
      expect(body['delivery_id']).toMatch(/^dlv_[0-9a-z]{26}$/);
      expect(one.headers['content-type']).toBe('application/json');
    }
    const [inbound, outbound] = [byEvent(all, 'message.received'), byEvent(all, 'message.sent')];
    const message = (await test.call('GET', `/v1/messages/${guid}`)).body;
    expect(inbound?.data).toEqual({ ...without(message, 'request_id'), line_handle: LINE });
    expect(inbound?.data).toMatchObject({ guid, chat_id: chatId, sender: PHONE, is_from_me: false });
    expect(outbound?.data).toMatchObject({ outbox_id: outboxId, sender: LINE, is_from_me: true, line_handle: LINE });
    const row = await settled(inbound?.headers['x-webhook-delivery-id'], 'delivered');
    expect(row).toMatchObject({ attempts: 1, last_status: 200, last_error: null });
    expect(await attemptsAt()).toEqual([]);
  });

  it('get only the events that they asked for, and only those of their line', async () => {
    const [sent, got] = [await receiver(), await receiver()];
    await test.webhook(sent.url, ['message.sent', 'reaction.added']);
    await test.webhook(got.url, ['message.received']);
    await test.text('In');
    await test.settled(await test.send('Out'));
    await Promise.all([received(sent, 1), received(got, 1)]);
    expect([sent, got].map((one) => one.received.map((each) => each.event))).toEqual([
      ['message.sent'],
      ['message.received'],
    ]);
  });

  /** One webhook misbehaves, another on the same line is healthy: what comes of each of three messages. */
  async function besideHealthy(behaviour: Behaviour): Promise<{ bad: Receiver; states: () => Promise<string[]> }> {
    const [bad, healthy] = [await receiver(behaviour), await receiver()];
    const { id } = await test.webhook(bad.url);
    await test.webhook(healthy.url);
    const startedAt = performance.now();
    for (const text of ['One', 'Two', 'Three']) await test.text(text);
    const all = await received(healthy, 3);
    expect(all.map((one) => one.data['text'])).toEqual(['One', 'Two', 'Three']);
    expect((all.at(-1)?.at ?? Number.POSITIVE_INFINITY) - startedAt).toBeLessThan(PROMPTLY_MS);
    const rows = test.server.engine.query
      .selectFrom('deliveries')
      .innerJoin('webhooks', 'webhooks.ref', 'deliveries.webhook_ref')
      .select(['deliveries.state', 'deliveries.event_seq'])
      .where('webhooks.id', '=', id)
      .orderBy('deliveries.event_seq');
    return { bad, states: async () => (await rows.execute()).map((row) => row.state) };
  }

  it('that hang hold up no other webhook, and their chat for a moment only', async () => {
    const { bad, states } = await besideHealthy(hangs);
    expect(await states()).toEqual(['new', 'new', 'new']);
    await received(bad, 2);
    expect(bad.received.slice(0, 2).map((one) => one.data['text'])).toEqual(['One', 'Two']);
    const gap = (bad.received[1]?.at ?? 0) - (bad.received[0]?.at ?? 0);
    expect(gap).toBeGreaterThan(1_900);
    expect(gap).toBeLessThan(4_000);
    expect(bad.open()).toBeGreaterThan(0);
  });

  it('that answer 500 hold up nobody, and every attempt is written down', async () => {
    const { bad, states } = await besideHealthy(answers(500));
    await waitFor(async () => ((await states()).every((state) => state === 'retry') ? true : undefined), 'retries');
    const row = await deliveryOf(bad.received[0]?.headers['x-webhook-delivery-id']);
    expect(row).toMatchObject({ attempts: 1, last_status: 500, last_error: 'The receiver answered 500.' });
    expect(row.due_at - Number(row.last_attempt_at)).toBeGreaterThanOrEqual(4_000);
    expect(row.due_at - Number(row.last_attempt_at)).toBeLessThanOrEqual(6_000 + 2_000);
    const attempt = (await attemptsAt()).find((one) => one.event_seq === row.event_seq);
    expect(attempt).toMatchObject({ attempt: 1, status: 500, answer: 'noted', error: 'The receiver answered 500.' });
    expect(attempt?.started_at).toBe(row.last_attempt_at);
  });

  it('that close early hold up nobody, and the attempt says so', async () => {
    const { states } = await besideHealthy(closesEarly);
    await waitFor(async () => ((await states()).every((state) => state === 'retry') ? true : undefined), 'retries');
    for (const attempt of await attemptsAt()) {
      expect(attempt).toMatchObject({
        status: null,
        answer: null,
        error: 'The receiver closed the connection before it answered.',
      });
    }
  });

  it('that redirect have failed, and the target is never asked', async () => {
    const target = await receiver();
    const { states } = await besideHealthy(answers(307, { location: target.url }));
    await waitFor(async () => ((await states()).every((state) => state === 'retry') ? true : undefined), 'retries');
    expect(target.received).toEqual([]);
    expect((await attemptsAt()).map((one) => one.status)).toEqual([307, 307, 307]);
  });

  it('on one origin are isolated: one path hangs, the other gets its events', async () => {
    const both = await receiver((response, one) => {
      if (one.path === '/good') response.end();
    });
    await test.webhook(both.url.replace('/hook', '/bad'));
    await test.webhook(both.url.replace('/hook', '/good'));
    const startedAt = performance.now();
    for (const phone of [1, 2, 3, 4]) await test.text('Hello', `+1555010730${phone}`);
    const good = () => both.received.filter((one) => one.path === '/good');
    await waitFor(() => (good().length === 4 ? true : undefined), 'the good path');
    expect(performance.now() - startedAt).toBeLessThan(PROMPTLY_MS);
    await settled(good()[0]?.headers['x-webhook-delivery-id'], 'delivered');
  });

  it('that answer 2xx and then never end have got it', async () => {
    const endless = await receiver((response) => {
      response.writeHead(200);
      const pump = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', pump);
      };
      pump();
    });
    await test.webhook(endless.url);
    await test.text('Hello');
    const [one] = await received(endless, 1);
    const row = await settled(one?.headers['x-webhook-delivery-id'], 'delivered');
    expect(row).toMatchObject({ attempts: 1, last_status: 200 });
  });
});

function byEvent(all: readonly Received[], event: string): Received | undefined {
  return all.find((one) => one.event === event);
}

function without(body: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== key));
}
