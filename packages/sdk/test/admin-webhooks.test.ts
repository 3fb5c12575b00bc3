/** The operator's webhooks and deliveries, against the real server and a receiver that fails and recovers. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { json, type ScriptedServer, startScriptedServer } from '../../cli/test/scripted-server.ts';
import { type AdminClient, createAdminClient } from '../src/admin.ts';
import { NotFoundError, verifyWebhook } from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const WAIT = { timeout: 15_000, interval: 100 };

let server: RealServer;
let receiver: ScriptedServer;
let admin: AdminClient;

beforeAll(async () => {
  server = await startRealServer();
  receiver = await startScriptedServer();
  admin = createAdminClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(async () => {
  await receiver.close();
  await server.remove();
});

it('the operator sees how a webhook fares, sends again what failed, and changes its secret', async () => {
  receiver.behave(json(500, {}));
  const made = await admin.v1.createWebhook({ from: LINE, url: receiver.url, events: ['message.received'] });
  await admin.simulator.sendText({ from: PHONE, to: LINE, text: 'Hello' });
  const failed = await vi.waitFor(async () => {
    const [one] = (await admin.listDeliveries({ webhook: made.id, state: 'retry', since: 1 })).data;
    if (one === undefined) throw new Error('No delivery has failed yet.');
    return one;
  }, WAIT);
  expect(failed).toMatchObject({ webhookId: made.id, event: 'message.received', attempts: 1, lastStatus: 500 });
  expect((await admin.getDelivery({ id: failed.id })).body).toMatchObject({
    event: 'message.received',
    deliveryId: failed.id,
    data: { text: 'Hello', lineHandle: LINE },
  });
  const [attempt] = (await admin.listDeliveryAttempts({ id: failed.id })).data;
  expect(attempt).toMatchObject({ attempt: 1, status: 500, durationMs: expect.any(Number), answer: '{}' });

  receiver.behave(json(200, {}));
  expect((await admin.resendDelivery({ id: failed.id })).resentAt).toEqual(expect.any(Number));
  await vi.waitFor(async () => expect((await admin.getDelivery({ id: failed.id })).state).toBe('delivered'), WAIT);
  const [arrived] = receiver.asked;
  const signature = arrived?.headers['x-webhook-signature'];
  expect(await verifyWebhook(arrived?.body ?? '', signature, made.secret)).toMatchObject({ deliveryId: failed.id });
  const again = { id: made.id, since: failed.createdAt, state: 'delivered' } as const;
  expect(await admin.resendDeliveries(again)).toMatchObject({ webhookId: made.id, resent: 1 });

  const rotated = await admin.rotateWebhookSecret({ id: made.id, overlapHours: 0 });
  expect(rotated.secret).toMatch(/^whsec_/);
  expect(rotated.secret).not.toBe(made.secret);
  const off = await admin.updateWebhook({ id: made.id, isActive: false, events: ['message.sent'] });
  expect(off).toMatchObject({ isActive: false, events: ['message.sent'], disabledReason: expect.any(String) });
  expect(await admin.getWebhook({ id: made.id })).toMatchObject({
    lineHandle: LINE,
    previousSecretEndsAt: null,
    newestDelivery: { id: failed.id },
  });
  const ids: string[] = [];
  for await (const webhook of admin.listWebhooks({ line: LINE, limit: 1 })) ids.push(webhook.id);
  expect(ids).toEqual([made.id]);
  const none = await refusalOf(admin.getDelivery({ id: 'dlv_01k0q3v5x8f9q2t7m4n6p8r0sa' }));
  expect(none).toBeInstanceOf(NotFoundError);
});
