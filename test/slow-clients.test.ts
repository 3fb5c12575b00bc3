/** Many slow clients and many refused ones against a server as it ships: others are served, and its memory stays. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../packages/server/src/http/http-limits.ts';
import { KEY } from '../packages/server/test/harness.ts';
import { head, openRawClient, type RawClient } from '../packages/server/test/raw-client.ts';
import { countFrom } from './counts.ts';
import { recordLeftOut } from './left-out.ts';
import { type Product, startProduct } from './product.ts';
import { makeFolder, sqliteWorld, type World } from './world.ts';

const SLOW = countFrom('SOAK_SLOW_CLIENTS');
const DRIP_EVERY_MS = 500;
/** After the time-out and the check: lingering, and a slow machine. */
const SLACK_MS = 10_000;
const REFUSALS = 5_000;
const AT_ONCE = 50;
const GROWTH_MAX_BYTES = 100 * 1024 * 1024;

let world: World;
let product: Product;

async function start(): Promise<string> {
  world = sqliteWorld(makeFolder());
  product = startProduct({ ...world.environment, TRUNKLINE_BOOTSTRAP_API_KEY: KEY });
  return product.listens;
}

afterEach(async () => {
  product.kill('SIGKILL');
  await product.ended;
  await world.remove();
});

const get = (address: string) => fetch(`${address}/v1/lines`, { headers: { authorization: `Bearer ${KEY}` } });

async function openMany(address: string, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const next = Math.min(AT_ONCE, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: next }, () => openRawClient(address)))));
  }
  return clients;
}

it('clients that drip their headers, or send none, are cut off in time with 408, and others are served meanwhile', async () => {
  const address = await start();
  const startedAt = performance.now();
  const clients = await openMany(address, SLOW);
  const bytes = head();
  let dripped = 0;
  while (clients.some((client) => !client.isClosed())) {
    const byte = bytes[dripped++ % bytes.length] ?? '';
    for (const client of clients.slice(0, Math.ceil(SLOW * 0.9))) if (!client.isClosed()) client.write(byte);
    expect((await get(address)).status).toBe(200);
    await sleep(DRIP_EVERY_MS);
    const allowedMs = HTTP_LIMITS.headersTimeoutMs + HTTP_LIMITS.checkEveryMs + SLACK_MS;
    expect(performance.now() - startedAt).toBeLessThan(allowedMs);
  }
  const codes = new Set<unknown>();
  for (const client of clients) {
    const [answer] = await client.answers(1);
    codes.add(`${answer?.status} ${JSON.stringify((answer?.body['error'] as { code?: string } | undefined)?.code)}`);
  }
  expect([...codes]).toEqual(['408 "request_timeout"']);
});

it('refusals cost no memory, however many there are, and end with what caused them', async () => {
  const address = await start();
  const holders = await openMany(address, HTTP_LIMITS.writesInFlightMax);
  for (const client of holders) client.write(head(['Content-Type: application/json', 'Content-Length: 500']));
  const post = async () => {
    const answer = await fetch(`${address}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: '{}',
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  while ((await post()) !== 503) await sleep(10);
  const before = memoryOf(product.pid);
  const statuses = new Set<number>();
  for (let done = 0; done < REFUSALS; done += AT_ONCE) {
    for (const status of await Promise.all(Array.from({ length: AT_ONCE }, post))) statuses.add(status);
  }
  expect([...statuses]).toEqual([503]);
  expect((await get(address)).status).toBe(200);
  if (before !== null) expect((memoryOf(product.pid) ?? 0) - before).toBeLessThan(GROWTH_MAX_BYTES);
  for (const client of holders) client.socket.destroy();
  while ((await post()) !== 400) await sleep(10);
});

/** Null where the system does not tell. */
function memoryOf(pid: number): number | null {
  const file = `/proc/${pid}/status`;
  const kib = existsSync(file) ? /VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  if (kib !== undefined) return Number(kib) * 1024;
  recordLeftOut('the memory of a server that refuses', 'it needs Linux');
  return null;
}
