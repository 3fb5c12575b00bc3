/** What is older than it is kept goes, in steps; messages stay, and so does what is still due. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Schema } from '../src/store/schema.ts';
import { readEvents } from './event-reader.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createHome, ENGINES, type Home, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const KEPT_MS = 2 * DAY_MS;
const environment = { TRUNKLINE_RETENTION_DAYS: '2' };

describe.each(ENGINES)('retention on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let receiver: Receiver;

  const start = () => startTestServer(engine, { clock, home, environment });
  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    test = await start();
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  const rows = (table: keyof Schema) => test.server.engine.query.selectFrom(table).selectAll().execute();
  const seqs = async () =>
    (await test.server.engine.query.selectFrom('events').select('seq').orderBy('seq').execute()).map((row) => row.seq);
  const epoch = async () =>
    (
      await test.server.engine.query
        .selectFrom('installation')
        .select('value')
        .where('name', '=', 'epoch')
        .executeTakeFirstOrThrow()
    ).value;
  const resume = async (seq: number) => test.call('GET', `/v1/events?after=${await epoch()}.${seq}`);

  /** Lets time pass, a little more than a minute of it, until the check gives true. */
  const until = (what: string, check: () => Promise<boolean>) =>
    waitFor(async () => {
      await clock.advance(2_000);
      return (await check()) || undefined;
    }, what);
  const isEmpty = async (table: keyof Schema) => (await rows(table)).length === 0;
  const delivered = () =>
    until('a delivery', async () => {
      const states = (await rows('deliveries')).map((row) => ('state' in row ? row.state : ''));
      return states.length > 0 && states.every((state) => state === 'delivered');
    });
  /** A whole round has gone by, and more. */
  async function aRound(): Promise<void> {
    for (let minute = 0; minute < 3; minute++) await until('a minute', async () => true);
    await clock.advance(70_000);
    await until('a moment', async () => true);
  }

  it('removes old events and deliveries, keeps messages, and leaves what is younger', async () => {
    await test.webhook(receiver.url);
    await test.text('Old');
    await delivered();
    const old = await seqs();
    const messages = (await rows('messages')).length;
    clock.jump(KEPT_MS - HOUR_MS);
    await test.text('Young');
    await until('the delivery of the young', async () => receiver.received.length === 2);
    await delivered();
    clock.jump(2 * HOUR_MS);
    await until('the old events to go', async () => (await seqs()).length === 1);

    const left = await seqs();
    expect(left[0]).toBeGreaterThan(old.at(-1) ?? 0);
    expect((await rows('deliveries')).map((row) => 'event_seq' in row && row.event_seq)).toEqual(left);
    expect(await rows('messages')).toHaveLength(messages + 1);
  });

  it('refuses a cursor from before what is kept, also when nothing is left, and after a restart', async () => {
    await test.text('First');
    await test.text('Second');
    const newest = Math.max(...(await seqs()));
    clock.jump(KEPT_MS + DAY_MS);
    await until('the log to be empty', () => isEmpty('events'));

    await test.stop();
    test = await start();
    for (const seq of [0, newest - 1]) {
      const refused = await resume(seq);
      expect(refused.status).toBe(400);
      expect(refused.body['error']).toMatchObject({ param: 'after' });
    }
    // A number that was never given is no cursor, and the newest one is where the log goes on.
    expect((await resume(newest + 1)).status).toBe(400);
    const address = String(await test.server.listen());
    const reader = await readEvents(address, { query: `after=${await epoch()}.${newest}` });
    expect(reader.status).toBe(200);
    await test.text('Third');
    await until('the next event', async () => reader.events().length === 1);
    expect(reader.events()[0]?.id).toBe(`${await epoch()}.${(await seqs())[0]}`);
    expect((await seqs())[0]).toBeGreaterThan(newest);
    reader.cut();
  });

  it('keeps the event of a delivery that is still tried, and lets both go once it has ended', async () => {
    receiver.behave(answers(500));
    await test.webhook(receiver.url, ['message.received']);
    await test.text('Due');
    await until('a first attempt', async () => receiver.received.length > 0);
    await until('its record', async () => !(await isEmpty('attempts')));
    const due = Math.max(...(await seqs()));
    clock.jump(KEPT_MS + HOUR_MS);
    await until('the others to go', async () => (await seqs()).length === 1);
    await aRound();
    expect(await seqs()).toEqual([due]);
    expect(await rows('deliveries')).toMatchObject([{ state: 'retry' }]);

    receiver.behave(answers(200));
    clock.jump(DAY_MS);
    await delivered();
    // Tried a moment ago: it can still be looked at.
    await aRound();
    expect(await rows('deliveries')).toHaveLength(1);
    clock.jump(KEPT_MS);
    await until('all of it to go', () => isEmpty('events'));
    expect(await rows('deliveries')).toEqual([]);
    expect(await rows('attempts')).toEqual([]);
  });

  it('removes a deleted webhook once its deliveries are gone', async () => {
    const { id } = await test.webhook(receiver.url);
    const other = await test.webhook(`${receiver.url}/other`);
    await test.text('Hello');
    await delivered();
    expect((await test.call('DELETE', '/v1/webhooks', { id })).status).toBe(200);
    await aRound();
    expect(await rows('webhooks')).toHaveLength(2);
    clock.jump(KEPT_MS + HOUR_MS);
    await until('the webhook to go', async () => (await rows('webhooks')).length === 1);
    expect(await rows('webhooks')).toMatchObject([{ id: other.id }]);
    expect((await rows('leases')).filter((row) => 'name' in row && row.name === 'webhook 1')).toEqual([]);
  });

  it('removes what requests left behind, each in its own time', async () => {
    const now = clock.now();
    const hour = now - (now % HOUR_MS);
    const { query } = test.server.engine;
    const answer = { fingerprint: 'f', holder: 'somebody', status: 201, body: '{}' };
    const kept = { ...answer, key_ref: 1, route: 'POST /v1/messages' };
    await query
      .insertInto('kept_answers')
      .values([
        { ...kept, name: 'ended', expires_at: now - 1 },
        { ...kept, name: 'runs', expires_at: now + DAY_MS },
      ])
      .execute();
    await query
      .insertInto('unanswered')
      .values([
        { id: 'old', holder: 'old', answers: '[]', created_at: now - HOUR_MS },
        { id: 'young', holder: 'young', answers: '[]', created_at: now + HOUR_MS },
      ])
      .execute();
    const lost = { fingerprint: 'f', status: 201, body: '{}' };
    await query
      .insertInto('lost_answers')
      .values([
        { ...lost, id: 'old', created_at: now - HOUR_MS },
        { ...lost, id: 'young', created_at: now + HOUR_MS },
      ])
      .execute();
    await query
      .insertInto('request_counts')
      .values([3, 2, 1, 0].map((ago) => ({ key_ref: 9, hour_at: hour - ago * HOUR_MS, requests: ago + 1 })))
      .execute();
    const countsLeft = async () =>
      (await query.selectFrom('request_counts').where('key_ref', '=', 9).selectAll().execute()).length;
    await until('the round', async () => (await countsLeft()) === 2);
    expect(await rows('kept_answers')).toMatchObject([{ name: 'runs' }]);
    expect(await rows('unanswered')).toMatchObject([{ holder: 'young' }]);
    expect(await rows('lost_answers')).toMatchObject([{ id: 'young' }]);
    const counts = await query.selectFrom('request_counts').select('requests').where('key_ref', '=', 9).execute();
    expect(counts.map((row) => row.requests).sort()).toEqual([1, 2]);
  });

  it('goes through a long log in steps, while messages are sent', async () => {
    const { query } = test.server.engine;
    await test.webhook(receiver.url, ['message.received']);
    const { ref, account_ref, line_ref } = await query.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow();
    const at = clock.now();
    for (let from = 0; from < 1_700; from += 100) {
      const seq = (index: number) => 1_000 + from + index;
      const part = Array.from({ length: 100 }, (_, index) => index);
      const event = { account_ref, line_ref, chat_ref: null, message_ref: null, type: 'message.sent', data: '{}' };
      await query
        .insertInto('events')
        .values(part.map((index) => ({ ...event, seq: seq(index), id: `evt_${seq(index)}`, created_at: at })))
        .execute();
      const delivery = { account_ref, webhook_ref: ref, chat_ref: null, state: 'delivered', attempts: 1, due_at: 0 };
      const values = part.map((index) => ({
        ...delivery,
        event_seq: seq(index),
        id: `dlv_${seq(index)}`,
        claimed_until: 0,
        created_at: at,
      }));
      await query.insertInto('deliveries').values(values).execute();
    }
    if (engine === 'postgres') {
      await sql`select setval(pg_get_serial_sequence('events', 'seq'), 2699)`.execute(query);
    }
    // On PostgreSQL two processes do the same work at the same time.
    const other = engine === 'postgres' ? await start() : null;
    clock.jump(KEPT_MS + HOUR_MS);
    const sent: string[] = [];
    await until('the log to be gone through', async () => {
      sent.push(await test.send(`Meanwhile ${sent.length}`, PHONE));
      return (await seqs()).every((seq) => seq < 1_000 || seq >= 2_700);
    });
    expect((await rows('deliveries')).filter((row) => 'created_at' in row && row.created_at === at)).toEqual([]);
    for (const id of sent) await until('the send', async () => (await test.outbox(id))['status'] === 'sent');
    await other?.stop();
  });
});
