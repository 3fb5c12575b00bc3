/** Callbacks: the addresses that sends name, each told of its own message and of nothing else. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readActiveWebhooks } from '../src/store/webhooks.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  type Home,
  startTestServer,
  type TestOptions,
  type TestServer,
} from './harness.ts';
import { bodyOf, type ItemScene, openItemScene, startItemReceiver, textOf } from './item-scene.ts';
import { answers, hangs, type Receiver } from './receiver.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 1_100;
const BLOCKED = 'The address of the receiver is not allowed (blocked_address).';

describe.each(ENGINES)('a callback on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let scene: ItemScene;
  let receiver: Receiver;
  let origin: string;

  const start = async (options: TestOptions = {}) => {
    test = await startTestServer(engine, { clock, home, ...options });
    scene = await openItemScene(test, clock);
  };
  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    receiver = await startItemReceiver();
    ({ origin } = new URL(receiver.url));
    await start({ environment: { TRUNKLINE_RETENTION_DAYS: '2' } });
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  /** A send names the path, and its status changes. */
  const tell = async (text: string, path: string) => {
    await scene.ensure(`${origin}${path}`);
    await scene.tell(text, { callbackUrl: `${origin}${path}` });
  };
  const arrived = (count: number) =>
    scene.until(() => (receiver.received.length >= count ? receiver.received : undefined), `${count} deliveries`);
  const settled = (...states: string[]) =>
    scene.until(async () => {
      const found = await scene.states();
      return found.join() === states.join() || undefined;
    }, `the deliveries to be ${states.join()}`);
  async function pass(ms: number): Promise<void> {
    clock.jump(ms);
    await clock.advance(POLL_MS);
  }
  const only = async () => {
    const [row, ...more] = await scene.webhooks();
    if (!row || more.length > 0) throw new Error('There is not one webhook.');
    return row;
  };

  it('is posted to its own path and query, in the order of its origin, without a signature or a secret', async () => {
    const calls = [
      ['/hook?message=1&next=%2Fx', 'One'],
      ['/hook?message=2', 'Two'],
      ['/', 'Three'],
      ['/hook?message=1&next=%2Fx', 'Four'],
    ] as const;
    for (const [path, text] of calls) await tell(text, path);
    const received = await arrived(4);
    expect(received.map((one) => [one.path, textOf(one)])).toEqual(calls);
    expect(received[0]?.body).toBe(bodyOf('One'));
    for (const { headers } of received) {
      expect(headers['x-webhook-delivery-id']).toMatch(/^dlv_/);
      expect(Object.keys(headers).filter((name) => /sign|webhook-(id|timestamp)|secret/.test(name))).toEqual([]);
    }
    expect(await only()).toMatchObject({ kind: 'callback', url: origin });
    const listed = expectStatus(200, await test.call('GET', '/admin/v1/deliveries')).body['data'];
    expect(listed).toMatchObject([{ kind: 'callback', url: `${origin}${calls[3][0]}` }, {}, {}, {}]);
  });

  it('that answers 410 has heard the last of it alone, and others at its origin go on', async () => {
    receiver.behave((response, one) => answers(one.path === '/gone' ? 410 : 200)(response, one));
    await tell('Gone', '/gone');
    await tell('Here', '/here');
    await settled('failed', 'delivered');
    expect(await only()).toMatchObject({ is_active: 1 });
  });

  it('is tried again after 500, also by the next process, at the same address', async () => {
    receiver.behave(answers(500));
    await tell('Again', '/a?b=c');
    await settled('retry');
    await test.stop();
    receiver.behave(answers(200));
    await start();
    await pass(60_000);
    await settled('delivered');
    expect(receiver.received.map((one) => one.path)).toEqual(['/a?b=c', '/a?b=c']);
  });

  it('is refused by the guard at every connection, and not called', async () => {
    await test.stop();
    await start({ environment: { TRUNKLINE_SINK_NETWORKS: '10.0.0.0/8' } });
    await tell('Hidden', '/');
    await settled('retry');
    const [attempt] = await test.server.engine.query.selectFrom('attempts').selectAll().execute();
    expect(attempt?.error).toBe(BLOCKED);
    expect(receiver.connections()).toBe(0);
  });

  it('whose origin fails for five days is off until the next send, and off for good where an operator wants that', async () => {
    receiver.behave(answers(500));
    await tell('Day 0', '/');
    await settled('retry');
    await pass(5.1 * DAY_MS);
    await scene.until(async () => (await only()).is_active === 0 || undefined, 'the end');
    const count = receiver.received.length;
    await scene.tell('A change without a send', { callbackUrl: `${origin}/` });
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count);
    receiver.behave(answers(200));
    await tell('The next send', '/');
    await arrived(count + 1);
    const { id } = await only();
    await scene.until(async () => !(await scene.states()).includes('new') || undefined, 'its record');
    expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${id}`, { is_active: false }));
    await tell('Unwanted', '/');
    await pass(DAY_MS);
    expect(receiver.received).toHaveLength(count + 1);
  });

  it('leaves nothing behind once it is idle, and is made again by a change that comes late', async () => {
    await tell('Early', '/');
    await settled('delivered');
    const { id } = await only();
    clock.jump(3 * DAY_MS);
    await scene.until(async () => {
      await clock.advance(2_000);
      return (await scene.webhooks()).length === 0 || undefined;
    }, 'the callback to go');
    expect(await scene.states()).toEqual([]);
    await scene.tell('Late', { callbackUrl: `${origin}/late` });
    await arrived(2);
    expect(receiver.received[1]?.path).toBe('/late');
    expect((await only()).id).not.toBe(id);
  });

  it('is held in memory only while something is due to it', async () => {
    const active = async (kept: readonly number[] = []) =>
      (await readActiveWebhooks(test.server.engine, kept)).map((one) => one.url);
    await scene.ensure(`${origin}/`);
    expect(await active()).toEqual([]);
    receiver.behave(answers(500));
    await tell('Due', '/');
    expect(await active()).toEqual([origin]);
    await settled('retry');
    expect(await active()).toEqual([origin]);
    receiver.behave(answers(200));
    await pass(60_000);
    await settled('delivered');
    expect(await active()).toEqual([]);
    const { ref } = await test.server.engine.query.selectFrom('webhooks').select('ref').executeTakeFirstOrThrow();
    expect(await active([ref])).toEqual([origin]);
    // Long enough for whatever held it to let go; it is there again when it is needed.
    for (let second = 0; second < 40; second++) await clock.advance(1_000);
    await tell('Again', '/again');
    await arrived(3);
  });

  it('that hangs while the server stops is told by the next process', async () => {
    receiver.behave(hangs);
    await tell('Unfinished', '/');
    await arrived(1);
    let isStopped = false;
    const stopping = test.stop().then(() => {
      isStopped = true;
    });
    await scene.until(() => isStopped || undefined, 'the stop');
    await stopping;
    receiver.behave(answers(200));
    await start();
    await arrived(2);
    await settled('delivered');
    expect(receiver.received.map(textOf)).toEqual(['Unfinished', 'Unfinished']);
  });

  it('is named by what can be called, and by nothing else', async () => {
    for (const url of ['no url', 'ftp://example.com/', '']) {
      await scene.ensure(url);
      await scene.tell('Nobody', { callbackUrl: url });
    }
    expect(await scene.webhooks()).toEqual([]);
    expect(await scene.states()).toEqual([]);
  });
});

describe('two processes on one PostgreSQL', () => {
  it('share an origin: one has its lane, and each delivery is made once, in order', async () => {
    const clock = createFakeClock();
    const home = await createHome('postgres');
    const receiver = await startItemReceiver();
    const { origin } = new URL(receiver.url);
    const one = await startTestServer('postgres', { clock, home });
    const other = await startTestServer('postgres', { clock, home });
    const scenes = [await openItemScene(one, clock), await openItemScene(other, clock)];
    await Promise.all(scenes.map((scene) => scene.ensure(`${origin}/`)));
    const texts = Array.from({ length: 12 }, (_, index) => `${index}`);
    for (const [index, text] of texts.entries()) {
      await scenes[index % 2]?.tell(text, { callbackUrl: `${origin}/${text}` });
    }
    await scenes[0]?.until(() => receiver.received.length >= texts.length || undefined, 'the deliveries');
    await clock.advance(POLL_MS);
    expect(receiver.received.map((received) => [received.path, textOf(received)])).toEqual(
      texts.map((text) => [`/${text}`, text]),
    );
    const leases = one.server.engine.query.selectFrom('leases').selectAll().where('name', 'like', 'webhook %');
    expect(await leases.execute()).toHaveLength(1);
    await other.stop();
    await one.stop();
    await receiver.close();
    await home.remove();
  });
});
