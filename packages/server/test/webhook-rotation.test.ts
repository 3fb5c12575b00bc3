/** A secret that is rotated: both count for a while, then the new one alone, for either family of signatures. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createHome, ENGINES, expectStatus, type Home, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, isSigned, isStandardSigned, type Received, type Receiver, startReceiver } from './receiver.ts';

const HOUR_MS = 3_600_000;

describe.each(ENGINES)('the secret of a webhook on %s', (engine) => {
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

  const rotate = async (body: unknown = {}) => {
    const answer = expectStatus(200, await test.call('POST', `/admin/v1/webhooks/${webhook.id}/rotate`, body));
    // The workers hear of it with the commit; their reading of it takes a moment.
    for (let turn = 0; turn < 20; turn++) await clock.advance(20);
    return { secret: String(answer.body['secret']), body: answer.body };
  };
  const arrived = (count: number) =>
    waitFor(async () => {
      await clock.advance(20);
      return receiver.received[count - 1];
    }, `${count} deliveries`);
  const deliver = async (): Promise<Received> => {
    const count = receiver.received.length + 1;
    await test.text('Hello');
    return arrived(count);
  };
  /** Our own signature in either header. */
  const isSignedBefore = (one: Received, secret: string) => {
    const signature = one.headers['x-webhook-signature-previous'];
    return isSigned({ ...one, headers: { ...one.headers, 'x-webhook-signature': String(signature) } }, secret);
  };
  const verdicts = (one: Received, secrets: readonly string[]) =>
    secrets.map((secret) => [isSigned(one, secret), isSignedBefore(one, secret), isStandardSigned(one, secret)]);

  it('that is rotated is shown once, and the old one counts beside it for a day', async () => {
    const before = await deliver();
    expect(verdicts(before, [webhook.secret])).toEqual([[true, false, true]]);
    const { secret, body } = await rotate();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(secret).not.toBe(webhook.secret);
    expect(body).toMatchObject({ id: webhook.id, is_active: true });
    const endsAt = Number(body['previous_secret_ends_at']);
    expect(Math.abs(endsAt - clock.now() - 24 * HOUR_MS)).toBeLessThan(10_000);
    expect(verdicts(await deliver(), [secret, webhook.secret])).toEqual([
      [true, false, true],
      [false, true, true],
    ]);
    clock.jump(endsAt - clock.now() - 60_000);
    expect(verdicts(await deliver(), [webhook.secret])).toEqual([[false, true, true]]);
    clock.jump(120_000);
    const after = await deliver();
    expect(verdicts(after, [secret, webhook.secret])).toEqual([
      [true, false, true],
      [false, false, false],
    ]);
    expect(after.headers).not.toHaveProperty('x-webhook-signature-previous');
    const { body: shown } = await test.call('GET', `/admin/v1/webhooks/${webhook.id}`);
    expect(shown).not.toHaveProperty('secret');
    expect(shown['previous_secret_ends_at']).toBeNull();
  });

  it('that is rotated again counts beside the newest, and no third does', async () => {
    const second = await rotate();
    const third = await rotate({ overlap_hours: 168 });
    expect(verdicts(await deliver(), [third.secret, second.secret, webhook.secret])).toEqual([
      [true, false, true],
      [false, true, true],
      [false, false, false],
    ]);
  });

  it('that leaked ends at once with an overlap of no hours', async () => {
    await rotate();
    const { secret, body } = await rotate({ overlap_hours: 0 });
    expect(body['previous_secret_ends_at']).toBeNull();
    const one = await deliver();
    expect(one.headers).not.toHaveProperty('x-webhook-signature-previous');
    expect(verdicts(one, [secret, webhook.secret])).toEqual([
      [true, false, true],
      [false, false, false],
    ]);
  });

  it('signs the retries of what was first tried before the rotation, also after a restart', async () => {
    receiver.behave(answers(500));
    const first = await deliver();
    const { secret } = await rotate();
    await test.stop();
    test = await startTestServer(engine, { clock, home });
    receiver.behave(answers(200));
    clock.jump(10_000);
    const again = await arrived(2);
    expect(again.headers['x-webhook-delivery-id']).toBe(first.headers['x-webhook-delivery-id']);
    expect(again.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(verdicts(again, [secret, webhook.secret])).toEqual([
      [true, false, true],
      [false, true, true],
    ]);
  });

  it('is given again to a repeat with the same Idempotency-Key, and rotated once', async () => {
    const path = `/admin/v1/webhooks/${webhook.id}/rotate`;
    const options = { headers: { 'idempotency-key': 'rotate once' } };
    const first = expectStatus(200, await test.call('POST', path, {}, options));
    const again = expectStatus(200, await test.call('POST', path, {}, options));
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const stored = await test.server.engine.query.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow();
    const kept = await test.server.engine.query.selectFrom('kept_answers').selectAll().execute();
    expect(JSON.stringify([stored, kept])).not.toContain('whsec_');
    expect([stored.secret, stored.previous_secret].every((one) => one?.startsWith('sealed1:'))).toBe(true);
  });

  it.each([-1, 169, 1.5, 'day'])('is not rotated with an overlap of %j hours', async (hours) => {
    const answer = await test.call('POST', `/admin/v1/webhooks/${webhook.id}/rotate`, { overlap_hours: hours });
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'overlap_hours' } } });
  });
});
