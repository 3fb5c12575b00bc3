/** Links to files: who may read by them, how long, which part, and as what. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileLinks } from '../src/domain/file-links.ts';
import { createFakeClock } from './fake-clock.ts';
import { download, upload } from './file-client.ts';
import { startTestServer, type TestOptions, type TestServer } from './harness.ts';
import { openRawClient } from './raw-client.ts';
import { expected, refusal } from './tenancy.ts';

const DAY_MS = 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;
const TEXT = '0123456789abcdefghij';
const CHARACTERS_OF_BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

let test: TestServer;
let address: string;

async function start(options: TestOptions = {}): Promise<void> {
  test = await startTestServer('sqlite', options);
  address = (await test.server.listen()) ?? '';
}
afterEach(() => test.stop());

async function uploaded(bytes: string | Buffer = TEXT, headers: Record<string, string> = {}) {
  const { status, body } = await upload(address, Buffer.from(bytes), { headers });
  expect(status).toBe(201);
  return { id: String(body['id']), url: new URL(String(body['url'])) };
}

const notFound = async (url: URL | string) => {
  const { status, headers, bytes } = await download(String(url));
  const body = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  return refusal({ status, headers, body });
};

describe('a link', () => {
  it('is what GET /v1/files sends its client to, with 302 and an absolute address, good for an hour', async () => {
    await start();
    const { id } = await uploaded();
    const { status, headers } = await test.call('GET', `/v1/files?id=${id}`);
    expect(status).toBe(302);
    const location = new URL(String(headers['location']));
    expect([location.origin, location.pathname]).toEqual([address, `/files/${id}/file`]);
    const left = Number(location.searchParams.get('expires')) - Date.now();
    expect(left).toBeGreaterThan(HOUR_MS - 60_000);
    expect(left).toBeLessThanOrEqual(HOUR_MS);
    expect(headers['x-request-id']).toMatch(/^req_/);
    const followed = await fetch(`${address}/v1/files?id=${id}`, {
      headers: { authorization: `Bearer ${test.config.bootstrapApiKey}` },
    });
    expect([followed.redirected, await followed.text()]).toEqual([true, TEXT]);
  });

  it('is made from where the server listens, whatever Host the client names', async () => {
    await start();
    const { id } = await uploaded();
    const client = await openRawClient(address);
    const lines = ['Host: evil.example', 'X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example'];
    const key = `Authorization: Bearer ${test.config.bootstrapApiKey}`;
    client.write(`GET /v1/files?id=${id} HTTP/1.1\r\n${[...lines, key].join('\r\n')}\r\n\r\n`);
    const [answer] = await client.answers(1);
    expect(answer?.headers['location']).toMatch(new RegExp(`^${address}/files/`));
    client.socket.destroy();
  });

  it.each(['https://texts.example.com', 'https://texts.example.com/'])(
    'is made from the public address %s',
    async (publicUrl) => {
      await start({ environment: { TRUNKLINE_PUBLIC_URL: publicUrl } });
      const { headers, body } = await test.call('POST', '/v1/files', 'bytes');
      expect(headers['content-type']).toMatch(/json/);
      expect(body['url']).toMatch(/^https:\/\/texts\.example\.com\/files\/file_/);
    },
  );

  it('of an answer is good for 30 days and no longer, and that of a redirect for an hour', async () => {
    const clock = createFakeClock(Date.now());
    test = await startTestServer('sqlite', { clock });
    const { body } = await test.call('POST', '/v1/files', TEXT);
    const redirect = await test.call('GET', `/v1/files?id=${String(body['id'])}`);
    const status = async (link: unknown) => {
      const { pathname, search } = new URL(String(link));
      const answering = test.server.app.inject(`${pathname}${search}`);
      return (await answering).statusCode;
    };
    const [long, short] = [body['url'], redirect.headers['location']];
    expect([await status(long), await status(short)]).toEqual([200, 200]);
    clock.jump(HOUR_MS);
    expect([await status(long), await status(short)]).toEqual([200, 404]);
    clock.jump(30 * DAY_MS - HOUR_MS - 60_000);
    expect(await status(long)).toBe(200);
    clock.jump(61_000);
    expect(await status(long)).toBe(404);
  });

  it('needs no key, counts against nobody, and is not told apart by any header of a key', async () => {
    await start();
    const { url } = await uploaded();
    const got = await download(url.href, { authorization: 'Bearer nonsense' });
    expect([got.status, got.bytes.toString()]).toEqual([200, TEXT]);
    expect(Object.keys(got.headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });

  it('with any other name leads to the same file', async () => {
    await start();
    const { id, url } = await uploaded();
    const other = await download(`${address}/files/${id}/other%2f..%2fname${url.search}`);
    expect(other.bytes.toString()).toBe(TEXT);
  });

  it('that was changed in any place, or is of another file, leads nowhere and says nothing of why', async () => {
    await start();
    const [one, two] = [await uploaded(), await uploaded()];
    const signature = one.url.searchParams.get('signature') ?? '';
    const expires = one.url.searchParams.get('expires') ?? '';
    const link = (id: string, until: string, signed: string) =>
      `${address}/files/${id}/file?${new URLSearchParams({ expires: until, signature: signed })}`;
    expect((await download(link(one.id, expires, signature))).status).toBe(200);
    const last = CHARACTERS_OF_BASE64URL.indexOf(signature.slice(-1));
    const changed = [
      link(two.id, expires, signature),
      link('file_01k0q3v5x8f9q2t7m4n6p8r0sa', expires, signature),
      link('file_', expires, signature),
      link(one.id, String(Number(expires) + 1), signature),
      link(one.id, `0${expires}`, signature),
      link(one.id, `${expires}.0`, signature),
      link(one.id, '9'.repeat(400), signature),
      link(one.id, 'NaN', signature),
      link(one.id, '', signature),
      link(one.id, expires, ''),
      link(one.id, expires, signature.slice(1)),
      link(one.id, expires, `${signature}A`.repeat(3)),
      link(one.id, expires, `${signature.slice(0, -1)}${CHARACTERS_OF_BASE64URL[(last + 4) % 64]}`),
      link(one.id, expires, `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`),
      `${address}/files/${one.id}/file`,
      `${address}/files/${one.id}/file?expires=${expires}&expires=${expires}&signature=${signature}`,
      `${address}/files/${one.id}%00/file${one.url.search}`,
      `${address}/files/${encodeURIComponent('../../secret.key')}/file${one.url.search}`,
    ];
    for (const url of changed) expect(await notFound(url), url).toEqual(expected('file_not_found'));
  });

  it('of another installation, with another secret key, leads nowhere', async () => {
    await start();
    const { id } = await uploaded();
    const links = createFileLinks({ key: Buffer.alloc(32, 1), baseUrl: () => address, now: Date.now });
    expect(await notFound(links.url(id, null, HOUR_MS))).toEqual(expected('file_not_found'));
  });

  it('takes no other method, and nothing is found without a name', async () => {
    await start();
    const { id, url } = await uploaded();
    expect((await download(url.href, {}, 'DELETE')).status).toBe(405);
    expect((await download(url.href, {}, 'POST')).headers['allow']).toBe('GET');
    expect((await download(`${address}/files/${id}${url.search}`)).status).toBe(404);
  });
});

describe('a part of a file', () => {
  const RANGES: readonly [range: string, status: number, text: string, contentRange: string | undefined][] = [
    ['bytes=0-4', 206, '01234', 'bytes 0-4/20'],
    ['bytes=5-', 206, '56789abcdefghij', 'bytes 5-19/20'],
    ['bytes=-3', 206, 'hij', 'bytes 17-19/20'],
    ['bytes=0-0', 206, '0', 'bytes 0-0/20'],
    ['bytes=19-19', 206, 'j', 'bytes 19-19/20'],
    ['bytes=0-', 206, TEXT, 'bytes 0-19/20'],
    ['bytes=10-1000', 206, 'abcdefghij', 'bytes 10-19/20'],
    ['bytes=-1000', 206, TEXT, 'bytes 0-19/20'],
    ['BYTES=1-2', 206, '12', 'bytes 1-2/20'],
    ['bytes= 1-2', 206, '12', 'bytes 1-2/20'],
    ['bytes=20-', 416, '', 'bytes */20'],
    ['bytes=99999999999999999999-', 416, '', 'bytes */20'],
    ['bytes=-0', 416, '', 'bytes */20'],
    ['bytes=5-4', 200, TEXT, undefined],
    ['bytes=-', 200, TEXT, undefined],
    ['bytes=a-b', 200, TEXT, undefined],
    ['bytes=0-1,3-4', 200, TEXT, undefined],
    ['bytes', 200, TEXT, undefined],
    ['items=0-4', 200, TEXT, undefined],
    ['bytes=1.5-2', 200, TEXT, undefined],
    ['bytes=--5', 200, TEXT, undefined],
  ];
  beforeEach(() => start());

  it.each(RANGES)('asked for by %j is answered with %s', async (range, status, text, contentRange) => {
    const { url } = await uploaded();
    const got = await download(url.href, { range });
    expect([got.status, got.bytes.toString()]).toEqual([status, text]);
    expect(got.headers['content-range']).toBe(contentRange);
    expect(got.headers['content-length']).toBe(String(text.length));
  });

  it('is only given where the condition holds', async () => {
    const { id, url } = await uploaded();
    const modified = (await download(url.href)).headers['last-modified'] ?? '';
    const cases: readonly (readonly [condition: string, status: number])[] = [
      [`"${id}"`, 206],
      [modified, 206],
      ['"other"', 200],
      [`W/"${id}"`, 200],
      ['Thu, 01 Jan 1970 00:00:00 GMT', 200],
    ];
    for (const [condition, status] of cases) {
      const got = await download(url.href, { range: 'bytes=0-4', 'if-range': condition });
      expect({ condition, status: got.status }).toEqual({ condition, status });
    }
  });

  it('is not given to HEAD, which says what the whole is', async () => {
    const { url } = await uploaded();
    const got = await download(url.href, { range: 'bytes=0-4' }, 'HEAD');
    expect([got.status, got.headers['content-length'], got.bytes.length]).toEqual([200, '20', 0]);
  });

  it('is nothing where the client has the file already', async () => {
    const { id, url } = await uploaded();
    const modified = (await download(url.href)).headers['last-modified'] ?? '';
    for (const headers of [
      { 'if-none-match': `"${id}"` },
      { 'if-none-match': `"x", W/"${id}"` },
      { 'if-none-match': '*' },
      { 'if-modified-since': modified },
    ]) {
      const got = await download(url.href, headers as Record<string, string>);
      expect([got.status, got.bytes.length, got.headers['etag']]).toEqual([304, 0, `"${id}"`]);
    }
    expect((await download(url.href, { 'if-none-match': '"x"' })).status).toBe(200);
  });
});

describe('what a file is served as goes by its bytes:', () => {
  const OCTETS = 'application/octet-stream';
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
  const KINDS: readonly (readonly [what: string, claimed: string, bytes: Buffer, type: string, disposition: string])[] =
    [
      [
        'a PNG',
        'text/html',
        hex('89504e470d0a1a0a0000000d49484452 00000001000000010806000000 1f15c489'),
        'image/png',
        'inline',
      ],
      ['a JPEG', 'image/png', hex('ffd8ffe000104a46494600010100000100010000'), 'image/jpeg', 'inline'],
      ['a GIF', 'image/gif', Buffer.from('GIF89a\x01\0\x01\0\0\0\0;'), 'image/gif', 'inline'],
      [
        'an MP3',
        'audio/mpeg',
        Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0'), hex('fffb9000'), Buffer.alloc(500)]),
        'audio/mpeg',
        'inline',
      ],
      ['a WAV', 'audio/wav', Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0'), 'audio/wav', 'inline'],
      ['a CAF', 'audio/x-caf', Buffer.from('caff\0\x01\0\0desc'), 'audio/x-caf', 'inline'],
      ['an MP4', 'video/mp4', Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'), 'video/mp4', 'inline'],
      ['plain text', 'text/plain', Buffer.from('Grüße\n\tan alle'), 'text/plain; charset=utf-8', 'attachment'],
      ['a script', 'text/javascript', Buffer.from('alert(1)'), 'text/plain; charset=utf-8', 'attachment'],
      [
        'a contact',
        'text/vcard',
        Buffer.from('BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n'),
        'text/vcard',
        'attachment',
      ],
      [
        'a page called a picture',
        'image/png',
        Buffer.from('<!doctype html><script>alert(1)</script>'),
        OCTETS,
        'attachment',
      ],
      ['a page', 'text/html', Buffer.from('\n <html><body>'), OCTETS, 'attachment'],
      [
        'a picture with scripts',
        'image/svg+xml',
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
        OCTETS,
        'attachment',
      ],
      ['XML', 'application/xml', Buffer.from('<?xml version="1.0"?><a/>'), OCTETS, 'attachment'],
      ['a PDF', 'application/pdf', Buffer.from('%PDF-1.7\n%\xe2\xe3'), OCTETS, 'attachment'],
      ['a program', 'image/png', Buffer.concat([hex('7f454c46020101'), Buffer.alloc(60)]), OCTETS, 'attachment'],
      ['an archive', 'application/zip', hex('504b0506000000000000000000000000000000000000'), OCTETS, 'attachment'],
      ['one byte', 'image/png', hex('ff'), OCTETS, 'attachment'],
      ['text with a NUL', 'text/plain', Buffer.from('a\0b'), OCTETS, 'attachment'],
      ['half a PNG', 'image/png', hex('89504e47'), OCTETS, 'attachment'],
    ];
  beforeEach(() => start());

  it.each(KINDS)('%s that is called %s', async (_what, claimed, bytes, type, disposition) => {
    const { url } = await uploaded(bytes, { 'content-type': claimed });
    const got = await download(url.href);
    expect([got.headers['content-type'], got.headers['content-disposition']?.split(';')[0]]).toEqual([
      type,
      disposition,
    ]);
    expect(got.headers['x-content-type-options']).toBe('nosniff');
    expect(got.headers['content-security-policy']).toBe("sandbox; default-src 'none'");
    expect(got.bytes).toEqual(bytes);
  });

  it('text that is cut in the middle of a letter where it is looked at is text', async () => {
    const { url } = await uploaded(Buffer.from(`x${'ü'.repeat(5_000)}`));
    expect((await download(url.href)).headers['content-type']).toBe('text/plain; charset=utf-8');
  });
});
