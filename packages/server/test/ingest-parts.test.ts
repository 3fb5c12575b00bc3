/** What a Mac reports beyond a simulator: an item as several messages, attachments whose bytes come later, and what is old. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announceDue } from '../src/store/announcements.ts';
import { createFiles } from '../src/store/files.ts';
import { findListedItems } from '../src/store/listed-item-pages.ts';
import { readListedItems } from '../src/store/listed-item-rows.ts';
import { claimItems } from '../src/store/outbox-lane.ts';
import { ENGINES, PHONE } from './harness.ts';
import { inbound, own, receipt } from './sightings.ts';
import { openStage, STARTED_AT, type Stage } from './stage.ts';

const DAY_MS = 86_400_000;
const NOTHING_YET = { file: null, filename: 'hike.jpg', mimeType: 'image/jpeg', size: 1_000, transcription: null };
const HERE = { ...NOTHING_YET, file: 'file_hike' };
const awaits = { what: 'attachment', until: STARTED_AT + 60_000 } as const;

describe.each(ENGINES)('what a Mac reports on %s', (engine) => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await openStage(engine);
    const file = {
      id: 'file_hike',
      filename: 'hike.jpg',
      mimeType: 'image/jpeg',
      contentType: 'image/jpeg',
      size: 1_000,
    };
    await stage.writer.write(createFiles, {
      ...file,
      accountRef: stage.line.accountRef,
      source: null,
      now: STARTED_AT,
    });
  });
  afterEach(() => stage.close());

  const told = async () =>
    (await stage.events()).map(({ type, data }) => `${type} ${(JSON.parse(data) as { guid?: string }).guid ?? ''}`);
  const listed = async () => {
    const filter = { accountRef: stage.line.accountRef, lineRefs: null, shared: null };
    const page = { order: 'created_at', direction: 'asc', limit: 10, offset: 0 } as const;
    const { refs } = await findListedItems(stage.engine, filter, page);
    return (await readListedItems(stage.engine.readEach, refs)).map(({ status, text }) => `${status} ${text}`);
  };
  const first = (given = {}) => own('A', { reference: 'obx_1', text: 'Look', isWholeItem: false, ...given });
  const second = (given = {}) =>
    own('B', { reference: 'obx_1', itemPart: 1, text: null, attachments: [HERE], ...given });

  describe('an item that became two messages', () => {
    beforeEach(async () => {
      const claim = await stage.takeLine();
      await stage.report([inbound('before')], claim);
      await stage.accept({ to: PHONE, id: 'obx_1' });
      const request = { claim, lineRef: stage.line.ref, limit: 1, now: stage.now() };
      expect(await stage.writer.write(claimItems, request)).toHaveLength(1);
    });

    it('is sent when both were seen, and is one item in the lists', async () => {
      await stage.report([first()]);
      expect(await stage.item('obx_1')).toMatchObject({ state: 'sending' });
      await stage.report([second()]);
      expect(await stage.item('obx_1')).toMatchObject({ state: 'sent' });
      expect(await stage.messages()).toHaveLength(3);
      expect(await told()).toEqual(['message.received before', 'message.sent A', 'message.sent B']);
      expect(await listed()).toEqual(['SENT Look', 'RECEIVED Text of before']);
    });

    it('is sent by whichever sighting says that all of it is there, also a repeated one', async () => {
      await stage.report([second({ isWholeItem: false })]);
      await stage.report([first()]);
      expect(await stage.item('obx_1')).toMatchObject({ state: 'sending' });
      await stage.report([first({ isWholeItem: true })]);
      expect(await stage.item('obx_1')).toMatchObject({ state: 'sent' });
      expect(await listed()).toEqual(['SENT Look', 'RECEIVED Text of before']);
    });

    it('stands as its first message does when that arrived before the other was sent', async () => {
      await stage.report([first()]);
      await stage.report([receipt('A', 'delivered')]);
      expect(await listed()).toEqual(['ACCEPTED Look', 'RECEIVED Text of before']);
      await stage.report([second()]);
      expect(await listed()).toEqual(['DELIVERED Look', 'RECEIVED Text of before']);
      await stage.report([receipt('B', 'delivered')]);
      expect(await listed()).toEqual(['DELIVERED Look', 'RECEIVED Text of before']);
    });
  });

  it('holds a message until the bytes of its attachment are there', async () => {
    await stage.report([inbound('A', { attachments: [NOTHING_YET], awaits })]);
    expect(await told()).toEqual([]);
    await stage.report([{ kind: 'attachment', cursor: '90', guid: 'A', place: 0, attachment: HERE }]);
    expect(await told()).toEqual(['message.received A']);
    const [event] = await stage.events();
    expect(JSON.parse(event?.data ?? '{}')).toMatchObject({
      attachments: [{ filename: 'hike.jpg', url: expect.any(String) }],
    });
  });

  it('announces it without them when they do not come, and shows them later', async () => {
    await stage.report([inbound('A', { attachments: [NOTHING_YET, NOTHING_YET], awaits })]);
    await stage.report([{ kind: 'attachment', cursor: '90', guid: 'A', place: 1, attachment: HERE }]);
    expect(await told()).toEqual([]);
    stage.pass(60_000);
    expect(await stage.writer.write(announceDue, { now: stage.now() })).toBe(1);
    await stage.report([{ kind: 'attachment', cursor: '91', guid: 'A', place: 0, attachment: HERE }]);
    expect(await told()).toEqual(['message.received A']);
    const attachments = stage.engine.query.selectFrom('attachments').select('file_ref').execute();
    expect((await attachments).map((row) => row.file_ref !== null)).toEqual([true, true]);
  });

  it('takes an attachment in the report of its message as a part of it', async () => {
    await stage.report([
      inbound('A', { attachments: [NOTHING_YET], awaits }),
      { kind: 'attachment', cursor: '90', guid: 'A', place: 0, attachment: HERE },
    ]);
    expect(await told()).toEqual(['message.received A']);
    const [event] = await stage.events();
    expect(JSON.parse(event?.data ?? '{}')).toMatchObject({ attachments: [{ url: expect.any(String) }] });
  });

  it('gives no message the file of another account, whoever names it', async () => {
    const { query } = stage.engine;
    const other = { id: 'acc_other', owner_email: 'b@example.com', created_at: STARTED_AT };
    const { ref } = await query.insertInto('accounts').values(other).returning('ref').executeTakeFirstOrThrow();
    const facts = { filename: 'theirs.jpg', mimeType: 'image/jpeg', contentType: null, size: 5, source: null };
    await stage.writer.write(createFiles, { id: 'file_theirs', ...facts, accountRef: ref, now: STARTED_AT });
    const theirs = { ...HERE, file: 'file_theirs' };
    await stage.report([inbound('A', { attachments: [theirs, HERE] }), inbound('B', { attachments: [NOTHING_YET] })]);
    await stage.report([{ kind: 'attachment', cursor: '90', guid: 'B', place: 0, attachment: theirs }]);
    const events = (await stage.events()).map(({ data }) => JSON.parse(data) as { attachments: { url: unknown }[] });
    expect(events.map(({ attachments }) => attachments.map(({ url }) => url !== null))).toEqual([
      [false, true],
      [false],
    ]);
    const stored = query.selectFrom('attachments').select(['message_ref', 'file_ref', 'filename']);
    const rows = await stored.orderBy('message_ref').orderBy('place').execute();
    expect(rows.map((row) => [row.file_ref !== null, row.filename])).toEqual([
      [false, 'hike.jpg'],
      [true, 'hike.jpg'],
      [false, 'hike.jpg'],
    ]);
    await stage.report([{ kind: 'attachment', cursor: '91', guid: 'B', place: 0, attachment: HERE }]);
    expect((await stored.execute()).filter((row) => row.file_ref !== null)).toHaveLength(2);
  });

  it('stores what is old and does not announce it', async () => {
    const sentAt = STARTED_AT - 30 * DAY_MS;
    await stage.report([
      inbound('A', { sentAt, isOld: true }),
      own('B', { sentAt, isOld: true, deliveredAt: sentAt }),
      inbound('C', { sentAt, isOld: true, text: 'STOP' }),
      inbound('D'),
    ]);
    expect(await stage.messages()).toHaveLength(4);
    expect(await told()).toEqual(['message.received D']);
    expect(await stage.engine.query.selectFrom('opt_outs').selectAll().execute()).toEqual([]);
  });
});
