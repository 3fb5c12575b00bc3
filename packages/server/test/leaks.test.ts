/** 67: after all that can happen, no key, no secret, no text and no handle is where it must not be. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { describeError } from '../src/log.ts';
import type { EngineKind } from '../src/store/database.ts';
import {
  type Answer,
  type CallOptions,
  createHome,
  ENGINES,
  KEY,
  LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { dumpTables, findLeaks, type Haystack, listeningLog, type Needle, readFiles } from './leaks.ts';
import { answers, startReceiver } from './receiver.ts';
import { SECOND_LINE } from './tenancy.ts';

const PEER = '+15550107001';
const MAIL = 'somebody.secret@example.com';
const STRANGER = '+15550107999';
const TEXTS = {
  sent: 'SENT-zX1 the quick brown fox "quoted" 😀',
  received: 'RECEIVED-zX2 jumps over',
  refused: 'REFUSED-zX3 the lazy dog',
  replied: 'REPLIED-zX4 again and again',
  broken: 'BROKEN-zX5 what the database will not take',
  failed: 'FAILED-zX6 what no phone will have',
} as const;
const BASIC = 'Basic dXNlcjpwYXNzd29yZC16WDc=';

/** What came of a whole scene. */
interface Scene {
  readonly secrets: Needle[];
  readonly errors: Haystack[];
  readonly logged: Haystack;
  readonly tables: readonly Haystack[];
  readonly files: readonly Haystack[];
}

const PRIVATE: readonly Needle[] = [
  ...Object.entries(TEXTS).map(([name, text]) => ({ name: `the text that was ${name}`, text })),
  ...Object.entries({ LINE, SECOND_LINE, PEER, MAIL, STRANGER }).map(([name, text]) => ({
    name: `handle ${name}`,
    text,
  })),
];

describe.each(ENGINES)('67: after a whole scene on %s', (engine) => {
  it('keys, secrets, texts and handles are only where they belong', async () => {
    const scene = await playScene(engine);
    const { secrets, errors, logged, tables, files } = scene;
    expect(secrets.length).toBeGreaterThan(6);
    expect(errors.length).toBeGreaterThan(15);
    expect(logged.text).toContain('a request failed');
    expect(errors.at(-1)?.text).toContain('# HELP');
    expect(tables.length).toBeGreaterThan(10);
    expect(findLeaks(secrets, [logged, ...errors, ...tables, ...files])).toEqual([]);
    expect(findLeaks(PRIVATE, [logged, ...errors])).toEqual([]);
    // Texts are kept, or nobody could read them; a sweep that finds none of them looks in the wrong place.
    const sent = PRIVATE.filter(({ name }) => name.endsWith('sent'));
    expect(findLeaks(sent, tables)).toContain('the text that was sent in the table messages');
  }, 60_000);

  it('a secret that was put into a log, an answer or a table is found there', async () => {
    const { log, said } = listeningLog();
    const home = await createHome(engine);
    const test = await startTestServer(engine, { home, log });
    const planted = { name: 'the key', text: KEY };
    log.debug({ headers: { authorization: `Bearer ${KEY}` } }, 'planted');
    await test.server.engine.query
      .updateTable('lines')
      .set({ label: `x ${KEY}` })
      .execute();
    const tables = await dumpTables(test.server.engine);
    const error = { place: 'an answer', text: JSON.stringify({ error: { message: encodeURIComponent(KEY) } }) };
    const found = findLeaks([planted], [said(), error, ...tables]);
    expect(found).toEqual(['the key in the log', 'the key in an answer', 'the key in the table lines']);
    await test.stop();
    const folder = home.environment['TRUNKLINE_DATA_DIR'] ?? '';
    if (engine === 'sqlite') expect(findLeaks([planted], readFiles(folder))).not.toEqual([]);
    await home.remove();
  });
});

describe('67: what a log says of an error', () => {
  it('is its name, its code and its place, and not what a database quotes', () => {
    const quoting = Object.assign(new Error('invalid input syntax: "the text"'), {
      code: '22P02',
      severity: 'ERROR',
      detail: 'Failing row contains (the text).',
      where: "unnamed portal parameter $1 = 'the text'",
      constraint: 'no_text',
    });
    const described = describeError(new Error('outer', { cause: quoting }));
    expect(JSON.stringify(described)).not.toContain('the text');
    expect(described).toMatchObject({
      type: 'Error',
      message: 'outer',
      cause: { code: '22P02', constraint: 'no_text' },
    });
    expect(String(described['stack'])).toMatch(/^ {4}at /);
  });
});

async function playScene(engine: EngineKind): Promise<Scene> {
  const { log, said } = listeningLog();
  const home = await createHome(engine);
  const test = await startTestServer(engine, { home, log, environment: { TRUNKLINE_METRICS: 'on' } });
  const secrets: Needle[] = [
    { name: 'the first key', text: KEY },
    { name: 'a wrong header', text: BASIC.slice('Basic '.length) },
  ];
  const errors: Haystack[] = [];
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    more?: CallOptions,
  ) => {
    const answer = await test.call(method, path, body, more);
    if (answer.status >= 400) errors.push({ place: `${method} ${answer.status}`, text: JSON.stringify(answer) });
    for (const name of ['secret', 'key']) {
      const shown = answer.body[name];
      if (typeof shown === 'string') secrets.push({ name: `the ${name} of ${method} ${path}`, text: shown });
    }
    return answer;
  };
  const receivers = await makeKeysAndWebhooks(call);
  await sendAndReceive(test, call);
  await askWrongly(call, secrets);
  await breakDatabase(test, engine, call);
  await waitFor(async () => (await attemptsOf(test)) >= 2 || undefined, 'failed deliveries');
  const metrics = await test.server.app.inject({ method: 'GET', url: '/metrics' });
  const tables = await dumpTables(test.server.engine);
  await test.stop();
  for (const receiver of receivers) await receiver.close();
  const folder = home.environment['TRUNKLINE_DATA_DIR'];
  const files = folder === undefined ? [] : readFiles(folder);
  await home.remove();
  const told = [...errors, { place: 'the metrics', text: metrics.body }];
  return { secrets, errors: told, logged: said(), tables, files };
}

type Call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  more?: CallOptions,
) => Promise<Answer>;

async function makeKeysAndWebhooks(call: Call) {
  const good = await startReceiver();
  const bad = await startReceiver(answers(500));
  const once = { headers: { 'idempotency-key': 'the same' } };
  for (const { url } of [good, bad]) {
    await call('POST', '/v1/webhooks', { from: LINE, url, events: ['message.received', 'message.sent'] });
  }
  const repeated = { from: LINE, url: good.url, events: ['message.sent'] };
  await call('POST', '/v1/webhooks', repeated, once);
  await call('POST', '/v1/webhooks', repeated, once);
  const made = await call('POST', '/admin/v1/keys', { name: 'Made' }, once);
  await call('POST', '/admin/v1/keys', { name: 'Made' }, once);
  await call('POST', '/admin/v1/keys', { name: 'Other', line_ids: [LINE] });
  await call('GET', '/v1/lines', undefined, { key: String(made.body['key']) });
  await call('DELETE', `/admin/v1/keys/${String(made.body['id'])}`);
  await call('GET', '/v1/lines', undefined, { key: String(made.body['key']) });
  await call('POST', '/admin/v1/lines', { handle: SECOND_LINE, driver: 'simulator' });
  return [good, bad];
}

async function sendAndReceive(test: TestServer, call: Call): Promise<void> {
  for (const from of [PEER, MAIL]) {
    await call('POST', '/simulator/v1/messages', { from, to: LINE, text: TEXTS.received });
    const { body } = await call('POST', '/v1/messages', { from: LINE, to: from, text: TEXTS.sent });
    await test.settled(String(body['id']));
  }
  const once = { headers: { 'idempotency-key': 'a send' } };
  const reply = { from: LINE, to: PEER, text: TEXTS.replied };
  await call('POST', '/v1/messages', reply, once);
  await call('POST', '/v1/messages', reply, once);
  await call('POST', '/v1/messages', { ...reply, text: TEXTS.refused }, once);
  const failing = await call('POST', '/v1/messages', { from: LINE, to: '+15550100400', text: TEXTS.failed });
  await test.settled(String(failing.body['id']), 'failed');
  await call('POST', '/simulator/v1/faults', { line: LINE, fail_rate: 1 });
  await call('POST', '/v1/messages', { from: LINE, to: PEER, text: TEXTS.failed });
  await call('DELETE', '/simulator/v1/faults', { line: LINE });
}

/** Every refusal that quotes what it was given would show here. */
async function askWrongly(call: Call, secrets: Needle[]): Promise<void> {
  const send = (body: object) => call('POST', '/v1/messages', { from: LINE, to: PEER, text: TEXTS.refused, ...body });
  await send({ to: STRANGER });
  await send({ from: STRANGER });
  await send({ to: `${STRANGER} ${TEXTS.refused}` });
  await send({ text: [TEXTS.refused] });
  await send({ text: `${TEXTS.refused}\0` });
  await send({ text: TEXTS.refused.repeat(2_000) });
  await send({ reply_to: TEXTS.refused });
  await send({ attachments: [TEXTS.refused] });
  await call('POST', '/v1/webhooks', { from: LINE, url: `http://${TEXTS.refused}`, events: ['message.sent'] });
  await call('POST', '/v1/webhooks', { from: LINE, url: 'http://127.0.0.1:9/', events: [TEXTS.refused] });
  await call('GET', `/v1/messages?from=${encodeURIComponent(STRANGER)}&to=${encodeURIComponent(MAIL)}`);
  await call('GET', `/v1/messages/${encodeURIComponent(TEXTS.refused)}`);
  await call('GET', `/v1/${encodeURIComponent(TEXTS.refused)}?to=${encodeURIComponent(PEER)}`);
  await call('GET', `/v1/chats?from=${encodeURIComponent(LINE)}&cursor=${encodeURIComponent(TEXTS.refused)}`);
  await call('POST', '/admin/v1/lines', { handle: SECOND_LINE, driver: TEXTS.refused });
  await call('POST', '/admin/v1/keys', { name: 'x', scopes: [TEXTS.refused] });
  await call('PATCH', `/admin/v1/lines/${encodeURIComponent(LINE)}`, { settings: { [TEXTS.refused]: 1 } });
  const wrong = `sk_live_${'zX8'.repeat(14)}`;
  secrets.push({ name: 'a wrong key', text: wrong });
  await call('GET', '/v1/lines', undefined, { key: wrong });
  await call('GET', '/v1/lines', undefined, { key: null, headers: { authorization: BASIC } });
}

/** A rule that the rows of this text break: PostgreSQL quotes the whole row in the error. */
async function breakDatabase(test: TestServer, engine: EngineKind, call: Call): Promise<void> {
  const { query } = test.server.engine;
  const trigger = sql`create trigger no_broken before insert on outbox when new.payload like '%zX5%'
    begin select raise(abort, 'a broken row'); end`;
  const rule = sql`alter table outbox add constraint no_broken check (payload not like '%zX5%')`;
  await (engine === 'sqlite' ? trigger : rule).execute(query);
  const answer = await call('POST', '/v1/messages', { from: LINE, to: PEER, text: TEXTS.broken });
  expect(answer.status).toBe(500);
}

async function attemptsOf(test: TestServer): Promise<number> {
  const rows = await test.server.engine.query.selectFrom('deliveries').select('attempts').execute();
  return rows.reduce((sum, row) => sum + Number(row.attempts), 0);
}
