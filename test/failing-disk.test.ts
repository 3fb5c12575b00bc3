/** Disks that fill up or fail, files that somebody else holds, folders that cannot be used. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { create, KEY, LINE, post } from './client.ts';
import { ledger, sqliteOracle } from './oracle.ts';
import { buildPowerCut } from './powercut.ts';
import { type Product, startProduct } from './product.ts';
import { openScene, type Scene } from './scene.ts';
import { until } from './until.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { makeFolder, sqliteWorld } from './world.ts';

const PART = 'the failing-disk tests';
const WATCH_EVERY_MS = 5;
const LOADED_MS = 600;
const RESUMES_WITHIN_MS = 5_000;
const BUSY_MS = 10_000;
/** What waiting for the lock may take: 5 s, and a slow machine. */
const REFUSED_WITHIN_MS = 7_000;
const START_FAILS_WITHIN_MS = 2_000;
const PHONE = '+15550109999';

const folders: string[] = [];
const products: Product[] = [];
let scene: Scene | null = null;

function folder(): string {
  const made = makeFolder();
  folders.push(made);
  return made;
}

function start(environment: Readonly<Record<string, string>>): Product {
  const product = startProduct({ TRUNKLINE_BOOTSTRAP_API_KEY: KEY, ...environment });
  products.push(product);
  return product;
}

afterEach(async () => {
  await scene?.end();
  scene = null;
  for (const product of products.splice(0)) {
    product.kill('SIGKILL');
    await product.ended;
  }
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

const get = (address: string, path: string) =>
  fetch(`${address}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
const send = (address: string, text: string) => post(address, '/v1/messages', { from: LINE, to: PHONE, text });

describe('a disk on SQLite', () => {
  const disk = buildPowerCut(PART);
  afterAll(() => disk?.remove());

  it('that is full stops what is accepted, not what is read; nothing is lost, and it goes on by itself', async () => {
    if (disk === null) return;
    const data = folder();
    const full = join(folder(), 'full');
    const environment = disk.environment({ prefix: `${data}/`, mirror: folder(), full });
    const here = await openScene(sqliteWorld(data), { processes: 1, process: { environment } });
    scene = here;
    const address = here.alive()[0]?.address ?? '';
    here.load.start();
    await sleep(LOADED_MS);

    writeFileSync(full, '');
    await until(async () => (await send(address, 'Full')).status === 503, RESUMES_WITHIN_MS, 'a refusal');
    const before = here.load.accepted.size;
    for (let time = 0; time < 10; time++) {
      const refused = await send(address, 'Still full');
      expect(refused).toMatchObject({ status: 503, body: { error: { type: 'api_error', code: 'overloaded' } } });
      expect((await get(address, '/v1/lines')).status).toBe(200);
      expect(
        (await get(address, `/v1/messages?from=${encodeURIComponent(LINE)}&to=${encodeURIComponent(PHONE)}`)).status,
      ).toBe(200);
      await sleep(100);
    }
    expect(here.load.accepted.size).toBe(before);

    rmSync(full);
    await until(async () => here.load.accepted.size > before, RESUMES_WITHIN_MS, 'a send that is accepted');
    const next = await create(address, '/v1/messages', { from: LINE, to: PHONE, text: 'Room' }, 'id');
    const isSent = async () => (await ledger(here.world.oracle.store)).get(next)?.state === 'sent';
    await until(isSent, RESUMES_WITHIN_MS, 'a message that is sent');
    const verdict = await here.judge();
    console.log(figures('a full disk', verdict));
    expect(verdict).toMatchObject(FAULTLESS);
  });

  it.each([
    ['ends the server', false],
    // What a clean end would still have put right is left to the next start.
    ['stops what is accepted, and when the server is killed then', true],
  ])('that fails a sync %s, what was acknowledged survives the next start and a power cut', async (_name, isKilled) => {
    if (disk === null) return;
    const data = folder();
    const mirror = folder();
    const unsynced = join(folder(), 'unsynced');
    const environment = { TRUNKLINE_DATA_DIR: data, ...disk.environment({ prefix: `${data}/`, mirror, unsynced }) };
    const acknowledged: string[] = [];
    const sendMany = async (address: string) => {
      for (let count = 0; count < 20; count++) {
        const { status, body } = await send(address, `Message ${count}`);
        expect(status).toBe(201);
        acknowledged.push(String(body['id']));
      }
    };

    const first = start(environment);
    const address = await first.listens;
    await sendMany(address);
    writeFileSync(unsynced, '');
    // Before the server ends by itself, which it does when the refusals have left.
    const watch = setInterval(() => {
      if (isKilled && !existsSync(unsynced)) first.kill('SIGKILL');
    }, WATCH_EVERY_MS);
    const refused = new Set<number>();
    for (let count = 0; count < 50; count++) {
      const answer = await send(address, 'Not safe').catch(() => null);
      if (answer === null) break;
      // The server's own writes may be the ones that meet the failing sync; until then it knows nothing of it.
      if (answer.status === 201) acknowledged.push(String(answer.body['id']));
      if (existsSync(unsynced) || answer.status === 201) expect(refused.size).toBe(0);
      else refused.add(answer.status);
    }
    expect([...refused].filter((status) => status !== 503)).toEqual([]);
    const { code } = await first.ended;
    clearInterval(watch);
    expect(code).toBe(isKilled ? null : 74);
    if (!isKilled)
      expect(first.errors()).toMatch(/^The disk could not sync .*sqlite, .* Check the disk, then start again: .*\.\n$/);

    const second = start(environment);
    await sendMany(await second.listens);
    second.kill('SIGKILL');
    await second.ended;
    for (const survived of [data, mirror]) {
      const { store } = sqliteOracle(survived);
      const items = await ledger(store);
      expect([survived, acknowledged.filter((id) => !items.has(id))]).toEqual([survived, []]);
    }
  });
});

describe('a foreign process that holds the write lock', () => {
  it('makes writes wait, then refuses them, stops no read, and loses and doubles nothing', async () => {
    const data = folder();
    const here = await openScene(sqliteWorld(data), { processes: 1 });
    scene = here;
    const address = here.alive()[0]?.address ?? '';
    const other = new Sqlite(join(data, 'trunkline.sqlite'));
    other.exec('begin immediate');
    const startedAt = performance.now();
    const answered: { status: number; afterMs: number }[] = [];
    const slowest = { read: 0 };
    while (performance.now() - startedAt < BUSY_MS) {
      const sentAt = performance.now();
      void fetch(`${address}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ from: LINE, to: PHONE, text: `At ${sentAt}` }),
      }).then((answer) => answered.push({ status: answer.status, afterMs: performance.now() - sentAt }));
      const readAt = performance.now();
      expect((await get(address, '/v1/lines')).status).toBe(200);
      slowest.read = Math.max(slowest.read, performance.now() - readAt);
      await sleep(100);
    }
    const whileHeld = [...answered];
    other.exec('rollback');
    other.close();
    await until(async () => (await send(address, 'Free')).status === 201, RESUMES_WITHIN_MS, 'a send that is accepted');

    console.log(`${whileHeld.length} writes refused, the slowest read ${Math.round(slowest.read)} ms`);
    expect(whileHeld.length).toBeGreaterThan(10);
    expect(new Set(whileHeld.map((answer) => answer.status))).toEqual(new Set([503]));
    expect(Math.max(...whileHeld.map((answer) => answer.afterMs))).toBeLessThan(REFUSED_WITHIN_MS);
    // A process that waits inside SQLite answers nobody for seconds.
    expect(slowest.read).toBeLessThan(2_000);
    here.load.start();
    await sleep(LOADED_MS);
    expect(await here.judge()).toMatchObject(FAULTLESS);
    const texts = await here.world.oracle.wire.rows("select text from messages where from_line = 1 and text <> ''");
    expect(new Set(texts.map((row) => row['text'])).size).toBe(texts.length);
  });
});

describe('a start', () => {
  /** What starting takes on this machine just now: this one is refused by the first thing that is read. */
  async function startTakesMs(): Promise<number> {
    const { code, afterMs } = await start({ TRUNKLINE_NO_SUCH_SETTING: '1' }).ended;
    expect(code).toBe(2);
    return afterMs;
  }

  async function expectNoStart(environment: Readonly<Record<string, string>>, sentence: RegExp): Promise<void> {
    const bareMs = await startTakesMs();
    const product = start(environment);
    const { code, afterMs } = await product.ended;
    expect(code).toBe(1);
    const lines = product.errors().trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(sentence);
    expect(afterMs - bareMs).toBeLessThan(START_FAILS_WITHIN_MS);
  }

  it('fails with one line where a file stands instead of the folder, or above it', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    const sentence = /^The data folder \S+ cannot be used\. Set TRUNKLINE_DATA_DIR to a folder you may write to\.$/;
    await expectNoStart({ TRUNKLINE_DATA_DIR: file }, sentence);
    await expectNoStart({ TRUNKLINE_DATA_DIR: join(file, 'data') }, sentence);
  });

  it('fails with one line where the folder takes no files', async () => {
    // Root may write everywhere, but a file system that has no files of its own takes none from anybody.
    await expectNoStart(
      { TRUNKLINE_DATA_DIR: '/proc/self' },
      /^The (data folder|database) \S+ cannot be (used|opened)/,
    );
    const data = folder();
    mkdirSync(join(data, 'lock'));
    await expectNoStart({ TRUNKLINE_DATA_DIR: data }, /^The database \S+lock cannot be opened for writing\. .*\.$/);
  });

  it('fails with one line where the folder belongs to a Trunkline that runs', async () => {
    const data = folder();
    await start({ TRUNKLINE_DATA_DIR: data }).listens;
    await expectNoStart({ TRUNKLINE_DATA_DIR: data }, /^Another Trunkline uses this data folder\. Stop it, .*\.$/);
  });

  it('fails with one line where a foreign process holds the database', async () => {
    const data = folder();
    const first = start({ TRUNKLINE_DATA_DIR: data });
    await first.listens;
    first.kill('SIGTERM');
    await first.ended;
    const other = new Sqlite(join(data, 'trunkline.sqlite'));
    other.exec('begin immediate');
    const product = start({ TRUNKLINE_DATA_DIR: data });
    expect((await product.ended).code).toBe(1);
    expect(product.errors()).toMatch(/^Another process .*database.*\.\n$/);
    other.close();
  });

  it('fails with one line where the database is none', async () => {
    const data = folder();
    writeFileSync(join(data, 'trunkline.sqlite'), 'This is not a database. '.repeat(100));
    await expectNoStart({ TRUNKLINE_DATA_DIR: data }, /^\S+trunkline\.sqlite is not a database, or is damaged\. .*\.$/);
  });
});
