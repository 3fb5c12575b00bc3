/** Uploads of Sendblue's API: forms over real sockets, and files that the server fetches, for a later `media_url`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, someBytes } from './file-client.ts';
import { bytes, type FileServer, startFileServer, status } from './file-server.ts';
import { ENGINES, KEY, LINE, PHONE, waitFor } from './harness.ts';
import { filesOf } from './media-scene.ts';
import { openRawClient, type RawClient } from './raw-client.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const MB = 1024 * 1024;
const BIG = 12 * MB;
const HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n';
const TAIL = '\r\n--b--\r\n';
const field = (name: string, value = 'x') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

type Body = Record<string, unknown>;

let stage: SendblueStage;

const start = async (engine: 'sqlite' | 'postgres', limitMb: number) => {
  stage = await startSendblue(engine, { environment: { TRUNKLINE_FILE_LIMIT_MB: String(limitMb) } });
};
const credentials = () => ({ 'sb-api-key-id': stage.keyId, 'sb-api-secret-key': KEY });
async function post(
  body: FormData | Uint8Array<ArrayBuffer> | string | null,
  headers: Record<string, string> = {},
): Promise<[number, Body]> {
  const options = { method: 'POST', headers: { ...credentials(), ...headers }, body };
  const response = await fetch(`${stage.baseURL}/api/upload-file`, options);
  return [response.status, (await response.json()) as Body];
}
const postText = (text: string | Buffer, type = 'multipart/form-data; boundary=b') =>
  post(new Uint8Array(Buffer.from(text)), { 'content-type': type });
function formOf(file: Blob, name: string, fieldName = 'file'): FormData {
  const form = new FormData();
  form.set('note', 'read over');
  form.append(fieldName, file, name);
  form.append('after', 'read over too');
  return form;
}
const stored = () => {
  const folder = join(stage.test.config.dataDir, 'blobs');
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
};
async function expectNothing(): Promise<void> {
  expect(await filesOf(stage.test)).toEqual([]);
  await waitFor(() => (stored().length === 0 ? true : undefined), 'the bytes to go');
}
async function openForm(headers: readonly string[]): Promise<RawClient> {
  const client = await openRawClient(stage.baseURL);
  const own = Object.entries(credentials()).map(([name, value]) => `${name}: ${value}`);
  const lines = ['POST /api/upload-file HTTP/1.1', 'Host: localhost', ...own];
  client.write(`${[...lines, 'Content-Type: multipart/form-data; boundary=b', ...headers].join('\r\n')}\r\n\r\n`);
  return client;
}
const chunk = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), Buffer.from(text), Buffer.from('\r\n')]);

describe.each(ENGINES)('a file in a form on %s', (engine) => {
  beforeEach(() => start(engine, 20));
  afterEach(() => stage.test.stop());

  it('is taken, and its media_url sends it', async () => {
    const [code, answer] = await post(formOf(new Blob([PICTURE], { type: 'image/png' }), 'grüße "1".png'));
    expect([code, answer]).toEqual([
      201,
      {
        status: 'OK',
        message: 'The file is here.',
        mediaObjectId: expect.stringMatching(/^file_/),
        media_url: expect.stringMatching(new RegExp(`^${stage.baseURL}/files/file_`)),
      },
    ]);
    const media_url = String(answer['media_url']);
    expect((await download(media_url)).bytes).toEqual(PICTURE);
    const sent = await stage.client.messages.send({ number: PHONE, from_number: LINE, media_url });
    await stage.status(sent.message_handle ?? '', 'DELIVERED');
    const message = (await stage.test.phone()).at(-1) ?? {};
    const [file = {}] = message['attachments'] as Body[];
    expect(file).toMatchObject({ filename: 'grüße "1".png', mime_type: 'image/png', size: PICTURE.length });
    expect((await download(String(file['url']))).bytes).toEqual(PICTURE);
    expect(await filesOf(stage.test)).toHaveLength(1);
  });

  it('is fetched from its URL by the client, and its address sends it', async () => {
    const files: FileServer = await startFileServer();
    const url = files.put('/photo.png', bytes(PICTURE));
    const answer = await stage.client.mediaObjects.upload({ media_url: url });
    const { media_url } = answer as { media_url?: string };
    expect(answer).toMatchObject({ status: 'OK', mediaObjectId: (await filesOf(stage.test))[0]?.id });
    expect((await download(media_url ?? '')).bytes).toEqual(PICTURE);
    const again = { 'x-stainless-retry-count': '1' };
    const repeat = await stage.call('POST', '/api/upload-media-object', { media_url: url }, again);
    expect([repeat.status, repeat.body]).toEqual([201, answer]);
    expect([files.asked.length, (await filesOf(stage.test)).length]).toEqual([1, 1]);
    await expect(stage.client.mediaObjects.upload({ media_url: files.put('/gone', status(404)) })).rejects.toThrow(
      /^400 .*media_url.*404/,
    );
    await expect(stage.client.mediaObjects.upload({ media_url: 'http://10.0.0.1/' })).rejects.toThrow(
      /^400 .*media_url/,
    );
    await expect(stage.client.mediaObjects.upload({ media_url: '' })).rejects.toThrow(/^400 .*media_url/);
    await files.close();
  });

  it('that is repeated with its count, or with one Idempotency-Key, is one file', async () => {
    const whole = `${HEAD}picture${TAIL}`;
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    const [first, again] = [await post(whole, type), await post(whole, { ...type, 'x-stainless-retry-count': '1' })];
    expect(again).toEqual(first);
    const named = { ...type, 'idempotency-key': 'one' };
    expect(await post(whole, named)).toEqual(await post(whole, named));
    expect((await post(`${HEAD}other${TAIL}`, named))[0]).toBe(409);
    expect(await filesOf(stage.test)).toHaveLength(2);
    await waitFor(() => (stored().length === 2 ? true : undefined), 'the bytes of the repeats to go');
  });
});

describe('a form', () => {
  beforeEach(() => start('sqlite', 1));
  afterEach(() => stage.test.stop());

  it.each([
    ['bytes that are no UTF-8, which are left out', Buffer.from('grün.png', 'latin1'), 'grn.png', null],
    ['a path that leads out', Buffer.from('../../etc/pass/wd.png'), 'wd.png', null],
    ['a per cent sign for each byte', Buffer.from('%C3%A4.png'), 'ä.png', null],
    ['a form that says how it is written', null, 'ä b.png', "filename*=UTF-8''%C3%A4%20b.png"],
  ])('may name its file with %s', async (_name, name, cleaned, extended) => {
    const before = Buffer.from('--b\r\nContent-Disposition: form-data; name="x"; ');
    const naming = name
      ? Buffer.concat([Buffer.from('filename="'), name, Buffer.from('"')])
      : Buffer.from(extended ?? '');
    const [code] = await postText(Buffer.concat([before, naming, Buffer.from(`\r\n\r\nbytes${TAIL}`)]));
    const [file] = await filesOf(stage.test);
    expect([code, file?.filename]).toEqual([201, cleaned]);
  });

  it('may hold a file of the limit, and not of a byte more', async () => {
    expect((await post(formOf(new Blob([Buffer.alloc(MB, 'x')]), 'x.bin')))[0]).toBe(201);
    const [code, answer] = await post(formOf(new Blob([Buffer.alloc(MB + 1, 'x')]), 'x.bin'));
    expect([code, answer]).toMatchObject([
      413,
      { error_reason: 'file_too_large', message: 'A file may have 1 MB at most.' },
    ]);
    expect(await filesOf(stage.test)).toHaveLength(1);
    await waitFor(() => (stored().length === 1 ? true : undefined), 'the bytes to go');
  });

  it.each([
    ['has no file', `${field('note')}--b--\r\n`, undefined, 'missing_required_parameter', /no file/],
    ['is nothing', '', undefined, 'missing_required_parameter', /no file/],
    ['has an empty file', `${HEAD}${TAIL}`, undefined, 'empty_file', /empty/],
    ['has two files', `${HEAD}one\r\n${HEAD}two${TAIL}`, undefined, 'bad_request', /one file/],
    ['names no boundary', `${HEAD}one${TAIL}`, 'multipart/form-data', 'bad_request', /boundary/],
    [
      'has another boundary',
      `${HEAD}one${TAIL}`,
      'multipart/form-data; boundary=c',
      'missing_required_parameter',
      /no file/,
    ],
    ['ends in the midst of its file', `${HEAD}one`, undefined, 'bad_request', /broke off/],
    ['ends in the midst of a head', HEAD.slice(0, 40), undefined, 'missing_required_parameter', /no file/],
    [
      'has thousands of parts',
      `${field('note').repeat(5_000)}${HEAD}one${TAIL}`,
      undefined,
      'bad_request',
      /100 parts/,
    ],
    [
      'has its file before thousands',
      `${HEAD}one\r\n${field('a').repeat(3_000)}--b--`,
      undefined,
      'bad_request',
      /100 parts/,
    ],
    [
      'has a field that every object has',
      `${HEAD.replace('"file"', '"toString"')}one${TAIL}`,
      undefined,
      'bad_request',
      /name/,
    ],
    ['is JSON', '{"file": "one"}', 'application/json', 'unsupported_media_type', /multipart/],
    ['is of no type', 'one', 'nonsense', 'unsupported_media_type', /Send/],
  ])('that %s is refused, and leaves nothing', async (_name, text, type, reason, sentence) => {
    const [, answer] = await postText(text, type);
    expect(answer).toMatchObject({ status: 'ERROR', error_reason: reason, message: expect.stringMatching(sentence) });
    await expectNothing();
  });

  it('without a body is refused', async () => {
    expect(await post(null)).toMatchObject([415, { error_reason: 'unsupported_media_type' }]);
  });

  it('with a head that does not end, or a field that does not, is refused when there is too much of it', async () => {
    for (const beginning of [
      HEAD.slice(0, -2),
      '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n',
      'preamble',
    ]) {
      const client = await openForm(['Transfer-Encoding: chunked']);
      client.write(chunk(beginning));
      await waitFor(() => {
        if (client.socket.writableLength < MB) client.write(chunk('x'.repeat(64 * 1024)));
        return client.heard() === '' ? undefined : true;
      }, 'the refusal');
      const [answer] = await client.answers(1);
      expect(answer?.body['error_reason']).toBe('file_too_large');
      client.socket.destroy();
    }
    await expectNothing();
  });

  it('with a file that does not end is refused as soon as it is over the limit, in a way that can be read', async () => {
    const client = await openForm(['Transfer-Encoding: chunked']);
    client.write(chunk(HEAD));
    for (let pieces = 0; pieces < 40; pieces++) client.write(chunk('x'.repeat(64 * 1024)));
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body['error_reason']]).toEqual([413, 'file_too_large']);
    expect(answer?.headers['connection']).toBe('close');
    await client.closed;
    await expectNothing();
  });

  it('with a length over the limit is refused before a byte of it is read', async () => {
    const client = await openForm(['Content-Length: 99999999999']);
    const [answer] = await client.answers(1);
    expect(answer?.body['error_reason']).toBe('file_too_large');
    client.socket.destroy();
  });

  it.each([
    ['in its file', `${HEAD}one`],
    ['behind its file', `${HEAD}one\r\n--b\r\nContent-`],
    ['behind its end', `${HEAD}one${TAIL}`],
  ])('whose client hangs up %s leaves nothing', async (_name, text) => {
    const client = await openForm([`Content-Length: ${text.length + 100}`]);
    client.write(text);
    await waitFor(() => (stored().some((file) => statSync(file).size > 0) ? true : undefined), 'bytes in the spool');
    client.socket.destroy();
    await expectNothing();
  });

  it('may be followed by another request on its connection, whatever stands behind its end', async () => {
    const text = `preamble\r\n${HEAD}one${TAIL}epilogue`;
    const client = await openForm([`Content-Length: ${text.length}`]);
    client.write(text.slice(0, -8));
    client.write(text.slice(-8));
    client.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect((await client.answers(2)).map((answer) => answer.status)).toEqual([201, 200]);
    client.socket.destroy();
  });
});

it('a form of many megabytes is on disk as it comes, and not in memory until it ends', async () => {
  await start('sqlite', 20);
  try {
    const client = await openForm(['Transfer-Encoding: chunked']);
    client.write(chunk(HEAD));
    for (const piece of someBytes(BIG)) client.write(chunk(piece));
    const spooled = () => stored().reduce((sum, file) => sum + statSync(file).size, 0);
    await waitFor(() => (spooled() > BIG - 2 * MB ? true : undefined), 'the bytes in the spool');
    client.write(chunk(TAIL));
    client.write('0\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(answer?.status).toBe(201);
    expect((await filesOf(stage.test))[0]?.size).toBe(BIG);
    client.socket.destroy();
  } finally {
    await stage.test.stop();
  }
});
