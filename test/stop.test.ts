/** An order to stop under load: what was accepted is answered, nothing stays claimed, and nobody can hold it up. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FIRST_PHONE } from '../packages/server/src/first-start.ts';
import { KEY as HARNESS_KEY } from '../packages/server/test/harness.ts';
import { head, openRawClient, whole } from '../packages/server/test/raw-client.ts';
import { LINE, post } from './client.ts';
import { countFrom } from './counts.ts';
import { createLoad } from './load.ts';
import { type Product, startProduct } from './product.ts';
import { createWorld, type World } from './world.ts';

const STOPS = countFrom('SOAK_STOPS');
/** The order comes at most this long after a send and a text were answered, in milliseconds. */
const LATEST_MS = 400;
/** By then a server has what its clients sent it. */
const SETTLED_MS = 200;
/** A hand-over to it takes ten seconds. */
const SLOW_PHONE = '+15550100429';
const STOPS_WITHIN_MS = 30_000;
/** The server's own bound for a stop. */
const SLOWEST_STOP_MS = 10_000;

let world: World | null = null;
let product: Product | null = null;

afterEach(async () => {
  product?.kill('SIGKILL');
  await product?.ended;
  await world?.remove();
});

async function start(engine: 'sqlite' | 'postgres'): Promise<{ here: World; server: Product; address: string }> {
  const here = world ?? (await createWorld(engine));
  world = here;
  // The first key is the one of the raw client.
  const server = startProduct({ ...here.environment, TRUNKLINE_BOOTSTRAP_API_KEY: HARNESS_KEY });
  product = server;
  return { here, server, address: await server.listens };
}

describe.each(['sqlite', 'postgres'] as const)('an order to stop under load on %s', (engine) => {
  it('ends with code 0, answers every request that it accepted, and leaves nothing claimed', async () => {
    world = null;
    for (let stop = 0; stop < STOPS; stop++) {
      const { here, server, address } = await start(engine);
      const load = createLoad({
        addresses: () => [address],
        recipients: [FIRST_PHONE],
        phones: ['+15550201000', '+15550201001'],
        pauseMs: 10,
        key: HARNESS_KEY,
      });
      const known = new Set((await here.oracle.store.rows('select id from outbox')).map((row) => String(row['id'])));
      const polite = await openRawClient(address);
      load.start();
      await load.progress();
      await sleep(Math.random() * LATEST_MS);
      const askedAt = performance.now();
      server.kill('SIGTERM');
      for (let asked = 1; !polite.heard().includes('connection: close'); asked++) {
        polite.write(whole('/v1/lines'));
        await polite.answers(asked);
      }
      expect((await server.ended).code).toBe(0);
      expect(performance.now() - askedAt).toBeLessThan(STOPS_WITHIN_MS);
      await polite.closed;
      await load.stop();

      const rows = await here.oracle.store.rows('select id, state from outbox');
      const stored = rows.map((row) => String(row['id'])).filter((id) => !known.has(id));
      expect(stored.sort()).toEqual([...load.accepted.keys()].sort());
      expect(rows.filter((row) => row['state'] === 'claimed' || row['state'] === 'sending')).toEqual([]);
      expect(load.accepted.size).toBeGreaterThan(0);
      expect(load.surprises).toEqual([]);
      expect(await here.inspect()).toEqual([]);
    }
  });
});

describe('an order to stop', () => {
  it('is not held up by clients that never finish their requests, nor by open streams', async () => {
    world = null;
    const { server, address } = await start('sqlite');
    const clients = await Promise.all(Array.from({ length: 20 }, () => openRawClient(address)));
    for (const [index, client] of clients.entries()) {
      if (index % 3 === 0) client.write(whole('/v1/events'));
      else if (index % 3 === 1) client.write(head(['Content-Type: application/json', 'Content-Length: 500']));
      else client.write('GET /v1/lin');
    }
    await sleep(SETTLED_MS);
    const askedAt = performance.now();
    server.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(SLOWEST_STOP_MS);
  });

  it('is obeyed in time although a hand-over, a receiver and a request hang all at once', async () => {
    world = null;
    const { here, server, address } = await start('sqlite');
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const call = (path: string, body: unknown) => post(address, path, body, HARNESS_KEY);
    const webhook = { from: LINE, url, events: ['message.received', 'message.sent'] };
    expect((await call('/v1/webhooks', webhook)).status).toBe(201);
    const text = { from: '+15550201000', to: LINE, text: 'Hello' };
    expect((await call('/simulator/v1/messages', text)).status).toBe(201);
    const slow = await call('/v1/messages', { from: LINE, to: SLOW_PHONE, text: 'Slow' });
    expect(slow.status).toBe(201);
    const client = await openRawClient(address);
    client.write(head(['Content-Type: application/json', 'Content-Length: 500']));
    await sleep(SETTLED_MS);
    const askedAt = performance.now();
    server.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(SLOWEST_STOP_MS);
    const rows = await here.oracle.store.rows('select state from outbox');
    expect(rows.map((row) => row['state'])).not.toContain('claimed');
    silent.closeAllConnections();
    silent.close();
  });

  it('given twice ends the server at once', async () => {
    world = null;
    const { server, address } = await start('sqlite');
    const client = await openRawClient(address);
    client.write(head(['Content-Type: application/json', 'Content-Length: 500']));
    await sleep(SETTLED_MS);
    server.kill('SIGTERM');
    await sleep(SETTLED_MS);
    server.kill('SIGTERM');
    expect((await server.ended).code).toBe(1);
    await client.closed;
  });
});
