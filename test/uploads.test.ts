/** Many large uploads at once against a server as it ships, and one that is killed in the middle of them. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { KEY } from './client.ts';
import { recordLeftOut } from './left-out.ts';
import { type Product, startProduct } from './product.ts';
import { makeFolder, sqliteWorld, type World } from './world.ts';

const MB = 1024 * 1024;
const UPLOADS = 100;
const SIZE = 20 * MB;
const FORMS = 10;
const FORM_SIZE = 50 * MB;
/** What came of them and was thrown away already may lie about for a while. */
const FORMS_MEMORY_MAX = 200 * MB;
const MEMORY_MAX = 250 * MB;
const LOOK_EVERY_MS = 50;
const PIECE = Buffer.alloc(64 * 1024, 'Trunkline ');

let folder: string;
let world: World;
let product: Product;

async function start(): Promise<string> {
  product = startProduct(world.environment);
  return product.listens;
}

function createPlace(): void {
  folder = makeFolder();
  world = sqliteWorld(folder);
}

afterEach(async () => {
  product.kill('SIGKILL');
  await product.ended;
  await world.remove();
});

it(`${UPLOADS} uploads of ${SIZE / MB} MB at once keep the server small, and each comes back whole`, async () => {
  createPlace();
  const address = await start();
  const uploading = () => Promise.all(Array.from({ length: UPLOADS }, () => upload(address, bytesOf(SIZE))));
  const [answers, most] = await watchMemory(uploading);
  expect(new Set(answers.map(({ status, body }) => `${status} ${body['size']}`))).toEqual(new Set([`201 ${SIZE}`]));
  expect(most / MB).toBeLessThan(MEMORY_MAX / MB);
  const wanted = createHash('sha256');
  for (const piece of bytesOf(SIZE)) wanted.update(piece);
  const hash = wanted.digest('hex');
  for (const { body } of answers.slice(0, 10)) expect(await hashAt(String(body['url']))).toBe(hash);
});

it(`${FORMS} forms with a file of ${FORM_SIZE / MB} MB at once grow the server by far less, and each file comes back whole`, async () => {
  createPlace();
  const address = await start();
  const headers = await formHeaders(address);
  const before = memoryOf(product.pid) ?? 0;
  const [answers, most] = await watchMemory(() => {
    return Promise.all(
      Array.from({ length: FORMS }, () => upload(address, formOf(FORM_SIZE), '/api/upload-file', headers)),
    );
  });
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: FORMS }, () => 201));
  expect((most - before) / MB).toBeLessThan(FORMS_MEMORY_MAX / MB);
  const wanted = createHash('sha256');
  for (const piece of bytesOf(FORM_SIZE)) wanted.update(piece);
  expect(await hashAt(String(answers[0]?.body['media_url']))).toBe(wanted.digest('hex'));
});

it('a server that is killed in the middle of uploads keeps what it acknowledged, and nothing else', async () => {
  createPlace();
  const done: Record<string, unknown>[] = [];
  for (let kill = 0; kill < 5; kill++) {
    const address = await start();
    let isOver = false;
    const uploading = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const answer = await upload(address, bytesOf(MB)).catch(() => null);
        if (answer?.status === 201) done.push(answer.body);
      }
    });
    await sleep(300 + 70 * kill);
    product.kill('SIGKILL');
    isOver = true;
    await Promise.all(uploading);
    await product.ended;
  }
  const address = await start();
  const known = new Set<string>();
  for (const { id, url } of done) {
    const { pathname, search } = new URL(String(url));
    const response = await fetch(`${address}${pathname}${search}`);
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, MB]);
    known.add(String(id));
  }
  expect(done.length).toBeGreaterThan(0);
  const stored = readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
  expect(readdirSync(join(folder, 'blobs', 'incoming'))).toEqual([]);
  // What was committed and not acknowledged any more is there too; a blob without a row is not.
  const rows = await world.oracle.store.rows('select id from files');
  const ids = rows.map((row) => String(row['id'])).sort();
  expect(stored.flatMap((one) => (one.isFile() ? [one.name] : [])).sort()).toEqual(ids);
  expect([...known].filter((id) => !ids.includes(id))).toEqual([]);
});

interface Uploaded {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Gives what the work gives, and the most memory that the server had meanwhile. */
async function watchMemory<T>(work: () => Promise<T>): Promise<[T, number]> {
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, memoryOf(product.pid) ?? 0);
      await sleep(LOOK_EVERY_MS);
    }
  })();
  const result = await work();
  isOver = true;
  await watching;
  return [result, most];
}

/** In chunks, made as they are sent. */
async function upload(
  address: string,
  bytes: Iterable<Buffer>,
  path = '/v1/files',
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${KEY}` },
): Promise<Uploaded> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sending = httpRequest(`${address}${path}`, { method: 'POST', headers, agent: false }, resolve);
    sending.once('error', reject);
    Readable.from(bytes, { highWaterMark: 1 }).pipe(sending);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const body: Uploaded['body'] = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return { status: response.statusCode ?? 0, body };
}

function* bytesOf(size: number): Generator<Buffer> {
  for (let made = 0; made < size; made += PIECE.length) yield PIECE.subarray(0, Math.min(PIECE.length, size - made));
}

function* formOf(size: number): Generator<Buffer> {
  yield Buffer.from('--part\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n');
  yield* bytesOf(size);
  yield Buffer.from('\r\n--part--\r\n');
}

async function formHeaders(address: string): Promise<Record<string, string>> {
  const response = await fetch(`${address}/admin/v1/keys`, { headers: { authorization: `Bearer ${KEY}` } });
  const { data } = (await response.json()) as { data: { id: string }[] };
  const type = 'multipart/form-data; boundary=part';
  return { 'sb-api-key-id': data[0]?.id ?? '', 'sb-api-secret-key': KEY, 'content-type': type };
}

async function hashAt(url: string): Promise<string> {
  const hash = createHash('sha256');
  const { body } = await fetch(url);
  for await (const chunk of body ?? []) hash.update(chunk);
  return hash.digest('hex');
}

/** Null where the system does not tell. */
function memoryOf(pid: number): number | null {
  const file = `/proc/${pid}/status`;
  const kib = existsSync(file) ? /VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  if (kib !== undefined) return Number(kib) * 1024;
  recordLeftOut('the memory of a server that takes uploads', 'it needs Linux');
  return null;
}
