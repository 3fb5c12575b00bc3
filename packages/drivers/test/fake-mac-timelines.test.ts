/** Random timelines leave behind what their oracle says, and the judge of a bridge is a fair one. */
import { Unarchiver } from '@parseaple/typedstream';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from './fake-mac/chat-db.ts';
import { GENERATIONS } from './fake-mac/generations.ts';
import { judge, type Told } from './fake-mac/judge.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import { playTimeline, timelines } from './fake-mac/timelines.ts';

const RUNS = 6;
const RUN_MS = 60_000;
const DAY_MS = 86_400_000;

/** All that a reader finds at the end, when nothing can be late any more: the easy part of a bridge. */
function readAtTheEnd(mac: FakeMac): Told[] {
  const reader = new Database(mac.chatDb, { readonly: true });
  try {
    const isScheduled = mac.generation === 'ventura' ? '0' : 'm.schedule_type = 2 AND m.schedule_state = 1';
    return reader
      .prepare<[], Row>(
        `SELECT m.guid, m.attributedBody AS body, m.is_from_me AS mine, CAST(m.date / 1000000 AS INTEGER) AS date,
                h.id AS sender, c.chat_identifier AS chat
           FROM message m JOIN chat c ON c.ROWID = (SELECT min(chat_id) FROM chat_message_join WHERE message_id = m.ROWID)
           LEFT JOIN handle h ON h.ROWID = m.handle_id
          WHERE m.associated_message_type = 0 AND m.item_type = 0 AND NOT (${isScheduled})`,
      )
      .all()
      .flatMap((row) => toTold(mac, row));
  } finally {
    reader.close();
  }
}

function toTold(mac: FakeMac, row: Row): Told[] {
  const text = textOf(row['body'])?.replaceAll('\uFFFC', '') ?? null;
  const isTwin = row['mine'] === 0 && row['chat'] === mac.line;
  if (text === '\uFFFD' || isTwin) return [];
  const sender = row['sender'] === mac.line ? row['chat'] : row['sender'];
  return [
    {
      guid: String(row['guid']),
      chat: String(row['chat']),
      isFromMe: row['mine'] === 1,
      sender: String(sender),
      text,
      isOld: Date.now() - (Number(row['date']) + 978_307_200_000) > DAY_MS,
    },
  ];
}

function textOf(body: unknown): string | null {
  if (!(body instanceof Uint8Array)) return null;
  const root: unknown = Unarchiver.open(Buffer.from(body), Unarchiver.BinaryDecoding.decodable).decodeSingleRoot();
  return typeof root === 'object' && root !== null && 'string' in root ? String(root.string) : null;
}

describe('a timeline', () => {
  it(
    'leaves the rows behind that its oracle expects',
    async () => {
      const property = fc.asyncProperty(fc.constantFrom(...GENERATIONS), timelines(), async (generation, timeline) => {
        const mac = await startFakeMac({ generation });
        try {
          const expected = await playTimeline(mac, timeline);
          expect(judge(expected, readAtTheEnd(mac))).toEqual([]);
        } finally {
          await mac.close();
        }
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: false });
    },
    RUNS * RUN_MS,
  );
});

describe('the judge', () => {
  it('finds what was lost, told twice, told wrongly, or is no message', async () => {
    const mac = await startFakeMac();
    try {
      const from = '+15550109999';
      const told = await mac.act('text', { from, text: 'Told' });
      await mac.act('text', { from, text: 'Lost' });
      const { guid: target, preview } = await mac.act('textWithPreview', {
        from,
        text: 'https://example.com/a',
        url: 'https://example.com/a',
        previewAfterMs: 1,
      });
      const reaction = await mac.act('react', { from, guid: target, type: 2000, added: true });
      const orphan = await mac.act('text', { from, text: 'Never', joinAfterMs: null });
      const deleted = await mac.act('text', { from, text: 'Deleted' });
      await mac.act('delete', { guid: deleted.guid });
      await mac.settle();
      const expected = await mac.act('oracle', {});
      const one: Told = { guid: told.guid, chat: from, isFromMe: false, sender: from, text: 'Told', isOld: false };
      const rightly = [one, { ...one, guid: target, text: 'https://example.com/a' }];
      expect(judge(expected, rightly)).toEqual([expect.stringContaining('was lost: Lost')]);
      const wrongly = [preview, reaction.guid, orphan.guid, 'X'].map((guid) => ({ ...one, guid }));
      expect(judge(expected, [...rightly, one, ...wrongly])).toEqual([
        expect.stringContaining('twice'),
        expect.stringContaining('by itself'),
        expect.stringContaining('(reaction)'),
        expect.stringContaining('(orphan)'),
        expect.stringContaining('(unknown)'),
        expect.stringContaining('was lost'),
      ]);
      const [, ...others] = rightly;
      expect(judge(expected, [{ ...one, text: 'Other', isOld: true, sender: 'X' }, ...others])).toHaveLength(4);
    } finally {
      await mac.close();
    }
  });

  it('excuses a bridge with gaps from what came long after its date, about when the database was replaced', async () => {
    const mac = await startFakeMac();
    try {
      const flood = { from: ['+15550109999'], rows: 3, agoMs: 30 * DAY_MS };
      await mac.act('text', { from: '+15550109999', text: 'New' });
      await mac.act('flood', flood);
      await mac.act('replaceByCopy', {});
      await mac.act('flood', flood);
      await mac.settle();
      const expected = await mac.act('oracle', {});
      const lost = (hasGaps: boolean) => judge(expected, [], { hasGaps }).length;
      expect([lost(false), lost(true)]).toEqual([7, 1]);
    } finally {
      await mac.close();
    }
  });
});
