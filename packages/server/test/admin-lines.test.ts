/** `/admin/v1/lines`: adding lines that run at once, and setting them while they run, in every process. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SCOPES } from '../src/domain/scopes.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  LINE,
  PHONE,
  SANDBOX_LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { addAccount, addKey, addLine, expected, refOf, refusal, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const LINES = '/admin/v1/lines';
const NEW_LINE = '+15550100009';
const REMOTE_LINE = '+15550100041';
const OTHER_LINE = '+15550100042';
type Body = Record<string, unknown>;

const at = (name: string) => `${LINES}/${encodeURIComponent(name)}`;

describe.each(ENGINES)('the lines of an account on %s', (engine) => {
  let test: TestServer;
  let strangersKey: string;
  let limitedKey: string;

  beforeAll(async () => {
    test = await startTestServer(engine);
    const stranger = await addAccount(test);
    await addLine(test, STRANGERS_LINE, { accountRef: stranger });
    strangersKey = await addKey(test, { accountRef: stranger, scopes: SCOPES });
    limitedKey = await addKey(test, { lineRefs: [(await addLine(test, SECOND_LINE)).ref], scopes: SCOPES });
  });
  afterAll(() => test.stop());

  const get = async (path: string, key?: string) =>
    expectStatus(200, await test.call('GET', path, undefined, key === undefined ? {} : { key })).body;
  const handles = async (key?: string) => ((await get(LINES, key))['data'] as Body[]).map((line) => line['handle']);

  it('are listed whole, the sandbox line among those of its account', async () => {
    const body = await get(LINES);
    expect(body).toMatchObject({ has_more: false, next_cursor: null });
    expect((body['data'] as Body[])[0]).toEqual({
      id: (await refOf(test, LINE)).id,
      handle: LINE,
      label: 'Simulator',
      service: 'imessage',
      is_active: true,
      driver: 'simulator',
      is_sandbox: false,
      settings: { contact_first: true, opt_out_keywords: false, pace_ms: 0 },
      health: { state: 'online', reason: null, since: expect.any(Number) },
      created_at: expect.any(Number),
      removed_at: null,
    });
    expect(await handles()).toEqual([LINE, SANDBOX_LINE, SECOND_LINE]);
    expect(await handles(strangersKey)).toEqual([STRANGERS_LINE]);
    expect(await handles(limitedKey)).toEqual([SANDBOX_LINE, SECOND_LINE]);
  });

  it('are found by id and by handle, however it is written', async () => {
    const { id } = await refOf(test, LINE);
    for (const name of [id, LINE, '+1 (555) 010-0001']) expect((await get(at(name)))['id']).toBe(id);
  });

  it.each(['GET', 'PATCH', 'DELETE'] as const)('are not there for %s where they are not the key’s', async (method) => {
    const { id } = await refOf(test, LINE);
    const body = method === 'PATCH' ? { label: 'Mine' } : undefined;
    for (const [name, key] of [
      [id, strangersKey],
      [LINE, strangersKey],
      [SANDBOX_LINE, strangersKey],
      [id, limitedKey],
      ['ln_none', strangersKey],
      ['ln_\0', strangersKey],
      ['here', strangersKey],
    ] as const) {
      expect(refusal(await test.call(method, at(name), body, { key })), name).toEqual(expected('line_not_found', 'id'));
    }
    expect((await get(at(id)))['label']).toBe('Simulator');
  });

  it.each<[string, Body, string, string]>([
    ['no handle', { driver: 'simulator' }, 'missing_required_parameter', 'handle'],
    ['no driver', { handle: NEW_LINE }, 'missing_required_parameter', 'driver'],
    ['a handle that is none', { handle: 'here', driver: 'simulator' }, 'invalid_parameter_value', 'handle'],
    ['a handle in use', { handle: LINE, driver: 'simulator' }, 'invalid_parameter_value', 'handle'],
    ["another account's handle", { handle: STRANGERS_LINE, driver: 'simulator' }, 'invalid_parameter_value', 'handle'],
    ['a driver that is not there', { handle: NEW_LINE, driver: 'macos' }, 'invalid_parameter_value', 'driver'],
    [
      'a service that is none',
      { handle: NEW_LINE, driver: 'simulator', service: 'rcs' },
      'invalid_parameter_value',
      'service',
    ],
    [
      'a pace past ten minutes',
      { handle: NEW_LINE, driver: 'simulator', settings: { pace_ms: 600_001 } },
      'invalid_parameter_value',
      'settings',
    ],
    [
      'a setting that is none',
      { handle: NEW_LINE, driver: 'simulator', settings: { speed: 1 } },
      'invalid_parameter_value',
      'settings',
    ],
  ])('are not added with %s', async (_name, body, code, param) => {
    expect(refusal(await test.call('POST', LINES, body))).toEqual(expected(code, param));
  });

  it('are not added by a key that is limited to some', async () => {
    const answer = await test.call('POST', LINES, { handle: NEW_LINE, driver: 'simulator' }, { key: limitedKey });
    expect(refusal(answer)).toEqual(expected('line_not_accessible', 'handle'));
  });

  it('are not added while the simulator is off, but where an agent reaches them', async () => {
    const off = await startTestServer(engine, { environment: { TRUNKLINE_SIMULATOR: 'off' } });
    const answer = await off.call('POST', LINES, { handle: NEW_LINE, driver: 'simulator' });
    expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'driver'));
    const remote = await off.call('POST', LINES, { handle: NEW_LINE, driver: 'remote' });
    expect(expectStatus(201, remote).body).toMatchObject({ driver: 'remote', is_active: true });
    const named = expectStatus(200, await off.call('GET', at(NEW_LINE))).body;
    expect(named).toMatchObject({ driver: 'remote', is_active: true });
    await off.stop();
  });

  it('have a pace of a second by default where an agent reaches them, and wait for it', async () => {
    const paceOf = ({ settings }: Body) => (settings as Body)['pace_ms'];
    const add = async (body: Body) => expectStatus(201, await test.call('POST', LINES, body)).body;
    const plain = await add({ handle: REMOTE_LINE, driver: 'remote' });
    expect(plain).toMatchObject({ driver: 'remote', health: { state: 'offline', since: null } });
    expect([paceOf(plain), paceOf(await get(at(REMOTE_LINE)))]).toEqual([1_000, 1_000]);
    expect(paceOf(await add({ handle: OTHER_LINE, driver: 'remote', settings: { pace_ms: 0 } }))).toBe(0);
    const held = await test.server.engine.query.selectFrom('leases').select('name').execute();
    expect(held.map(({ name }) => name)).not.toContain(`line ${(await refOf(test, REMOTE_LINE)).ref}`);
    for (const handle of [REMOTE_LINE, OTHER_LINE]) expectStatus(200, await test.call('DELETE', at(handle)));
  });

  it('keep their pace when they come back, unless they had none and an agent reaches them now', async () => {
    const add = async (driver: string, settings: Body = {}) => {
      const { body } = expectStatus(201, await test.call('POST', LINES, { handle: REMOTE_LINE, driver, settings }));
      const stored = await get(at(REMOTE_LINE));
      expect(stored['settings']).toEqual(body['settings']);
      expectStatus(200, await test.call('DELETE', at(REMOTE_LINE)));
      return [stored['driver'], (stored['settings'] as Body)['pace_ms']];
    };
    expect(await add('simulator', { pace_ms: 0 })).toEqual(['simulator', 0]);
    expect(await add('remote')).toEqual(['remote', 1_000]);
    expect(await add('remote', { pace_ms: 0 })).toEqual(['remote', 0]);
    expect(await add('remote')).toEqual(['remote', 0]);
    expect(await add('simulator')).toEqual(['simulator', 0]);
    expect(await add('simulator', { pace_ms: 70 })).toEqual(['simulator', 70]);
    expect(await add('remote')).toEqual(['remote', 70]);
  });

  it('run within a second of being added, with what was said of them', async () => {
    const body = {
      handle: '+1 555 010 0009',
      driver: 'simulator',
      label: 'Ninth',
      service: 'auto',
      settings: { contact_first: false, pace_ms: 5 },
    };
    const made = expectStatus(201, await test.call('POST', LINES, body)).body;
    expect(made).toMatchObject({
      id: expect.stringMatching(/^ln_/),
      handle: NEW_LINE,
      label: 'Ninth',
      service: 'auto',
      is_active: true,
      settings: { contact_first: false, pace_ms: 5 },
      removed_at: null,
    });
    await waitFor(async () => {
      const { health } = await get(at(NEW_LINE));
      return (health as Body)['state'] === 'online' ? true : undefined;
    }, 'the new line to be online');
    const send = { from: NEW_LINE, to: PHONE, text: 'Cold' };
    const { id } = expectStatus(201, await test.call('POST', '/v1/messages', send)).body;
    await test.settled(String(id));
  });

  it('show how they are, and that nobody knows while they are switched off', async () => {
    const health = async () => (await get(at(SECOND_LINE)))['health'] as Body;
    const becomes = (state: string) =>
      waitFor(async () => ((await health())['state'] === state ? health() : undefined), `the line to be ${state}`);
    const online = await becomes('online');
    expectStatus(201, await test.call('POST', '/simulator/v1/faults', { line: SECOND_LINE, offline: true }));
    const offline = await becomes('offline');
    expect(offline['reason']).toBe('The simulated line was taken offline.');
    expect(Number(offline['since'])).toBeGreaterThanOrEqual(Number(online['since']));
    expectStatus(200, await test.call('DELETE', '/simulator/v1/faults', { line: SECOND_LINE }));
    await becomes('online');
    expectStatus(200, await test.call('PATCH', at(SECOND_LINE), { is_active: false }));
    expect(await health()).toEqual({ state: 'unknown', reason: 'The line is switched off.', since: null });
    expectStatus(200, await test.call('PATCH', at(SECOND_LINE), { is_active: true }));
    await becomes('online');
  });

  it('keep what a change does not name, and refuse a setting that is none', async () => {
    const changed = expectStatus(200, await test.call('PATCH', at(SECOND_LINE), { settings: { pace_ms: 7 } })).body;
    expect(changed).toMatchObject({ label: null, is_active: true, settings: { contact_first: true, pace_ms: 7 } });
    const named = expectStatus(200, await test.call('PATCH', at(SECOND_LINE), { label: 'Two' })).body;
    expect(named).toMatchObject({ label: 'Two', settings: { contact_first: true, pace_ms: 7 } });
    for (const settings of [{ pace: 1 }, { pace_ms: -1 }, { contact_first: 'no' }]) {
      const answer = await test.call('PATCH', at(SECOND_LINE), { settings });
      expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'settings'));
    }
    expectStatus(200, await test.call('PATCH', at(SECOND_LINE), { settings: { pace_ms: 0 } }));
  });
});

describe.each(ENGINES)('a line that runs while it is set on %s', (engine) => {
  let test: TestServer;

  beforeEach(async () => {
    test = await startTestServer(engine);
  });
  afterEach(() => test.stop());

  const set = async (body: Body) => expectStatus(200, await test.call('PATCH', at(LINE), body));
  const sentCount = async (ids: readonly string[]) => {
    const items = await Promise.all(ids.map((id) => test.outbox(id)));
    return items.filter((item) => item['status'] === 'sent').length;
  };

  it('keeps a new pace at once, and gives it up at once', async () => {
    await test.settled(await test.send('Before'));
    await set({ settings: { pace_ms: 600_000 } });
    const ids = [await test.send('One'), await test.send('Two'), await test.send('Three')];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await sentCount(ids)).toBe(0);
    await set({ settings: { pace_ms: 100 } });
    await waitFor(async () => ((await sentCount(ids)) === 3 ? true : undefined), 'a faster pace');
    const at1 = await Promise.all(ids.map(async (id) => Number((await test.outbox(id))['completed_at'])));
    expect((at1[2] ?? 0) - (at1[0] ?? 0)).toBeGreaterThanOrEqual(150);
    await set({ settings: { pace_ms: 600_000 } });
    const last = [await test.send('Four'), await test.send('Five')];
    await set({ settings: { pace_ms: 0 } });
    await waitFor(async () => ((await sentCount(last)) === 2 ? true : undefined), 'no pace');
  });

  it('lets a stranger be written to as soon as contact-first is off, and no longer once it is on', async () => {
    const send = (to: string) => test.call('POST', '/v1/messages', { from: LINE, to, text: 'Cold' });
    expect((await send('+15550107001')).status).toBe(403);
    await set({ settings: { contact_first: false } });
    expect((await send('+15550107001')).status).toBe(201);
    await set({ settings: { contact_first: true } });
    expect((await send('+15550107002')).status).toBe(403);
  });

  it('holds back what was accepted while it is switched off, and sends it in order when it is on', async () => {
    await set({ settings: { pace_ms: 600_000 } });
    await test.settled(await test.send('Zero'));
    const ids = [await test.send('One'), await test.send('Two')];
    await set({ is_active: false, settings: { pace_ms: 0 } });
    expect(refusal(await test.call('POST', '/v1/messages', { from: LINE, to: PHONE, text: 'x' }))).toEqual(
      expected('line_not_found', 'from'),
    );
    expect((await test.outbox(ids[1] ?? ''))['status']).not.toBe('failed');
    await set({ is_active: true });
    for (const id of ids) await test.settled(id);
    const texts = (await test.phone()).map((message) => message['text']);
    expect(texts.slice(-2)).toEqual(['One', 'Two']);
  });
});

describe('a line that is set in one process on postgres', () => {
  it('is as it was set in another within a second: pace, contact-first, switched off', async () => {
    const home = await createHome('postgres');
    const runs = await startTestServer('postgres', { home });
    const front = await startTestServer('postgres', { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const set = async (body: Body) => expectStatus(200, await front.call('PATCH', at(LINE), body));
    const health = async (test: TestServer) => ((await test.call('GET', at(LINE))).body['health'] as Body)['state'];
    expect([await health(runs), await health(front)]).toEqual(['online', 'online']);

    await runs.settled(await runs.send('Before'));
    await set({ settings: { pace_ms: 600_000, contact_first: false } });
    const cold = { from: LINE, to: '+15550107003', text: 'Cold' };
    await waitFor(
      async () => ((await runs.call('POST', '/v1/messages', cold)).status === 201 ? true : undefined),
      'contact-first',
    );
    const id = await front.send('Held back');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await front.outbox(id))['status']).toBe('pending');
    await set({ settings: { pace_ms: 0 } });
    await waitFor(async () => ((await front.outbox(id))['status'] === 'sent' ? true : undefined), 'no pace');

    await set({ is_active: false });
    await waitFor(
      async () =>
        ((await runs.call('GET', '/v1/lines')).body['data'] as Body[]).some((line) => line['handle'] === LINE)
          ? undefined
          : true,
      'the line to be off',
    );
    await front.stop();
    await runs.stop();
    await home.remove();
  });
});
