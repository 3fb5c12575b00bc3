/** `/admin/v1/keys`: making keys that are no wider than their maker's, listing them, and taking them back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_SCOPES, SCOPES } from '../src/domain/scopes.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  KEY,
  LINE,
  SANDBOX_LINE,
  startTestServer,
  type TestServer,
} from './harness.ts';
import {
  addAccount,
  addKey,
  addLine,
  expected,
  type KeyOptions,
  refOf,
  refusal,
  SECOND_LINE,
  STRANGERS_LINE,
} from './tenancy.ts';

const HOUR_MS = 60 * 60_000;
const KEYS = '/admin/v1/keys';
/** A second, and one more for a machine that is busy with other tests. */
const REVOKED_WITHIN_MS = 2_000;
type Body = Record<string, unknown>;

describe.each(ENGINES)('the keys of an account on %s', (engine) => {
  let test: TestServer;
  let stranger: number;

  beforeAll(async () => {
    test = await startTestServer(engine);
    stranger = await addAccount(test);
    await addLine(test, STRANGERS_LINE, { accountRef: stranger });
    await addLine(test, SECOND_LINE);
  });
  afterAll(() => test.stop());

  const make = (body: Body, key = KEY) => test.call('POST', KEYS, body, { key });
  const made = async (body: Body, key = KEY) => expectStatus(201, await make(body, key)).body;
  const read = async (path: string, key = KEY) =>
    expectStatus(200, await test.call('GET', path, undefined, { key })).body;
  const adminKey = (options: KeyOptions) => addKey(test, { scopes: SCOPES, ...options });

  it('begin with one, shown without its secret', async () => {
    const fresh = await startTestServer(engine);
    const { data, has_more, next_cursor } = expectStatus(200, await fresh.call('GET', KEYS)).body;
    expect({ data, has_more, next_cursor }).toEqual({
      data: [
        {
          id: expect.stringMatching(/^key_/),
          name: 'First key',
          prefix: KEY.slice(0, 12),
          scopes: [...SCOPES],
          line_ids: null,
          rate_limit_per_hour: fresh.config.rateLimitPerHour,
          expires_at: null,
          last_used_at: null,
          revoked_at: null,
          created_at: expect.any(Number),
        },
      ],
      has_more: false,
      next_cursor: null,
    });
    await fresh.stop();
  });

  it('grow by one that works at once and is shown once', async () => {
    const body = await made({ name: 'Reader' });
    const { key, request_id, ...record } = body;
    expect(key).toMatch(/^sk_live_[A-Za-z0-9]{43}$/);
    expect(request_id).toMatch(/^req_/);
    expect(record).toMatchObject({
      name: 'Reader',
      prefix: String(key).slice(0, 12),
      scopes: [...API_SCOPES],
      line_ids: null,
    });
    expectStatus(200, await test.call('GET', '/v1/lines', undefined, { key: String(key) }));
    expect(refusal(await test.call('GET', KEYS, undefined, { key: String(key) }))).toEqual(
      expected('insufficient_scope'),
    );
    const shown = await read(`${KEYS}/${String(record['id'])}`);
    expect({ ...shown, request_id: '' }).toEqual({ ...record, request_id: '' });
    expect(JSON.stringify(await read(KEYS))).not.toContain(String(key));
  });

  it('can be given less: scopes, lines, an expiry, a rate', async () => {
    const expiresAt = Date.now() + HOUR_MS;
    const body = await made({
      name: 'Narrow',
      scopes: ['outbox:read', 'messages:write', 'messages:write'],
      line_ids: [SECOND_LINE, (await refOf(test, LINE)).id, SANDBOX_LINE, SECOND_LINE],
      expires_at: expiresAt,
      rate_limit_per_hour: 5,
    });
    const ids = await Promise.all(
      [SECOND_LINE, LINE, SANDBOX_LINE].map(async (handle) => (await refOf(test, handle)).id),
    );
    expect(body).toMatchObject({
      scopes: ['messages:write', 'outbox:read'],
      line_ids: ids,
      expires_at: expiresAt,
      rate_limit_per_hour: 5,
    });
  });

  it('may spend what the installation says, where nothing else is said', async () => {
    const other = await startTestServer(engine, { environment: { TRUNKLINE_RATE_LIMIT_PER_HOUR: '77' } });
    const { body } = expectStatus(201, await other.call('POST', KEYS, { name: 'Usual' }));
    expect(body['rate_limit_per_hour']).toBe(77);
    const { data } = expectStatus(200, await other.call('GET', KEYS)).body;
    expect((data as Body[]).map((key) => key['rate_limit_per_hour'])).toEqual([77, 77]);
    await other.stop();
  });

  it.each<[string, Body, string, string]>([
    ['no name', {}, 'missing_required_parameter', 'name'],
    ['an empty name', { name: '' }, 'invalid_parameter_value', 'name'],
    ['a name with a NUL', { name: 'a\0' }, 'invalid_parameter_value', 'name'],
    ['an unknown scope', { name: 'x', scopes: ['messages:read', 'all'] }, 'invalid_parameter_value', 'scopes'],
    ['scopes that are no list', { name: 'x', scopes: 'admin' }, 'invalid_parameter_value', 'scopes'],
    ['an expiry that has passed', { name: 'x', expires_at: 1 }, 'invalid_parameter_value', 'expires_at'],
    ['an expiry in words', { name: 'x', expires_at: 'tomorrow' }, 'invalid_parameter_value', 'expires_at'],
    ['a rate of nothing', { name: 'x', rate_limit_per_hour: 0 }, 'invalid_parameter_value', 'rate_limit_per_hour'],
    ['a rate above all', { name: 'x', rate_limit_per_hour: 1e9 + 1 }, 'invalid_parameter_value', 'rate_limit_per_hour'],
    ['a line that is none', { name: 'x', line_ids: ['here'] }, 'invalid_parameter_value', 'line_ids'],
    ['a line that is not there', { name: 'x', line_ids: ['ln_none'] }, 'line_not_found', 'line_ids'],
    ["another account's line", { name: 'x', line_ids: [STRANGERS_LINE] }, 'line_not_found', 'line_ids'],
  ])('are refused with %s', async (_name, body, code, param) => {
    expect(refusal(await make(body))).toEqual(expected(code, param));
  });

  it('have no scope that their maker lacks', async () => {
    const key = await addKey(test, { scopes: ['admin', 'lines:read', 'outbox:read'] });
    expect((await made({ name: 'x' }, key))['scopes']).toEqual(['lines:read', 'outbox:read']);
    expect((await made({ name: 'x', scopes: ['admin'] }, key))['scopes']).toEqual(['admin']);
    const refused = await make({ name: 'x', scopes: ['lines:read', 'chats:read'] }, key);
    expect(refusal(refused)).toEqual(expected('insufficient_scope'));
    expect((refused.body['error'] as Body)['message']).toContain("'chats:read'");
    const bare = await addKey(test, { scopes: ['admin'] });
    expect(refusal(await make({ name: 'x' }, bare))).toEqual(expected('missing_required_parameter', 'scopes'));
  });

  it('reach no line that their maker may not use', async () => {
    const second = await refOf(test, SECOND_LINE);
    const key = await adminKey({ lineRefs: [second.ref] });
    expect((await made({ name: 'x', line_ids: [SECOND_LINE] }, key))['line_ids']).toEqual([second.id]);
    for (const body of [{ name: 'x' }, { name: 'x', line_ids: [LINE] }, { name: 'x', line_ids: [SECOND_LINE, LINE] }]) {
      expect(refusal(await make(body, key))).toEqual(expected('line_not_accessible', 'line_ids'));
    }
  });

  it('live no longer than their maker', async () => {
    const expiresAt = Date.now() + HOUR_MS;
    const key = await adminKey({ expiresAt });
    expect((await made({ name: 'x' }, key))['expires_at']).toBe(expiresAt);
    expect((await made({ name: 'x', expires_at: expiresAt - 1 }, key))['expires_at']).toBe(expiresAt - 1);
    expect(refusal(await make({ name: 'x', expires_at: expiresAt + 1 }, key))).toEqual(
      expected('invalid_parameter_value', 'expires_at'),
    );
  });

  it('spend no more than a maker who was given less than usual', async () => {
    const key = await adminKey({ rateLimitPerHour: 10 });
    expect((await made({ name: 'x' }, key))['rate_limit_per_hour']).toBe(10);
    expect(refusal(await make({ name: 'x', rate_limit_per_hour: 11 }, key))).toEqual(
      expected('invalid_parameter_value', 'rate_limit_per_hour'),
    );
    expect((await made({ name: 'x', rate_limit_per_hour: 5_000 }))['rate_limit_per_hour']).toBe(5_000);
  });

  it('are listed newest first, page by page, revoked ones too', async () => {
    const account = await addAccount(test);
    const key = await adminKey({ accountRef: account });
    const names = ['One', 'Two', 'Three', 'Four'];
    const ids: string[] = [];
    for (const name of names) ids.push(String((await made({ name }, key))['id']));
    expectStatus(200, await test.call('DELETE', `${KEYS}/${ids[1]}`, undefined, { key }));
    const seen: Body[] = [];
    let path = `${KEYS}?limit=2`;
    for (;;) {
      const page = await read(path, key);
      seen.push(...(page['data'] as Body[]));
      // What is made while a client pages is neither skipped into a page nor repeated.
      await made({ name: 'Later' }, key);
      if (page['has_more'] !== true) break;
      path = `${KEYS}?limit=2&cursor=${String(page['next_cursor'])}`;
    }
    expect(seen.map((one) => one['name'])).toEqual(['Four', 'Three', 'Two', 'One', 'Test']);
    expect(seen.map((one) => one['revoked_at'] !== null)).toEqual([false, false, true, false, false]);
    const foreign = await test.call('GET', `${KEYS}?cursor=${path.split('cursor=')[1]}`);
    expect(refusal(foreign)).toEqual(expected('invalid_parameter_value', 'cursor'));
  });

  it('are made once, however often the request with its Idempotency-Key is repeated', async () => {
    const headers = { 'idempotency-key': `once on ${engine}` };
    const ask = () => test.call('POST', KEYS, { name: 'Once' }, { headers });
    const [first, second] = [expectStatus(201, await ask()), expectStatus(201, await ask())];
    expect(second.body).toEqual(first.body);
    const kept = await test.server.engine.query.selectFrom('kept_answers').select('body').execute();
    expect(JSON.stringify(kept)).not.toContain(String(first.body['key']));
    const { data } = await read(KEYS);
    expect((data as Body[]).filter((one) => one['name'] === 'Once')).toHaveLength(1);
  });

  it.each(['GET', 'DELETE'] as const)('are not there for %s from another account', async (method) => {
    const key = await adminKey({ accountRef: stranger });
    const { id } = await made({ name: 'x' });
    for (const name of [String(id), 'key_none', 'x', 'key_%00']) {
      const answer = await test.call(method, `${KEYS}/${name}`, undefined, { key });
      expect(refusal(answer), name).toEqual(expected('key_not_found', 'id'));
    }
    expect((await read(`${KEYS}/${String(id)}`))['revoked_at']).toBeNull();
  });

  it('stop working when they are revoked, by another or by themselves, and stay revoked', async () => {
    const { key, id } = await made({ name: 'x', scopes: [...SCOPES] });
    const path = `${KEYS}/${String(id)}`;
    expectStatus(200, await test.call('GET', '/v1/lines', undefined, { key: String(key) }));
    const gone = expectStatus(200, await test.call('DELETE', path, undefined, { key: String(key) })).body;
    expect(gone).toEqual({ id, deleted: true, request_id: expect.any(String) });
    expect(refusal(await test.call('GET', '/v1/lines', undefined, { key: String(key) }))).toEqual(
      expected('invalid_api_key'),
    );
    const revokedAt = (await read(path))['revoked_at'];
    expect(revokedAt).toEqual(expect.any(Number));
    expectStatus(200, await test.call('DELETE', path));
    expect((await read(path))['revoked_at']).toBe(revokedAt);
  });
});

describe('a key that is revoked in one process on postgres', () => {
  it('is refused by another within a second, though it was used there just before', async () => {
    const home = await createHome('postgres');
    const one = await startTestServer('postgres', { home });
    const other = await startTestServer('postgres', { home, environment: { TRUNKLINE_ROLES: 'api' } });
    for (let round = 0; round < 5; round++) {
      const { key, id } = expectStatus(201, await one.call('POST', KEYS, { name: 'x' })).body;
      const use = () => other.call('GET', '/v1/lines', undefined, { key: String(key) });
      expectStatus(200, await use());
      expectStatus(200, await one.call('DELETE', `${KEYS}/${String(id)}`));
      const revokedAt = performance.now();
      while ((await use()).status === 200) expect(performance.now() - revokedAt).toBeLessThan(REVOKED_WITHIN_MS);
      expect(refusal(await use())).toEqual(expected('invalid_api_key'));
    }
    await other.stop();
    await one.stop();
    await home.remove();
  });
});
