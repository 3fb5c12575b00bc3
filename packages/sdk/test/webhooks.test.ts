/** Deliveries: what is ours is taken in every form that a handler has it, and whatever was touched is refused. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  buildWebhookDelivery,
  type MessagesError,
  SignatureVerificationError,
  signWebhook,
  verifyWebhook,
  WEBHOOK_EVENT_NAMES,
  type WebhookEventDataFor,
} from '../src/index.ts';
import { refusalOf } from './refusal-of.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const DATA: WebhookEventDataFor<'message.received'> = {
  id: 'msg_1',
  lineId: 'ln_1',
  lineHandle: '+15550100001',
  chatId: 'cht_1',
  guid: 'A-B',
  sender: '+15550109999',
  text: 'Grüße 👋 with "timestamp": 12 and under_scores',
  attachments: [{ filename: 'a_b.png', mimeType: 'image/png', size: 3, url: null, transcription: null }],
  service: 'imessage',
  isFromMe: false,
  isAudioMessage: false,
  sentAt: 1_710_000_000_000,
  syncedAt: 1_710_000_000_001,
  outboxId: null,
  replyToGuid: null,
};
const build = (options: { timestamp?: number; deliveryId?: string } = {}, secret = SECRET) =>
  buildWebhookDelivery('message.received', DATA, secret, options);

const refused = async (call: Promise<unknown>): Promise<MessagesError> => {
  const error = await refusalOf(call);
  expect(error).toBeInstanceOf(SignatureVerificationError);
  expect(error.name).toBe('SignatureVerificationError');
  expect(error.message).not.toContain(SECRET);
  return error;
};

describe('a delivery', () => {
  it('has the four headers, and is signed as any HMAC would', async () => {
    const { body, headers } = await build({ timestamp: 1_710_000_000_123, deliveryId: 'dlv_1' });
    const expected = createHmac('sha256', SECRET).update(`1710000000123.${body}`).digest('hex');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-webhook-timestamp': '1710000000123',
      'x-webhook-delivery-id': 'dlv_1',
      'x-webhook-signature': expected,
    });
    expect(await signWebhook(SECRET, 1_710_000_000_123, body)).toBe(expected);
    expect(JSON.parse(body)).toMatchObject({
      event: 'message.received',
      timestamp: 1_710_000_000_123,
      delivery_id: 'dlv_1',
      data: { line_id: 'ln_1', attachments: [{ mime_type: 'image/png' }], text: DATA.text },
    });
    expect((await build()).headers['x-webhook-delivery-id']).toMatch(/^dlv_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('is what the verifier of Standard Webhooks takes, and it makes what ours takes', async () => {
    const { body, headers } = await build();
    const theirs = new Webhook(SECRET);
    expect(theirs.verify(body, headers)).toMatchObject({ event: 'message.received' });
    const at = new Date();
    const standard = {
      'webhook-id': 'dlv_2',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': `v1a,xxx ${new Webhook(OTHER_SECRET).sign('dlv_2', at, body)} ${theirs.sign('dlv_2', at, body)}`,
    };
    expect((await verifyWebhook({ body, headers: standard }, SECRET)).data.id).toBe('msg_1');
    await refused(verifyWebhook({ body, headers: { ...standard, 'webhook-id': 'dlv_3' } }, SECRET));
    await refused(verifyWebhook({ body, headers: { ...standard, 'webhook-timestamp': '1' } }, SECRET));
    await refused(verifyWebhook({ body, headers: { ...standard, 'x-webhook-signature': 'ab' } }, SECRET));
  });

  it('gives the event with the keys of the client, and values untouched', async () => {
    const { body, headers } = await build({ deliveryId: 'dlv_1' });
    const event = await verifyWebhook(body, headers['x-webhook-signature'], SECRET);
    expect(event).toEqual({
      event: 'message.received',
      data: DATA,
      timestamp: Number(headers['x-webhook-timestamp']),
      deliveryId: 'dlv_1',
    });
    expect(WEBHOOK_EVENT_NAMES).toContain(event.event);
  });

  it('is taken in every form that a handler has it in', async () => {
    const { body, headers } = await build();
    const bytes = new TextEncoder().encode(body);
    const signature = headers['x-webhook-signature'];
    const forms = [
      verifyWebhook(body, signature, SECRET),
      verifyWebhook(Buffer.from(body), signature, SECRET),
      verifyWebhook(bytes.buffer, signature, SECRET),
      verifyWebhook(body, ['00', signature ?? ''], SECRET),
      verifyWebhook({ body, headers }, SECRET),
      verifyWebhook({ body: bytes, headers: new Headers(headers) }, SECRET, { tolerance: 1_000 }),
      verifyWebhook(
        { body, headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toUpperCase(), v])) },
        SECRET,
      ),
      verifyWebhook(new Request('http://localhost/hook', { method: 'POST', body, headers }), SECRET),
    ];
    for (const event of await Promise.all(forms)) expect(event.data).toEqual(DATA);
  });

  it('is read from a request of node:http', async () => {
    const outcome = Promise.withResolvers<unknown>();
    const server = createServer((request: IncomingMessage, response) => {
      verifyWebhook(request, SECRET).then(outcome.resolve, outcome.reject);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await fetch(`http://127.0.0.1:${port}`, { method: 'POST', ...(await build()) });
      expect(await outcome.promise).toMatchObject({ event: 'message.received' });
    } finally {
      server.close();
    }
  });

  it('is taken with the secret before, while both hold', async () => {
    const { body, headers } = await build();
    const timestamp = Number(headers['x-webhook-timestamp']);
    const rotated = {
      ...headers,
      'x-webhook-signature': await signWebhook(OTHER_SECRET, timestamp, body),
      'x-webhook-signature-previous': headers['x-webhook-signature'],
    };
    expect(await verifyWebhook({ body, headers: rotated }, SECRET)).toBeTruthy();
    expect(await verifyWebhook({ body, headers: rotated }, OTHER_SECRET)).toBeTruthy();
    await refused(verifyWebhook({ body, headers: rotated }, 'whsec_third'));
  });
});

describe('what is refused', () => {
  it('any other byte of the body, the signature or the secret', async () => {
    const { body, headers } = await build();
    const signature = headers['x-webhook-signature'] ?? '';
    for (let at = 0; at < body.length; at += 7) {
      const changed = `${body.slice(0, at)}${body.charAt(at) === 'x' ? 'y' : 'x'}${body.slice(at + 1)}`;
      await refused(verifyWebhook(changed, signature, SECRET));
      await refused(verifyWebhook({ body: changed, headers }, SECRET));
    }
    for (let at = 0; at < signature.length; at += 5) {
      const changed = `${signature.slice(0, at)}${signature.charAt(at) === '0' ? '1' : '0'}${signature.slice(at + 1)}`;
      await refused(verifyWebhook(body, changed, SECRET));
    }
    await refused(verifyWebhook(body, signature, OTHER_SECRET));
    await refused(verifyWebhook(body, signature.slice(0, -2), SECRET));
    await refused(verifyWebhook(body, signature.toUpperCase(), SECRET));
    await refused(verifyWebhook({ body, headers: { ...headers, 'x-webhook-timestamp': '1710000000000' } }, SECRET));
  });

  it.each([
    ['no signature', undefined],
    ['an empty one', ''],
    ['none in a list', []],
    ['a word', 'signature'],
  ])('%s', async (_name, signature) => {
    await refused(verifyWebhook((await build()).body, signature, SECRET));
  });

  it.each([
    ['no body', ''],
    ['no JSON', 'no JSON'],
    ['JSON that is deep', `${'['.repeat(100_000)}`],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
    ['a body that names many times', `{${'"timestamp":1,'.repeat(10_000)}"timestamp":2}`],
  ])('of a stranger: %s', async (_name, body) => {
    const signature = '0'.repeat(64);
    await refused(verifyWebhook(body, signature, SECRET));
    await refused(
      verifyWebhook({ body, headers: { 'x-webhook-signature': signature, 'x-webhook-timestamp': '1' } }, SECRET),
    );
    await refused(verifyWebhook({ body, headers: {} }, SECRET));
  });

  it.each([
    ['no JSON', 'no JSON'],
    ['no event', '{"timestamp": 1}'],
    ['a list', '[]'],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0x22])],
  ])('what is signed and is %s', async (_name, body) => {
    const timestamp = Date.now();
    const headers = {
      'x-webhook-timestamp': String(timestamp),
      'x-webhook-signature': await signWebhook(SECRET, timestamp, body),
    };
    await refused(verifyWebhook({ body, headers }, SECRET));
  });

  it('a delivery that is too old, or from the future, by the tolerance that was asked for', async () => {
    const minutes = 60_000;
    for (const age of [6 * minutes, -6 * minutes]) {
      const { body, headers } = await build({ timestamp: Date.now() - age });
      const signature = headers['x-webhook-signature'];
      await refused(verifyWebhook(body, signature, SECRET));
      await refused(verifyWebhook({ body, headers }, SECRET));
      expect(await verifyWebhook(body, signature, SECRET, { tolerance: 7 * minutes })).toBeTruthy();
    }
    const { body, headers } = await build({ timestamp: Date.now() - 2_000 });
    await refused(verifyWebhook(body, headers['x-webhook-signature'], SECRET, { tolerance: 1_000 }));
    await refused(verifyWebhook(body, headers['x-webhook-signature'], SECRET, { tolerance: Number.NaN }));
  });

  it('a body that was parsed or read already, with a sentence that says so', async () => {
    const { body, headers } = await build();
    const parsed = JSON.parse(body);
    expect((await refused(verifyWebhook(parsed, headers['x-webhook-signature'], SECRET))).message).toContain('parsed');
    expect((await refused(verifyWebhook({ body: parsed, headers }, SECRET))).message).toContain('parsed');
    const request = new Request('http://localhost/hook', { method: 'POST', body, headers });
    await request.text();
    expect((await refused(verifyWebhook(request, SECRET))).message).toContain('read before');
  });

  it('a handler without its secret is not the fault of a delivery', async () => {
    const { body, headers } = await build();
    const error = await refusalOf(verifyWebhook({ body, headers }, ''));
    expect(error).not.toBeInstanceOf(SignatureVerificationError);
    expect(error).toMatchObject({ code: 'missing_secret' });
  });
});
