/** Files from the command: byte for byte, once however often it is asked for, and never with the key where a link is enough. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, startTestServer, type TestServer } from '../../server/test/harness.ts';
import { createUser, linesOf, type Ran, runTrunkline, startTrunkline, type User } from './command-process.ts';
import { json, refusal, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const BYTES = randomBytes(300_000);

describe('against a real server', () => {
  let test: TestServer;
  let user: User;
  let path: string;
  beforeAll(async () => {
    test = await startTestServer('sqlite', { environment: { TRUNKLINE_FILE_LIMIT_MB: '1' } });
    const address = String(await test.server.listen());
    user = await createUser({ TRUNKLINE_URL: address, TRUNKLINE_API_KEY: KEY });
    path = join(user.folder, 'report.pdf');
    await writeFile(path, BYTES);
  });
  afterAll(async () => {
    await test.stop();
    await user.remove();
  });

  async function output(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await runTrunkline(user, words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }
  const upload = async (...words: string[]) => linesOf(await output('files', 'upload', '--json', ...words))[0] ?? {};

  it('uploads a file, and says under which id', async () => {
    expect(await output('files', 'upload', path)).toMatch(/^Uploaded: file_\w+ \(300000 bytes\)\n$/);
    expect(await upload(path)).toMatchObject({ filename: 'report.pdf', mime_type: 'application/pdf', size: 300_000 });
    expect(await upload(path, '--name', 'année 😀.csv')).toMatchObject({
      filename: 'année 😀.csv',
      mime_type: 'text/csv',
    });
    expect(await upload(path, '--type', 'image/heic')).toMatchObject({ mime_type: 'image/heic' });
  });

  it('uploads what comes on stdin', async () => {
    const words = ['files', 'upload', '-', '--json', '--name', 'notes.txt'];
    const { stdout } = await runTrunkline(user, words, 'line one\nline two');
    expect(linesOf(stdout)).toMatchObject([{ filename: 'notes.txt', mime_type: 'text/plain', size: 17 }]);
    expect(await runTrunkline(user, ['files', 'upload', '-'], '')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('empty_file'),
    });
  });

  it('is one file with a key of its own, and another one without', async () => {
    const [one, two] = [
      await upload(path, '--idempotency-key', 'one file'),
      await upload(path, '--idempotency-key', 'one file'),
    ];
    expect(two['id']).toBe(one['id']);
    expect((await upload(path))['id']).not.toBe(one['id']);
  });

  it('fetches the same bytes into a file, and to stdout', async () => {
    const id = String((await upload(path))['id']);
    const target = join(user.folder, 'fetched.pdf');
    expect(await output('files', 'get', id, '--output', target)).toBe(`Wrote ${target} (300000 bytes).\n`);
    expect((await readFile(target)).equals(BYTES)).toBe(true);
    expect(linesOf(await output('files', 'get', id, '--output', target, '--json'))).toMatchObject([{ id }]);

    const one = startTrunkline(user, ['files', 'get', id]);
    one.child.stdout?.setEncoding('latin1');
    const { code, stdout } = await one.ended;
    expect({ code, isSame: Buffer.from(stdout, 'latin1').equals(BYTES) }).toEqual({ code: 0, isSame: true });
  });

  it('prints a link that needs no key', async () => {
    const id = String((await upload(path))['id']);
    const link = (await output('files', 'url', id)).trim();
    const response = await fetch(link);
    expect([response.status, Buffer.from(await response.arrayBuffer()).equals(BYTES)]).toEqual([200, true]);
    expect(linesOf(await output('files', 'url', id, '--json'))).toMatchObject([{ id, url: expect.any(String) }]);
  });

  it.each([
    [['url', 'file_01k0q3v5x8f9q2t7m4n6p8r0sh'], 4, 'file_not_found'],
    [['get', 'msg_1', '--output', 'x'], 5, 'invalid_parameter_value'],
    [['upload', 'large.bin'], 5, 'file_too_large'],
    [['get', 'FILE', '--output', 'no/such/folder'], 2, 'cannot be written'],
  ])('%j is refused with %i', async (words, code, said) => {
    await writeFile(join(user.folder, 'large.bin'), Buffer.alloc(2_000_000, 'x'));
    const id = String((await upload(path))['id']);
    const ran: Ran = await runTrunkline(user, ['files', ...words.map((word) => (word === 'FILE' ? id : word))]);
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('in bad hours', () => {
  const RECEIPT = { id: 'obx_1', status: 'pending', request_id: 'req_1' };
  let server: ScriptedServer;
  let user: User;
  let path: string;
  beforeAll(async () => {
    server = await startScriptedServer();
    user = await createUser({ TRUNKLINE_URL: server.url, TRUNKLINE_API_KEY: 'sk_live_secret' });
    path = join(user.folder, 'hike.txt');
    await writeFile(path, 'up and down');
  });
  afterAll(async () => {
    await server.close();
    await user.remove();
  });
  const fileBody = () => ({ id: 'file_1', url: `${server.url}/files/file_1/hike.txt`, size: 11 });

  it('each step of a send is asked for again with one key, with the same bytes', async () => {
    server.behave((response, asked, count) => {
      if (count % 2 === 1) response.socket?.destroy();
      else if (asked.path === '/v1/files') json(201, fileBody())(response, asked, count);
      else json(201, RECEIPT)(response, asked, count);
    });
    const words = ['send', 'look', '--from', '+15550100001', '--to', '+15550109999', '--file', path];
    const { code, stdout } = await runTrunkline(user, words);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Accepted: obx_1\n' });
    expect(server.asked.map((one) => one.path)).toEqual(['/v1/files', '/v1/files', '/v1/messages', '/v1/messages']);
    const keys = server.asked.map((one) => one.headers['idempotency-key']);
    expect(keys[0]).toMatch(/^cli-[0-9a-f-]{36}$/);
    expect([keys[1], keys[3]]).toEqual([keys[0], keys[2]]);
    expect(server.asked[1]).toMatchObject({ body: 'up and down', headers: { 'content-type': 'text/plain' } });
    expect(JSON.parse(server.asked[3]?.body ?? '')).toMatchObject({ text: 'look', attachments: ['file_1'] });
  });

  it('a reaction is asked for again with the same key', async () => {
    server.behave((response, asked, count) => {
      if (count === 1) response.socket?.destroy();
      else json(201, RECEIPT)(response, asked, count);
    });
    const about = ['--from', '+15550100001', '--to', '+15550109999', '--message', 'msg_1'];
    expect(await runTrunkline(user, ['react', 'love', ...about])).toMatchObject({ code: 0 });
    expect(new Set(server.asked.map((one) => one.headers['idempotency-key'])).size).toBe(1);
    expect(server.asked.length).toBe(2);
  });

  it('the key does not go where a link leads, and a link is not followed further', async () => {
    server.behave((response, asked, count) => {
      if (asked.path === '/v1/files/file_1') json(200, fileBody())(response, asked, count);
      else response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    });
    const { code, stderr } = await runTrunkline(user, ['files', 'get', 'file_1', '--output', 'fetched']);
    expect({ code, asked: server.asked.length }).toEqual({ code: 1, asked: 2 });
    expect(stderr).toContain('redirect');
    expect(server.asked[1]?.headers).not.toHaveProperty('authorization');
  });

  it('a download that breaks off leaves no file, and what was there before', async () => {
    await writeFile(join(user.folder, 'kept'), 'before');
    server.behave((response, asked, count) => {
      if (asked.path === '/v1/files/file_1') return json(200, fileBody())(response, asked, count);
      response.writeHead(200, { 'content-length': '11' });
      response.write('up', () => response.socket?.destroy());
    });
    expect(await runTrunkline(user, ['files', 'get', 'file_1', '--output', 'kept'])).toMatchObject({ code: 6 });
    expect(await readFile(join(user.folder, 'kept'), 'utf8')).toBe('before');
    expect((await readdir(user.folder)).filter((name) => name.includes('part'))).toEqual([]);
    server.behave((response, asked, count) => {
      if (asked.path === '/v1/files/file_1') json(200, fileBody())(response, asked, count);
      else refusal(404, 'file_not_found')(response, asked, count);
    });
    expect(await runTrunkline(user, ['files', 'get', 'file_1', '--output', 'kept'])).toMatchObject({ code: 4 });
  });
});
