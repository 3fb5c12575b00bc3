/** The record of a message database tells how it is made, and nothing of what anybody wrote, or of whom. */
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillText } from '../src/macos/record/filler-text.ts';
import { createMadeUpNames, fillFilename, fillPath } from '../src/macos/record/made-up-names.ts';
import { type ChatDbRecord, recordChatDb } from '../src/macos/record/record-chat-db.ts';
import { redactRow } from '../src/macos/record/redact-row.ts';
import { decodeAttributedBody } from '../src/macos/text/attributed-body.ts';
import type { Generation } from './fake-mac/generations.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';

const PEER = '+14155550142';
const OWN = '+16465550187';
const MAIL = 'ada.lovelace@analytical.engine';
const SHORT_CODE = '262966';
const ROWS = 200;
const TEXTS = [
  'Lunch at Rosa’s, twelve?',
  'https://rosas.restaurant/menu',
  'Grüße aus Köln 👍🏽',
  'Renamed sightseers',
  'Corrected wording',
  'q'.repeat(200),
];
const NAMES = ['holiday-picture', 'Expedition', 'restaurant', 'lovelace', 'analytical'];

/** A life on the Mac that uses each kind of row. */
async function live(mac: FakeMac): Promise<void> {
  const first = await mac.act('text', { from: PEER, text: TEXTS[0] ?? '', destination: mac.line });
  await mac.act('text', {
    from: MAIL,
    text: TEXTS[2] ?? '',
    replyTo: first.guid,
    effect: 'com.apple.MobileSMS.expressivesend.impact',
  });
  await mac.act('text', { from: SHORT_CODE, text: '845120 is your code', service: 'SMS' });
  await mac.act('textWithBalloon', { from: PEER, text: TEXTS[1] ?? '', url: TEXTS[1] ?? '', balloonAfterMs: 0 });
  const { chat } = await mac.act('createGroup', { participants: [PEER, MAIL], name: 'Expedition' });
  const { guid } = await mac.act('text', { from: PEER, text: TEXTS[5] ?? '', group: chat });
  await mac.act('renameGroup', { group: chat, by: MAIL, name: TEXTS[3] ?? '' });
  await mac.act('react', { from: MAIL, guid, type: 2000, added: true });
  await mac.act('edit', { guid, text: TEXTS[4] ?? '' });
  await mac.act('files', {
    from: PEER,
    parts: [{ text: 'Look' }, { file: { name: 'holiday-picture.jpg', mimeType: 'image/jpeg', bytes: 'QUJD' } }],
  });
  await mac.act('ownText', { to: PEER, text: 'My own secret words', sentAfterMs: 0 });
  await mac.act('selfChat', { text: 'A note to myself alone', gapMs: 0 });
  const gone = await mac.act('text', { from: PEER, text: 'Gone for good' });
  await mac.act('delete', { guid: gone.guid });
  await mac.act('recentlyDelete', { guid: first.guid });
  await mac.settle();
}

describe.each(['ventura', 'golden'] as const)('a record of %s', (generation: Generation) => {
  let mac: FakeMac;
  let record: ChatDbRecord;
  beforeAll(async () => {
    mac = await startFakeMac({ generation, line: OWN });
    await live(mac);
    record = recordChatDb(mac.chatDb, ROWS);
  });
  afterAll(() => mac.close());

  function real(sql: string): string[] {
    const database = new Database(mac.chatDb, { readonly: true });
    const rows = database.prepare<[], { value: unknown }>(sql).all();
    database.close();
    return rows.map(({ value }) => String(value)).filter((value) => value !== 'null' && value !== '');
  }

  /** The record as it is written, with the texts of its bodies, which lie in it as base64. */
  function everything(): string {
    const bodies = (record.tables['message'] ?? []).map(({ attributedBody: body }) =>
      typeof body === 'object' && body !== null && 'base64' in body
        ? Buffer.from(body.base64, 'base64').toString()
        : '',
    );
    return `${JSON.stringify(record)}\n${bodies.join('\n')}`;
  }

  it('has no text, no handle, no name and no GUID of anybody', () => {
    const said = everything().toLowerCase();
    const guids = [
      ...real('SELECT guid AS value FROM message'),
      ...real('SELECT guid AS value FROM deleted_messages'),
      ...real('SELECT guid AS value FROM attachment'),
      ...real('SELECT guid AS value FROM chat'),
      ...real('SELECT chat_identifier AS value FROM chat'),
      ...real('SELECT group_id AS value FROM chat'),
      ...real('SELECT account_id AS value FROM chat'),
      ...real('SELECT account_guid AS value FROM message'),
    ];
    expect(guids.length).toBeGreaterThan(20);
    const words = TEXTS.flatMap((text) => text.split(/[^\p{L}]+/u)).filter((word) => word.length > 3);
    const secrets = [...guids, ...words, ...TEXTS, ...NAMES, 'secret', 'myself', 'Gone for', '845120'];
    const handles = [PEER, PEER.slice(2), MAIL, SHORT_CODE, mac.line.slice(1)];
    for (const one of [...secrets, ...handles]) expect(said, one).not.toContain(one.toLowerCase());
  });

  it('has the moments of nobody, in their order and their distances', () => {
    const dates = (record.tables['message'] ?? []).map(({ date }) => BigInt(String(date)));
    const before = real('SELECT date AS value FROM (SELECT CAST(date AS TEXT) AS date FROM message ORDER BY ROWID)');
    const distances = (all: readonly bigint[]) => all.map((one) => one - (all[0] ?? 0n));
    expect(distances(dates)).toEqual(distances(before.map(BigInt)));
    for (const one of before) expect(everything()).not.toContain(one);
  });

  it('has a body for each body, as long as it was, that the decoder reads with all its parts', () => {
    expect(record.bodies.unreadable).toBe(0);
    expect(record.bodies.read).toBeGreaterThan(7);
    const rows = record.tables['message'] ?? [];
    const texts = real(
      "SELECT coalesce(text, 'own') AS value FROM message WHERE attributedBody IS NOT NULL ORDER BY ROWID",
    );
    const bodies = rows.flatMap(({ attributedBody: body, text }) =>
      typeof body === 'object' && body !== null && 'base64' in body
        ? [{ body: decodeAttributedBody(Buffer.from(body.base64, 'base64')), text }]
        : [],
    );
    expect(bodies).toHaveLength(texts.length);
    for (const [at, { body, text }] of bodies.entries()) {
      if (text === null) continue;
      expect(body?.text).toBe(text);
      expect(body?.text.length).toBe(texts[at]?.length);
    }
    const withFile = bodies.find(({ body }) => body?.text.includes('\ufffc'));
    const [attachment] = record.tables['attachment'] ?? [];
    expect(withFile?.body?.runs.map(({ transferGuid }) => transferGuid)).toContain(attachment?.['guid']);
  });

  it('keeps what belongs together together', () => {
    const [handle] = record.tables['handle'] ?? [];
    const chats = record.tables['chat'] ?? [];
    expect(chats.map((chat) => chat['chat_identifier'])).toContain(handle?.['id']);
    const messages = record.tables['message'] ?? [];
    const tapback = messages.find((row) => row['associated_message_type'] === '2000');
    const [, target] = String(tapback?.['associated_message_guid']).split('/');
    expect(messages.map((row) => row['guid'])).toContain(target);
    expect(record.tables['chat_message_join']?.length).toBeGreaterThan(5);
    expect(record.tables['chat_recoverable_message_join']).toHaveLength(1);
    expect(record.tables['deleted_messages']).toHaveLength(1);
  });

  it('has the schema, and counts of every kind of message', () => {
    expect(record.schema.some((one) => one.startsWith('CREATE TABLE message ('))).toBe(true);
    const total = record.counts.reduce((sum, one) => sum + Number(one['messages']), 0);
    expect(total).toBe(real('SELECT guid AS value FROM message').length);
    expect(record.counts.some((one) => one['associated_message_type'] === '2000')).toBe(true);
  });

  it('leaves out what it does not know: payloads, summaries, and the columns of releases to come', () => {
    const texts = new Set(
      record.tables['message']?.flatMap((row) => [row['payload_data'], row['message_summary_info']]),
    );
    for (const one of texts) expect(one === null || (typeof one === 'object' && 'left_out' in one)).toBe(true);
    expect([...texts].filter((one) => one !== null)).not.toEqual([]);
  });

  it('has as many messages as were asked for, the newest, and changes nothing', () => {
    const size = readFileSync(mac.chatDb).length;
    const few = recordChatDb(mac.chatDb, 2).tables['message'] ?? [];
    const newest = real('SELECT ROWID AS value FROM message ORDER BY ROWID DESC LIMIT 2');
    expect(few.map(({ ROWID }) => ROWID)).toEqual(newest.reverse());
    expect(readFileSync(mac.chatDb).length).toBe(size);
  });
});

describe('what no release has today', () => {
  const redaction = { names: createMadeUpNames(), shift: 0n };
  const redact = (column: string, value: bigint | number | string | Uint8Array) =>
    redactRow('message', { [column]: value }, redaction)[column];

  it('is left out where it is words, bytes or a fraction', () => {
    expect(redact('mood', 'gloomy')).toEqual({ left_out: 'a text of 6' });
    expect(redact('service', 'gloomy')).toEqual({ left_out: 'a text of 6' });
    expect(redact('balloon_bundle_id', 'com.example.game')).toEqual({ left_out: 'a text of 16' });
    expect(redact('mood_data', Buffer.from('gloomy'))).toEqual({ left_out: '6 bytes' });
    expect(redact('attributedBody', Buffer.from('gloomy'))).toEqual({ left_out: '6 bytes' });
    expect(redact('latitude', 52.52)).toEqual({ left_out: 'a number with a fraction' });
    expect(redact('mood_level', 7n)).toBe('7');
  });

  it('is moved like every moment where it is one, save what no clock shows', () => {
    const moved = { names: createMadeUpNames(), shift: 5_000_000_000n };
    const row = { date_x: 10_000_000_000_000_000n, created_date: 700_000_000n, date: 0n, date_read: 2n ** 63n - 1n };
    expect(redactRow('message', row, moved)).toEqual({
      date_x: '10000005000000000',
      created_date: '700000005',
      date: '0',
      date_read: '9223372036854775807',
    });
  });
});

describe('filler', () => {
  it('is as long as the text in UTF-16 and in UTF-8, and has none of its letters and digits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const filler = fillText(text);
        expect(filler.length).toBe(text.length);
        expect(Buffer.byteLength(filler)).toBe(Buffer.byteLength(text));
        expect(filler).not.toMatch(/[a-wyzA-WYZ1-9]/);
      }),
    );
    expect(fillText('Hello wörld, 42!\n')).toBe('Xxxxx xéxxx. 00.\n');
    expect(fillText('नमस्ते')).toBe('字字字\u302a字\u302a');
    expect(fillText(fillText('Grüße 👍🏽'))).toBe(fillText('Grüße 👍🏽'));
  });

  it('keeps of a file the ending that everybody has', () => {
    expect(fillFilename('My passport.HEIC')).toBe('Xx xxxxxxxx.HEIC');
    expect(fillFilename('dr.smith')).toBe('xx.xxxxx');
    expect(fillPath('~/Library/Messages/Attachments/ab/12/at_0_F1/Tax 2025.pdf')).toBe(
      '~/Library/Messages/Attachments/xx/00/xx.0.X0/Xxx 0000.pdf',
    );
    expect(fillPath('/Users/ada/x.jpg')).toBe('/Xxxxx/xxx/x.jpg');
  });
});

describe('made-up names', () => {
  it('are the same for the same, and of the same form', () => {
    const names = createMadeUpNames();
    expect(names.handle(PEER)).toBe('+15550100001');
    expect(names.handle(MAIL)).toBe('person2@example.org');
    expect(names.handle(SHORT_CODE)).toBe('10003');
    expect(names.handle('urn:biz:abc')).toMatch(/^urn:biz:0+-/);
    expect(names.identifier(PEER)).toBe('+15550100001');
    expect(names.reference(`any;-;${PEER}`)).toBe('any;-;+15550100001');
    expect(names.account(`P:${PEER}`)).toBe('P:+15550100001');
    expect(names.account('E:')).toBe('E:');
    expect(names.identifier('chat839201')).toBe('chat000000000000000001');
    expect(names.identifier('0123456789abcdef0123456789abcdef')).toMatch(/^0+1$/);
    const guid = names.guid('8FE7C5A0-1111-2222-3333-444455556666');
    expect(names.reference('p:0/8FE7C5A0-1111-2222-3333-444455556666')).toBe(`p:0/${guid}`);
    expect(names.reference('at_1_8FE7C5A0-1111-2222-3333-444455556666')).toBe(`at_1_${guid}`);
    expect(names.guid('')).toBe('');
  });
});
