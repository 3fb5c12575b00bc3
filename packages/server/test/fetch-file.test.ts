/** What a request asks of a URL that names a file: whether it may be used, and the file itself, at once. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { createIds } from '../src/domain/ids.ts';
import { checkMediaUrl, fetchFile } from '../src/files/fetch-file.ts';
import { createFetcher, type Fetcher } from '../src/files/fetcher.ts';
import { openBlobs } from '../src/files/open-blobs.ts';
import { createLog } from '../src/log.ts';
import { createNetworkGuard, type NetworkGuard } from '../src/network/guard.ts';
import { LOOPBACK_NETWORKS } from '../src/network/networks.ts';
import { download } from './file-client.ts';
import { bytes, type FileServer, hangs, startFileServer, status } from './file-server.ts';
import { ENGINES, expectStatus, startTestServer, type TestServer, waitFor } from './harness.ts';
import { filesOf, TICKET } from './media-scene.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const PARAM = 'media_url';

const guardOf = (addresses: readonly string[] = []): NetworkGuard =>
  createNetworkGuard({ networks: LOOPBACK_NETWORKS, lookup: async () => addresses, clock: systemClock });

describe('a URL of a file, when it is given,', () => {
  const check = (url: string, guard = guardOf()) => checkMediaUrl(guard, url, PARAM);

  it('is stored as URLs are written', async () => {
    expect(await check('https://EXAMPLE.com/a b.png')).toBe('https://example.com/a%20b.png');
    expect(await check('http://127.0.0.1:8/x')).toBe('http://127.0.0.1:8/x');
  });

  it('may have a name that does not resolve just now', async () => {
    expect(await check('https://later.example/')).toBe('https://later.example/');
  });

  it.each([
    ['not a URL', 'must be an absolute URL'],
    ['/relative', 'must be an absolute URL'],
    ['ftp://example.com/x', 'must be an https URL'],
    ['https://user:pass@example.com/', 'must not carry a user name or password'],
    ['https://169.254.169.254/latest', 'leads to an address that this server may not call'],
    ['http://10.0.0.1/', 'must be an https URL'],
    [`https://example.com/${'a'.repeat(4_096)}`, 'must have at most 4096 characters'],
  ])('is refused as a webhook’s would be: %s', async (url, why) => {
    const refused = check(url);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_parameter_value', param: PARAM });
    await expect(refused).rejects.toThrow(`The '${PARAM}' field ${why}`);
  });

  it('is refused where its name leads to a private address', async () => {
    await expect(check('https://inside.example/', guardOf(['10.0.0.1']))).rejects.toThrow('may not call');
  });
});

describe.each(ENGINES)('a file that a request has fetched at once on %s', (engine) => {
  let files: FileServer;
  let test: TestServer;
  let fetcher: Fetcher;
  let ids: string[];

  beforeAll(async () => {
    test = await startTestServer(engine);
    await test.server.listen();
    files = await startFileServer();
  });
  afterAll(async () => {
    await files.close();
    await test.stop();
  });
  beforeEach(async () => {
    const made = createIds(systemClock.now, randomBytes);
    ids = [];
    fetcher = createFetcher({
      guard: guardOf(),
      blobs: await openBlobs(test.config.dataDir, null),
      ids: { ...made, make: (kind) => ids[ids.push(made.make(kind)) - 1] ?? '' },
      clock: systemClock,
      log: createLog('silent', false),
      fileLimitMb: 1,
    });
  });
  afterEach(() => fetcher.close());

  const fetched = (url: string) => {
    const deps = { guard: guardOf(), fetcher, writer: test.server.writer, clock: systemClock };
    return fetchFile(deps, { accountRef: 1, url, param: PARAM }, () => TICKET);
  };

  it('is the account’s, and can be read', async () => {
    const file = await fetched(files.put('/hike.png', bytes(PICTURE)));
    expect(file).toMatchObject({ id: ids[0], filename: 'hike.png', mimeType: 'image/png', size: PICTURE.length });
    const { body } = expectStatus(200, await test.call('GET', `/v1/files/${file.id}`));
    const got = await download(String(body['url']));
    expect([got.status, got.bytes]).toEqual([200, PICTURE]);
  });

  it('is refused with what its server said, and nothing of it stays', async () => {
    const before = await filesOf(test);
    const refused = fetched(files.put('/gone.png', status(410)));
    await expect(refused).rejects.toMatchObject({ code: 'invalid_parameter_value', param: PARAM });
    await expect(refused).rejects.toThrow(
      `The '${PARAM}' field names a file that could not be fetched: its server answered 410.`,
    );
    expect(await filesOf(test)).toEqual(before);
  });

  it('is given up when the server stops', async () => {
    const fetching = fetched(files.put('/slow.png', hangs));
    await waitFor(() => files.asked.includes('/slow.png') || undefined, 'the request');
    fetcher.close();
    await expect(fetching).rejects.toMatchObject({ code: 'overloaded' });
  });
});
