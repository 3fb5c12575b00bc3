/** The main job, end to end: a message goes out, a message comes in, both are told. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, KEY, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { isSigned, type Receiver, startReceiver } from './receiver.ts';

describe.each(ENGINES)('the durable path on %s', (engine) => {
  let test: TestServer;
  let receiver: Receiver;

  beforeEach(async () => {
    test = await startTestServer(engine);
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await test.stop();
    await receiver.close();
  });

  it('sends a message that the phone sees, and tells the webhook with a good signature', async () => {
    const { secret } = await test.webhook(receiver.url);
    await waitFor(async () => ((await test.phone()).length === 1 ? true : undefined), 'the greeting');
    const id = await test.send('Hello phone');
    const item = await test.settled(id);
    expect(item).toMatchObject({ id, status: 'sent', attempts: 1, max_attempts: 3, error: null });
    expect(item['payload']).toEqual({ kind: 'message', from: LINE, to: PHONE, text: 'Hello phone' });
    const seen = (await test.phone()).at(-1);
    expect(seen).toMatchObject({ text: 'Hello phone', from_me: false, sender: LINE, state: 'delivered' });

    const delivery = await waitFor(() => receiver.received.find((one) => one.event === 'message.sent'), 'a delivery');
    expect(isSigned(delivery, secret)).toBe(true);
    expect(delivery.data).toMatchObject({ outbox_id: id, text: 'Hello phone', is_from_me: true, line_handle: LINE });
    const body = JSON.parse(delivery.body) as Record<string, unknown>;
    expect(body['delivery_id']).toBe(delivery.headers['x-webhook-delivery-id']);
    expect(String(body['timestamp'])).toBe(delivery.headers['x-webhook-timestamp']);
  });

  it('receives a text from a phone, once, and shows it in the chat', async () => {
    await test.webhook(receiver.url);
    const { guid, chatId } = await test.text('Hello line');
    const delivery = await waitFor(() => receiver.received.find((one) => one.data['guid'] === guid), 'a delivery');
    expect(delivery.event).toBe('message.received');
    expect(delivery.data).toMatchObject({ chat_id: chatId, sender: PHONE, is_from_me: false, outbox_id: null });
    const page = await test.call('GET', `/v1/messages?from=${encodeURIComponent(LINE)}&to=${chatId}`);
    expect((page.body['data'] as { text: string }[])[0]?.text).toBe('Hello line');
    expect(receiver.received.filter((one) => one.data['guid'] === guid)).toHaveLength(1);
  });

  it('streams both as they happen', async () => {
    const address = await test.server.listen();
    const controller = new AbortController();
    const response = await fetch(`${address}/v1/events`, {
      headers: { authorization: `Bearer ${KEY}` },
      signal: controller.signal,
    });
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    })().catch(() => undefined);
    const id = await test.send('On the stream');
    const { guid } = await test.text('And back');
    await waitFor(() => (text.includes(id) && text.includes(guid) ? true : undefined), 'both events on the stream');
    controller.abort();
    await reading;
  });
});
