/** `/admin/v1/devices`: making the devices that may dial in, listing them, taking them back, and what a token opens. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDevice } from '../src/access/devices.ts';
import { hashKey } from '../src/access/keys.ts';
import { lineLane } from '../src/domain/line.ts';
import { SCOPES } from '../src/domain/scopes.ts';
import { DEVICES_TOPIC, type DeviceNote, noteDevices } from '../src/store/devices.ts';
import { acquireLeases, releaseLeases } from '../src/store/leases.ts';
import { DEVICE_KEYS } from './answer-keys.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  KEY,
  SANDBOX_LINE,
  LINE as SIMULATED_LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { addAccount, addKey, addRemoteLine, expected, refOf, refusal, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const DEVICES = '/admin/v1/devices';
/** A device is for lines that agents reach. */
const LINE = '+15550100005';
const GONE_LINE = '+15550100004';
const AGENT = { version: '0.1.0', platform: 'macOS 15.5' };
type Body = Record<string, unknown>;

describe.each(ENGINES)('the devices of an account on %s', (engine) => {
  let test: TestServer;
  let stranger: number;
  let second: { id: string; ref: number };

  beforeAll(async () => {
    test = await startTestServer(engine);
    stranger = await addAccount(test);
    await addRemoteLine(test, STRANGERS_LINE, await addKey(test, { accountRef: stranger, scopes: SCOPES }));
    await addRemoteLine(test, LINE);
    second = await addRemoteLine(test, SECOND_LINE);
  });
  afterAll(() => test.stop());

  const make = (body: Body, key = KEY) => test.call('POST', DEVICES, body, { key });
  const made = async (body: Body, key = KEY) => expectStatus(201, await make(body, key)).body;
  const read = async (path: string, key = KEY) =>
    expectStatus(200, await test.call('GET', path, undefined, { key })).body;
  const revoke = (id: unknown, key = KEY) => test.call('DELETE', `${DEVICES}/${String(id)}`, undefined, { key });
  const find = (token: unknown) => findDevice(test.server.engine, String(token));
  const limitedKey = (lineRefs: readonly number[]) => addKey(test, { scopes: SCOPES, lineRefs });

  it('are made with a token that is shown once and stored as its hash alone', async () => {
    const line = await refOf(test, LINE);
    const { token, request_id, ...device } = await made({ name: 'Office Mac', lines: [SECOND_LINE, LINE, second.id] });
    expect(token).toMatch(/^dtk_[A-Za-z0-9_-]{43}$/);
    expect(request_id).toMatch(/^req_/);
    expect(device).toEqual({
      id: expect.stringMatching(/^dev_[0-9a-z]{26}$/),
      name: 'Office Mac',
      prefix: String(token).slice(0, 8),
      line_ids: [second.id, line.id],
      agent: null,
      clock_offset_ms: null,
      is_connected: false,
      connected_at: null,
      disconnected_at: null,
      revoked_at: null,
      created_at: expect.any(Number),
    });
    const shown = await read(`${DEVICES}/${String(device['id'])}`);
    expect({ ...shown, request_id: '' }).toEqual({ ...device, request_id: '' });
    expect(JSON.stringify(await read(DEVICES))).not.toContain(String(token));
    const stored = test.server.engine.query.selectFrom('devices').selectAll().where('id', '=', String(device['id']));
    const row = await stored.executeTakeFirstOrThrow();
    expect(row).toMatchObject({ token_hash: hashKey(String(token)), line_refs: `[${second.ref},${line.ref}]` });
    expect(JSON.stringify(row)).not.toContain(String(token));
  });

  it('are found by their token, and by no other text', async () => {
    const line = await refOf(test, LINE);
    const { id, token } = await made({ name: 'Found', lines: [LINE] });
    expect(await find(token)).toEqual({
      ref: expect.any(Number),
      id,
      accountRef: line.accountRef,
      name: 'Found',
      lineRefs: [line.ref],
    });
    const unknown = `dtk_${randomBytes(32).toString('base64url')}`;
    const text = String(token);
    const malformed = ['', 'dtk_', KEY, ` ${text}`, `${text} `, `${text}\n`, `${text}x`, text.slice(0, -1)];
    for (const other of [unknown, ...malformed, text.replace('dtk_', 'DTK_'), hashKey(text), 'dtk_\0']) {
      expect(await find(other), other).toBeNull();
    }
  });

  it.each<[string, Body, string, string]>([
    ['no name', { lines: [LINE] }, 'missing_required_parameter', 'name'],
    ['an empty name', { name: '', lines: [LINE] }, 'invalid_parameter_value', 'name'],
    ['a name with a NUL', { name: 'a\0', lines: [LINE] }, 'invalid_parameter_value', 'name'],
    ['a name that is too long', { name: 'a'.repeat(101), lines: [LINE] }, 'invalid_parameter_value', 'name'],
    ['no lines', { name: 'x' }, 'missing_required_parameter', 'lines'],
    ['an empty list of lines', { name: 'x', lines: [] }, 'invalid_parameter_value', 'lines'],
    ['more lines than a computer has', { name: 'x', lines: Array(101).fill(LINE) }, 'invalid_parameter_value', 'lines'],
    ['lines that are no list', { name: 'x', lines: LINE }, 'invalid_parameter_value', 'lines'],
    ['a line that is none', { name: 'x', lines: ['here'] }, 'invalid_parameter_value', 'lines'],
    ['a line that is not there', { name: 'x', lines: [LINE, 'ln_none'] }, 'line_not_found', 'lines'],
    ["another account's line", { name: 'x', lines: [STRANGERS_LINE] }, 'line_not_found', 'lines'],
    ['a line that needs no agent', { name: 'x', lines: [LINE, SIMULATED_LINE] }, 'invalid_parameter_value', 'lines'],
    ['the sandbox line', { name: 'x', lines: [SANDBOX_LINE] }, 'invalid_parameter_value', 'lines'],
  ])('are refused with %s', async (_name, body, code, param) => {
    const before = await test.server.engine.query.selectFrom('devices').select('id').execute();
    expect(refusal(await make(body))).toEqual(expected(code, param));
    expect(await test.server.engine.query.selectFrom('devices').select('id').execute()).toHaveLength(before.length);
  });

  it('are for a key that is limited to some lines those whose lines it all has', async () => {
    const line = await refOf(test, LINE);
    const account = await addAccount(test);
    const whole = await addKey(test, { accountRef: account, scopes: SCOPES });
    const one = await addRemoteLine(test, '+15550100021', whole);
    const other = await addRemoteLine(test, '+15550100022', whole);
    const key = await addKey(test, { accountRef: account, scopes: SCOPES, lineRefs: [one.ref, line.ref] });
    const ofOne = await made({ name: 'One', lines: [one.id] }, whole);
    const ofOther = await made({ name: 'Other', lines: [other.id] }, whole);
    const ofBoth = await made({ name: 'Both', lines: [one.id, other.id] }, whole);
    for (const lines of [[other.id], [one.id, other.id]]) {
      expect(refusal(await make({ name: 'x', lines }, key))).toEqual(expected('line_not_accessible', 'lines'));
    }
    const own = await made({ name: 'Own', lines: [one.id] }, key);
    for (const { id } of [ofOther, ofBoth]) {
      const path = `${DEVICES}/${String(id)}`;
      const answers = [await test.call('GET', path, undefined, { key }), await revoke(id, key)];
      for (const answer of answers) expect(refusal(answer)).toEqual(expected('device_not_found', 'id'));
      expect((await read(path, whole))['revoked_at']).toBeNull();
    }
    expect((await walk(key, 1)).map((device) => device['id'])).toEqual([own['id'], ofOne['id']]);
    expect((await walk(whole, 3)).map((device) => device['name'])).toEqual(['Own', 'Both', 'Other', 'One']);
    expectStatus(200, await revoke(ofOne['id'], key));
    expect(await find(ofOne['token'])).toBeNull();
  });

  /** Every device that the key sees, page by page. */
  async function walk(key: string, limit: number): Promise<Body[]> {
    const seen: Body[] = [];
    for (let path = `${DEVICES}?limit=${limit}`; ; ) {
      const page = await read(path, key);
      seen.push(...(page['data'] as Body[]));
      if (page['has_more'] !== true) return seen;
      path = `${DEVICES}?limit=${limit}&cursor=${String(page['next_cursor'])}`;
    }
  }

  it('are listed newest first, page by page, revoked ones too', async () => {
    const account = await addAccount(test);
    const key = await addKey(test, { accountRef: account, scopes: SCOPES });
    const line = await addRemoteLine(test, '+15550100031', key);
    const ids: unknown[] = [];
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five'])
      ids.push((await made({ name, lines: [line.id] }, key))['id']);
    expectStatus(200, await revoke(ids[1], key));
    const seen = await walk(key, 2);
    expect(seen.map((one) => one['id'])).toEqual([...ids].reverse());
    expect(seen.map((one) => one['revoked_at'] !== null)).toEqual([false, false, false, true, false]);
    for (const one of seen) expect(Object.keys(one).sort()).toEqual([...DEVICE_KEYS].sort());
    const { next_cursor } = await read(`${DEVICES}?limit=2`, key);
    const foreign = await test.call('GET', `${DEVICES}?cursor=${String(next_cursor)}`);
    expect(refusal(foreign)).toEqual(expected('invalid_parameter_value', 'cursor'));
  });

  it('are made once, however often the request with its Idempotency-Key is repeated', async () => {
    const headers = { 'idempotency-key': `a device once on ${engine}` };
    const ask = () => test.call('POST', DEVICES, { name: 'Once', lines: [LINE] }, { headers });
    const [first, again] = [expectStatus(201, await ask()), expectStatus(201, await ask())];
    expect(again.body).toEqual(first.body);
    const kept = await test.server.engine.query.selectFrom('kept_answers').select('body').execute();
    expect(kept.length).toBeGreaterThan(0);
    expect(JSON.stringify(kept)).not.toContain(String(first.body['token']));
    const { data } = await read(DEVICES);
    expect((data as Body[]).filter((one) => one['name'] === 'Once')).toHaveLength(1);
  });

  it.each(['GET', 'DELETE'] as const)('are not there for %s from another account', async (method) => {
    const key = await addKey(test, { accountRef: stranger, scopes: SCOPES });
    const { id, token } = await made({ name: 'x', lines: [LINE] });
    for (const name of [String(id), 'dev_none', 'x', 'dev_%00']) {
      const answer = await test.call(method, `${DEVICES}/${name}`, undefined, { key });
      expect(refusal(answer), name).toEqual(expected('device_not_found', 'id'));
    }
    expect((await read(`${DEVICES}/${String(id)}`))['revoked_at']).toBeNull();
    expect(await find(token)).toMatchObject({ id });
  });

  it('open nothing any more once they are revoked, and stay revoked', async () => {
    const { id, token } = await made({ name: 'x', lines: [LINE] });
    const topics: string[] = [];
    const stopListening = test.server.engine.onWake((topic) => topics.push(topic));
    expect(expectStatus(200, await revoke(id)).body).toEqual({ id, deleted: true, request_id: expect.any(String) });
    expect(await find(token)).toBeNull();
    await waitFor(() => topics.includes(DEVICES_TOPIC) || undefined, 'whoever holds the connection to wake');
    stopListening();
    const revokedAt = (await read(`${DEVICES}/${String(id)}`))['revoked_at'];
    expect(revokedAt).toEqual(expect.any(Number));
    expectStatus(200, await revoke(id));
    expect((await read(`${DEVICES}/${String(id)}`))['revoked_at']).toBe(revokedAt);
  });

  it('show the lines that remain when one is removed, and all again when it is brought back', async () => {
    const line = await refOf(test, LINE);
    const gone = await addRemoteLine(test, GONE_LINE);
    const both = await made({ name: 'Both', lines: [LINE, GONE_LINE] });
    const alone = await made({ name: 'Alone', lines: [GONE_LINE] });
    const linesOf = async ({ id }: Body) => (await read(`${DEVICES}/${String(id)}`))['line_ids'];
    expectStatus(200, await test.call('DELETE', `/admin/v1/lines/${gone.id}?purge=true`));
    expect([await linesOf(both), await linesOf(alone)]).toEqual([[line.id], []]);
    expect(refusal(await make({ name: 'x', lines: [gone.id] }))).toEqual(expected('line_not_found', 'lines'));
    // What it may still serve says nothing of whose it is: a key without the removed line does not get it.
    const answer = await revoke(both['id'], await limitedKey([line.ref]));
    expect(refusal(answer)).toEqual(expected('device_not_found', 'id'));
    expect((await find(both['token']))?.lineRefs).toEqual([line.ref, gone.ref]);
    expectStatus(201, await test.call('POST', '/admin/v1/lines', { handle: GONE_LINE, driver: 'remote' }));
    expect([await linesOf(both), await linesOf(alone)]).toEqual([[line.id, gone.id], [gone.id]]);
  });

  it('show when they were connected, and what their agent said of itself', async () => {
    const { id, token } = await made({ name: 'Noted', lines: [LINE] });
    const { ref } = (await find(token)) ?? { ref: 0 };
    const unsaid = { agent: null, clockOffsetMs: null };
    const note = (one: Omit<DeviceNote, 'ref'>) => test.server.writer.write(noteDevices, { ref, ...one });
    const shown = async () => {
      const shown = await read(`${DEVICES}/${String(id)}`);
      return ['connected_at', 'disconnected_at', 'agent', 'clock_offset_ms'].map((name) => shown[name]);
    };
    await note({ connectedAt: 1_000, disconnectedAt: null, agent: AGENT, clockOffsetMs: null });
    expect(await shown()).toEqual([1_000, null, AGENT, null]);
    await note({ connectedAt: 1_000, disconnectedAt: null, agent: null, clockOffsetMs: -250 });
    expect(await shown()).toEqual([1_000, null, AGENT, -250]);
    await note({ connectedAt: 1_000, disconnectedAt: 1_500, ...unsaid });
    expect(await shown()).toEqual([1_000, 1_500, AGENT, -250]);
    const newer = { version: '0.2.0', platform: 'macOS 16.0' };
    // In one batch, and the end of the former connection after the beginning of the newer one.
    await Promise.all([
      note({ connectedAt: 2_000, disconnectedAt: null, agent: newer, clockOffsetMs: 3 }),
      note({ connectedAt: 1_000, disconnectedAt: 2_500, agent: AGENT, clockOffsetMs: 9 }),
    ]);
    expect(await shown()).toEqual([2_000, null, newer, 3]);
  });

  it('are connected while their agent holds a line, whatever was noted last', async () => {
    const { id, token } = await made({ name: 'Killed', lines: [SECOND_LINE, LINE] });
    const { ref } = (await find(token)) ?? { ref: 0 };
    const { writer } = test.server;
    const isConnected = async () => (await read(`${DEVICES}/${String(id)}`))['is_connected'];
    const note = { ref, connectedAt: 1_000, disconnectedAt: null, agent: AGENT, clockOffsetMs: null };
    await writer.write(noteDevices, note);
    expect(await isConnected()).toBe(false);
    const lease = { name: lineLane((await refOf(test, LINE)).ref), holder: 'agent Killed' };
    const fence = await writer.write(acquireLeases, { ...lease, ms: 600_000 });
    expect(await isConnected()).toBe(true);
    await writer.write(releaseLeases, { ...lease, fence: fence ?? 0 });
    expect(await isConnected()).toBe(false);
    await writer.write(acquireLeases, { ...lease, ms: 600_000 });
    await writer.write(noteDevices, { ...note, disconnectedAt: 2_000 });
    expect(await isConnected()).toBe(false);
  });
});

describe('a device that is revoked in one process on postgres', () => {
  it('wakes whoever listens in another, and is found there no more', async () => {
    const home = await createHome('postgres');
    const one = await startTestServer('postgres', { home });
    const other = await startTestServer('postgres', { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const topics: string[] = [];
    await addRemoteLine(one, LINE);
    const stopListening = other.server.engine.onWake((topic) => topics.push(topic));
    const { id, token } = expectStatus(201, await one.call('POST', DEVICES, { name: 'x', lines: [LINE] })).body;
    expect(await findDevice(other.server.engine, String(token))).toMatchObject({ id });
    expectStatus(200, await one.call('DELETE', `${DEVICES}/${String(id)}`));
    await waitFor(() => topics.includes(DEVICES_TOPIC) || undefined, 'the other process to hear of it');
    expect(await findDevice(other.server.engine, String(token))).toBeNull();
    stopListening();
    await other.stop();
    await one.stop();
    await home.remove();
  });
});
