/** Lines 69, 30 and 27 of the catalogue: names that change their minds, receivers that point elsewhere, names of nobody. */
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  type Home,
  LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';

const PUBLIC = { TRUNKLINE_PUBLIC_URL: 'https://trunkline.example' };
const BLOCKED = 'The address of the receiver is not allowed (blocked_address).';
const POLL_MS = 1_100;

describe.each(ENGINES)('a webhook on %s whose', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let receiver: Receiver;
  /** What the resolver answers from now on; an empty list is a name of nobody. */
  let resolved: readonly string[];
  let lookups: number;

  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    receiver = await startReceiver(answers(500, { connection: 'close' }));
    resolved = [];
    lookups = 0;
  });
  afterEach(async () => {
    await test.stop();
    await home.remove();
    await receiver.close();
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const lookup = async () => {
      lookups++;
      return resolved;
    };
    test = await startTestServer(engine, { clock, home, environment: { ...PUBLIC, ...environment }, lookup });
  }
  const create = (url: string) => test.call('POST', '/v1/webhooks', { from: LINE, url, events: ['message.received'] });
  const delivery = () => test.server.engine.query.selectFrom('deliveries').selectAll().executeTakeFirstOrThrow();
  const errors = async () => {
    const rows = await test.server.engine.query.selectFrom('attempts').selectAll().orderBy('attempt').execute();
    return rows.map((row) => row.error);
  };
  const attempted = (count: number) =>
    waitFor(async () => {
      await clock.advance(20);
      const row = await delivery();
      return row.attempts >= count ? row : undefined;
    }, `attempt ${count}`);
  async function passToRetry(): Promise<void> {
    clock.jump((await delivery()).due_at - clock.now());
    await clock.advance(POLL_MS);
  }

  it('name is public when it is made and private when it is called is never called, at no retry', async () => {
    await start();
    const { port } = new URL(receiver.url);
    resolved = ['1.1.1.1'];
    expectStatus(201, await create(`https://rebinds.example:${port}/`));
    expect(lookups).toBe(1);
    const turns = [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['127.0.0.1', '1.1.1.1'], ['::1'], ['::ffff:127.0.0.1']];
    resolved = turns[0] ?? [];
    await test.text('Hello');
    for (const [index] of turns.entries()) {
      await attempted(index + 1);
      expect(lookups).toBe(index + 2);
      resolved = turns[index + 1] ?? [];
      if (index + 1 < turns.length) await passToRetry();
    }
    expect(await errors()).toEqual(turns.map(() => BLOCKED));
    expect(await delivery()).toMatchObject({ state: 'retry', last_status: null });
    expect(receiver.received).toEqual([]);
    expect(receiver.connections()).toBe(0);
  });

  it('name is allowed, then not, then again is called the first and the third time', async () => {
    await start({ TRUNKLINE_SINK_NETWORKS: 'loopback' });
    resolved = ['127.0.0.1'];
    expectStatus(201, await create(receiver.url.replace('127.0.0.1', 'wavers.example')));
    await test.text('Hello');
    await attempted(1);
    resolved = ['127.0.0.1', '10.0.0.1'];
    await passToRetry();
    await attempted(2);
    expect(receiver.received).toHaveLength(1);
    resolved = ['127.0.0.1'];
    receiver.behave(answers(200));
    await passToRetry();
    expect(await attempted(3)).toMatchObject({ state: 'delivered' });
    expect(receiver.received).toHaveLength(2);
    expect(await errors()).toEqual(['The receiver answered 500.', BLOCKED]);
  });

  it('name resolves later is accepted, and its attempts say that it does not resolve until it does', async () => {
    await start({ TRUNKLINE_SINK_NETWORKS: 'later.example' });
    expectStatus(201, await create(receiver.url.replace('127.0.0.1', 'later.example')));
    await test.text('Hello');
    await attempted(1);
    expect(await errors()).toEqual(["The receiver's host name does not resolve."]);
    resolved = ['127.0.0.1'];
    receiver.behave(answers(200));
    await passToRetry();
    expect(await attempted(2)).toMatchObject({ state: 'delivered' });
  });

  it.each([301, 302, 303, 307, 308])(
    'receiver answers %i to a private address has failed, and nothing goes there',
    async (status) => {
      let connections = 0;
      const target = createServer((socket) => {
        connections++;
        socket.destroy();
      });
      await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
      const location = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
      await start({ TRUNKLINE_SINK_NETWORKS: '127.0.0.1' });
      receiver.behave(answers(status, { location }));
      expectStatus(201, await create(receiver.url));
      await test.text('Hello');
      expect(await attempted(1)).toMatchObject({ state: 'retry', last_status: status });
      expect(await errors()).toEqual([`The receiver answered ${status}.`]);
      expect(receiver.received).toHaveLength(1);
      expect(connections).toBe(0);
      await new Promise((resolve) => target.close(resolve));
    },
  );
});
