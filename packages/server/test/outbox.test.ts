/** Sends through the front door: phones whose number has a meaning, faults, stops, crashes and restarts. */
import { describe, expect, it } from 'vitest';
import type { Failpoint } from '../src/domain/failpoint.ts';
import { ECHO_LIMIT_MS, SENTENCES } from '../src/domain/outbox.ts';
import { createFakeClock } from './fake-clock.ts';
import { createHome, ENGINES, type Home, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { passUntil } from './scripted-line.ts';
import { openHome } from './stage.ts';

const QUICK = { slowMs: 150, pollMs: 20, reportRetryMs: 10 };

/** The texts of ours that a phone shows. */
async function shown(test: TestServer, handle = PHONE): Promise<unknown[]> {
  return (await test.phone(handle)).filter((message) => message['sender'] === LINE).map((message) => message['text']);
}

async function sentEvents(test: TestServer): Promise<string[]> {
  const rows = await test.server.engine.query
    .selectFrom('events')
    .select('data')
    .where('type', '=', 'message.sent')
    .orderBy('seq')
    .execute();
  return rows.map((row) => String((JSON.parse(row.data) as { outbox_id: string }).outbox_id));
}

async function status(test: TestServer, id: string): Promise<unknown> {
  return (await test.outbox(id))['status'];
}

/** The ledger's own word, which the API does not show. */
async function stateOf(test: TestServer, id: string): Promise<string> {
  const { query } = test.server.engine;
  return (await query.selectFrom('outbox').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state;
}

/** Writes into the row what a process that was killed would have left there. */
async function leaveSending(test: TestServer, id: string): Promise<void> {
  const { ref } = await test.server.engine.query
    .selectFrom('lines')
    .select('ref')
    .where('handle', '=', LINE)
    .executeTakeFirstOrThrow();
  const lease = { name: `line ${ref}`, holder: 'a process that is dead', fence: 7, expires_at: 0 };
  await test.server.engine.query
    .insertInto('leases')
    .values(lease)
    .onConflict((row) => row.column('name').doUpdateSet(lease))
    .execute();
  const set = { state: 'sending', attempts: 1, hand_overs: 1, fence: 7 };
  await test.server.engine.query.updateTable('outbox').set(set).where('id', '=', id).execute();
}

describe.each(ENGINES)('a phone whose number has a meaning, on %s', (engine) => {
  it('+15550100400 fails: it is not an iMessage user', async () => {
    const test = await startTestServer(engine);
    const item = await test.settled(await test.send('Hello', '+15550100400'), 'failed');
    expect(item).toMatchObject({ attempts: 1 });
    expect(item['error']).toContain('not an iMessage user');
    expect(await shown(test, '+15550100400')).toEqual([]);
    expect(await sentEvents(test)).toEqual([]);
    await test.stop();
  });

  it('+15550100408 never echoes: claimed for 10 minutes, then failed with the sentence, and never sent again', async () => {
    const clock = createFakeClock();
    const test = await startTestServer(engine, { clock });
    const id = await test.send('Hello', '+15550100408');
    await passUntil(clock, async () => (await shown(test, '+15550100408')).length === 1, 'the message on the phone');
    await passUntil(clock, async () => (await stateOf(test, id)) === 'unknown', 'the item to be in doubt');
    expect(await status(test, id)).toBe('claimed');
    clock.jump(ECHO_LIMIT_MS - 60_000);
    await clock.advance(500);
    expect(await status(test, id)).toBe('claimed');
    clock.jump(60_000);
    await passUntil(clock, async () => (await status(test, id)) === 'failed', 'the item to fail');
    expect((await test.outbox(id))['error']).toBe(SENTENCES.noEcho);
    await clock.advance(5_000);
    expect(await shown(test, '+15550100408')).toEqual(['Hello']);
    await test.stop();
  });

  it('+15550100410 is sent and never delivered', async () => {
    const test = await startTestServer(engine);
    await test.settled(await test.send('Hello', '+15550100410'));
    expect(await test.phone('+15550100410')).toMatchObject([{ text: 'Hello', state: 'sent' }]);
    expect(
      await test.server.engine.query.selectFrom('messages').select('state').where('text', '=', 'Hello').execute(),
    ).toEqual([{ state: 'sent' }]);
    await test.stop();
  });

  it('+15550100429 is slow and holds up nobody else', async () => {
    const test = await startTestServer(engine, { simulatorTimings: { ...QUICK, slowMs: 600 } });
    const slow = await test.send('Slow', '+15550100429');
    const behind = await test.send('Behind', '+15550100429');
    await test.settled(await test.send('Quick'));
    expect(await status(test, slow)).toBe('claimed');
    expect(await shown(test, '+15550100429')).toEqual([]);
    await test.settled(slow);
    expect(await status(test, behind)).toBe('claimed');
    await test.settled(behind);
    expect(await shown(test, '+15550100429')).toEqual(['Slow', 'Behind']);
    await test.stop();
  });

  it('+15550100500 crashes the driver once: the message is there once, and so is all the rest', async () => {
    const test = await startTestServer(engine, { simulatorTimings: QUICK });
    const others = await Promise.all(Array.from({ length: 5 }, (_, index) => test.send(`Other ${index}`)));
    const id = await test.send('Crash', '+15550100500');
    const behind = await test.send('Behind', '+15550100500');
    for (const one of [id, behind, ...others]) await test.settled(one);
    expect(await shown(test, '+15550100500')).toEqual(['Crash', 'Behind']);
    expect((await shown(test)).sort()).toEqual(others.map((_, index) => `Other ${index}`));
    expect((await sentEvents(test)).sort()).toEqual([...others, id, behind].sort());
    await test.stop();
  });

  it('+15550100503 does not start twice, and is sent at the third try', async () => {
    const clock = createFakeClock();
    const test = await startTestServer(engine, { clock });
    const id = await test.send('Late', '+15550100503');
    const behind = await test.send('Behind', '+15550100503');
    const other = await test.send('Other');
    await passUntil(clock, async () => (await status(test, other)) === 'sent', 'the other chat');
    expect(await status(test, id)).not.toBe('sent');
    await passUntil(clock, async () => (await status(test, behind)) === 'sent', 'the chat to go on');
    expect(await test.outbox(id)).toMatchObject({ status: 'sent', attempts: 3, error: null });
    // Its own hand-overs do not start twice either; the claims that were handed back for the other's sake do not count.
    expect(await shown(test, '+15550100503')).toEqual(['Late', 'Behind']);
    await test.stop();
  });
});

describe.each(ENGINES)('the outbox on %s', (engine) => {
  it('puts messages on the phone in the order in which they were accepted', async () => {
    const test = await startTestServer(engine);
    const texts = Array.from({ length: 30 }, (_, index) => `Message ${index}`);
    const ids: string[] = [];
    for (const text of texts) ids.push(await test.send(text));
    for (const id of ids) await test.settled(id);
    expect(await shown(test)).toEqual(texts);
    expect(await sentEvents(test)).toEqual(ids);
    await test.stop();
  });

  it('keeps items pending while the line is offline, and then sends them in order', async () => {
    const test = await startTestServer(engine, { simulatorTimings: QUICK });
    await test.call('POST', '/simulator/v1/faults', { line: LINE, offline: true });
    await waitFor(async () => {
      const id = await test.send('Probe');
      await new Promise((resolve) => setTimeout(resolve, 100));
      return (await status(test, id)) === 'pending' ? true : undefined;
    }, 'the line to be offline');
    const before = (await shown(test)).length;
    const ids = [await test.send('One'), await test.send('Two'), await test.send('Three')];
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const id of ids) expect(await test.outbox(id)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await shown(test)).toHaveLength(before);
    await test.call('DELETE', '/simulator/v1/faults', { line: LINE });
    for (const id of ids) await test.settled(id);
    expect((await shown(test)).slice(-3)).toEqual(['One', 'Two', 'Three']);
    await test.stop();
  });

  it('makes one message and one event of a send whose echo is reported twice and out of order', async () => {
    const test = await startTestServer(engine, { simulatorTimings: QUICK });
    await test.call('POST', '/simulator/v1/faults', { line: LINE, duplicate_rate: 1, reorder: true, latency_ms: 5 });
    const phones = ['+15550109001', '+15550109002', '+15550109003'];
    for (const phone of phones) await test.text('Hello', phone);
    const ids: string[] = [];
    for (let index = 0; index < 12; index++) ids.push(await test.send(`${index}`, phones[index % 3]));
    for (const id of ids) await test.settled(id);
    expect((await sentEvents(test)).sort()).toEqual([...ids].sort());
    for (const [place, phone] of phones.entries()) {
      expect(await shown(test, phone)).toEqual([0, 3, 6, 9].map((index) => String(index + place)));
    }
    await test.stop();
  });

  it('sends what was accepted while no process ran the lines', async () => {
    const home = await createHome(engine);
    const first = await startTestServer(engine, { home });
    await first.stop();
    const front = await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const ids = [await front.send('One'), await front.send('Two')];
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await front.outbox(ids[0] ?? '')).toMatchObject({ status: 'pending', attempts: 0 });
    await front.stop();
    const second = await startTestServer(engine, { home });
    for (const id of ids) expect(await second.settled(id)).toMatchObject({ attempts: 1 });
    expect(await shown(second)).toEqual(['One', 'Two']);
    await second.stop();
    await home.remove();
  });

  it('stops also while it is still starting', async () => {
    const home = await createHome(engine);
    await (await startTestServer(engine, { home })).stop();
    for (let round = 0; round < 3; round++) await (await startTestServer(engine, { home })).stop();
    await home.remove();
  });

  it('leaves nothing under way when it is stopped in the middle of its work', async () => {
    const home = await createHome(engine);
    const test = await startTestServer(engine, { home, simulatorTimings: { slowMs: 60_000 } });
    const slow = [await test.send('Slow', '+15550100429'), await test.send('Behind', '+15550100429')];
    const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => test.send(`Message ${index}`)));
    await test.stop();
    expect(await statesOf(home)).not.toContain('sending');
    const next = await startTestServer(engine, { home, simulatorTimings: QUICK });
    for (const id of [...ids, ...slow]) await next.settled(id);
    expect(await shown(next, '+15550100429')).toEqual(['Slow', 'Behind']);
    expect(await shown(next)).toHaveLength(40);
    expect((await sentEvents(next)).sort()).toEqual([...ids, ...slow].sort());
    await next.stop();
    await home.remove();
  });

  it('sends again, after a crash, what its network says never started', async () => {
    const home = await createHome(engine);
    await (await startTestServer(engine, { home })).stop();
    const front = await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const id = await front.send('Hello');
    await leaveSending(front, id);
    await front.stop();
    const second = await startTestServer(engine, { home });
    expect(await second.settled(id)).toMatchObject({ attempts: 1 });
    expect(await shown(second)).toEqual(['Hello']);
    await second.stop();
    await home.remove();
  });

  it.each([
    ['makes it sent by its echo', true],
    ['lets it fail for want of an echo', false],
  ])('finds, after a crash, a message that went out, never sends it again and %s', async (_outcome, echoes) => {
    const home = await createHome(engine);
    const clock = createFakeClock();
    await (await startTestServer(engine, { home, clock })).stop();
    const front = await startTestServer(engine, { home, clock, environment: { TRUNKLINE_ROLES: 'api' } });
    const id = await front.send('Hello');
    await leaveSending(front, id);
    const chat = { identifier: PHONE, isGroup: false };
    const handOver = {
      reference: id,
      attempt: 1,
      chat,
      content: { text: 'Hello', attachments: [], isAudio: false, replyToGuid: null, effect: null },
      echoes,
      deliveredAfterMs: 0,
      asksIfRepeat: false,
    };
    await front.server.network?.lineSide(LINE).send(handOver);
    await front.stop();
    const second = await startTestServer(engine, { home, clock });
    if (!echoes) {
      await passUntil(clock, async () => (await stateOf(second, id)) === 'handed_over', 'the item to be found');
      expect(await status(second, id)).toBe('claimed');
      clock.jump(ECHO_LIMIT_MS);
    }
    const wanted = echoes ? 'sent' : 'failed';
    await passUntil(clock, async () => (await status(second, id)) === wanted, `the item to be ${wanted}`);
    expect(await shown(second)).toEqual(['Hello']);
    expect(await sentEvents(second)).toEqual(echoes ? [id] : []);
    await second.stop();
    await home.remove();
  });

  it.each<Failpoint>([
    'claim.committed',
    'hand_over.before',
    'hand_over.after',
    'echo.before_commit',
    'echo.committed',
    'settle.before_commit',
  ])('loses nothing and doubles nothing when it fails at %s', async (place) => {
    let failuresLeft = 0;
    const failpoint = (name: Failpoint) => {
      if (name !== place || failuresLeft === 0) return undefined;
      failuresLeft--;
      return Promise.reject(new Error(`A failure at ${place}.`));
    };
    const test = await startTestServer(engine, { failpoint, simulatorTimings: QUICK });
    failuresLeft = 2;
    const ids = await Promise.all(Array.from({ length: 6 }, (_, index) => test.send(`Message ${index}`)));
    // Settles, and so reaches the place at which settling may fail.
    const refused = await test.send('Nobody', '+15550100400');
    for (const id of ids) await test.settled(id);
    expect(await test.settled(refused, 'failed')).toMatchObject({ attempts: 1 });
    expect((await shown(test)).sort()).toEqual(ids.map((_, index) => `Message ${index}`));
    expect((await sentEvents(test)).sort()).toEqual([...ids].sort());
    expect(failuresLeft).toBeLessThan(2);
    await test.stop();
  });
});

async function statesOf(home: Home): Promise<string[]> {
  const databases = await openHome(home);
  const rows = await databases.server.query.selectFrom('outbox').select('state').execute();
  await databases.close();
  return rows.map((row) => row.state);
}
