/** Line 68 of the catalogue: no request reaches a place that is not allowed, however its address is spelt or found. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHome, ENGINES, type Home, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { HOSTILE_URLS, PORT, resolveHostile } from './hostile-urls.ts';

const PUBLIC = { TRUNKLINE_PUBLIC_URL: 'https://trunkline.example' };
/** Everything that can be allowed at all. */
const ALL_NETWORKS = [
  ...['loopback', '0.0.0.0/0', '::/0', '169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32'],
  ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
].join(',');
const BLOCKED = 'The address of the receiver is not allowed (blocked_address).';
const REFUSAL = /^The 'url' field (must|leads) [^\d]+\.$/;

/** Counts whoever connects to this machine, by whatever address of it. */
async function startListener() {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => server.listen(0, '0.0.0.0', resolve).once('error', reject));
    server.listen(0, '::', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => count, close: () => new Promise((resolve) => server.close(resolve)) };
}

const unresolved = async (): Promise<readonly string[]> => {
  throw Object.assign(new Error('There is no such name.'), { code: 'ENOTFOUND' });
};

let listener: Awaited<ReturnType<typeof startListener>>;
beforeAll(async () => {
  listener = await startListener();
});
afterAll(() => listener.close());

const urlOf = (url: string) => url.replaceAll(PORT, String(listener.port));
const create = (test: TestServer, url: string) =>
  test.call('POST', '/v1/webhooks', { from: LINE, url: urlOf(url), events: ['message.received'] });

describe('a hostile URL given to a public server', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer('sqlite', { environment: PUBLIC, lookup: resolveHostile });
  });
  afterAll(async () => {
    expect(listener.connections()).toBe(0);
    await test.stop();
  });

  it('is one of at least 60', () => {
    expect(new Set(HOSTILE_URLS.map((one) => one.url)).size).toBeGreaterThanOrEqual(60);
  });

  it.each(HOSTILE_URLS)('is refused when the webhook is made: $url', async ({ url }) => {
    const answer = await create(test, url);
    expect(answer.status).toBe(400);
    expect(answer.body['error']).toMatchObject({
      code: 'invalid_parameter_value',
      param: 'url',
      message: expect.stringMatching(REFUSAL),
    });
  });

  it('leaves no webhook behind', async () => {
    expect((await test.call('GET', `/v1/webhooks?from=${encodeURIComponent(LINE)}`)).body['data']).toEqual([]);
  });
});

describe.each(ENGINES)('a hostile URL that a webhook has already, on %s', (engine) => {
  let home: Home;
  let test: TestServer;
  beforeEach(async () => {
    home = await createHome(engine);
  });
  afterEach(async () => {
    await test.stop();
    await home.remove();
  });

  it('is blocked at every attempt, which is written down, and no connection is made', async () => {
    const before = listener.connections();
    const environment = { ...PUBLIC, TRUNKLINE_ROLES: 'api,lines', TRUNKLINE_SINK_NETWORKS: ALL_NETWORKS };
    const trusting = await startTestServer(engine, { home, environment, lookup: unresolved });
    const made: string[] = [];
    for (const { url } of HOSTILE_URLS) if ((await create(trusting, url)).status === 201) made.push(url);
    await trusting.text('To everybody');
    await trusting.stop();
    expect(made.length).toBeGreaterThanOrEqual(60);

    test = await startTestServer(engine, { home, environment: PUBLIC, lookup: resolveHostile });
    const { query } = test.server.engine;
    const deliveries = await waitFor(async () => {
      const rows = await query.selectFrom('deliveries').selectAll().execute();
      return rows.length === made.length && rows.every((row) => row.attempts > 0) ? rows : undefined;
    }, 'every delivery to be attempted');
    expect(new Set(deliveries.map((row) => `${row.state}, ${row.last_status}, ${row.last_error}`))).toEqual(
      new Set([`retry, null, ${BLOCKED}`]),
    );
    const attempts = await query.selectFrom('attempts').selectAll().execute();
    expect(new Set(attempts.map((row) => `${row.status}, ${row.error}, ${row.answer}`))).toEqual(
      new Set([`null, ${BLOCKED}, null`]),
    );
    expect(listener.connections()).toBe(before);
  });

  it('would have been counted, had it been called: where this machine is allowed, it is', async () => {
    const before = listener.connections();
    const environment = { ...PUBLIC, TRUNKLINE_SINK_NETWORKS: 'loopback' };
    test = await startTestServer(engine, { home, environment, lookup: resolveHostile });
    const mine = [
      'http://127.0.0.1:PORT/',
      'https://0x7f.1:PORT/',
      'https://localhost:PORT/',
      'https://127.0.0.1.nip.example:PORT/',
    ];
    for (const url of mine) expect((await create(test, url)).status, url).toBe(201);
    await test.text('To everybody here');
    await waitFor(() => (listener.connections() >= before + mine.length ? true : undefined), 'four connections');
  });
});

describe('the counting listener', () => {
  it('counts', async () => {
    const before = listener.connections();
    const socket = connect(listener.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(listener.connections()).toBe(before + 1);
  });
});
