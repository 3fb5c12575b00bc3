/** `/bridge/v1/uploads`: files that agents bring in pieces, whatever breaks off, whoever else brings them, and what is left. */
import { existsSync, mkdirSync, renameSync, rmdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BLOBS_FOLDER, blobPath, SPOOL_FOLDER } from '../src/store/blob-names.ts';
import {
  type Agent,
  addDevice,
  blobsOf,
  createAgent,
  FILES,
  type Heard,
  heard,
  REMOTE_LINE,
  uploadPath,
} from './bridge-scene.ts';
import { someBytes } from './file-client.ts';
import { createHome, ENGINES, type Home, startTestServer, type TestServer, waitFor } from './harness.ts';
import { openRawClient } from './raw-client.ts';
import { addRemoteLine, expected, refusal } from './tenancy.ts';

const MB = 1024 * 1024;
const WHOLE = Buffer.concat([...someBytes(3_000)]);
const QUICK = { requestTimeoutMs: 1_000, headersTimeoutMs: 1_000, checkEveryMs: 100 };
const DAY_MS = 86_400_000;
const HOURS_AGO_S = Date.now() / 1_000 - 7_200;
const said = (answer: Heard) => refusal({ ...answer, headers: answer.headers as Record<string, string> });

const filesIn = async ({ server }: TestServer) => {
  const rows = await server.engine.query.selectFrom('files').selectAll().orderBy('ref').execute();
  return rows.map((row) => ({ id: row.id, filename: row.filename, type: row.mime_type, size: Number(row.size) }));
};
const piecesIn = ({ server }: TestServer) => server.engine.query.selectFrom('upload_parts').selectAll().execute();
const bytesOf = async (agent: Agent, id: string) => heard(200, await agent.ask('GET', `${FILES}/${id}`)).bytes;

/** Files have their blob, and nothing else has one. */
async function expectNothingLeft(test: TestServer): Promise<void> {
  expect(await piecesIn(test)).toEqual([]);
  expect(blobsOf(test)).toEqual({ kept: (await filesIn(test)).map(({ id }) => id).sort(), spooled: [] });
}

/** The blobs folder is made when the first bytes come. */
const spooledIn = (test: TestServer) =>
  existsSync(join(test.config.dataDir, BLOBS_FOLDER)) ? blobsOf(test).spooled : [];

function pieceHead({ token }: Agent, name: string, range: string, length: number): string {
  const headers = [`Authorization: Bearer ${token}`, `Content-Range: ${range}`, `Content-Length: ${length}`];
  return `PUT ${uploadPath(name)} HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n\r\n`;
}

describe.each(ENGINES)('uploads of an agent on %s', (engine) => {
  let test: TestServer;
  let agent: Agent;

  beforeAll(async () => {
    const httpLimits = { ...QUICK, uploadBytesPerSecondMin: 1_000 };
    test = await startTestServer(engine, { environment: { TRUNKLINE_FILE_LIMIT_MB: '20' }, httpLimits });
    await addRemoteLine(test, REMOTE_LINE);
    agent = createAgent(String(await test.server.listen()), (await addDevice(test, [REMOTE_LINE])).token);
  });
  afterEach(() => expectNothingLeft(test));
  afterAll(() => test.stop());

  it('are files at once where one piece is all', async () => {
    const headers = { 'content-type': 'Image/PNG; x=y', 'x-filename': encodeURIComponent('../Räksmörgås.png') };
    const { body } = heard(200, await agent.put('at_0', WHOLE, 0, WHOLE.length, headers));
    expect(body).toEqual({ received: WHOLE.length, file: expect.stringMatching(/^file_/) });
    const facts = { id: body['file'], filename: 'Räksmörgås.png', type: 'image/png', size: WHOLE.length };
    expect((await filesIn(test)).at(-1)).toEqual(facts);
    expect((await bytesOf(agent, String(body['file']))).equals(WHOLE)).toBe(true);
    expect(await agent.state('at_0')).toEqual(body);
  });

  it.each([
    ['a type that is none', { 'content-type': 'jpeg, perhaps' }, 'application/octet-stream'],
    ['no type', {}, 'application/octet-stream'],
    ['a type that the API reads', { 'content-type': 'application/json' }, 'application/json'],
  ])('are taken with %s', async (name, headers, type) => {
    const { body } = heard(200, await agent.put(name, WHOLE, 0, WHOLE.length, headers));
    expect((await filesIn(test)).at(-1)).toMatchObject({ id: body['file'], type, filename: null });
  });

  it('are files when the last piece is there, in the order of their bytes', async () => {
    expect(await agent.state('pieces')).toEqual({ received: 0, file: null });
    for (const [start, end] of [
      [0, 1_000],
      [1_000, 1_001],
    ] as const) {
      const { body } = heard(200, await agent.put('pieces', WHOLE, start, end));
      expect(body).toEqual({ received: end, file: null });
      expect(await agent.state('pieces')).toEqual(body);
    }
    const headers = { 'x-filename': 'last.bin', 'content-type': 'video/mp4' };
    const { body } = heard(200, await agent.put('pieces', WHOLE, 1_001, WHOLE.length, headers));
    expect(body).toEqual({ received: WHOLE.length, file: expect.stringMatching(/^file_/) });
    expect((await filesIn(test)).at(-1)).toMatchObject({ filename: 'last.bin', type: 'video/mp4', size: WHOLE.length });
    expect((await bytesOf(agent, String(body['file']))).equals(WHOLE)).toBe(true);
  });

  it('are the same file when they come again under the same name', async () => {
    const first = await agent.bring('again', WHOLE, 1_000);
    const count = (await filesIn(test)).length;
    expect(await agent.bring('again', WHOLE, 1_000)).toBe(first);
    expect(heard(200, await agent.put('again', WHOLE, 0)).body).toEqual({ received: WHOLE.length, file: first });
    expect(await filesIn(test)).toHaveLength(count);
    expect(await agent.bring('again/\u{1f600} ../?', WHOLE, 1_000)).not.toBe(first);
  });

  it('take no piece that does not begin where the others end, and say where that is', async () => {
    for (const start of [1_000, WHOLE.length - 1]) {
      expect(heard(200, await agent.put('gaps', WHOLE, start)).body).toEqual({ received: 0, file: null });
    }
    heard(200, await agent.put('gaps', WHOLE, 0, 1_000));
    for (const start of [0, 500, 1_001]) {
      expect(heard(200, await agent.put('gaps', WHOLE, start)).body).toEqual({ received: 1_000, file: null });
    }
    expect((await piecesIn(test)).map(({ size }) => Number(size))).toEqual([1_000]);
    expect((await bytesOf(agent, await agent.bring('gaps', WHOLE, 999))).equals(WHOLE)).toBe(true);
  });

  it('may be empty', async () => {
    const { body } = heard(200, await agent.put('empty', Buffer.alloc(0), 0));
    expect(body).toEqual({ received: 0, file: expect.stringMatching(/^file_/) });
    expect((await bytesOf(agent, String(body['file']))).length).toBe(0);
  });

  it('are made of pieces that are all there and were not made one when the server went away', async () => {
    await agent.put('unmade', WHOLE, 0, 1_000);
    // As if what followed the last piece had never happened.
    const { server } = test;
    await server.engine.query
      .updateTable('upload_parts')
      .set({ size: WHOLE.length })
      .where('name', '=', 'unmade')
      .execute();
    expect(await agent.state('unmade')).toEqual({ received: WHOLE.length, file: null });
    const { body } = heard(200, await agent.put('unmade', WHOLE, WHOLE.length));
    expect(body).toMatchObject({ file: expect.stringMatching(/^file_/) });
    expect((await agent.state('unmade'))['file']).toBe(body['file']);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no Content-Range', { 'content-length': '10' }, 'bad_request'],
    ['a Content-Range that is none', { 'content-range': 'bytes 0-', 'content-length': '10' }, 'bad_request'],
    ['a range past the end', { 'content-range': 'bytes 0-9/9', 'content-length': '10' }, 'bad_request'],
    ['a range that ends before it begins', { 'content-range': 'bytes 9-0/10', 'content-length': '10' }, 'bad_request'],
    [
      'a body that is shorter than its range',
      { 'content-range': 'bytes 0-10/99', 'content-length': '10' },
      'bad_request',
    ],
    [
      'a body that is longer than its range',
      { 'content-range': 'bytes 0-8/99', 'content-length': '10' },
      'bad_request',
    ],
    ['a body where none should be', { 'content-range': 'bytes */10', 'content-length': '10' }, 'bad_request'],
    ['a body of no length', { 'content-range': 'bytes 0-9/10', 'transfer-encoding': 'chunked' }, 'bad_request'],
    ['too large a whole', { 'content-range': `bytes 0-9/${20 * MB + 1}`, 'content-length': '10' }, 'file_too_large'],
  ])('are refused with %s', async (name, headers, code) => {
    const answer = await agent.ask('PUT', uploadPath(name), { headers, bytes: WHOLE.subarray(0, 10) });
    expect(said(answer)).toEqual(expected(code));
    expect(await agent.state(name)).toEqual({ received: 0, file: null });
  });

  it('take pieces up to eight megabytes, and files up to the limit', async () => {
    const large = Buffer.concat([...someBytes(20 * MB)]);
    expect(said(await agent.put('large', large, 0, 8 * MB + 1))).toEqual(expected('payload_too_large'));
    const file = await agent.bring('large', large, 8 * MB);
    expect((await bytesOf(agent, file)).equals(large)).toBe(true);
  });

  it('are not there under a name with a NUL', async () => {
    expect(said(await agent.ask('GET', uploadPath('a\0')))).toEqual(expected('route_not_found'));
  });

  it.each([
    ['a piece', 3_000],
    ['the whole', 1_000],
  ])('go on where they were when %s breaks off', async (name, total) => {
    const whole = WHOLE.subarray(0, total);
    const start = total === 3_000 ? 1_000 : 0;
    if (start > 0) heard(200, await agent.put(name, whole, 0, start));
    const client = await openRawClient(agent.address);
    const head = pieceHead(agent, name, `bytes ${start}-${start + 999}/${total}`, 1_000);
    client.write(Buffer.concat([Buffer.from(head), whole.subarray(start, start + 400)]));
    await waitFor(() => (blobsOf(test).spooled.length > 0 ? true : undefined), 'the bytes to come');
    client.socket.destroy();
    await waitFor(() => (blobsOf(test).spooled.length === 0 ? true : undefined), 'the half to be removed');
    expect(await agent.state(name)).toEqual({ received: start, file: null });
    expect((await bytesOf(agent, await agent.bring(name, whole, 1_000))).equals(whole)).toBe(true);
  });

  it('may take longer than other requests while their bytes keep coming', async () => {
    const client = await openRawClient(agent.address);
    client.write(pieceHead(agent, 'slow', 'bytes 0-9999/10000', 10_000));
    for (let pieces = 0; pieces < 20; pieces++) {
      client.write(Buffer.alloc(500, pieces));
      await sleep(150);
    }
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body['received']]).toEqual([200, 10_000]);
    client.socket.destroy();
  });

  it('are forgotten a day after their piece came, when another one begins', async () => {
    heard(200, await agent.put('old', WHOLE, 0, 1_000));
    heard(200, await agent.put('old', WHOLE, 1_000, 2_000));
    const { query } = test.server.engine;
    const aged = query.updateTable('upload_parts').set({ created_at: Date.now() - DAY_MS - 1 });
    await aged.where('start', '=', 0).execute();
    expect(await agent.state('old')).toMatchObject({ received: 2_000 });
    await agent.bring('new', WHOLE, 1_000);
    expect(await agent.state('old')).toEqual({ received: 0, file: null });
    // What is left of it, and lies elsewhere, is in nobody's way.
    expect((await piecesIn(test)).map(({ start }) => Number(start))).toEqual([1_000]);
    expect((await bytesOf(agent, await agent.bring('old', WHOLE, 700))).equals(WHOLE)).toBe(true);
  });

  it('that cannot be forgotten, as their bytes cannot be removed, are forgotten later', async () => {
    heard(200, await agent.put('stuck', WHOLE, 0, 1_000));
    const { query } = test.server.engine;
    await query
      .updateTable('upload_parts')
      .set({ created_at: Date.now() - DAY_MS - 1 })
      .execute();
    const [stuck] = await piecesIn(test);
    const place = join(test.config.dataDir, BLOBS_FOLDER, blobPath(String(stuck?.blob)));
    renameSync(place, `${place}.away`);
    // Not a file, so it cannot be removed as one.
    mkdirSync(place);
    await agent.bring('while it is stuck', WHOLE, 1_000);
    expect(await piecesIn(test)).toEqual([stuck]);
    rmdirSync(place);
    renameSync(`${place}.away`, place);
    await agent.bring('when it is free', WHOLE, 1_000);
    expect(await piecesIn(test)).toEqual([]);
    expect(existsSync(place)).toBe(false);
  });
});

it('pieces have a place among uploads, and leave those of other requests free', async () => {
  const test = await startTestServer('sqlite', { httpLimits: { uploadsMax: 1, inFlightMax: 1, writesInFlightMax: 1 } });
  await addRemoteLine(test, REMOTE_LINE);
  const agent = createAgent(String(await test.server.listen()), (await addDevice(test, [REMOTE_LINE])).token);
  const client = await openRawClient(agent.address);
  client.write(`${pieceHead(agent, 'under way', 'bytes 0-999/3000', 1_000)}x`);
  await waitFor(() => (spooledIn(test).length > 0 ? true : undefined), 'the bytes to come');
  expect(said(await agent.put('one too many', WHOLE, 0))).toEqual(expected('overloaded'));
  expect(await agent.state('under way')).toEqual({ received: 0, file: null });
  client.socket.destroy();
  await waitFor(() => (spooledIn(test).length === 0 ? true : undefined), 'the half to be removed');
  heard(200, await agent.put('one at a time', WHOLE, 0));
  await test.stop();
});

describe.each(ENGINES)('uploads of agents at once on %s', (engine) => {
  let home: Home;
  let servers: TestServer[];
  let agents: Agent[];

  beforeEach(async () => {
    home = await createHome(engine);
    const first = await startTestServer(engine, { home });
    await addRemoteLine(first, REMOTE_LINE);
    const { token } = await addDevice(first, [REMOTE_LINE]);
    servers = [first];
    // SQLite has one process.
    if (engine === 'postgres') {
      servers.push(await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } }));
    }
    agents = [];
    for (const { server } of servers) agents.push(createAgent(String(await server.listen()), token));
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await home.remove();
  });

  const [one, other] = [() => agentAt(0), () => agentAt(1)];
  function agentAt(place: number): Agent {
    const agent = agents[place % agents.length];
    if (!agent) throw new Error('There is no agent.');
    return agent;
  }
  function first(): TestServer {
    const [server] = servers;
    if (!server) throw new Error('There is no server.');
    return server;
  }

  it('are one file where both send the same piece', async () => {
    for (const [start, end] of [
      [0, 1_500],
      [1_500, 3_000],
    ] as const) {
      const answers = await Promise.all([one(), other(), one()].map((agent) => agent.put('both', WHOLE, start, end)));
      for (const answer of answers) expect(heard(200, answer).body['received']).toBe(end);
      const files = new Set(answers.map(({ body }) => body['file']));
      expect(files.size).toBe(1);
      expect(files.has(null)).toBe(end < WHOLE.length);
    }
    await expectNothingLeft(first());
  });

  it('are one file each, however many bring it over and over', async () => {
    for (let round = 0; round < 8; round++) {
      const name = `round ${round}`;
      const sizes = [700, 700, 1_000, 3_000];
      const files = await Promise.all(sizes.map((size, place) => agentAt(place).bring(name, WHOLE, size)));
      expect(new Set(files).size, name).toBe(1);
      expect((await bytesOf(other(), String(files[0]))).equals(WHOLE)).toBe(true);
    }
    expect(await filesIn(first())).toHaveLength(8);
    await expectNothingLeft(first());
  });

  it('go on in another process, and after a restart, also from what was not yet in its place', async () => {
    heard(200, await one().put('far', WHOLE, 0, 1_000));
    expect(heard(200, await other().put('far', WHOLE, 1_000, 2_000)).body).toEqual({ received: 2_000, file: null });
    for (const server of servers) await server.stop();
    const folder = join(first().config.dataDir, BLOBS_FOLDER);
    const [moved = ''] = blobsOf(first()).kept;
    const spooled = join(folder, SPOOL_FOLDER, moved);
    renameSync(join(folder, blobPath(moved)), spooled);
    utimesSync(spooled, HOURS_AGO_S, HOURS_AGO_S);
    const token = one().token;
    servers = [await startTestServer(engine, { home })];
    agents = [createAgent(String(await first().server.listen()), token)];
    expect(blobsOf(first()).spooled).toEqual([]);
    expect(await one().state('far')).toEqual({ received: 2_000, file: null });
    expect((await bytesOf(one(), await one().bring('far', WHOLE, 1_000))).equals(WHOLE)).toBe(true);
    await expectNothingLeft(first());
  });
});
