/** Uploads that are too large, too slow or too many: refused while they come, and in a way that a client can read. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { download, someBytes, upload } from './file-client.ts';
import { createHome, type Home, startTestServer, type TestOptions, type TestServer, waitFor } from './harness.ts';
import { head, openRawClient, type RawClient, whole } from './raw-client.ts';
import { expected, refusal } from './tenancy.ts';

const MB = 1024 * 1024;
const POST = 'POST /v1/files HTTP/1.1';
const CHUNKED = head(['Transfer-Encoding: chunked'], POST);
const SLOW = { requestTimeoutMs: 600, headersTimeoutMs: 600, checkEveryMs: 100 } as const;

let home: Home;
let test: TestServer;
let address: string;

async function start(httpLimits: TestOptions['httpLimits'] = {}): Promise<void> {
  home = await createHome('sqlite');
  test = await startTestServer('sqlite', { home, environment: { TRUNKLINE_FILE_LIMIT_MB: '1' }, httpLimits });
  address = (await test.server.listen()) ?? '';
}

afterEach(async () => {
  await test.stop();
  await home.remove();
});

const spooled = () => {
  const folder = join(home.environment['TRUNKLINE_DATA_DIR'] ?? '', 'blobs', 'incoming');
  return existsSync(folder) ? readdirSync(folder) : [];
};
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

async function expectRefused(client: RawClient, code: string): Promise<void> {
  const [answer] = await client.answers(1);
  expect(answer && refusal(answer)).toEqual(expected(code));
  expect(answer?.headers['connection']).toBe('close');
  await client.closed;
  expect(await client.answers(1)).toHaveLength(1);
  await waitFor(() => (spooled().length === 0 ? true : undefined), 'the spool to be empty');
  expect(await test.server.engine.query.selectFrom('files').selectAll().execute()).toEqual([]);
}

it('a file of the limit is taken, and one of a byte more is not', async () => {
  await start();
  expect((await upload(address, Buffer.alloc(MB, 'x'))).status).toBe(201);
  expect(refusal(await upload(address, Buffer.alloc(MB + 1, 'x')))).toEqual(expected('file_too_large'));
});

it('a length over the limit is refused before a byte of it is read', async () => {
  await start();
  const client = await openRawClient(address);
  client.write(head(['Content-Length: 99999999999'], POST));
  await expectRefused(client, 'file_too_large');
});

it('an endless body in chunks is refused as soon as it is over the limit, and not read to its end', async () => {
  await start();
  const client = await openRawClient(address);
  client.write(CHUNKED);
  const { socket } = client;
  await waitFor(() => {
    if (socket.writableLength < MB) client.write(chunk(64 * 1024));
    return client.heard() === '' ? undefined : true;
  }, 'the refusal');
  expect(socket.bytesWritten - socket.writableLength).toBeLessThan(50 * MB);
  await expectRefused(client, 'file_too_large');
});

it('a client that sends on after the refusal can still read it', async () => {
  await start();
  const client = await openRawClient(address);
  client.write(CHUNKED);
  for (let pieces = 0; pieces < 40; pieces++) {
    client.write(chunk(64 * 1024));
    await sleep(5);
  }
  client.write('0\r\n\r\n');
  await expectRefused(client, 'file_too_large');
});

it('a length that is more than what comes, before the client hangs up, leaves nothing', async () => {
  await start();
  const client = await openRawClient(address);
  client.write(`${head(['Content-Length: 5000'], POST)}short`);
  await waitFor(() => (spooled().length === 1 ? true : undefined), 'bytes in the spool');
  client.socket.end();
  await client.closed;
  await waitFor(() => (spooled().length === 0 ? true : undefined), 'the spool to be empty');
});

it('a length that is less than what comes cuts the file, and the rest is no request', async () => {
  await start();
  const client = await openRawClient(address);
  client.write(`${head(['Content-Length: 5'], POST)}whole and more\r\n\r\n`);
  const [first, second] = await client.answers(2);
  expect([first?.status, first?.body['size'], second?.status]).toEqual([201, 5, 400]);
});

it('an upload may take longer than other requests while its bytes keep coming', async () => {
  await start({ ...SLOW, uploadBytesPerSecondMin: 1_000 });
  const client = await openRawClient(address);
  client.write(CHUNKED);
  for (let pieces = 0; pieces < 30; pieces++) {
    client.write(chunk(500));
    await sleep(100);
  }
  client.write('0\r\n\r\n');
  const [answer] = await client.answers(1);
  expect([answer?.status, answer?.body['size']]).toEqual([201, 15_000]);
  client.socket.destroy();
});

it.each([
  ['that comes too slowly from the start', 0],
  ['that stands still after a good beginning', 20],
])('an upload %s is cut off with 408', async (_name, goodPieces) => {
  await start({ ...SLOW, uploadBytesPerSecondMin: 1_000 });
  const client = await openRawClient(address);
  client.write(CHUNKED);
  for (let pieces = 0; pieces < goodPieces; pieces++) {
    client.write(chunk(500));
    await sleep(50);
  }
  await expectRefused(client, 'request_timeout');
});

it('uploads and links have places of their own, and leave those of other requests free', async () => {
  await start({ uploadsMax: 2, downloadsMax: 1, inFlightMax: 1, writesInFlightMax: 1 });
  const { body } = await upload(address, Buffer.concat([...someBytes(MB)]));
  const url = new URL(String(body['url']));
  const uploads = await Promise.all([openRawClient(address), openRawClient(address)]);
  for (const client of uploads) client.write(`${head(['Content-Length: 100'], POST)}x`);
  await waitFor(() => (spooled().length === 2 ? true : undefined), 'two uploads');
  expect(refusal(await upload(address, Buffer.from('third')))).toEqual(expected('overloaded'));
  // Its answer is more than the network holds unread.
  const reader = await openRawClient(address);
  reader.socket.pause();
  reader.write(whole(`${url.pathname}${url.search}`).repeat(20));
  await waitFor(async () => ((await download(url.href)).status === 503 ? true : undefined), 'the place to be taken');
  expect((await test.call('GET', '/v1/lines')).status).toBe(200);
  await test.send('Hello');
  reader.socket.destroy();
  for (const client of uploads) client.socket.destroy();
  await waitFor(async () => ((await download(url.href)).status === 200 ? true : undefined), 'the place to be free');
  expect((await upload(address, Buffer.from('third'))).status).toBe(201);
});
