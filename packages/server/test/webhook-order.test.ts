/** The order in which a webhook's first attempts start, and what holds it up. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { ENGINES, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, hangs, type Receiver, startReceiver } from './receiver.ts';

const ANN = '+15550107101';
const BEN = '+15550107102';

describe.each(ENGINES)('the order of first attempts on %s', (engine) => {
  let clock: FakeClock;
  let test: TestServer;
  let receiver: Receiver;

  beforeEach(async () => {
    clock = createFakeClock();
    test = await startTestServer(engine, { clock });
    receiver = await startReceiver();
    await test.webhook(receiver.url, ['message.received']);
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
  });

  /** Straight on the wire: time moves with every call, and what comes first must not become too slow by that. */
  const atOnce = (texts: readonly (readonly [from: string, text: string])[]) =>
    Promise.all(texts.map(([from, text]) => test.server.network?.text({ from, to: LINE, text })));
  const textsOf = (phone?: string) =>
    receiver.received
      .filter((one) => phone === undefined || one.data['sender'] === phone)
      .map((one) => one.data['text']);
  const arrived = (count: number) =>
    waitFor(async () => {
      // What waits by the clock inside the server moves on by itself; far less than the two seconds of a chat.
      if (receiver.received.length < count) await clock.advance(1);
      return receiver.received.length >= count ? true : undefined;
    }, `${count} deliveries`);

  it('is that of the events, for every chat', async () => {
    for (let number = 1; number <= 10; number++) await test.text(`${number}`, number % 2 === 0 ? ANN : BEN);
    await arrived(10);
    expect(textsOf(ANN)).toEqual(['2', '4', '6', '8', '10']);
    expect(textsOf(BEN)).toEqual(['1', '3', '5', '7', '9']);
  });

  it('waits two seconds for a first that hangs, and other chats do not wait', async () => {
    receiver.behave((response, one) => {
      if (one.data['sender'] === BEN) response.end();
    });
    await atOnce([
      [ANN, 'Ann 1'],
      [ANN, 'Ann 2'],
      [BEN, 'Ben 1'],
      [BEN, 'Ben 2'],
    ]);
    await arrived(3);
    await clock.advance(1_000);
    expect(textsOf(ANN)).toEqual(['Ann 1']);
    expect(textsOf(BEN)).toEqual(['Ben 1', 'Ben 2']);
    await clock.advance(1_100);
    await arrived(4);
    expect(textsOf(ANN)).toEqual(['Ann 1', 'Ann 2']);
  });

  it('lets a retry hold up nothing that comes later', async () => {
    let isFirst = true;
    receiver.behave((response, one) => {
      answers(isFirst ? 500 : 200)(response, one);
      isFirst = false;
    });
    await test.text('First', ANN);
    await arrived(1);
    await test.text('Second', ANN);
    await test.text('Third', ANN);
    await arrived(3);
    expect(textsOf(ANN)).toEqual(['First', 'Second', 'Third']);
    await clock.advance(8_000);
    await arrived(4);
    expect(textsOf(ANN)).toEqual(['First', 'Second', 'Third', 'First']);
    const [first, , , again] = receiver.received;
    expect(again?.headers['x-webhook-delivery-id']).toBe(first?.headers['x-webhook-delivery-id']);
  });

  it('starts sixteen chats side by side, and more as those end or take too long', async () => {
    receiver.behave(hangs);
    await atOnce(Array.from({ length: 20 }, (_, index) => [`+155501072${index + 10}`, 'Hello'] as const));
    await arrived(16);
    await clock.advance(500);
    expect(receiver.received).toHaveLength(16);
    await clock.advance(2_100);
    await arrived(20);
  });
});
