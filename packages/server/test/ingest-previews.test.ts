/** Messages that come in pieces: the row is there at once, the announcement when it is complete, or in time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announceDue } from '../src/store/announcements.ts';
import { createFakeClock } from './fake-clock.ts';
import { createHome, ENGINES, LINE, PHONE, startTestServer, waitFor } from './harness.ts';
import { chatSeen, group, inbound, own, part } from './sightings.ts';
import { openStage, STARTED_AT, type Stage } from './stage.ts';

const OTHER = '+15550109998';
const GROUP = 'chat123456789012345678';
const UNTIL = STARTED_AT + 2_000;
const preview = { awaits: { what: 'preview', until: UNTIL } } as const;

describe.each(ENGINES)('the announcement of a message with a later piece on %s', (engine) => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await openStage(engine);
  });
  afterEach(() => stage.close());

  const announced = async () =>
    (await stage.events()).map((event) => (JSON.parse(event.data) as { guid: string }).guid);
  const announceDueNow = () => stage.writer.write(announceDue, { now: stage.now() });

  it('waits for the piece, and comes once', async () => {
    await stage.report([inbound('A', preview)]);
    expect(await stage.messages()).toHaveLength(1);
    expect(await announced()).toEqual([]);
    await stage.report([inbound('A', preview)]);
    expect(await announced()).toEqual([]);
    await stage.report([part('A')]);
    await stage.report([part('A'), inbound('A', preview)]);
    expect(await announced()).toEqual(['A']);
    expect(await stage.messages()).toHaveLength(1);
    stage.pass(60_000);
    expect(await announceDueNow()).toBe(0);
    expect(await announced()).toEqual(['A']);
  });

  it('comes at its time when the piece does not', async () => {
    await stage.report([inbound('A', preview)]);
    stage.pass(1_999);
    expect(await announceDueNow()).toBe(0);
    stage.pass(1);
    expect(await announceDueNow()).toBe(1);
    expect(await announced()).toEqual(['A']);
    await stage.report([part('A')]);
    expect(await announced()).toEqual(['A']);
  });

  it('comes before the next message of the same sender in the same chat, and no other', async () => {
    await stage.report([chatSeen(group(GROUP, [PHONE, OTHER]))]);
    await stage.report([inbound('A', preview)]);
    await stage.report([
      inbound('B', { sender: OTHER }),
      inbound('C', { chat: group(GROUP, [PHONE, OTHER]) }),
      own('D'),
    ]);
    expect(await announced()).toEqual(['B', 'C', 'D']);
    await stage.report([inbound('E')]);
    expect(await announced()).toEqual(['B', 'C', 'D', 'A', 'E']);
  });

  it('keeps the order of one sender also within one report', async () => {
    await stage.report([inbound('A', preview), inbound('B', preview), inbound('C'), inbound('D', preview), part('D')]);
    expect(await announced()).toEqual(['A', 'B', 'C', 'D']);
  });

  it('is not brought about by the second sighting of an earlier message', async () => {
    await stage.report([inbound('before')]);
    await stage.report([inbound('A', preview)]);
    await stage.report([inbound('before')]);
    expect(await announced()).toEqual(['before']);
  });

  it('does not wait for a piece whose time is over, as after a week away', async () => {
    stage.pass(7 * 86_400_000);
    await stage.report([inbound('A', preview)]);
    expect(await announced()).toEqual(['A']);
  });

  it('never waits for an own message', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    await stage.report([own('A', { reference: 'obx_1', ...preview })]);
    expect(await announced()).toEqual(['A']);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent' });
  });

  it('is not given to a holder that lost the line', async () => {
    await stage.report([inbound('A', preview)]);
    const stale = await stage.takeLine('a process');
    await stage.takeLine('its successor');
    await stage.report([part('A'), inbound('B')], stale);
    expect(await announced()).toEqual([]);
    expect(await stage.engine.query.selectFrom('held_messages').selectAll().execute()).toHaveLength(1);
  });

  it('comes once when the piece and the time arrive together', async () => {
    await stage.report([inbound('A', preview), inbound('B', { sender: OTHER, ...preview })]);
    stage.pass(5_000);
    await Promise.all([
      stage.report([part('A')]),
      announceDueNow(),
      stage.report([inbound('C')]),
      announceDueNow(),
      stage.report([part('B')]),
    ]);
    expect((await announced()).sort()).toEqual(['A', 'B', 'C']);
  });
});

describe.each(ENGINES)('a link from a phone on %s', (engine) => {
  const received = async (test: Awaited<ReturnType<typeof startTestServer>>) => {
    const rows = await test.server.engine.query.selectFrom('events').select('data').orderBy('seq').execute();
    return rows.map((row) => (JSON.parse(row.data) as { text: string }).text).filter((text) => text.startsWith('See'));
  };

  it('is one message and one event, announced with its preview', async () => {
    const clock = createFakeClock();
    // Only the preview can end this wait: the time for it is never up.
    const test = await startTestServer(engine, { clock, simulatorTimings: { previewHoldMs: 86_400_000 } });
    const { chatId } = await test.text('See https://example.com/hike');
    const list = `/v1/messages?from=${encodeURIComponent(LINE)}&to=${chatId}`;
    expect((await test.call('GET', list)).body['data']).toMatchObject([{ text: 'See https://example.com/hike' }, {}]);
    expect(await received(test)).toEqual([]);
    await waitFor(async () => {
      await clock.advance(100);
      return (await received(test)).length > 0 ? true : undefined;
    }, 'the announcement');
    await clock.advance(5_000);
    expect(await received(test)).toHaveLength(1);
    expect((await test.call('GET', list)).body['data']).toHaveLength(2);
    await test.stop();
  });

  it('is announced by the next process when this one ends before the preview came', async () => {
    const home = await createHome(engine);
    const clock = createFakeClock();
    const simulatorTimings = { previewMs: 1_000_000 };
    const first = await startTestServer(engine, { home, clock, simulatorTimings });
    await first.text('See http://example.com');
    expect(await received(first)).toEqual([]);
    await first.stop();
    clock.jump(2_000);
    const second = await startTestServer(engine, { home, clock, simulatorTimings });
    await waitFor(async () => {
      await clock.advance(50);
      return (await received(second)).length > 0 ? true : undefined;
    }, 'the announcement');
    await clock.advance(2_000);
    expect(await received(second)).toHaveLength(1);
    await second.stop();
    await home.remove();
  });
});
