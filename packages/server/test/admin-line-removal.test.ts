/** Removing a line: what is stopped, what ends, what stays to be read, and what a purge leaves. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SENTENCES } from '../src/domain/outbox.ts';
import type { EngineKind } from '../src/store/database.ts';
import { findViolations } from '../src/store/invariants.ts';
import { PURGE_PARTS, type Purged, purgeLines, removeLines } from '../src/store/line-removal.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  LINE,
  PHONE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';
import { addAccount, addKey, expected, refOf, refusal } from './tenancy.ts';

const LINES = '/admin/v1/lines';
const at = (name: string) => `${LINES}/${encodeURIComponent(name)}`;
type Body = Record<string, unknown>;

const get = async (test: TestServer, path: string) => expectStatus(200, await test.call('GET', path)).body;
const remove = async (test: TestServer, query = '') =>
  expectStatus(200, await test.call('DELETE', `${at(LINE)}${query}`));
const add = async (test: TestServer) =>
  expectStatus(201, await test.call('POST', LINES, { handle: LINE, driver: 'simulator' })).body;
const send = (test: TestServer, text = 'x') => test.call('POST', '/v1/messages', { from: LINE, to: PHONE, text });

/** Nothing is handed over before the line is gone. */
const pause = (test: TestServer) => test.call('PATCH', at(LINE), { settings: { pace_ms: 600_000 } });

describe.each(ENGINES)('a line that is removed on %s', (engine) => {
  let test: TestServer;

  beforeEach(async () => {
    test = await startTestServer(engine);
  });
  afterEach(() => test.stop());

  it('fails what waits with a sentence, and keeps what was said to be read by id', async () => {
    const { guid } = await test.text('Hello');
    const sent = await test.send('Hello yourself');
    await test.settled(sent);
    await pause(test);
    const pending = [await test.send('One'), await test.send('Two')];
    const { id } = await refOf(test, LINE);
    const answer = await remove(test);
    expect(answer.body).toEqual({ id, deleted: true, request_id: expect.any(String) });
    for (const one of pending) {
      expect(await test.settled(one, 'failed')).toMatchObject({
        error: SENTENCES.lineRemoved,
        completed_at: expect.any(Number),
      });
    }
    expect(await test.outbox(sent)).toMatchObject({ status: 'sent', line_id: id });
    expect(await get(test, `/v1/messages/${guid}`)).toMatchObject({ text: 'Hello', line_id: id });
    const texts = (await test.server.network?.phoneMessages({ phone: PHONE, limit: 10, lines: [LINE] }))?.messages;
    expect(texts?.map((one) => one.text)).not.toContain('One');
  });

  it('is not there for anything new, by its handle or its id', async () => {
    const { chatId } = await test.text('Hello');
    const { id } = await refOf(test, LINE);
    await remove(test);
    for (const name of [LINE, id]) {
      const from = encodeURIComponent(name);
      const hook = { from: name, url: 'http://127.0.0.1:9/hook', events: ['message.sent'] };
      const calls = [
        await test.call('POST', '/v1/messages', { from: name, to: PHONE, text: 'x' }),
        await test.call('POST', '/v1/messages', { from: name, to: chatId, text: 'x' }),
        await test.call('POST', '/v1/webhooks', hook),
        await test.call('GET', `/v1/chats?from=${from}`),
        await test.call('GET', `/v1/webhooks?from=${from}`),
        await test.call('GET', `/v1/events?from=${from}`),
      ];
      for (const call of calls) expect(refusal(call)).toEqual(expected('line_not_found', 'from'));
      expect(refusal(await test.call('PATCH', at(name), { label: 'x' }))).toEqual(expected('line_not_found', 'id'));
    }
    const { data } = await get(test, '/v1/lines');
    expect((data as Body[]).map((line) => line['handle'])).not.toContain(LINE);
  });

  it('is listed for its operator only on request, and can be removed again', async () => {
    await remove(test);
    const first = await get(test, at(LINE));
    expect(first).toMatchObject({ is_active: false, removed_at: expect.any(Number) });
    expect(first['health']).toEqual({ state: 'unknown', reason: 'The line was removed.', since: null });
    await remove(test);
    expect((await get(test, at(LINE)))['removed_at']).toBe(first['removed_at']);
    const handles = async (query: string) =>
      ((await get(test, `${LINES}${query}`))['data'] as Body[]).map((line) => line['handle']);
    expect(await handles('')).not.toContain(LINE);
    expect(await handles('?removed=true')).toContain(LINE);
  });

  it('gives up its driver: what a phone writes is not heard any more', async () => {
    await remove(test);
    await waitFor(async () => ((await heldLease(test)) ? undefined : true), 'the lease to be given up');
    await test.server.network?.text({ from: PHONE, to: LINE, text: 'Anybody?' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const rows = await test.server.engine.query
      .selectFrom('messages')
      .selectAll()
      .where('text', '=', 'Anybody?')
      .execute();
    expect(rows).toEqual([]);
  });

  it('comes back for its own account with its id, its past and what was written meanwhile', async () => {
    const sent = await test.send('Before');
    await test.settled(sent);
    const { id } = await refOf(test, LINE);
    await pause(test);
    const failed = await test.send('Failed');
    await remove(test);
    await waitFor(async () => ((await heldLease(test)) ? undefined : true), 'the lease to be given up');
    await test.server.network?.text({ from: PHONE, to: LINE, text: 'Anybody?' });
    const key = await addKey(test, { accountRef: await addAccount(test), scopes: ['admin'] });
    const foreign = await test.call('POST', LINES, { handle: LINE, driver: 'simulator' }, { key });
    expect(refusal(foreign)).toEqual(expected('invalid_parameter_value', 'handle'));
    const back = await add(test);
    expect(back).toMatchObject({
      id,
      label: 'Simulator',
      is_active: true,
      removed_at: null,
      settings: { pace_ms: 600_000 },
    });
    await waitFor(async () => {
      const { data } = await get(test, `/v1/messages?from=${id}&to=${encodeURIComponent(PHONE)}`);
      return (data as Body[]).some((message) => message['text'] === 'Anybody?') ? true : undefined;
    }, 'what was written meanwhile');
    expect((await test.outbox(failed))['status']).toBe('failed');
    await test.settled(await test.send('After'));
  });

  it('is added once and brought back once, however often a request with its Idempotency-Key is repeated', async () => {
    const ask = (name: string, handle: string) =>
      test.call('POST', LINES, { handle, driver: 'simulator' }, { headers: { 'idempotency-key': name } });
    const made = expectStatus(201, await ask('add', '+15550100007'));
    expect(expectStatus(201, await ask('add', '+15550100007')).body).toEqual(made.body);
    await remove(test);
    const back = expectStatus(201, await ask('back', LINE));
    expect(expectStatus(201, await ask('back', LINE)).body).toEqual(back.body);
    expect((await get(test, at(LINE)))['id']).toBe(back.body['id']);
    expect(refusal(await ask('another', LINE))).toEqual(expected('invalid_parameter_value', 'handle'));
  });

  it('is stopped and started again in turn, as often as one likes', async () => {
    for (let round = 0; round < 8; round++) {
      await remove(test);
      await add(test);
    }
    await test.settled(await test.send('Still here'));
  });

  it('accepts nothing that then waits for ever, however close the removal', async () => {
    for (let round = 0; round < 12; round++) {
      const sends = Array.from({ length: 8 }, (_, index) => send(test, `${round} ${index}`));
      await new Promise((resolve) => setTimeout(resolve, round % 4));
      const [, ...answered] = await Promise.all([remove(test), ...sends, ...sends.map(() => send(test, 'late'))]);
      for (const answer of answered) {
        if (answer.status !== 201) expect(refusal(answer)).toEqual(expected('line_not_found', 'from'));
      }
      await waitFor(async () => {
        const states = await Promise.all(
          answered.filter(({ status }) => status === 201).map(({ body }) => test.outbox(String(body['id']))),
        );
        return states.every(({ status }) => status === 'sent' || status === 'failed' || status === 'claimed')
          ? true
          : undefined;
      }, 'nothing to be pending');
      expect(await findViolations(test.server.engine)).toEqual([]);
      await add(test);
    }
  });
});

describe.each(ENGINES)('what was under way when a line was removed on %s', (engine) => {
  it('ends as the line says, not as the removal', async () => {
    const test = await startTestServer(engine, { simulatorTimings: { slowMs: 400 } });
    const { body } = expectStatus(
      201,
      await test.call('POST', '/v1/messages', { from: LINE, to: '+15550100429', text: 'Slow' }),
    );
    const id = String(body['id']);
    await waitFor(async () => ((await test.outbox(id))['status'] === 'claimed' ? true : undefined), 'the claim');
    await remove(test);
    const item = await waitFor(async () => {
      const now = await test.outbox(id);
      const { state } = await rowOf(test, id);
      return now['status'] === 'claimed' && state === 'sending' ? undefined : { ...now, state };
    }, 'an outcome');
    expect(['sent', 'handed_over', 'unknown', 'failed']).toContain(item['state']);
    await test.stop();
  });

  it('ends by the time limit, also where its process died and nobody asks the line any more', async () => {
    const home = await createHome(engine);
    const first = await startTestServer(engine, { home });
    const id = await first.send('Cut short');
    await first.settled(id);
    await first.stop();
    const front = await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const cutShort = await front.send('Cut short');
    const claimed = { state: 'sending', attempts: 1, hand_overs: 1, updated_at: Date.now() };
    await setItem(front, cutShort, claimed);
    await remove(front);
    expect((await front.outbox(cutShort))['status']).toBe('claimed');
    await front.stop();
    const second = await startTestServer(engine, { home });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await second.outbox(cutShort))['status']).toBe('claimed');
    await setItem(second, cutShort, { updated_at: Date.now() - 10 * 60_000 });
    expect(await second.settled(cutShort, 'failed')).toMatchObject({ error: SENTENCES.noEcho });
    expect((await get(second, at(LINE)))['removed_at']).not.toBeNull();
    expect(refusal(await send(second))).toEqual(expected('line_not_found', 'from'));
    await second.stop();
    await home.remove();
  });
});

describe.each(ENGINES)('the webhooks of a removed line on %s', (engine) => {
  let receiver: Receiver;

  beforeEach(async () => {
    receiver = await startReceiver(answers(500));
  });
  afterEach(() => receiver.close());

  it('are disabled with a reason, and what was due to them is dropped', async () => {
    const test = await startTestServer(engine);
    await test.webhook(receiver.url);
    await test.text('Hello');
    await waitFor(() => (receiver.received.length > 0 ? true : undefined), 'an attempt');
    await remove(test);
    const [webhook] = await test.server.engine.query.selectFrom('webhooks').selectAll().execute();
    expect(webhook).toMatchObject({ is_active: 0, disabled_reason: 'Its line was removed.' });
    const due = await test.server.engine.query.selectFrom('deliveries').select('state').execute();
    expect(due.every(({ state }) => state === 'dropped' || state === 'failed')).toBe(true);
    await add(test);
    const { data } = await get(test, `/v1/webhooks?from=${encodeURIComponent(LINE)}`);
    expect(data).toEqual([expect.objectContaining({ is_active: false })]);
    await test.stop();
  });
});

describe.each(ENGINES)('a purge on %s', (engine) => {
  it('leaves nothing of the line but its name, and nothing of another line is touched', async () => {
    const receiver = await startReceiver(answers(500));
    const test = await startTestServer(engine);
    const other = expectStatus(
      201,
      await test.call('POST', LINES, { handle: '+15550100008', driver: 'simulator' }),
    ).body;
    await test.webhook(receiver.url);
    for (const phone of [PHONE, '+15550107011', '+15550107012']) await test.text('Hello', phone);
    for (const phone of [PHONE, '+15550107011']) await test.settled(await test.send('Hello', phone));
    expectStatus(
      201,
      await test.call('POST', '/simulator/v1/messages', { from: PHONE, to: '+15550100008', text: 'Kept' }),
    );
    await waitFor(() => (receiver.received.length >= 5 ? true : undefined), 'attempts');
    const kept = await counts(test, '+15550100008');
    const { guid } = await test.text('Last');
    for (const [path, body] of [
      ['reactions', { from: PHONE, message_id: guid, type: 'love' }],
      ['typing', { from: PHONE, to: LINE }],
      ['reads', { from: PHONE, to: LINE }],
    ] as const) {
      expectStatus(201, await test.call('POST', `/simulator/v1/${path}`, body));
    }
    expect(await counts(test, LINE)).toMatchObject({ reactions: 1, typing_indicators: 1, read_receipts: 1 });
    await remove(test, '?purge=true');
    await receiver.close();
    expect(refusal(await test.call('GET', `/v1/messages/${guid}`))).toEqual(expected('message_not_found', 'id'));
    expect(await counts(test, LINE)).toEqual({
      chats: 0,
      messages: 0,
      held_messages: 0,
      listed_items: 0,
      outbox: 0,
      events: 0,
      webhooks: 0,
      deliveries: 0,
      attempts: 0,
      line_health: 0,
      upload_parts: 0,
      line_cursors: 1,
      reactions: 0,
      typing_indicators: 0,
      read_receipts: 0,
    });
    expect(await counts(test, '+15550100008')).toEqual(kept);
    expect(kept).toMatchObject({ messages: 1, events: 1, line_health: 1 });
    expect((await get(test, at(String(other['id']))))['removed_at']).toBeNull();
    await remove(test, '?purge=true');
    const back = await add(test);
    await test.text('New');
    const { data } = await get(test, `/v1/messages?from=${String(back['id'])}&to=${encodeURIComponent(PHONE)}`);
    expect((data as Body[]).map((message) => message['text'])).toEqual(['New']);
    await test.stop();
  });

  it('goes in steps between which everything holds', async () => {
    const test = await startTestServer(engine);
    for (let index = 0; index < 30; index++) await test.text(`${index}`, `+1555010710${index % 3}`);
    for (let index = 0; index < 6; index++) await test.settled(await test.send(`${index}`, '+15550107100'));
    const { ref } = await refOf(test, LINE);
    await test.server.writer.write(removeLines, { ref, cutsOff: true, now: Date.now() });
    let steps = 0;
    for (const part of PURGE_PARTS) {
      for (let after: number | null = 0; after !== null; steps++) {
        const purged: Purged = await test.server.writer.write(purgeLines, { lineRef: ref, part, after, max: 4 });
        expect(await findViolations(test.server.engine)).toEqual([]);
        after = purged === 'revived' ? null : purged.next;
      }
    }
    expect(steps).toBeGreaterThan(15);
    expect(await counts(test, LINE)).toMatchObject({ messages: 0, chats: 0, outbox: 0, events: 0 });
    await test.stop();
  });

  it('cuts off a line that is busy, and nothing comes after', async () => {
    const test = await startTestServer(engine);
    for (let round = 0; round < 4; round++) {
      const busy = Array.from({ length: 10 }, (_, index) => [
        send(test, `${index}`),
        test.server.network?.text({ from: PHONE, to: LINE, text: `${index}` }),
      ]).flat();
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await remove(test, '?purge=true');
      await Promise.all(busy);
      await waitFor(async () => ((await heldLease(test)) ? undefined : true), 'the lease to be given up');
      expect(await counts(test, LINE)).toMatchObject({ messages: 0, chats: 0, outbox: 0, events: 0, held_messages: 0 });
      await add(test);
      await waitFor(async () => ((await heldLease(test)) ? true : undefined), 'the line to run again');
    }
    await test.stop();
  });
});

describe('two processes on postgres', () => {
  it('refuse, fail or finish whatever races a removal, and the line stops in the one that runs it', async () => {
    const home = await createHome('postgres');
    const runs = await startTestServer('postgres', { home });
    const front = await startTestServer('postgres', { home, environment: { TRUNKLINE_ROLES: 'api' } });
    for (let round = 0; round < 10; round++) {
      const sends = Array.from({ length: 10 }, (_, index) => send(index % 2 === 0 ? runs : front, `${round} ${index}`));
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      const [, ...answered] = await Promise.all([remove(front), ...sends]);
      for (const answer of answered) {
        if (answer.status !== 201) expect(refusal(answer)).toEqual(expected('line_not_found', 'from'));
      }
      await waitFor(async () => ((await heldLease(runs)) ? undefined : true), 'the line to stop');
      expect(await findViolations(front.server.engine)).toEqual([]);
      await add(front);
    }
    await waitFor(async () => ((await send(runs)).status === 201 ? true : undefined), 'the line to be back');
    await front.stop();
    await runs.stop();
    await home.remove();
  });
});

/** Whether somebody holds the line's lease. */
async function heldLease(test: TestServer): Promise<boolean> {
  const { ref } = await refOf(test, LINE);
  const leases = test.server.engine.query.selectFrom('leases').select('expires_at').where('name', '=', `line ${ref}`);
  return ((await leases.executeTakeFirst())?.expires_at ?? 0) > Date.now();
}

function rowOf(test: TestServer, id: string) {
  return test.server.engine.query.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

async function setItem(test: TestServer, id: string, values: Record<string, string | number>): Promise<void> {
  await test.server.engine.query.updateTable('outbox').set(values).where('id', '=', id).execute();
}

/** How many rows of each table are the line's: of every table that names a line, and of those that name its webhooks. */
async function counts(test: TestServer, handle: string): Promise<Record<string, number>> {
  const { ref } = await refOf(test, handle);
  const found: Record<string, number> = {};
  for (const table of await tablesWith(test, 'line_ref')) found[table] = await count(test, table, `line_ref = ${ref}`);
  const events = `event_seq in (select seq from events where line_ref = ${ref})`;
  const webhooks = `webhook_ref in (select ref from webhooks where line_ref = ${ref})`;
  // Webhooks and events that are gone leave rows that would belong to nobody.
  const orphans = 'webhook_ref not in (select ref from webhooks) or event_seq not in (select seq from events)';
  for (const table of await tablesWith(test, 'webhook_ref')) {
    found[table] = await count(test, table, `${webhooks} or ${events} or ${orphans}`);
  }
  return found;
}

async function count(test: TestServer, table: string, where: string): Promise<number> {
  const query = sql.raw<{ n: number | string }>(`select count(*) as n from ${table} where ${where}`);
  return Number((await query.execute(test.server.engine.query)).rows[0]?.n);
}

const TABLES: Readonly<Record<EngineKind, string>> = {
  sqlite: `select m.name as name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name =`,
  postgres: `select table_name as name from information_schema.columns where table_schema = current_schema() and column_name =`,
};

async function tablesWith(test: TestServer, column: string): Promise<string[]> {
  const query = sql.raw<{ name: string }>(`${TABLES[test.server.engine.kind]} '${column}'`);
  return (await query.execute(test.server.engine.query)).rows.map((row) => row.name);
}
