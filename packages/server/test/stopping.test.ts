/** Stopping: nothing that hangs outside holds the process, and what was cut off is due as before. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHome, ENGINES, type Home, startTestServer, waitFor } from './harness.ts';
import { answers, hangs, type Receiver, startReceiver } from './receiver.ts';

const STOP_WITHIN_MS = 10_000;

describe.each(ENGINES)('stopping on %s', (engine) => {
  let home: Home;
  let receiver: Receiver;

  beforeEach(async () => {
    home = await createHome(engine);
    receiver = await startReceiver(hangs);
  });
  afterEach(async () => {
    await receiver.close();
    await home.remove();
  });

  it('does not wait for a receiver that hangs, and delivers to it after the next start as a first attempt', async () => {
    const first = await startTestServer(engine, { home });
    await first.webhook(receiver.url);
    await first.text('Is anybody there?');
    await waitFor(() => (receiver.received.length === 1 ? true : undefined), 'the first attempt');
    const before = performance.now();
    await first.stop();
    expect(performance.now() - before).toBeLessThan(STOP_WITHIN_MS);

    receiver.behave(answers(200));
    const second = await startTestServer(engine, { home });
    const again = await waitFor(() => receiver.received[1], 'the same delivery');
    expect(again.headers['x-webhook-delivery-id']).toBe(receiver.received[0]?.headers['x-webhook-delivery-id']);
    const row = await waitFor(async () => {
      const [delivery] = await second.server.engine.query.selectFrom('deliveries').selectAll().execute();
      return delivery?.state === 'delivered' ? delivery : undefined;
    }, 'the delivery to be recorded');
    expect(row).toMatchObject({ attempts: 1, last_error: null });
    await second.stop();
  });
});
