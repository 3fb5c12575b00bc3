/**
 * Random days on a Mac, with restarts, lost answers, and databases that are exchanged: every message is told, under one
 * GUID and as it was, and nothing that is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { LineEvent, MessageSeen } from '../src/line-events.ts';
import { GENERATIONS, type Generation } from './fake-mac/generations.ts';
import { judge } from './fake-mac/judge.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import type { Expected, ExpectedMessage } from './fake-mac/oracle.ts';
import { playTimeline, timelines } from './fake-mac/timelines.ts';
import { journalPath, type ReaderStage, startReader } from './reader-stage.ts';

const PEERS = ['+15550109999', '+15550109998', 'ann@example.com'] as const;
const ACTS = 70;
const HOUR_MS = 3_600_000;
const SEEDS = [3, 8];
const RUNS = 4;
const RUN_MS = 60_000;

const open: { mac: FakeMac | null; stage: ReaderStage | null } = { mac: null, stage: null };

afterEach(async () => {
  await open.stage?.stop();
  await open.mac?.close();
  open.mac = null;
  open.stage = null;
});

function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Does one thing that may happen on a Mac. */
async function actAtRandom(mac: FakeMac, random: () => number, group: string, at: number): Promise<void> {
  const from = PEERS[Math.floor(random() * PEERS.length)] ?? PEERS[0];
  const some = (ms: number): number => Math.floor(random() * ms);
  const where = random() < 0.3 ? { group } : {};
  const text = `Nr ${at} ${'é👍'.repeat(some(40))}`;
  const joinAfterMs = random() < 0.4 ? some(600) : 0;
  const url = `https://example.com/${at}`;
  const bytes = Buffer.from(`bytes ${at}`).toString('base64');
  const arrival = { rowAfterMs: some(200), doneAfterMs: some(400), fileAfterMs: some(400) };
  const acts: readonly (() => Promise<unknown>)[] = [
    () => mac.act('text', { from, text, joinAfterMs, ...where, textColumn: random() < 0.5 ? 'cut' : 'null' }),
    () => mac.act('text', { from, text, joinAfterMs, ...where }),
    () => mac.act('text', { from, text, joinAfterMs: null }),
    () => mac.act('textWithPreview', { from, text: `${text} ${url}`, url, previewAfterMs: some(800), joinAfterMs }),
    () =>
      mac.act('files', {
        from,
        parts: [{ text }, { file: { name: `${at}.jpg`, mimeType: null, bytes } }],
        arrival,
        joinAfterMs,
        ...where,
      }),
    () =>
      mac.act('ownText', { to: from, text, sentAfterMs: some(300), deliveredAfterMs: 300 + some(300), joinAfterMs }),
    () => mac.act('ownText', { to: from, text, deliveredAfterMs: some(300), readAfterMs: 300 + some(300) }),
    () => mac.act('selfChat', { text, gapMs: some(400) }),
    () => mac.act('ghost', { identifier: from }),
    () => mac.act('gap', { rows: 3 }),
    () => mac.act('flood', { from: [from], rows: 30, newest: Date.now() - HOUR_MS }),
    () => mac.act(random() < 0.5 ? 'checkpoint' : 'rotate', {}),
    () => (random() < 0.5 ? mac.act('replaceByCopy', {}) : mac.act('replaceByRebuilt', { keep: 100_000 })),
  ];
  await acts[Math.floor(random() * acts.length)]?.();
}

interface Server {
  /** What it stored; messages once for each GUID. */
  readonly messages: Map<string, MessageSeen>;
  readonly events: LineEvent[];
}

function take(server: Server, events: readonly LineEvent[]): void {
  for (const event of events) {
    server.events.push(event);
    // The same GUID again is harmless, and the first sighting stands.
    if (event.kind === 'message' && !server.messages.has(event.guid)) server.messages.set(event.guid, event);
  }
}

/** What can be held against what the server has, whether it has it yet or not. */
function compare(expected: readonly Expected[], server: Server): string[] {
  const wrong: string[] = [];
  const messages = expected.filter((one): one is ExpectedMessage => one.what === 'message');
  const known = new Set(messages.map(({ guid }) => guid));
  for (const guid of server.messages.keys()) if (!known.has(guid)) wrong.push(`${guid} is no message`);
  for (const message of messages) {
    const seen = server.messages.get(message.guid);
    if (seen === undefined) {
      // What a sync brought in just before the database was exchanged is not looked for again.
      if (!message.isOld) wrong.push(`missing ${message.guid} ${message.text}`);
      continue;
    }
    wrong.push(...differences(message, seen, server.events));
  }
  return wrong;
}

function differences(message: ExpectedMessage, seen: MessageSeen, events: readonly LineEvent[]): string[] {
  const files = message.attachments.map(
    (_, place) =>
      seen.attachments[place]?.file ??
      events.find((one) => one.kind === 'attachment' && one.guid === message.guid && one.place === place),
  );
  const receipts = message.later.flatMap(({ what }) => (what === 'delivered' || what === 'read' ? [what] : []));
  const toldReceipts = receipts.filter((what) =>
    events.some((one) => {
      if (one.kind === 'receipt') return one.receipt === what && one.guid === message.guid;
      const is = what === 'delivered' ? 'deliveredAt' : 'readAt';
      return one.kind === 'message' && one.guid === message.guid && one[is] !== null;
    }),
  );
  const pieces = message.isFromMe ? [] : message.rows.slice(1);
  const toldPieces = pieces.filter((row) =>
    events.some((one) => one.kind === 'part' && one.guid === row && one.partOf === message.guid),
  );
  const checks: readonly [string, unknown, unknown][] = [
    ['text', message.text, seen.text],
    ['chat', message.chat, seen.chat.identifier],
    ['group', message.isGroup, seen.chat.isGroup],
    ['own', message.isFromMe, seen.isFromMe],
    ['sender', message.sender ?? 'own', seen.isFromMe ? 'own' : seen.sender],
    ['old', message.isOld, seen.isOld],
    ['files', message.attachments.length, files.filter((file) => file !== undefined && file !== null).length],
    ['receipts', receipts.length, toldReceipts.length],
    ['pieces', pieces.length, toldPieces.length],
  ];
  return checks.flatMap(([what, should, is]) =>
    should === is ? [] : [`${message.guid} ${what}: ${should}, not ${is}`],
  );
}

describe.each(GENERATIONS)('on %s', (generation: Generation) => {
  it.each(SEEDS)('a day of seed %i is told as it was', async (seed) => {
    const random = randomOf(seed);
    const mac = await startFakeMac({ generation });
    open.mac = mac;
    const journal = journalPath(mac);
    const server: Server = { messages: new Map(), events: [] };
    const start = (): ReaderStage => {
      const stage = startReader({
        mac,
        journal,
        onReport: (events) => {
          const luck = random();
          if (luck < 0.1) throw new Error('The server did not get it.');
          take(server, events);
          if (luck < 0.2) throw new Error('The answer was lost.');
        },
      });
      open.stage = stage;
      return stage;
    };
    let stage = start();
    const { chat: group } = await mac.act('createGroup', { participants: PEERS, name: 'All' });
    for (let at = 0; at < ACTS; at += 1) {
      await actAtRandom(mac, random, group, at);
      await sleep(random() * 60);
      if (random() > 0.06) continue;
      open.stage = null;
      await stage.stop();
      await sleep(random() * 300);
      stage = start();
    }
    await mac.settle();
    const expected = await mac.act('oracle', {});
    await stage.until('all is told', () => compare(expected, server).length === 0).catch(() => undefined);
    await stage.looks();
    expect(compare(expected, server)).toEqual([]);
    const repeated = stage.of('message').map(({ guid }) => guid);
    expect(new Set(repeated).size).toBe(repeated.length);
  });
});

/** What is taken back, and what is from long ago when the database is exchanged, need not be told. */
function mayBeMissing(expected: readonly Expected[], fault: string): boolean {
  return expected.some(
    (one) =>
      one.what === 'message' &&
      fault.startsWith(`${one.guid} was lost`) &&
      (one.isOld || one.later.some(({ what }) => what === 'unsent' || what === 'part_unsent')),
  );
}

describe('stories that overlap', () => {
  it(
    'are told as their judge demands',
    async () => {
      const limits = { stories: 20, lengthMs: 2_000, floodRows: 80 };
      const property = fc.asyncProperty(
        fc.constantFrom(...GENERATIONS),
        timelines(limits),
        async (generation, timeline) => {
          const mac = await startFakeMac({ generation });
          open.mac = mac;
          const stage = startReader({ mac });
          open.stage = stage;
          const expected = await playTimeline(mac, timeline);
          const faults = (): string[] =>
            judge(
              expected,
              stage.of('message').map(({ chat, ...told }) => ({ ...told, chat: chat.identifier })),
            ).filter((fault) => !mayBeMissing(expected, fault));
          await stage.until('the judge is content', () => faults().length === 0).catch(() => undefined);
          await stage.looks();
          expect(faults()).toEqual([]);
          open.stage = null;
          await stage.stop();
          await mac.close();
        },
      );
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    },
    RUNS * RUN_MS,
  );
});
