/** More than the server can take: refused before any work is done, and taken again by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpLimits } from '../src/http/http-limits.ts';
import {
  createHome,
  ENGINES,
  type Home,
  KEY,
  LINE,
  PHONE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { head, openRawClient, type RawClient, whole } from './raw-client.ts';
import { expected, refusal } from './tenancy.ts';

const MESSAGE = JSON.stringify({ from: LINE, to: PHONE, text: 'Hello' });
const JSON_TYPE = 'Content-Type: application/json';
const LIMITS = { inFlightMax: 30, writesInFlightMax: 20, writesQueuedMax: 400 } as const;

let test: TestServer;
let home: Home;
let address: string;
const release: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const letGo of release.splice(0)) await letGo();
  await test.stop();
  await home.remove();
});

async function start(engine: (typeof ENGINES)[number], httpLimits: Partial<HttpLimits>): Promise<void> {
  home = await createHome(engine);
  test = await startTestServer(engine, { home, httpLimits });
  address = (await test.server.listen()) ?? '';
}

/** Nothing can be accepted from now on, as long as this holds. */
async function stallWrites(): Promise<() => Promise<void>> {
  const url = home.environment['TRUNKLINE_DATABASE_URL'];
  if (url === undefined) {
    const other = new Sqlite(`${home.environment['TRUNKLINE_DATA_DIR']}/trunkline.sqlite`);
    other.exec('begin immediate');
    return once(async () => void other.close());
  }
  const other = new pg.Client({ connectionString: url, options: '-c search_path=trunkline' });
  await other.connect();
  await other.query('begin; lock table outbox in exclusive mode');
  return once(() => other.end());
}

function once(act: () => Promise<void>): () => Promise<void> {
  let isDone = false;
  const actOnce = async () => {
    if (isDone) return;
    isDone = true;
    await act();
  };
  release.push(actOnce);
  return actOnce;
}

const post = () =>
  fetch(`${address}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: MESSAGE,
  });
const get = (path: string) => fetch(`${address}${path}`, { headers: { authorization: `Bearer ${KEY}` } });

describe.each(ENGINES)('a database that stalls on %s', (engine) => {
  it('lets so many writes wait and refuses the others at once, while reads and health are answered', async () => {
    await start(engine, LIMITS);
    const goOn = await stallWrites();
    const waiting = Array.from({ length: LIMITS.writesInFlightMax }, () => post());
    const refused = await waitFor(async () => {
      const answer = await Promise.race([post(), sleep(200)]);
      if (answer?.status === 503) return answer;
      if (answer === undefined) return undefined;
      throw new Error(`A write was answered ${answer.status} while the database stalls.`);
    }, 'a refusal');
    expect(refused.headers.get('retry-after')).toBe('1');
    const body = JSON.parse(await refused.text());
    expect(body.error).toMatchObject({ type: 'api_error', code: 'overloaded' });
    expect(body.request_id).toBe(refused.headers.get('x-request-id'));
    const reads = await Promise.all(['/v1/lines', `/v1/chats?from=${encodeURIComponent(LINE)}`, '/healthz'].map(get));
    expect(reads.map((answer) => answer.status)).toEqual([200, 200, 200]);

    await goOn();
    const statuses = (await Promise.all(waiting)).map((answer) => answer.status);
    expect(new Set(statuses)).toEqual(new Set([201]));
    expect((await post()).status).toBe(201);
    const stored = await test.server.engine.query.selectFrom('outbox').select('id').execute();
    expect(stored.length).toBeGreaterThanOrEqual(statuses.length + 1);
  });
});

describe('a refusal', () => {
  /** Requests whose bodies do not come hold their places. */
  async function fill(count: number): Promise<RawClient[]> {
    const clients = await Promise.all(Array.from({ length: count }, () => openRawClient(address)));
    for (const client of clients) client.write(head([JSON_TYPE, 'Content-Length: 500']));
    return clients;
  }
  const refusedWrite = () =>
    waitFor(async () => {
      const client = await openRawClient(address);
      client.write(head([JSON_TYPE, 'Content-Length: 500']));
      const isAnswered = await Promise.race([client.answers(1).then(() => true), sleep(100)]);
      client.socket.destroy();
      return isAnswered ? client : undefined;
    }, 'a refusal');

  it('comes before the body, the key and the database', async () => {
    await start('sqlite', { ...LIMITS, writesInFlightMax: 3 });
    const holders = await fill(3);
    const client = await refusedWrite();
    const [answer] = await client.answers(1);
    expect(answer && refusal(answer)).toEqual(expected('overloaded'));
    const stranger = await openRawClient(address);
    stranger.write('POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n');
    const [without] = await stranger.answers(1);
    expect(without && refusal(without)).toEqual(expected('overloaded'));
    stranger.socket.destroy();

    for (const holder of holders) holder.socket.destroy();
    await waitFor(async () => ((await post()).status === 201 ? true : undefined), 'the places to be free again');
  });

  it('holds for reads too when all places are taken, and never for health', async () => {
    await start('sqlite', { ...LIMITS, inFlightMax: 3 });
    const holders = await fill(3);
    await refusedWrite();
    expect((await get('/v1/lines')).status).toBe(503);
    expect((await get('/nowhere')).status).toBe(503);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    for (const holder of holders) holder.socket.destroy();
    await waitFor(async () => ((await get('/v1/lines')).status === 200 ? true : undefined), 'reads to be answered');
  });

  it('does not come from event streams, which wait for events and not for the server', async () => {
    await start('sqlite', { ...LIMITS, inFlightMax: 3 });
    const streams = await Promise.all(Array.from({ length: 10 }, () => openRawClient(address)));
    for (const stream of streams) stream.write(whole('/v1/events'));
    for (const stream of streams)
      await waitFor(() => (stream.heard().includes('200 OK') ? true : undefined), 'a stream');
    expect((await get('/v1/lines')).status).toBe(200);
    for (const stream of streams) stream.socket.destroy();
  });
});

describe('connections', () => {
  it('beyond the most that the server holds are closed as they come, and taken again when others are gone', async () => {
    await start('sqlite', { connectionsMax: 4 });
    const kept = await Promise.all(Array.from({ length: 4 }, () => openRawClient(address)));
    for (const client of kept) client.write(whole('/v1/lines'));
    for (const client of kept) await client.answers(1);
    const extra = await openRawClient(address);
    await extra.closed;
    expect(extra.heard()).toBe('');
    for (const client of kept) client.write(whole('/v1/lines'));
    for (const client of kept) expect(await client.answers(2)).toHaveLength(2);
    for (const client of kept) client.socket.destroy();
    await waitFor(async () => {
      const status = await get('/v1/lines').then(
        (answer) => answer.status,
        () => 0,
      );
      return status === 200 ? true : undefined;
    }, 'a free connection');
  });
});

describe('slow clients', () => {
  it('that drip a body, or stop in the middle of it, are cut off with 408, and others are served', async () => {
    await start('sqlite', { requestTimeoutMs: 1_500, headersTimeoutMs: 1_500, checkEveryMs: 200 });
    const drippers = await Promise.all(Array.from({ length: 100 }, () => openRawClient(address)));
    for (const client of drippers) client.write(head([JSON_TYPE, `Content-Length: ${MESSAGE.length}`]));
    const dripping = setInterval(() => {
      for (const client of drippers.slice(0, 90)) client.write(MESSAGE[0] ?? '');
    }, 200);
    try {
      while (drippers.some((client) => !client.isClosed())) {
        expect((await get('/v1/lines')).status).toBe(200);
        await sleep(50);
      }
    } finally {
      clearInterval(dripping);
    }
    for (const client of drippers) {
      const [answer] = await client.answers(1);
      expect(answer && refusal(answer)).toEqual(expected('request_timeout'));
    }
    expect(await test.server.engine.query.selectFrom('outbox').selectAll().execute()).toEqual([]);
  });

  it('are told nothing further when their answer has come already', async () => {
    await start('sqlite', { requestTimeoutMs: 500, headersTimeoutMs: 500, checkEveryMs: 100 });
    const client = await openRawClient(address);
    client.write('POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{');
    const [answer] = await client.answers(1);
    expect(answer && refusal(answer)).toEqual(expected('missing_api_key'));
    await client.closed;
    expect(await client.answers(1)).toHaveLength(1);
  });
});
