import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../conformance/random.ts';
import type { LineEvent } from '../line-events.ts';
import { toReport } from './disturb.ts';
import type { Entry } from './feed.ts';

const POSITION = 40;

function toEntries(chats: readonly string[]): Entry[] {
  return chats.map((chat, index) => {
    const guid = `GUID-${index}`;
    return { seq: POSITION + 1 + index, chat, visible: true, body: { kind: 'receipt', receipt: 'read', guid, at: 0 } };
  });
}

function guidOf(event: LineEvent): string {
  return event.kind === 'receipt' ? event.guid : '';
}

describe('toReport', () => {
  it('swaps neighbours of different chats, with the cursor before both until both are told', () => {
    const events = toReport(toEntries(['a', 'b', 'b', 'b']), POSITION, { duplicateRate: 0, reorder: true }, () => 0.5);
    expect(events.map((event) => [guidOf(event), event.cursor])).toEqual([
      ['GUID-1', '40'],
      ['GUID-0', '42'],
      ['GUID-2', '43'],
      ['GUID-3', '44'],
    ]);
  });

  it('tells only the cursor of an entry that is not visible', () => {
    const [entry] = toEntries(['a']);
    const hidden = entry === undefined ? [] : [{ ...entry, visible: false }];
    const events = toReport(hidden, POSITION, { duplicateRate: 0, reorder: false }, () => 0.5);
    expect(events).toEqual([{ kind: 'cursor', cursor: '41' }]);
  });

  it('never lets a reader that stops after any event miss one, nor the order of a chat change', () => {
    const chats = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        chats,
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (chats, reorder, rate, seed) => {
          const entries = toEntries(chats);
          const events = toReport(entries, POSITION, { duplicateRate: rate, reorder }, createRandom(seed));
          const told = new Set<string>();
          let last = POSITION;
          for (const event of events) {
            told.add(guidOf(event));
            expect(Number(event.cursor)).toBeGreaterThanOrEqual(last);
            last = Number(event.cursor);
            for (let seq = POSITION + 1; seq <= last; seq += 1)
              expect(told.has(`GUID-${seq - POSITION - 1}`)).toBe(true);
          }
          expect(last).toBe(POSITION + entries.length);
          for (const chat of ['a', 'b', 'c']) {
            const inChat = entries
              .filter((entry) => entry.chat === chat)
              .map(({ seq }) => `GUID-${seq - POSITION - 1}`);
            expect([...told].filter((guid) => inChat.includes(guid))).toEqual(inChat);
          }
        },
      ),
    );
  });
});
