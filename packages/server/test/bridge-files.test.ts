/** `/bridge/v1/files` and who may come in to the bridge's routes at all: the bytes of an account's files, for its devices. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILED_ATTEMPTS_PER_MINUTE } from '../src/access/failed-attempts.ts';
import { SCOPES } from '../src/domain/scopes.ts';
import {
  type Agent,
  addDevice,
  createAgent,
  FILES,
  type Heard,
  heard,
  REMOTE_LINE,
  uploadPath,
} from './bridge-scene.ts';
import { upload } from './file-client.ts';
import { ENGINES, expectStatus, KEY, LINE, startTestServer, type TestServer } from './harness.ts';
import { addAccount, addKey, addRemoteLine, expected, refusal, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const BYTES = Buffer.from('0123456789');
const said = (answer: Heard) => refusal({ ...answer, headers: answer.headers as Record<string, string> });

describe.each(ENGINES)('files of the bridge on %s', (engine) => {
  let test: TestServer;
  let address: string;
  let agent: Agent;
  let own: string;

  beforeAll(async () => {
    test = await startTestServer(engine);
    address = String(await test.server.listen());
    for (const line of [REMOTE_LINE, SECOND_LINE]) await addRemoteLine(test, line);
    agent = createAgent(address, (await addDevice(test, [REMOTE_LINE])).token);
    own = await fileOf(BYTES);
  });
  afterAll(() => test.stop());

  async function fileOf(bytes: Uint8Array, key = KEY): Promise<string> {
    const headers = { 'content-type': 'image/png', 'x-filename': 'hike.png' };
    // The API takes no file without bytes.
    return String(expectStatus(201, await upload(address, bytes, { headers, key })).body['id']);
  }
  const get = (id: string, headers = {}, from = agent) => from.ask('GET', `${FILES}/${id}`, { headers });
  const onEachRoute = async (token: string, query = '') => {
    const other = createAgent(address, token);
    const range = { 'content-range': 'bytes 0-9/10', 'content-length': '10' };
    return [
      await other.ask('GET', `${FILES}/${own}${query}`),
      await other.ask('GET', `${uploadPath('refused')}${query}`),
      await other.ask('PUT', `${uploadPath('refused')}${query}`, { headers: range, bytes: BYTES }),
    ];
  };

  it('are there for a device that knows their account, as they are', async () => {
    const { bytes, headers } = heard(200, await get(own));
    expect(bytes).toEqual(BYTES);
    expect(headers).toMatchObject({ 'content-length': '10', 'content-type': 'application/octet-stream' });
  });

  it.each<[string, string | undefined, number, string | undefined, string]>([
    ['its beginning', 'bytes=0-3', 206, 'bytes 0-3/10', '0123'],
    ['all from a place on', 'bytes=4-', 206, 'bytes 4-9/10', '456789'],
    ['its end', 'bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['more than there is', 'bytes=8-99', 206, 'bytes 8-9/10', '89'],
    ['what lies behind it', 'bytes=10-', 416, 'bytes */10', ''],
    ['nonsense', 'lines=1-2', 200, undefined, '0123456789'],
  ])('give %s', async (_name, range, status, contentRange, text) => {
    const answer = heard(status, await get(own, { range }));
    expect([answer.headers['content-range'], answer.bytes.toString()]).toEqual([contentRange, text]);
  });

  it('are not there for a device of another account, nor is what no account has', async () => {
    const stranger = await addAccount(test);
    const key = await addKey(test, { accountRef: stranger, scopes: SCOPES });
    await addRemoteLine(test, STRANGERS_LINE, key);
    const strangers = createAgent(address, (await addDevice(test, [STRANGERS_LINE], key)).token);
    const theirs = await fileOf(Buffer.from('theirs'), key);
    expect(heard(200, await get(theirs, {}, strangers)).bytes.toString()).toBe('theirs');
    for (const answer of [await get(theirs), await get(own, {}, strangers), await get('file_none')]) {
      expect(said(answer)).toEqual(expected('file_not_found'));
    }
    expect((await get('%00')).status).toBe(404);
  });

  it('and uploads are for tokens of devices alone, and not for those that were revoked', async () => {
    const { id, token } = await addDevice(test, [REMOTE_LINE]);
    expect((await onEachRoute(token)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expectStatus(200, await test.call('DELETE', `/admin/v1/devices/${id}`));
    const unknown = `dtk_${randomBytes(32).toString('base64url')}`;
    for (const wrong of [token, unknown, KEY, 'dtk_', '']) {
      for (const answer of await onEachRoute(wrong)) expect(said(answer), wrong).toEqual(expected('invalid_api_key'));
    }
  });

  it('and uploads are for the lines of the device alone', async () => {
    const both = (await addDevice(test, [REMOTE_LINE, SECOND_LINE])).token;
    const named = (handle: string) => `?line=${encodeURIComponent(handle)}`;
    const refused: [string, string][] = [
      [agent.token, named(SECOND_LINE)],
      [agent.token, named(LINE)],
      [agent.token, named('+15550109999')],
      [agent.token, named('\0')],
      // Which of the two is meant is not said.
      [both, ''],
    ];
    for (const [token, query] of refused) {
      for (const answer of await onEachRoute(token, query)) {
        expect(said(answer), query).toEqual(expected('line_not_found', 'line'));
      }
    }
    const granted = await onEachRoute(both, named(SECOND_LINE));
    expect(granted.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('and uploads are not there once the line was removed, and are again when it is back', async () => {
    const line = await addRemoteLine(test, '+15550100061');
    const { token } = await addDevice(test, [line.id]);
    expectStatus(200, await test.call('DELETE', `/admin/v1/lines/${line.id}`));
    for (const answer of await onEachRoute(token)) expect(said(answer)).toEqual(expected('line_not_found', 'line'));
    await addRemoteLine(test, '+15550100061');
    await test.call('GET', `/admin/v1/lines/${line.id}`);
    const back = await createAgent(address, token).ask(
      'GET',
      `${uploadPath('x')}?line=${encodeURIComponent(line.handle)}`,
    );
    expect(back.status).toBe(200);
  });

  it('answer other methods with those that there are', async () => {
    for (const [path, allowed] of [
      [`${FILES}/${own}`, 'GET'],
      [uploadPath('x'), 'GET, PUT'],
    ] as const) {
      const answer = await agent.ask('DELETE', path);
      expect([answer.headers.allow, said(answer)]).toEqual([allowed, expected('method_not_allowed')]);
    }
  });

  it('tell whoever guesses at tokens to wait, and nobody else', async () => {
    const guess = () =>
      test.server.app.inject({
        method: 'GET',
        url: `${FILES}/${own}`,
        remoteAddress: '192.0.2.77',
        headers: { authorization: `Bearer dtk_${'A'.repeat(43)}` },
      });
    for (let tries = 0; tries < FAILED_ATTEMPTS_PER_MINUTE; tries++) await guess();
    const last = await guess();
    expect([last.statusCode, Number(last.headers['retry-after']) > 0]).toEqual([429, true]);
    heard(200, await get(own));
  });
});
