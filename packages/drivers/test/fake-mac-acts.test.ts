/** What peers and the owner do leaves the rows on the fake Mac that it leaves on a real one. */
import { describe, expect, it } from 'vitest';
import type { FakeMac } from './fake-mac/mac.ts';
import type { Later } from './fake-mac/oracle.ts';
import { useMacs } from './fake-mac/use-mac.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const URL_BALLOON = 'com.apple.messages.URLBalloonProvider';
const PICTURE = { name: 'hike.jpg', mimeType: 'image/jpeg', bytes: 'aGlrZQ==' };

const { start, read } = useMacs();

async function laterOf(mac: FakeMac, guid: string): Promise<readonly Later[]> {
  const found = (await mac.act('oracle', {})).find((one) => one.guid === guid);
  return found?.what === 'message' ? found.later : [];
}

describe('a link', () => {
  it('has its preview in a second row of the same sender, or in its own later', async () => {
    const mac = await start();
    const link = { from: PEER, text: 'See https://example.com/a', url: 'https://example.com/a' };
    const { guid, preview } = await mac.act('textWithPreview', { ...link, previewAfterMs: 800 });
    const filled = await mac.act('textWithBalloon', { ...link, balloonAfterMs: 700 });
    expect(read(mac, 'SELECT guid FROM message WHERE balloon_bundle_id IS NOT NULL')).toEqual([]);
    await mac.settle();
    const rows = read(
      mac,
      'SELECT guid, text, balloon_bundle_id AS balloon, length(payload_data) > 100 AS data FROM message',
    );
    expect(rows.map((row) => [row['guid'], row['text'], row['balloon']])).toEqual([
      [guid, link.text, null],
      [filled.guid, link.text, URL_BALLOON],
      [preview, '\uFFFD', URL_BALLOON],
    ]);
    expect(rows.map((row) => row['data'])).toEqual([null, 1, 1]);
    const [expected] = await mac.act('oracle', {});
    expect(expected).toMatchObject({ guid, rows: [guid, preview] });
  });
});

describe('a reaction', () => {
  it.each([true, false])(
    'is a row that points to its message, and taking it off deletes the row: %s',
    async (deletes) => {
      const mac = await start();
      const { guid } = await mac.act('text', { from: PEER, text: 'We made it' });
      const like = await mac.act('react', { from: PEER, guid, type: 2001, added: true });
      const rows = () =>
        read(mac, 'SELECT guid, associated_message_type AS type, associated_message_guid AS target FROM message');
      expect(rows()[1]).toEqual({ guid: like.guid, type: 2001, target: `p:0/${guid}` });
      const off = await mac.act('react', { from: PEER, guid, type: 2001, added: false, deletesAddedRow: deletes });
      expect(rows().map((row) => row['guid'])).toEqual(deletes ? [guid, off.guid] : [guid, like.guid, off.guid]);
      expect(read(mac, 'SELECT guid FROM deleted_messages')).toEqual(deletes ? [{ guid: like.guid }] : []);
    },
  );

  it('with any emoji comes without it where the release has no column', async () => {
    const party = { from: null, type: 2006, emoji: '🎉', added: true };
    const old = await start('ventura');
    const { guid } = await old.act('text', { from: PEER, text: 'We made it' });
    await old.act('react', { ...party, guid });
    expect(read(old, 'SELECT is_from_me AS mine FROM message WHERE associated_message_type = 2006')).toEqual([
      { mine: 1 },
    ]);
    await old.close();
    const mac = await start();
    const made = await mac.act('text', { from: PEER, text: 'We made it' });
    await mac.act('react', { ...party, guid: made.guid });
    const sql = 'SELECT associated_message_emoji AS emoji FROM message WHERE associated_message_type = 2006';
    expect(read(mac, sql)).toEqual([{ emoji: '🎉' }]);
  });
});

describe('a message that changes', () => {
  it('keeps its row, and its history in the summary', async () => {
    const mac = await start();
    const { guid } = await mac.act('text', { from: PEER, text: 'At fve' });
    await mac.act('edit', { guid, text: 'At five' });
    const [row] = read(mac, 'SELECT guid, text, date_edited > 0 AS edited, message_summary_info AS info FROM message');
    expect(row).toMatchObject({ guid, text: 'At five', edited: 1 });
    const info = row?.['info'];
    const summary = info instanceof Uint8Array ? Buffer.from(info).toString('latin1') : '';
    expect([summary.startsWith('bplist00'), summary.includes('At fve'), summary.includes('At five')]).toEqual([
      true,
      true,
      true,
    ]);
    await mac.act('unsend', { guid });
    const gone = { text: null, body: null, part_count: 0, is_empty: 1 };
    expect(read(mac, 'SELECT text, attributedBody AS body, part_count, is_empty FROM message')).toEqual([gone]);
    expect(await laterOf(mac, guid)).toMatchObject([{ what: 'edited', text: 'At five' }, { what: 'unsent' }]);
  });

  it('loses one bubble of several', async () => {
    const mac = await start();
    const { guid } = await mac.act('files', { from: PEER, parts: [{ text: 'Look' }, { file: PICTURE }] });
    await mac.act('unsend', { guid, part: 0 });
    expect(read(mac, 'SELECT text, part_count FROM message')).toEqual([{ text: '\uFFFC', part_count: 1 }]);
    expect(await laterOf(mac, guid)).toContainEqual(
      expect.objectContaining({ what: 'part_unsent', part: 0, text: '' }),
    );
  });
});

describe('a voice memo', () => {
  it('is known by its flag, and its words come later', async () => {
    const mac = await start();
    const { guid } = await mac.act('files', {
      from: PEER,
      parts: [{ file: { name: 'Audio Message.caf', mimeType: 'audio/x-caf', bytes: 'Y2FmZg==' } }],
      isAudio: true,
      transcription: { text: 'See you at noon', afterMs: 20 },
    });
    await mac.settle();
    expect(read(mac, 'SELECT is_audio_message AS audio FROM message')).toEqual([{ audio: 1 }]);
    expect(read(mac, "SELECT instr(user_info, 'See you at noon') > 0 AS has, uti FROM attachment")).toEqual([
      { has: 1, uti: 'com.apple.coreaudio-format' },
    ]);
    expect(await laterOf(mac, guid)).toContainEqual(
      expect.objectContaining({ what: 'transcription', text: 'See you at noon' }),
    );
  });
});

describe('an attachment', () => {
  it('may fail, never come, or be finished before its bytes are there', async () => {
    const mac = await start();
    const ready: unknown[] = [];
    for (const arrival of [{ fails: true }, { fileAfterMs: null }, { doneAfterMs: 5, fileAfterMs: 40 }]) {
      const { guid } = await mac.act('files', { from: PEER, parts: [{ file: PICTURE }], arrival });
      await mac.settle();
      ready.push((await laterOf(mac, guid)).map((later) => later.what === 'attachment' && later.isReady));
    }
    expect(ready).toEqual([[false], [], [true]]);
    expect(read(mac, 'SELECT transfer_state AS state FROM attachment ORDER BY ROWID')).toEqual([
      { state: 6 },
      { state: 5 },
      { state: 5 },
    ]);
  });
});

describe('a group', () => {
  it('is renamed and changes its members by rows without a text', async () => {
    const mac = await start();
    const { chat } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: null });
    await mac.act('renameGroup', { group: chat, by: PEER, name: 'Hike' });
    await mac.act('changeMember', { group: chat, by: PEER, who: OTHER_PEER, added: false });
    expect(read(mac, 'SELECT item_type, group_action_type AS action, group_title AS title, text FROM message')).toEqual(
      [
        { item_type: 2, action: 0, title: 'Hike', text: null },
        { item_type: 1, action: 1, title: null, text: null },
      ],
    );
    expect(await mac.act('oracle', {})).toMatchObject([
      { what: 'chat', chat, name: 'Hike', participants: [PEER, OTHER_PEER] },
      { what: 'chat', chat, name: 'Hike', participants: [PEER] },
    ]);
  });
});

describe('two chats of one person', () => {
  it('become one with the messages of both', async () => {
    const mac = await start();
    await mac.act('text', { from: PEER, text: 'One' });
    await mac.act('text', { from: 'ada@example.com', text: 'Two' });
    await mac.act('mergeChats', { from: PEER, into: 'ada@example.com' });
    const sql = `SELECT text, chat_identifier AS chat FROM message m JOIN chat_message_join ON message_id = m.ROWID
                   JOIN chat c ON c.ROWID = chat_id ORDER BY m.ROWID`;
    const chat = 'ada@example.com';
    expect(read(mac, sql)).toEqual([
      { text: 'One', chat },
      { text: 'Two', chat },
    ]);
  });
});

describe('the line itself', () => {
  it('has two rows for what it writes to itself', async () => {
    const mac = await start();
    const { guid, twin } = await mac.act('selfChat', { text: 'Milk', gapMs: 10 });
    await mac.settle();
    expect(read(mac, 'SELECT guid, is_from_me AS mine FROM message ORDER BY ROWID')).toEqual([
      { guid, mine: 1 },
      { guid: twin, mine: 0 },
    ]);
    expect(await mac.act('oracle', {})).toMatchObject([{ guid, rows: [guid, twin] }]);
  });

  it('may send by SMS in the end, or later, or in pieces', async () => {
    const mac = await start();
    const { guid } = await mac.act('ownText', { to: PEER, text: 'Hello' });
    await mac.act('downgrade', { guid });
    await mac.act('sendLater', { to: PEER, text: 'Tomorrow', inMs: 86_400_000 });
    await mac.act('ownText', { to: PEER, text: 'a b', pieces: ['a', 'b'] });
    const sql = 'SELECT service, was_downgraded AS down, schedule_type AS type FROM message ORDER BY ROWID';
    const plain = { service: 'iMessage', down: 0, type: 0 };
    expect(read(mac, sql)).toEqual([{ ...plain, service: 'SMS', down: 1 }, { ...plain, type: 2 }, plain, plain]);
    expect((await mac.act('oracle', {})).map(({ what }) => what)).toEqual(['message', 'silence', 'message']);
  });
});

describe('a message that is deleted early', () => {
  it('takes with it what was still to come', async () => {
    const mac = await start();
    const own = await mac.act('ownText', { to: PEER, text: 'Gone', deliveredAfterMs: 30, readAfterMs: 60 });
    const arrival = { rowAfterMs: 30, doneAfterMs: 30 };
    const files = { from: PEER, parts: [{ file: PICTURE }], arrival, joinAfterMs: 30 };
    for (const { guid } of [own, await mac.act('files', files)]) await mac.act('delete', { guid });
    await mac.settle();
    expect(read(mac, 'SELECT 1 FROM message UNION ALL SELECT 1 FROM attachment')).toEqual([]);
    expect(read(mac, 'SELECT 1 FROM deleted_messages')).toHaveLength(2);
  });
});

describe('a flood', () => {
  it('brings old rows under new numbers, in an order of their own', async () => {
    const mac = await start();
    await mac.act('text', { from: PEER, text: 'Now' });
    await mac.act('flood', { from: [PEER, OTHER_PEER], rows: 250, agoMs: 86_400_000 });
    const dates = read(mac, 'SELECT date / 1000000 AS date FROM message WHERE ROWID > 1 ORDER BY ROWID').map(
      (row) => row['date'],
    );
    expect(dates).toHaveLength(250);
    expect(dates).not.toEqual([...dates].sort());
    expect(new Set(dates).size).toBe(250);
    const old = (await mac.act('oracle', {})).filter((one) => one.what === 'message' && one.isOld);
    expect(old).toHaveLength(250);
  });
});

describe('a writer', () => {
  it('says what was asked of it that cannot be, and that it has ended', async () => {
    const mac = await start();
    await expect(mac.act('edit', { guid: 'X', text: 'Y' })).rejects.toThrow('Nothing is known of the body of X.');
    const waiting = mac.play([{ at: 60_000, name: 'checkpoint', act: {} }]);
    mac.process.kill('SIGKILL');
    await expect(waiting).rejects.toThrow('The fake Mac ended');
    await expect(mac.act('oracle', {})).rejects.toThrow('The fake Mac has ended.');
  });
});
