/** Files over the front door: what is uploaded comes back, and nothing else does. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, hashOf, someBytes, upload } from './file-client.ts';
import {
  createHome,
  ENGINES,
  type Home,
  startTestServer,
  type TestOptions,
  type TestServer,
  waitFor,
} from './harness.ts';
import { head, openRawClient } from './raw-client.ts';
import { addAccount, addKey, expected, refusal } from './tenancy.ts';

const MB = 1024 * 1024;
const BIG = 20 * MB;
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');

let home: Home;
let test: TestServer;
let address: string;

async function start(options: TestOptions = {}): Promise<void> {
  test = await startTestServer(home.engine, { home, ...options });
  address = (await test.server.listen()) ?? '';
}

const dataDir = () => home.environment['TRUNKLINE_DATA_DIR'] ?? '';
const rows = () => test.server.engine.query.selectFrom('files').selectAll().orderBy('ref').execute();
const blobs = () => {
  const folder = join(dataDir(), 'blobs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((one) =>
    one.isFile() ? [one.name] : [],
  );
};
const urlOf = (body: Readonly<Record<string, unknown>>) => String(body['url']);

describe.each(ENGINES)('files on %s', (engine) => {
  beforeEach(async () => {
    home = await createHome(engine);
    await start();
  });
  afterEach(async () => {
    await test.stop();
    await home.remove();
  });

  it('come back byte for byte, under a link that needs no key', async () => {
    const { status, body } = await upload(address, PNG, {
      headers: { 'content-type': 'image/png', 'x-filename': 'a b.png' },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^file_[0-9a-hjkmnp-tv-z]{26}$/),
      url: expect.stringMatching(
        new RegExp(`^${address}/files/file_\\w+/a%20b\\.png\\?expires=\\d+&signature=[\\w-]{43}$`),
      ),
      filename: 'a b.png',
      mime_type: 'image/png',
      size: PNG.length,
      request_id: expect.stringMatching(/^req_/),
    });
    const got = await download(urlOf(body));
    expect([got.status, got.bytes]).toEqual([200, PNG]);
    expect(got.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(PNG.length),
      'content-disposition': `inline; filename="a b.png"; filename*=UTF-8''a%20b.png`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=86400',
      etag: `"${String(body['id'])}"`,
      'x-request-id': expect.stringMatching(/^req_/),
    });
    expect(got.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('are on disk with a 201, private, under a name that the client had no part in', async () => {
    const { body } = await upload(address, PNG, { headers: { 'x-filename': '../../../outside.png' } });
    const id = String(body['id']);
    const file = join(dataDir(), 'blobs', id.slice(-2), id);
    expect(await readFile(file)).toEqual(PNG);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir(), 'blobs'))).mode & 0o777).toBe(0o700);
    expect(blobs()).toEqual([id]);
  });

  it('of 20 MB come back as they were, sent with a length and in chunks', async () => {
    const wanted = hashOf(someBytes(BIG));
    const whole = Buffer.concat([...someBytes(BIG)]);
    for (const bytes of [whole, Readable.from(someBytes(BIG))]) {
      const { status, body } = await upload(address, bytes);
      expect([status, body['size'], body['mime_type']]).toEqual([201, BIG, 'application/octet-stream']);
      expect(hashOf([(await download(urlOf(body))).bytes])).toBe(wanted);
    }
  });

  it('outlast a restart, and so do their links', async () => {
    const { body } = await upload(address, PNG);
    const { pathname, search } = new URL(urlOf(body));
    await test.stop();
    await start();
    expect((await download(`${address}${pathname}${search}`)).bytes).toEqual(PNG);
  });

  it('without a byte are refused and leave nothing', async () => {
    expect(refusal(await upload(address, Buffer.alloc(0)))).toEqual(expected('empty_file'));
    expect(refusal(await upload(address, Readable.from([])))).toEqual(expected('empty_file'));
    const bare = await test.call('POST', '/v1/files');
    expect(refusal(bare)).toEqual(expected('empty_file'));
    expect([await rows(), blobs()]).toEqual([[], []]);
  });

  it('that break off in the middle leave no row and no bytes', async () => {
    const client = await openRawClient(address);
    client.write(head(['Content-Length: 1000000'], 'POST /v1/files HTTP/1.1'));
    client.write(Buffer.alloc(500_000, 'x'));
    await waitFor(() => (blobs().length === 1 ? true : undefined), 'bytes in the spool');
    client.socket.destroy();
    await waitFor(() => (blobs().length === 0 ? true : undefined), 'the spool to be empty');
    expect(await rows()).toEqual([]);
  });

  it('with the same Idempotency-Key and bytes are one file, and with other bytes a conflict', async () => {
    const headers = { 'idempotency-key': 'once', 'x-filename': 'a.png' };
    const first = await upload(address, PNG, { headers });
    const again = await upload(address, Readable.from([PNG.subarray(0, 5), PNG.subarray(5)]), { headers });
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    const other = await upload(address, Buffer.from('other'), { headers });
    expect(refusal(other)).toEqual(expected('idempotency_key_reused'));
    const renamed = await upload(address, PNG, { headers: { ...headers, 'x-filename': 'b.png' } });
    expect(refusal(renamed)).toEqual(expected('idempotency_key_reused'));
    expect((await rows()).map((row) => row.id)).toEqual([first.body['id']]);
    expect(blobs()).toEqual([first.body['id']]);
  });

  it('sent twice at once with one Idempotency-Key are one file', async () => {
    const sending = Array.from({ length: 5 }, () => upload(address, PNG, { headers: { 'idempotency-key': 'twins' } }));
    const answers = await Promise.all(sending);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1);
    expect(await rows()).toHaveLength(1);
    await waitFor(() => (blobs().length === 1 ? true : undefined), 'the bytes of the others to go');
  });

  it('sent twice without one are two files', async () => {
    const [one, two] = [await upload(address, PNG), await upload(address, PNG)];
    expect(one.body['id']).not.toBe(two.body['id']);
  });

  it('whose answer was lost are one file for a client that sends the same again', async () => {
    const client = await openRawClient(address);
    const commits = await holdCommits(test);
    client.write(Buffer.concat([Buffer.from(head([`Content-Length: ${PNG.length}`], 'POST /v1/files HTTP/1.1')), PNG]));
    await commits.waiting;
    client.socket.destroy();
    await sleep(50);
    commits.release();
    await waitFor(async () => ((await rows()).length === 1 ? true : undefined), 'the file');
    await waitFor(async () => {
      const lost = await test.server.engine.query.selectFrom('lost_answers').selectAll().execute();
      return lost.length === 1 ? true : undefined;
    }, 'the answer to be known as lost');
    const again = await upload(address, PNG);
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    expect((await rows()).map((row) => row.id)).toEqual([again.body['id']]);
  });

  it.each([
    ['application/json', '{"a":'],
    ['application/json; charset=utf-16', '[]'],
    ['text/plain', 'text'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/x-www-form-urlencoded', 'a=b'],
    ['TEXT/HTML; Charset="x"', '<p>'],
  ])('of the type %s are taken as bytes, and say that type without its parameters', async (type, text) => {
    const { status, body } = await upload(address, Buffer.from(text), { headers: { 'content-type': type } });
    expect([status, body['mime_type']]).toEqual([201, type.split(';')[0]?.toLowerCase()]);
    expect((await download(urlOf(body))).bytes.toString()).toBe(text);
  });

  it.each(['nonsense', 'a/b/c', '/', ';', `x/${'y'.repeat(300)}`, 'text/"quoted"', 'image/ png'])(
    'of the type %j, which is none, are taken as bytes of no type',
    async (type) => {
      const { status, body } = await upload(address, PNG, { headers: { 'content-type': type } });
      expect([status, body['mime_type']]).toEqual([201, 'application/octet-stream']);
    },
  );

  it('belong to their account alone', async () => {
    const stranger = await addKey(test, { accountRef: await addAccount(test) });
    const { body } = await upload(address, PNG);
    const id = String(body['id']);
    for (const path of [`/v1/files?id=${id}`, `/v1/files/${id}`]) {
      expect((await test.call('GET', path)).status).toBeLessThan(400);
      const answer = await test.call('GET', path, undefined, { key: stranger });
      expect(refusal(answer)).toEqual(expected('file_not_found', 'id'));
    }
  });

  it('are named by a file_ id, or the request is refused', async () => {
    for (const id of ['msg_01k0q3v5x8f9q2t7m4n6p8r0sa', 'x', 'FILE_01k0q3v5x8f9q2t7m4n6p8r0sa']) {
      for (const path of [`/v1/files?id=${id}`, `/v1/files/${id}`]) {
        expect(refusal(await test.call('GET', path))).toEqual(expected('invalid_parameter_value', 'id'));
      }
    }
    for (const id of ['file_01k0q3v5x8f9q2t7m4n6p8r0sa', 'file_', 'file_..%2f..%2fetc', `file_${'x'.repeat(200)}`]) {
      for (const path of [`/v1/files?id=${id}`, `/v1/files/${id}`]) {
        expect(refusal(await test.call('GET', path))).toEqual(expected('file_not_found', 'id'));
      }
    }
    expect(refusal(await test.call('GET', '/v1/files'))).toEqual(expected('missing_required_parameter', 'id'));
  });

  it('that a crash left in the spool are gone after the next start, and one whose row is there is not', async () => {
    const { body } = await upload(address, PNG);
    const id = String(body['id']);
    await test.stop();
    const spool = join(dataDir(), 'blobs', 'incoming');
    await mkdir(spool, { recursive: true });
    await writeFile(join(spool, 'file_01k0q3v5x8f9q2t7m4n6p8r0sa'), 'half of a file');
    // As a crash between the commit and the move leaves it.
    await rename(join(dataDir(), 'blobs', id.slice(-2), id), join(spool, id));
    const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
    for (const name of readdirSync(spool)) await utimes(join(spool, name), longAgo, longAgo);
    await start();
    expect(blobs()).toEqual([id]);
    expect(existsSync(join(dataDir(), 'blobs', id.slice(-2), id))).toBe(true);
    const { body: found } = await test.call('GET', `/v1/files/${id}`);
    expect((await download(urlOf(found))).bytes).toEqual(PNG);
  });
});

/** Lets no write of the server begin until it is released. */
async function holdCommits({ server }: TestServer): Promise<{ waiting: Promise<void>; release: () => void }> {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const engine = server.engine as { commit: (typeof server.engine)['commit'] };
  const commit = engine.commit.bind(server.engine);
  engine.commit = async (run) => {
    begun();
    await held;
    return commit(run);
  };
  return { waiting, release };
}
