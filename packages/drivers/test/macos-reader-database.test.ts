/** The message database is locked, folded, exchanged and rebuilt under the reader, and nothing is lost or told twice. */
import { renameSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChatDb, createChatDb } from '../src/macos/chat-db/chat-db.ts';
import { findChats } from '../src/macos/chat-db/chat-rows.ts';
import { findPreviewed } from '../src/macos/chat-db/links.ts';
import { type OpenChatDb, openChatDb } from '../src/macos/chat-db/open-chat-db.ts';
import { findOwnChanges } from '../src/macos/chat-db/own-changes.ts';
import { findBeginning, isSameNumbering, renewSamples } from '../src/macos/chat-db/position.ts';
import { ReaderMemory } from '../src/macos/chat-db/reader-memory.ts';
import { READER_TABLES } from '../src/macos/chat-db/reader-tables.ts';
import { maxRowid, ownRowsAfter, rowsAfter, rowsByGuid, rowsByRowid, unjoinedRows } from '../src/macos/chat-db/rows.ts';
import { hasOwnTwin } from '../src/macos/chat-db/self-chat.ts';
import { openJournal } from '../src/macos/journal.ts';
import { GENERATIONS } from './fake-mac/generations.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import { journalPath, type ReaderStage, type StageOptions, startReader } from './reader-stage.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const HOUR_MS = 3_600_000;

const open: { mac: FakeMac | null; stages: ReaderStage[]; readers: { close(): void }[] } = {
  mac: null,
  stages: [],
  readers: [],
};

afterEach(async () => {
  for (const stage of open.stages.splice(0)) await stage.stop();
  for (const reader of open.readers.splice(0)) reader.close();
  await open.mac?.close();
  open.mac = null;
});

async function startMac(...options: Parameters<typeof startFakeMac>): Promise<FakeMac> {
  open.mac = await startFakeMac(...options);
  return open.mac;
}

function read(options: StageOptions): ReaderStage {
  const stage = startReader(options);
  open.stages.push(stage);
  return stage;
}

async function stop(stage: ReaderStage): Promise<void> {
  open.stages = open.stages.filter((one) => one !== stage);
  await stage.stop();
}

function news(stage: ReaderStage): (string | null)[] {
  return stage.of('message').flatMap(({ isOld, text }) => (isOld ? [] : [text]));
}

describe('while it is read', () => {
  it('the log may be folded, removed and made anew', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('text', { from: PEER, text: 'One' });
    await stage.until('one', () => stage.texts().length === 1);
    expect(await mac.act('checkpoint', {})).toBe(true);
    await mac.act('text', { from: PEER, text: 'Two' });
    await mac.act('rotate', {});
    await mac.act('text', { from: PEER, text: 'Three' });
    await stage.until('all', () => stage.texts().length === 3);
    await mac.act('rotate', {});
    expect(await mac.act('checkpoint', {})).toBe(true);
    await mac.act('text', { from: PEER, text: 'Four' });
    await stage.until('the last', () => stage.texts().length === 4);
    expect(stage.texts()).toEqual(['One', 'Two', 'Three', 'Four']);
  });

  it('another reader’s snapshot hides nothing from it', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('text', { from: PEER, text: 'One' });
    await mac.act('holdReadLock', { ms: 400 });
    await mac.act('text', { from: PEER, text: 'Two' });
    await stage.until('both', () => stage.texts().length === 2);
    expect(await mac.act('checkpoint', {})).toBe(false);
    await mac.settle();
  });

  it('deleted rows and gaps in the numbers disturb nothing', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    const { guid } = await mac.act('text', { from: PEER, text: 'One' });
    await stage.until('one', () => stage.texts().length === 1);
    await mac.act('delete', { guid });
    await stage.looks();
    await mac.act('gap', { rows: 300 });
    await mac.act('text', { from: PEER, text: 'Two' });
    await stage.until('two', () => stage.texts().length === 2);
    await stage.looks();
    expect(news(stage)).toEqual(['One', 'Two']);
  });
});

describe('another database under the same name', () => {
  it('with the same rows tells nothing again, and what comes then', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('text', { from: PEER, text: 'One' });
    await stage.until('one', () => stage.texts().length === 1);
    const { epoch } = stage.reader.diagnostics();
    await mac.act('replaceByCopy', {});
    await mac.act('text', { from: PEER, text: 'Two' });
    await stage.until('two', () => stage.texts().length === 2);
    await stage.looks();
    expect(stage.texts()).toEqual(['One', 'Two']);
    expect(stage.reader.diagnostics().epoch).not.toBe(epoch);
  });

  it('whose numbers begin again tells what it has that was not told, and nothing from before the line began', async () => {
    const mac = await startMac();
    const journal = journalPath(mac);
    await mac.act('gap', { rows: 60 });
    await mac.act('text', { from: PEER, text: 'Before the line' });
    const first = read({ mac, journal });
    await mac.act('text', { from: PEER, text: 'One' });
    await mac.act('text', { from: PEER, text: 'Late', joinAfterMs: 700 });
    await first.until('one', () => first.texts().length === 1);
    await first.until('the wait', () => first.reader.diagnostics().waiting === 1);
    await stop(first);
    await mac.act('text', { from: PEER, text: 'Two' });
    await mac.settle();
    await mac.act('replaceByRebuilt', { keep: 10 });
    await mac.act('flood', { from: [OTHER_PEER], rows: 20, newest: Date.now() - HOUR_MS });
    await mac.act('text', { from: PEER, text: 'Three' });
    const second = read({ mac, journal });
    await second.until('all', () => second.texts().includes('Three') && second.texts().includes('Late'));
    await second.looks();
    expect(news(second).toSorted()).toEqual(['Late', 'Three', 'Two']);
    expect(second.texts()).not.toContain('One');
    expect(second.texts()).not.toContain('Before the line');
  });
});

describe('a database that cannot be read', () => {
  it('makes the line offline with a sentence, and online again when it can', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await stage.until('it is online', () => stage.healths.length === 1);
    renameSync(mac.chatDb, `${mac.chatDb}.away`);
    await stage.until('it is offline', () => stage.healths.length === 2);
    expect(stage.healths[1]).toMatchObject({ state: 'offline', reason: expect.stringContaining('open Messages') });
    renameSync(`${mac.chatDb}.away`, mac.chatDb);
    await stage.until('it is back', () => stage.healths.length === 3);
    await mac.act('text', { from: PEER, text: 'One' });
    await stage.until('one', () => stage.texts().length === 1);
    expect(stage.healths[2]).toEqual({ state: 'online', reason: null });
  });
});

describe('a database that is locked when the reader comes', () => {
  it('is opened when the lock is gone, and the line begins there', async () => {
    const mac = await startMac();
    await mac.act('text', { from: PEER, text: 'Before' });
    expect(await mac.act('lockOut', { ms: 1_300 })).toBe(true);
    const stage = read({ mac });
    await stage.until('it is online', () => stage.healths.at(-1)?.state === 'online');
    expect(stage.healths[0]).toMatchObject({ state: 'offline', reason: expect.stringContaining('SQLITE_BUSY') });
    await mac.act('text', { from: PEER, text: 'One' });
    await stage.until('one', () => stage.texts().length === 1);
    expect(stage.texts()).toEqual(['One']);
  });
});

describe.each(GENERATIONS)('the questions to the database of %s', (generation) => {
  it('never read a whole table', async () => {
    const mac = await startMac({ generation });
    const { guid } = await mac.act('text', { from: PEER, text: 'https://example.com' });
    await mac.act('ownText', { to: PEER, text: 'Mine' });
    const asked = new Map<string, Parameters<OpenChatDb['all']>[1][]>();
    const real = openChatDb({ path: mac.chatDb, home: mac.home });
    open.readers.push(real);
    const db: OpenChatDb = {
      ...real,
      all: (sql, ...values) => {
        asked.set(sql, values);
        return real.all(sql, ...values);
      },
    };
    const journal = openJournal(journalPath(mac), READER_TABLES);
    open.readers.push(journal);
    const memory = new ReaderMemory(journal.database, mac.line);
    const [row] = rowsByGuid(db, [guid]);
    expect(row).toBeDefined();
    if (row === undefined) return;
    const beginning = findBeginning(db, memory, { cursor: `${db.file}-00.1`, now: Date.now() });
    memory.keepPosition({ ...beginning.position, file: 'other' });
    expect(findBeginning(db, memory, { cursor: null, now: Date.now() }).is).toBe('other');
    isSameNumbering(db, beginning.position, maxRowid(db));
    renewSamples(db, beginning.position);
    rowsAfter(db, 0, 10);
    rowsByRowid(db, [1, 2]);
    ownRowsAfter(db, 0);
    unjoinedRows(db, 0);
    findPreviewed(db, row);
    hasOwnTwin(db, row);
    findChats(db, PEER);
    const told = { guid, asWhat: 'message', isDirect: true, reference: null } as const;
    const states = { isDelivered: false, isRead: false, error: 0, isSettled: false, at: 0 };
    findOwnChanges(db, [{ ...told, ...states }], Date.now());
    const scans = [...asked].flatMap(([sql, values]) =>
      real
        .all(`EXPLAIN QUERY PLAN ${sql}`, ...values)
        .map(({ detail }) => String(detail))
        .filter((detail) => detail.startsWith('SCAN') && !/SCAN (json_each|pragma_table_info)/.test(detail))
        .map((detail) => `${detail}: ${sql}`),
    );
    expect(scans).toEqual([]);
    expect(asked.size).toBeGreaterThan(12);
  });
});

describe('what the sender asks', () => {
  it('is answered by rows and chats, over an exchange of the file', async () => {
    const mac = await startMac();
    const db: ChatDb = createChatDb({ path: mac.chatDb, home: mac.home });
    open.readers.push(db);
    expect(db.maxRowid()).toBe(0);
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: null });
    await mac.act('text', { from: PEER, text: 'Hi' });
    const before = db.maxRowid();
    const { guid } = await mac.act('ownText', { to: group, text: 'Mine', sentAfterMs: null, joinAfterMs: null });
    expect(db.ownRowsAfter(before)).toMatchObject([{ guid, text: 'Mine', chat: null, isSent: false, isFromMe: true }]);
    expect(db.ownRowsAfter(before + 1)).toEqual([]);
    expect(db.rowByGuid(guid)).toMatchObject({ rowid: before + 1 });
    expect(db.rowByGuid('NONE')).toBeNull();
    expect(db.chatsOf(PEER)).toMatchObject([{ identifier: PEER, isGroup: false, participants: [PEER] }]);
    expect(db.chatsOf(group)).toMatchObject([{ identifier: group, isGroup: true, accountLogin: `P:${mac.line}` }]);
    await mac.act('replaceByRebuilt', { keep: 1 });
    expect(db.maxRowid()).toBe(1);
  });
});
