/** The fake Mac keeps the rules that the drivers' tests rely on. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Unarchiver } from '@parseaple/typedstream';
import { describe, expect, it } from 'vitest';
import { encodeBody } from './fake-mac/bodies.ts';
import type { Row } from './fake-mac/chat-db.ts';
import { GENERATIONS, type Generation } from './fake-mac/generations.ts';
import type { FakeMac } from './fake-mac/mac.ts';
import { useMacs } from './fake-mac/use-mac.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';

const { start, read, openReader } = useMacs();

function rowsOf(mac: FakeMac): (sql: string) => Row[] {
  const reader = openReader(mac);
  return (sql) => reader.prepare<[], Row>(sql).all();
}

function textOf(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return null;
  const root: unknown = Unarchiver.open(Buffer.from(body), Unarchiver.BinaryDecoding.decodable).decodeSingleRoot();
  return typeof root === 'object' && root !== null && 'string' in root ? root.string : null;
}

describe.each(GENERATIONS)('the database of %s', (generation) => {
  it('has its columns, and those of later releases not', async () => {
    const mac = await start(generation);
    const rows = read(mac, "SELECT name FROM pragma_table_info('message')").map(({ name }) => name);
    const there = (name: string): boolean => rows.includes(name);
    expect(there('part_count')).toBe(true);
    expect(there('schedule_type')).toBe(generation !== 'ventura');
    expect(there('date_updated')).toBe(generation === 'golden');
  });

  it('names its chats as its release does, and lets a reader see a row that is in the log alone', async () => {
    const mac = await start(generation);
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hike' });
    const rows = rowsOf(mac);
    const prefix = generation === 'golden' ? 'any' : 'iMessage';
    const made = await mac.act('text', { from: PEER, text: 'Hello 👍🏽' });
    await mac.act('text', { from: OTHER_PEER, text: 'All', group });
    expect(statSync(`${mac.chatDb}-wal`).size).toBeGreaterThan(0);
    const seen = rows(
      `SELECT m.guid, m.text, m.attributedBody, m.cache_roomnames AS room, h.id AS sender, c.guid AS chat, c.style
         FROM message m JOIN handle h ON h.ROWID = m.handle_id JOIN chat_message_join j ON j.message_id = m.ROWID
         JOIN chat c ON c.ROWID = j.chat_id ORDER BY m.ROWID`,
    );
    expect(seen).toMatchObject([
      { guid: made.guid, text: 'Hello 👍🏽', room: null, sender: PEER, chat: `${prefix};-;${PEER}`, style: 45 },
      { text: 'All', room: group, sender: OTHER_PEER, chat: `${prefix};+;${group}`, style: 43 },
    ]);
    expect(seen.map(({ attributedBody }) => textOf(attributedBody))).toEqual(['Hello 👍🏽', 'All']);
  });
});

describe('bodies', () => {
  it('are typed streams that another decoder reads, with the places of attachments', () => {
    for (const text of ['', 'x', 'é'.repeat(64), 'x'.repeat(127), 'x'.repeat(40_000)]) {
      expect(textOf(encodeBody([{ text }]))).toBe(text);
    }
    expect(textOf(encodeBody([{ text: 'Look' }, { attachment: 'at_1_X', filename: 'a.jpg' }]))).toBe('Look\uFFFC');
  });
});

describe('rows', () => {
  it('come before their chats, and some never get one', async () => {
    const mac = await start();
    const rows = rowsOf(mac);
    const joined = (): number => rows('SELECT 1 FROM chat_message_join').length;
    const late = await mac.act('text', { from: PEER, text: 'Late', joinAfterMs: 800 });
    const never = await mac.act('text', { from: PEER, text: 'Never', joinAfterMs: null });
    expect(rows('SELECT guid FROM message')).toHaveLength(2);
    expect(joined()).toBe(0);
    await mac.settle();
    expect(joined()).toBe(1);
    const [first, second] = await mac.act('oracle', {});
    expect(first).toMatchObject({ what: 'message', guid: late.guid, completeAt: expect.any(Number) });
    expect(second).toEqual({ what: 'silence', guid: never.guid, why: 'orphan' });
  });

  it('of an own message are changed until they are read', async () => {
    const mac = await start();
    const rows = rowsOf(mac);
    const { guid } = await mac.act('ownText', { to: PEER, text: 'Yes', sentAfterMs: 10, deliveredAfterMs: 20 });
    await mac.settle();
    const state = (): Row | undefined =>
      rows('SELECT text, is_sent, is_delivered, is_read, error, typeof(date_read) AS t FROM message')[0];
    expect(state()).toMatchObject({ text: null, is_sent: 1, is_delivered: 1, is_read: 0, error: 0 });
    await mac.act('readAll', { peer: PEER });
    expect(state()).toMatchObject({ is_read: 1 });
    await mac.act('fail', { guid, error: 22 });
    expect(rows("SELECT key FROM kvtable WHERE key LIKE 'lastFailed%'")).toHaveLength(2);
  });

  it('have a service of their own, in the one chat that all services share from 26 on', async () => {
    const services = async (generation: Generation): Promise<Row[]> => {
      const mac = await start(generation);
      await mac.act('text', { from: PEER, text: 'Blue' });
      await mac.act('text', { from: PEER, text: 'Green', service: 'SMS' });
      const rows = read(
        mac,
        'SELECT m.service, c.guid FROM message m, chat_message_join, chat c WHERE message_id = m.ROWID AND chat_id = c.ROWID ORDER BY m.ROWID',
      );
      await mac.close();
      return rows;
    };
    const [blue, green] = [{ service: 'iMessage' }, { service: 'SMS' }];
    expect(await services('golden')).toEqual([blue, green].map((one) => ({ ...one, guid: `any;-;${PEER}` })));
    expect(await services('sequoia')).toEqual(
      [blue, green].map((one) => ({ ...one, guid: `${one.service};-;${PEER}` })),
    );
  });

  it('leave a trace when they go, and stay while they are only put aside', async () => {
    const mac = await start();
    const rows = rowsOf(mac);
    const gone = await mac.act('text', { from: PEER, text: 'Gone' });
    const aside = await mac.act('text', { from: PEER, text: 'Aside' });
    await mac.act('delete', { guid: gone.guid });
    await mac.act('recentlyDelete', { guid: aside.guid });
    expect(rows('SELECT guid FROM message')).toEqual([{ guid: aside.guid }]);
    expect(rows('SELECT guid FROM deleted_messages')).toEqual([{ guid: gone.guid }]);
    expect(rows('SELECT 1 FROM chat_message_join')).toEqual([]);
    expect(rows('SELECT 1 FROM chat_recoverable_message_join')).toHaveLength(1);
  });
});

describe('attachments', () => {
  it('arrive in stages: the row, the state, the bytes', async () => {
    const mac = await start();
    const rows = rowsOf(mac);
    const bytes = Buffer.from('a picture').toString('base64');
    const file = { name: 'hike.jpg', mimeType: 'image/jpeg', bytes };
    const arrival = { rowAfterMs: 800, doneAfterMs: 60, fileAfterMs: 90 };
    const { guid } = await mac.act('files', { from: PEER, parts: [{ text: 'Look' }, { file }], arrival });
    expect(rows('SELECT text, cache_has_attachments AS has FROM message')).toEqual([{ text: 'Look\uFFFC', has: 0 }]);
    await mac.settle();
    const [seen] = rows('SELECT guid, filename, transfer_name, transfer_state, total_bytes FROM attachment');
    expect(seen).toMatchObject({ guid: `at_1_${guid}`, transfer_name: 'hike.jpg', transfer_state: 5, total_bytes: 9 });
    expect(readFileSync(join(mac.home, String(seen?.['filename']).slice(2)), 'utf8')).toBe('a picture');
    expect(rows('SELECT cache_has_attachments AS has FROM message')).toEqual([{ has: 1 }]);
  });
});

describe('the file itself', () => {
  it('gets another inode, and ROWIDs that begin again', async () => {
    const mac = await start();
    await mac.act('gap', { rows: 50 });
    await mac.act('text', { from: PEER, text: 'One' });
    const before = statSync(mac.chatDb).ino;
    const old = rowsOf(mac);
    expect(old('SELECT text FROM message')).toHaveLength(1);
    await mac.act('replaceByCopy', {});
    expect(statSync(mac.chatDb).ino).not.toBe(before);
    expect(read(mac, 'SELECT ROWID FROM message')).toEqual([{ ROWID: 51 }]);
    await mac.act('replaceByRebuilt', { keep: 10 });
    await mac.act('text', { from: PEER, text: 'Two' });
    expect(read(mac, 'SELECT m.ROWID, text FROM message m JOIN chat_message_join ON message_id = m.ROWID')).toEqual([
      { ROWID: 1, text: 'One' },
      { ROWID: 2, text: 'Two' },
    ]);
    // Whoever has the old file open goes on reading it.
    expect(old('SELECT text FROM message')).toHaveLength(1);
  });

  it('is locked for whoever opens it, while nobody has it open', async () => {
    const mac = await start();
    await mac.act('text', { from: PEER, text: 'One' });
    const count = (): Row[] => read(mac, 'SELECT text FROM message');
    expect(await mac.act('lockOut', { ms: 60_000 })).toBe(true);
    await mac.act('text', { from: PEER, text: 'Two' });
    expect(count).toThrow('database is locked');
    await mac.act('rotate', {});
    expect(count()).toHaveLength(2);
    openReader(mac).prepare('SELECT 1 FROM message').get();
    expect(await mac.act('lockOut', { ms: 60_000 })).toBe(false);
    expect(count()).toHaveLength(2);
  });

  it('is folded together with its log unless a reader holds its snapshot', async () => {
    const mac = await start();
    await mac.act('text', { from: PEER, text: 'One' });
    await mac.act('holdReadLock', { ms: 1_000 });
    await mac.act('text', { from: PEER, text: 'Two' });
    expect(await mac.act('checkpoint', {})).toBe(false);
    await mac.settle();
    expect(await mac.act('checkpoint', {})).toBe(true);
    expect(statSync(`${mac.chatDb}-wal`).size).toBe(0);
    await mac.act('rotate', {});
    await mac.close();
    expect(existsSync(mac.folder)).toBe(false);
  });
});
