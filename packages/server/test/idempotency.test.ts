/** A POST is done once, however often it comes. Numbers are those of the catalogue of tests. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../src/http/repeats.ts';
import { BETWEEN_FIELDS } from '../src/store/unanswered.ts';
import { createFakeClock } from './fake-clock.ts';
import {
  type Answer,
  createHome,
  ENGINES,
  KEY,
  LINE,
  PHONE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { addAccount, addKey, addLine, expected, refusal, STRANGERS_LINE } from './tenancy.ts';

const DAY_MS = 24 * 60 * 60_000;
const body = (text = 'Hello') => ({ from: LINE, to: PHONE, text });

const send = (test: TestServer, name: string, payload: unknown = body(), key = KEY) =>
  test.call('POST', '/v1/messages', payload, { key, headers: { 'idempotency-key': name } });
const replayed = (answer: Answer) => answer.headers['idempotent-replayed'];
const items = async (test: TestServer) =>
  (await test.server.engine.query.selectFrom('outbox').select('id').execute()).length;

describe.each(ENGINES)('an Idempotency-Key on %s', (engine) => {
  it('40: 50 parallel identical POSTs make one row and get 50 equal bodies', async () => {
    const test = await startTestServer(engine);
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(test, 'once')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(answers.filter((answer) => replayed(answer) === 'true').length).toBe(49);
    expect(new Set(answers.map((answer) => answer.headers['x-request-id'])).size).toBe(50);
    expect(await items(test)).toBe(1);
    await test.stop();
  });

  it('41: the same key with another body is refused; on another key, route or account it is another one', async () => {
    const test = await startTestServer(engine);
    const first = await send(test, 'mine');
    expect(refusal(await send(test, 'mine', body('Other')))).toEqual(expected('idempotency_key_reused'));
    const webhook = { from: LINE, url: 'http://127.0.0.1:9/hook', events: ['message.sent'] };
    const headers = { 'idempotency-key': 'mine' };
    expect((await test.call('POST', '/v1/webhooks', webhook, { headers })).status).toBe(201);
    const second = await send(test, 'mine', body(), await addKey(test));
    expect([second.status, replayed(second)]).toEqual([201, undefined]);
    const accountRef = await addAccount(test);
    await addLine(test, STRANGERS_LINE, { accountRef, contactFirst: false });
    const stranger = await addKey(test, { accountRef });
    const third = await send(test, 'mine', { ...body(), from: STRANGERS_LINE }, stranger);
    expect(third.status).toBe(201);
    expect(new Set([first, second, third].map((answer) => answer.body['id'])).size).toBe(3);
    expect((await send(test, 'mine')).body).toEqual(first.body);
    await test.stop();
  });

  it('is looked at before the fields, whose order and spaces do not matter', async () => {
    const test = await startTestServer(engine);
    const first = await send(test, 'k');
    const other = await test.server.app.inject({
      method: 'POST',
      path: '/v1/messages',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'idempotency-key': 'k' },
      payload: ` { "text": "Hello", "to": ${JSON.stringify(PHONE)},\n "from": "${LINE}" }`,
    });
    expect(other.json()).toEqual(first.body);
    expect(refusal(await send(test, 'k', {}))).toEqual(expected('idempotency_key_reused'));
    await test.stop();
  });

  it('a refusal leaves the key free', async () => {
    const test = await startTestServer(engine);
    expect((await send(test, 'k', { from: LINE })).status).toBe(400);
    expect((await send(test, 'k', { ...body(), to: '+15550107777' })).status).toBe(403);
    expect(await test.server.engine.query.selectFrom('kept_answers').selectAll().execute()).toEqual([]);
    expect((await send(test, 'k')).status).toBe(201);
    await test.stop();
  });

  it('of parallel requests with one key and two bodies one is done and the others are told', async () => {
    const test = await startTestServer(engine);
    const cold = { ...body(), to: '+15550107777' };
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => send(test, 'k', index % 3 === 0 ? cold : body(`Text ${index % 3}`))),
    );
    expect(await items(test)).toBe(1);
    const done = answers.filter(({ status }) => status === 201);
    expect(new Set(done.map((answer) => answer.body['id'])).size).toBe(1);
    for (const { status } of answers) expect([201, 403, 409]).toContain(status);
    await test.stop();
  });

  it('42: after a restart the repeat gets the first answer, and the phone one message', async () => {
    const home = await createHome(engine);
    const first = await startTestServer(engine, { home });
    const answer = await send(first, 'k', body('Once only'));
    await first.stop();
    const second = await startTestServer(engine, { home });
    const again = await send(second, 'k', body('Once only'));
    expect(again.body).toEqual(answer.body);
    expect(replayed(again)).toBe('true');
    await second.settled(String(answer.body['id']));
    expect((await second.phone()).filter((message) => message['text'] === 'Once only').length).toBe(1);
    await second.stop();
    await home.remove();
  });

  it('45: is free again after 24 hours, and not before', async () => {
    const clock = createFakeClock();
    const test = await startTestServer(engine, { clock });
    const first = await send(test, 'k');
    clock.jump(DAY_MS - 60_000);
    expect((await send(test, 'k')).body).toEqual(first.body);
    clock.jump(61_000);
    const later = await send(test, 'k');
    expect([later.status, replayed(later)]).toEqual([201, undefined]);
    expect(later.body['id']).not.toBe(first.body['id']);
    await test.stop();
  });

  it('keeps an answer with a secret encrypted, and gives it again', async () => {
    const test = await startTestServer(engine);
    const webhook = { from: LINE, url: 'http://127.0.0.1:9/hook', events: ['message.sent'] };
    const make = () => test.call('POST', '/v1/webhooks', webhook, { headers: { 'idempotency-key': 'k' } });
    const [first, second] = [await make(), await make()];
    expect(second.body).toEqual(first.body);
    expect(first.body['secret']).toMatch(/^whsec_/);
    const kept = await test.server.engine.query.selectFrom('kept_answers').selectAll().execute();
    expect(kept.map((row) => row.body)).toEqual([expect.stringMatching(/^sealed1:/)]);
    expect((await test.call('GET', `/v1/webhooks?from=${encodeURIComponent(LINE)}`)).body['data']).toHaveLength(1);
    await test.stop();
  });

  it('holds on the simulated network too, where a repeat under way waits for the first', async () => {
    const test = await startTestServer(engine);
    const text = { from: PHONE, to: LINE, text: 'Hi there' };
    const say = () => test.call('POST', '/simulator/v1/messages', text, { headers: { 'idempotency-key': 'k' } });
    const answers = await Promise.all([say(), say(), say()]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect((await test.phone()).filter((message) => message['text'] === 'Hi there').length).toBe(1);
    await test.stop();
  });

  it('has at most 255 characters, and none when it is empty', async () => {
    const test = await startTestServer(engine);
    expect(refusal(await send(test, 'k'.repeat(256)))).toEqual(expected('invalid_parameter_value', 'Idempotency-Key'));
    expect((await send(test, 'k'.repeat(255))).status).toBe(201);
    const [one, two] = [await send(test, ''), await send(test, '')];
    expect(one.body['id']).not.toBe(two.body['id']);
    await test.stop();
  });
});

describe.each(ENGINES)('43: a lost answer on %s', (engine) => {
  it('is given again to the same bytes within a minute, once the connection was seen to close', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    const failpoint = (name: string) => {
      if (name !== 'accept.committed' || !isFirst) return undefined;
      isFirst = false;
      return gate;
    };
    const test = await startTestServer(engine, { failpoint });
    const port = await listen(test);
    await postAndHangUp(test, port, body('Lost?'));
    release();
    await waitFor(async () => ((await lostOnes(test)) === 1 ? true : undefined), 'the answer to be noted as lost');
    const again = await post(port, body('Lost?'));
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(await items(test)).toBe(1);
    // This one was delivered: the next is another message.
    const next = await post(port, body('Lost?'));
    expect(next.headers.get('idempotent-replayed')).toBeNull();
    expect(await items(test)).toBe(2);
    await test.stop();
  });

  it('two answers that were delivered are two messages, and so are two that are under way at once', async () => {
    const test = await startTestServer(engine);
    const port = await listen(test);
    for (let time = 0; time < 3; time++) await post(port, body('ok'));
    await Promise.all(Array.from({ length: 20 }, () => post(port, body('ok'))));
    expect(await items(test)).toBe(23);
    const onTheirWay = test.server.engine.query.selectFrom('unanswered').selectAll();
    await waitFor(
      async () => ((await onTheirWay.execute()).length === 0 ? true : undefined),
      'the answers to be dropped',
    );
    expect(await lostOnes(test)).toBe(0);
    await test.stop();
  });

  it('is given again when its process died over it, and after a minute no more', async () => {
    const clock = createFakeClock();
    const home = await createHome(engine);
    const first = await startTestServer(engine, { home, clock });
    const { body: answer } = await first.call('POST', '/v1/messages', body('Killed'));
    await first.server.writer.idle();
    // As a process leaves it that dies between the commit and the answer.
    const { ref } = await first.server.engine.query.selectFrom('api_keys').select('ref').executeTakeFirstOrThrow();
    const fingerprint = fingerprintOf(ref, 'POST /v1/messages', JSON.stringify(body('Killed')));
    const leave = async (test: TestServer, id: string) => {
      const answers = [fingerprint, id, 201, JSON.stringify(answer)].join(BETWEEN_FIELDS);
      const row = { id, holder: 'gone', answers, created_at: clock.now() };
      await test.server.engine.query.insertInto('unanswered').values(row).execute();
    };
    await leave(first, 'req_x');
    await first.stop();
    const second = await startTestServer(engine, { home, clock });
    const again = await second.call('POST', '/v1/messages', body('Killed'));
    expect(again.body).toEqual(answer);
    await leave(second, 'req_y');
    clock.jump(61_000);
    expect((await second.call('POST', '/v1/messages', body('Killed'))).body['id']).not.toBe(answer['id']);
    await second.stop();
    await home.remove();
  });
});

async function listen(test: TestServer): Promise<number> {
  await test.server.app.listen({ host: '127.0.0.1', port: 0 });
  const address = test.server.app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function post(port: number, payload: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(payload),
  });
}

/** Sends a request and hangs up once it is committed. Resolves when the server has seen the connection go. */
async function postAndHangUp(test: TestServer, port: number, payload: unknown): Promise<void> {
  const text = JSON.stringify(payload);
  const socket = connect(port, '127.0.0.1');
  const head = `POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  await waitFor(async () => ((await items(test)) === 1 ? true : undefined), 'the send to be committed');
  socket.destroy();
  const { server } = test.server.app;
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  await waitFor(async () => ((await connections()) === 0 ? true : undefined), 'the connection to be gone');
}

async function lostOnes(test: TestServer): Promise<number> {
  return (await test.server.engine.query.selectFrom('lost_answers').select('id').execute()).length;
}
