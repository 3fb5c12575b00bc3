/** What every place for blobs must do, and what a bucket must do besides. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Blobs, BlobsUnavailableError, BlobTooLargeError, BrokenUploadError } from '../src/files/blobs.ts';
import { parseBucketAddress } from '../src/files/bucket-address.ts';
import { createLocalBlobs } from '../src/files/local-blobs.ts';
import { createS3Blobs } from '../src/files/s3-blobs.ts';
import { ACCESS_KEY, BUCKET, type FakeS3, REGION, SECRET, signatureOf, startFakeS3 } from './fake-s3.ts';
import { download, hashOf, someBytes, upload } from './file-client.ts';
import { createHome, startTestServer } from './harness.ts';
import { expected, refusal } from './tenancy.ts';

const NAME = 'file_01k0q3v5x8f9q2t7m4n6p8r0sa';
const OTHER = 'file_01k0q3v5x8f9q2t7m4n6p8r0sb';
const MB = 1024 * 1024;
const NOBODY = async () => new Set<string>();
const ALL = Number.POSITIVE_INFINITY;

let folder: string;
let s3: FakeS3;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  s3 = await startFakeS3();
});
afterEach(async () => {
  await s3.close();
  await rm(folder, { recursive: true, force: true });
});

const bucketBlobs = (address = s3.address(), partBytes?: number) =>
  createS3Blobs({
    bucket: parseBucketAddress(address),
    spoolFolder: join(folder, 'incoming'),
    ...(partBytes === undefined ? {} : { partBytes }),
  });
const from = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));
const filesLeft = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));

async function read(blobs: Blobs, name: string, range: { start: number; end: number } | null = null) {
  const stream = await blobs.open(name, range);
  if (!stream) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe.each(['a folder', 'a bucket', 'a bucket in parts'])('%s', (kind) => {
  let blobs: Blobs;
  beforeEach(() => {
    if (kind === 'a folder') blobs = createLocalBlobs(folder);
    else blobs = bucketBlobs(s3.address(), kind === 'a bucket in parts' ? MB : undefined);
  });

  it('gives back what was put, whole and in part, before and after it is kept', async () => {
    const received = await blobs.put(NAME, Readable.from(someBytes(5 * MB + 7)), 10 * MB);
    expect([received.size, received.hash]).toEqual([5 * MB + 7, hashOf(someBytes(5 * MB + 7))]);
    const whole = Buffer.concat([...someBytes(5 * MB + 7)]);
    expect(Buffer.from(received.head)).toEqual(whole.subarray(0, 4_100));
    for (const step of [async () => undefined, () => blobs.keep(NAME)]) {
      await step();
      expect(hashOf([(await read(blobs, NAME)) ?? Buffer.alloc(0)])).toBe(received.hash);
      expect(await read(blobs, NAME, { start: 0, end: 0 })).toEqual(whole.subarray(0, 1));
      const range = { start: MB - 3, end: 3 * MB + 5 };
      expect(await read(blobs, NAME, range)).toEqual(whole.subarray(range.start, range.end + 1));
      expect(await blobs.exists(NAME)).toBe(true);
    }
  });

  it('takes as much as the limit, and keeps nothing of what is more', async () => {
    await blobs.put(NAME, from('12', '345'), 5);
    await expect(blobs.put(OTHER, from('12', '3456'), 5)).rejects.toThrow(BlobTooLargeError);
    await blobs.keep(NAME);
    expect([await blobs.exists(NAME), await blobs.exists(OTHER)]).toEqual([true, false]);
    expect(filesLeft()).toEqual(kind === 'a folder' ? [NAME] : []);
  });

  it('stops at the limit while the source would go on for ever', async () => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given++;
        yield Buffer.alloc(1_000);
      }
    }
    await expect(blobs.put(NAME, Readable.from(endless()), 10_500)).rejects.toThrow(BlobTooLargeError);
    expect(given).toBeLessThan(50);
  });

  it('keeps nothing of a source that breaks off', async () => {
    async function* broken() {
      yield Buffer.from('some');
      throw new Error('gone');
    }
    await expect(blobs.put(NAME, Readable.from(broken()), 100)).rejects.toThrow(BrokenUploadError);
    expect([await blobs.exists(NAME), await read(blobs, NAME), filesLeft()]).toEqual([false, null, []]);
  });

  it('deletes, also what is not there, and what was never kept', async () => {
    await blobs.put(NAME, from('x'), 100);
    await blobs.keep(NAME);
    await blobs.put(OTHER, from('x'), 100);
    for (const name of [NAME, OTHER, NAME]) await blobs.delete(name);
    expect([await blobs.exists(NAME), await blobs.exists(OTHER), filesLeft()]).toEqual([false, false, []]);
    expect(s3.objects.size).toBe(0);
  });

  it('settles at a sweep what was put and not kept: removed, unless its row is there', async () => {
    await blobs.put(NAME, from('with a row'), 100);
    await blobs.put(OTHER, from('without'), 100);
    await blobs.sweep({ known: NOBODY, before: 0 });
    expect([await blobs.exists(NAME), await blobs.exists(OTHER)]).toEqual([true, true]);
    await blobs.sweep({ known: async (names) => new Set(names.filter((name) => name === NAME)), before: ALL });
    expect([await blobs.exists(NAME), await blobs.exists(OTHER)]).toEqual([true, false]);
    await blobs.sweep({ known: NOBODY, before: ALL });
    expect((await read(blobs, NAME))?.toString()).toBe('with a row');
  });

  it.each(['../../etc/passwd', 'a/b', '', '.', 'file_01%2f', 'C:x', 'x'.repeat(100)])(
    'has no place for the name %j',
    async (name) => {
      await expect(blobs.put(name, from('x'), 100)).rejects.toThrow();
      await expect((async () => blobs.open(name, null))()).rejects.toThrow();
      expect([filesLeft(), s3.objects.size]).toEqual([[], 0]);
    },
  );
});

describe('a bucket', () => {
  it('is asked with signatures that are right, for every kind of request', async () => {
    const blobs = bucketBlobs(s3.address(), MB);
    await blobs.put(NAME, Readable.from(someBytes(3 * MB + 1)), 10 * MB);
    await blobs.put(OTHER, from('small'), 10 * MB);
    await read(blobs, NAME, { start: 1, end: 2 });
    await blobs.exists(NAME);
    await blobs.delete(NAME);
    expect(s3.refused).toEqual([]);
    const place = `/${BUCKET}/sa/${NAME}`;
    const upload = /uploadId=[\w-]+/;
    expect(s3.taken.map((line) => line.replace(upload, 'uploadId=x'))).toEqual([
      `POST ${place}?uploads=`,
      ...[1, 2, 3, 4].map((part) => `PUT ${place}?partNumber=${part}&uploadId=x`),
      `POST ${place}?uploadId=x`,
      `PUT /${BUCKET}/sb/${OTHER}`,
      `GET ${place}`,
      `HEAD ${place}`,
      `DELETE ${place}`,
    ]);
  });

  it('that does not take the signature is said to be unavailable, and nothing is left', async () => {
    const blobs = bucketBlobs(s3.address('another secret'));
    await expect(blobs.put(NAME, from('x'), 100)).rejects.toThrow(BlobsUnavailableError);
    await expect(blobs.open(NAME, null)).rejects.toThrow(BlobsUnavailableError);
    expect(new Set(s3.refused)).toEqual(new Set(['SignatureDoesNotMatch']));
    expect([s3.objects.size, s3.taken]).toEqual([0, []]);
  });

  it('whose parts fail is left without an object and without an upload', async () => {
    const blobs = bucketBlobs(s3.address(), MB);
    s3.failOn((line) => line.includes('partNumber=2'));
    await expect(blobs.put(NAME, Readable.from(someBytes(3 * MB)), 10 * MB)).rejects.toThrow(BlobsUnavailableError);
    expect([s3.objects.size, s3.uploads.size, filesLeft()]).toEqual([0, 0, []]);
  });

  it('that fails and cannot be tidied up either is tidied up by a later sweep', async () => {
    const blobs = bucketBlobs();
    s3.failOn(() => true);
    await expect(blobs.put(NAME, from('x'), 100)).rejects.toThrow(BlobsUnavailableError);
    expect(filesLeft()).toEqual([NAME]);
    await expect(blobs.sweep({ known: NOBODY, before: ALL })).rejects.toThrow(BlobsUnavailableError);
    s3.failOn(() => false);
    await blobs.sweep({ known: NOBODY, before: ALL });
    expect(filesLeft()).toEqual([]);
  });

  it('holds what a server takes and serves, in parts too, and never shows its own address', async () => {
    const home = await createHome('sqlite');
    const test = await startTestServer('sqlite', { home, environment: { TRUNKLINE_BLOBS_URL: s3.address() } });
    const address = (await test.server.listen()) ?? '';
    const { body, status } = await upload(address, Readable.from(someBytes(2 * MB)), {
      headers: { 'x-filename': 'a.bin' },
    });
    expect(status).toBe(201);
    expect([...s3.objects.keys()]).toEqual([`${String(body['id']).slice(-2)}/${String(body['id'])}`]);
    const url = String(body['url']);
    expect(url.startsWith(`${address}/files/`)).toBe(true);
    expect(hashOf([(await download(url)).bytes])).toBe(hashOf(someBytes(2 * MB)));
    const part = await download(url, { range: 'bytes=65530-65545' });
    expect([part.status, part.headers['content-range'], part.bytes.length]).toEqual([
      206,
      `bytes 65530-65545/${2 * MB}`,
      16,
    ]);
    expect(JSON.stringify(part.headers)).not.toContain(s3.endpoint.slice('http://'.length));
    await test.stop();
    await home.remove();
  });

  it('that is away makes uploads 503, and the server starts without it', async () => {
    const home = await createHome('sqlite');
    const environment = { TRUNKLINE_BLOBS_URL: s3.address() };
    const first = await startTestServer('sqlite', { home, environment });
    const address = (await first.server.listen()) ?? '';
    s3.failOn(() => true);
    expect(refusal(await upload(address, Buffer.from('x')))).toEqual(expected('overloaded'));
    expect(await first.server.engine.query.selectFrom('files').selectAll().execute()).toEqual([]);
    await first.stop();
    const second = await startTestServer('sqlite', { home, environment });
    expect((await second.call('GET', '/v1/lines')).status).toBe(200);
    await second.stop();
    await home.remove();
  });
});

describe('the bucket of these tests', () => {
  const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  it('knows the signature of the example that S3 documents', () => {
    const headers = {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY_HASH,
      'x-amz-date': '20130524T000000Z',
    };
    const request = { method: 'GET', url: '/test.txt', headers, signedHeaders: Object.keys(headers) };
    expect(signatureOf(request, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'us-east-1')).toBe(
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  async function put(change: { url?: string; body?: string; date?: number; without?: string; key?: string } = {}) {
    const { host } = new URL(s3.endpoint);
    const date = new Date(change.date ?? Date.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const headers: Record<string, string> = {
      host,
      'x-amz-content-sha256': 'fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603',
      'x-amz-date': date,
    };
    const signedHeaders = Object.keys(headers).filter((name) => name !== change.without);
    const signature = signatureOf({ method: 'PUT', url: `/${BUCKET}/a`, headers, signedHeaders }, SECRET, REGION);
    const credential = `${change.key ?? ACCESS_KEY}/${date.slice(0, 8)}/${REGION}/s3/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
    const { host: _host, ...sent } = headers;
    const response = await fetch(`${s3.endpoint}${change.url ?? `/${BUCKET}/a`}`, {
      method: 'PUT',
      headers: { ...sent, authorization },
      body: change.body ?? 'ab',
    });
    return [response.status, s3.refused.at(-1)];
  }

  it('takes a request that is signed as it should be', async () => {
    expect(await put()).toEqual([200, undefined]);
  });

  it.each([
    ['of another path', { url: `/${BUCKET}/b` }, 'SignatureDoesNotMatch'],
    ['with a query that was not signed', { url: `/${BUCKET}/a?uploads=` }, 'SignatureDoesNotMatch'],
    ['with another body', { body: 'xy' }, 'XAmzContentSHA256Mismatch'],
    ['that is too old', { date: Date.now() - 16 * 60_000 }, 'RequestTimeTooSkewed'],
    ['of the future', { date: Date.now() + 16 * 60_000 }, 'RequestTimeTooSkewed'],
    ['without its host signed', { without: 'host' }, 'AccessDenied'],
    ['of another key', { key: 'AKIDOTHER' }, 'InvalidAccessKeyId'],
  ])('refuses one %s', async (_what, change, why) => {
    expect(await put(change)).toEqual([403, why]);
    expect(s3.objects.size).toBe(0);
  });

  it('refuses one without a signature', async () => {
    const response = await fetch(`${s3.endpoint}/${BUCKET}/a`, { method: 'PUT', body: 'ab' });
    expect([response.status, s3.refused]).toEqual([403, ['AccessDenied']]);
  });
});
