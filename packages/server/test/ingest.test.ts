/** What becomes of sightings: one message and one event each, however often, in whatever order they are reported. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLeases } from '../src/store/leases.ts';
import { readLineCursor } from '../src/store/lines.ts';
import { recordSightings } from '../src/store/sightings.ts';
import { ENGINES, PHONE } from './harness.ts';
import { chatSeen, direct, failure, group, inbound, own, receipt } from './sightings.ts';
import { openStage, STARTED_AT, type Stage } from './stage.ts';

const OTHER = '+15550109998';
const GROUP = 'chat123456789012345678';

describe.each(ENGINES)('ingest on %s', (engine) => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await openStage(engine);
  });
  afterEach(() => stage.close());

  const types = async () => (await stage.events()).map((event) => event.type);
  const chats = () => stage.engine.query.selectFrom('chats').selectAll().orderBy('ref').execute();

  it('makes one message and one event of any number of sightings', async () => {
    const seen = inbound('A');
    await stage.report([seen, seen, inbound('A', { text: 'Said otherwise' })]);
    await stage.report([seen]);
    await Promise.all(Array.from({ length: 5 }, () => stage.report([seen])));
    expect(await stage.messages()).toHaveLength(1);
    expect((await stage.message('A')).text).toBe('Text of A');
    expect(await types()).toEqual(['message.received']);
  });

  it('announces in the order of the report, and a message that comes late comes once', async () => {
    await stage.report([inbound('B', { sentAt: STARTED_AT + 2 }), inbound('A', { sentAt: STARTED_AT + 1 })]);
    await stage.report([inbound('A'), inbound('C', { sentAt: STARTED_AT + 3 }), inbound('B')]);
    const guids = (await stage.events()).map((event) => (JSON.parse(event.data) as { guid: string }).guid);
    expect(guids).toEqual(['B', 'A', 'C']);
    const [chat] = await chats();
    expect(chat?.last_message_at).toBe(STARTED_AT + 3);
  });

  it('keeps the latest activity of a chat when an older message arrives after a newer one', async () => {
    await stage.report([inbound('new', { sentAt: STARTED_AT + 5_000 })]);
    await stage.report([inbound('old', { sentAt: STARTED_AT })]);
    expect((await chats())[0]?.last_message_at).toBe(STARTED_AT + 5_000);
  });

  it('takes one GUID on two lines for two messages', async () => {
    const { ref: _ref, ...first } = await stage.engine.query.selectFrom('lines').selectAll().executeTakeFirstOrThrow();
    const { ref } = await stage.engine.query
      .insertInto('lines')
      .values({ ...first, id: 'ln_2', handle: '+15550100002' })
      .returning('ref')
      .executeTakeFirstOrThrow();
    await stage.report([inbound('A')]);
    const lane = `line ${ref}`;
    const fence = await stage.writer.write(acquireLeases, { name: lane, holder: 'this process', ms: 1_000 });
    const line = { ...stage.line, ref, id: 'ln_2', handle: '+15550100002' };
    const claim = { lane, fence: fence ?? 0 };
    await stage.writer.write(recordSightings, { claim, line, events: [inbound('A')], now: stage.now() });
    expect(await stage.messages()).toHaveLength(2);
    expect(await chats()).toHaveLength(2);
  });

  it('lets an echo that comes before the answer to the hand-over make the item sent', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    expect(await stage.report([own('A', { reference: 'obx_1' })])).toEqual({ state: 'committed', sent: ['obx_1'] });
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', guid: 'A', error: null });
    const [event] = await stage.events();
    expect(event?.type).toBe('message.sent');
    expect(JSON.parse(event?.data ?? '')).toMatchObject({ outbox_id: 'obx_1', is_from_me: true });
  });

  it('knows an echo without a reference by the GUID under which the item was handed over', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    const set = { state: 'handed_over', guid: 'A', echo_due_at: STARTED_AT, hand_overs: 1, attempts: 1 };
    await stage.engine.query.updateTable('outbox').set(set).execute();
    await stage.report([own('A')]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent' });
    expect(JSON.parse((await stage.events())[0]?.data ?? '')).toMatchObject({ outbox_id: 'obx_1' });
  });

  it('knows such an echo also when the item had failed for want of it', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    const set = { state: 'failed', guid: 'A', error: 'No echo.', completed_at: STARTED_AT, hand_overs: 1, attempts: 1 };
    await stage.engine.query.updateTable('outbox').set(set).execute();
    await stage.report([own('A')]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', error: null });
  });

  it('tells a message that a person typed as sent by nobody of ours', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    await stage.report([own('typed', { text: 'Hello' })]);
    expect(await types()).toEqual(['message.sent']);
    expect(JSON.parse((await stage.events())[0]?.data ?? '')).toMatchObject({ outbox_id: null, is_from_me: true });
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending' });
  });

  it('binds no echo to an item of another line', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    await stage.engine.query.updateTable('outbox').set({ line_ref: 999 }).execute();
    await stage.report([own('A', { reference: 'obx_1' })]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending' });
    expect((await stage.message('A')).outbox_ref).toBeNull();
  });

  it('lets an echo have the last word over a failure, in either order', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    const set = { state: 'handed_over', echo_due_at: STARTED_AT, hand_overs: 1, attempts: 1 };
    await stage.engine.query.updateTable('outbox').set(set).execute();
    await stage.report([failure('obx_1', 'Not delivered.')]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'failed', error: 'Not delivered.' });
    await stage.report([own('A', { reference: 'obx_1' })]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', error: null });
    await stage.report([failure('obx_1', 'Not delivered.')]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', error: null });
    expect(await types()).toEqual(['message.failed', 'message.sent']);
  });

  it('moves a state forward only, whatever the order of the receipts', async () => {
    const state = async () => (await stage.message('A')).state;
    await stage.report([receipt('A', 'delivered')]);
    await stage.report([own('A')]);
    expect(await state()).toBe('sent');
    await stage.report([receipt('A', 'read', STARTED_AT + 20)]);
    expect(await state()).toBe('read');
    await stage.report([receipt('A', 'delivered', STARTED_AT + 10)]);
    await stage.report([own('A')]);
    await stage.report([receipt('A', 'read', STARTED_AT + 99)]);
    expect(await stage.message('A')).toMatchObject({
      state: 'read',
      delivered_at: STARTED_AT + 10,
      read_at: STARTED_AT + 20,
    });
    const told = ['message.sent', 'message.read', 'receipt.read', 'message.delivered', 'receipt.read'];
    expect(await types()).toEqual(told);
  });

  it('takes both receipts of a message that come in one report', async () => {
    await stage.report([own('A'), own('B')]);
    await stage.report([receipt('A', 'delivered', 10), receipt('A', 'read', 20)]);
    await stage.report([receipt('B', 'read', 20), receipt('B', 'delivered', 10)]);
    expect(await stage.message('A')).toMatchObject({ state: 'read', delivered_at: 10, read_at: 20 });
    expect(await stage.message('B')).toMatchObject({ state: 'read', delivered_at: 10, read_at: 20 });
  });

  it('takes what a second sighting in the same report says of the state', async () => {
    await stage.report([own('A'), own('A', { deliveredAt: 10 }), own('A', { deliveredAt: 10, readAt: 20 })]);
    expect(await stage.message('A')).toMatchObject({ state: 'read', delivered_at: 10, read_at: 20 });
  });

  it('takes no receipt for a message of somebody else', async () => {
    await stage.report([inbound('A'), receipt('A', 'read')]);
    expect(await stage.message('A')).toMatchObject({ state: 'received', read_at: null });
  });

  it('keeps a group with its members and its name as they were seen last', async () => {
    await stage.report([chatSeen(group(GROUP, [PHONE, OTHER], 'Hike'))]);
    const [made] = await chats();
    expect(made).toMatchObject({ is_group: 1, name: 'Hike', has_received_inbound: 0, last_message_at: 0 });
    await stage.report([inbound('A', { chat: group(GROUP, [PHONE], 'Hike 2') })]);
    const found = await chats();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ id: made?.id, name: 'Hike 2', has_received_inbound: 1 });
    expect(JSON.parse(found[0]?.participants ?? '')).toEqual([PHONE]);
    await stage.report([chatSeen(group(GROUP, [PHONE, OTHER], null)), chatSeen(group(GROUP, [OTHER], 'Hike 3'))]);
    expect((await chats())[0]).toMatchObject({ name: 'Hike 3', participants: JSON.stringify([OTHER]) });
  });

  it('opens a chat for sends only when somebody writes in it', async () => {
    const asks = { to: PHONE, contactFirst: true };
    expect(await stage.accept(asks)).toBe('contact_has_not_messaged');
    await stage.report([own('typed'), receipt('typed', 'delivered'), chatSeen(direct(PHONE))]);
    expect(await stage.accept(asks)).toBe('contact_has_not_messaged');
    await stage.report([inbound('A', { sender: OTHER })]);
    expect(await stage.accept(asks)).toBe('contact_has_not_messaged');
    await stage.report([inbound('B')]);
    expect(await stage.accept(asks)).toBe('accepted');
    await stage.report([own('typed too')]);
    expect(await stage.accept(asks)).toBe('accepted');
  });

  it('opens a group for all when one of its members writes there', async () => {
    await stage.report([chatSeen(group(GROUP, [PHONE, OTHER]))]);
    const to = (await chats())[0]?.id ?? '';
    expect(await stage.accept({ to, contactFirst: true })).toBe('contact_has_not_messaged');
    await stage.report([inbound('A', { sender: OTHER })]);
    expect(await stage.accept({ to, contactFirst: true })).toBe('contact_has_not_messaged');
    await stage.report([inbound('B', { sender: OTHER, chat: group(GROUP, [PHONE, OTHER]) })]);
    expect(await stage.accept({ to, contactFirst: true })).toBe('accepted');
  });

  it('acknowledges with the cursor of the last event, and moves it with nothing to tell', async () => {
    const last = inbound('B');
    await stage.report([inbound('A'), last]);
    expect(await readLineCursor(stage.engine, stage.line.ref)).toBe(last.cursor);
    await stage.report([{ kind: 'cursor', cursor: '4711' }]);
    expect(await readLineCursor(stage.engine, stage.line.ref)).toBe('4711');
  });

  it('refuses the report of a holder that lost the line, and keeps nothing of it', async () => {
    await stage.report([inbound('A'), own('B')]);
    const cursor = await readLineCursor(stage.engine, stage.line.ref);
    await stage.accept({ to: PHONE, id: 'obx_1' });
    const stale = await stage.takeLine('a process');
    await stage.takeLine('its successor');
    const late = [
      inbound('C'),
      own('D', { reference: 'obx_1' }),
      receipt('B', 'read'),
      chatSeen(group(GROUP, [PHONE])),
    ];
    expect(await stage.report(late, stale)).toEqual({ state: 'fenced', sent: [] });
    expect(await readLineCursor(stage.engine, stage.line.ref)).toBe(cursor);
    expect((await stage.messages()).map((message) => message.guid)).toEqual(['A', 'B']);
    expect((await stage.message('B')).state).toBe('sent');
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending' });
    expect(await chats()).toHaveLength(1);
    expect(await types()).toEqual(['message.received', 'message.sent']);
  });

  it('tells a stale report from a good one when both share a commit', async () => {
    const stale = await stage.takeLine('a process');
    const good = await stage.takeLine('its successor');
    const [refused, kept] = await Promise.all([
      stage.report([inbound('late')], stale),
      stage.report([inbound('good')], good),
    ]);
    expect([refused.state, kept.state]).toEqual(['fenced', 'committed']);
    expect((await stage.messages()).map((message) => message.guid)).toEqual(['good']);
  });
});
