/** Sender and reader of one Mac on one journal: what was sent is reported as the echo of its item, each part once. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LineEvent, MessageSeen } from '../src/line-events.ts';
import { createChatDbReader } from '../src/macos/chat-db/reader.ts';
import { READER_TABLES } from '../src/macos/chat-db/reader-tables.ts';
import { openJournal } from '../src/macos/journal.ts';
import { arrange, DIRECT, fileOf, PEER, startSendingMac, textTo } from './sending-mac.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start() {
  const scene = await startSendingMac();
  closing.push(scene.close);
  const events: LineEvent[] = [];
  const journal = openJournal(join(scene.mac.folder, 'journal.db'), READER_TABLES);
  const abort = new AbortController();
  const reader = createChatDbReader({
    chatDb: scene.mac.chatDb,
    home: scene.mac.home,
    line: scene.mac.line,
    journal,
    ownRows: scene.sender.ownRows,
    context: {
      now: Date.now,
      random: () => 0.5,
      log: () => undefined,
      report: async (reported) => void events.push(...reported),
      health: () => undefined,
      files: { read: () => Promise.reject(new Error('Nothing goes out here.')), write: async () => 'file_1' },
      signal: abort.signal,
    },
    timings: { pollMs: 30 },
  });
  await reader.start(null);
  closing.push(async () => {
    await reader.stop();
    journal.close();
  });
  const messages = (): MessageSeen[] => events.flatMap((event) => (event.kind === 'message' ? [event] : []));
  return { scene, events, messages };
}

describe('what was sent', () => {
  it('comes back under its item, in its parts, and is whole with the last of them', async () => {
    const { scene, messages } = await start();
    await arrange(scene, { does: 'split' }, { when: { what: 'text' }, times: 1 });
    const text = 'See https://example.com/a and https://example.com/b';
    const command = { ...textTo(DIRECT, 'obx_1', text), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    const disposition = await scene.send(command);
    await expect.poll(() => messages().length, { timeout: 15_000 }).toBe(4);
    await scene.mac.act('ownText', { to: PEER, text: 'From my phone' });
    await expect.poll(() => messages().length, { timeout: 15_000 }).toBe(5);
    expect(messages().map(({ reference, itemPart, isWholeItem }) => [reference, itemPart, isWholeItem])).toEqual([
      ['obx_1', 0, false],
      ['obx_1', 2, false],
      ['obx_1', 3, false],
      ['obx_1', 1, true],
      [null, 0, true],
    ]);
    expect(disposition).toEqual({ state: 'sent', guid: messages()[0]?.guid });
  });

  it('is not whole where its text is refused while its file goes out', async () => {
    const { scene, events, messages } = await start();
    await arrange(scene, { does: 'fail', error: 22, afterMs: 1_500 }, { when: { what: 'text' }, times: 1 });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    expect((await scene.send(command)).state).toBe('sent');
    await expect.poll(() => events.map(({ kind }) => kind), { timeout: 15_000 }).toContain('failure');
    expect(messages().map(({ itemPart, isWholeItem }) => [itemPart, isWholeItem])).toEqual([[1, false]]);
  });

  it('and failed later is reported as a failure of its item', async () => {
    const { scene, events, messages } = await start();
    await arrange(scene, { does: 'fail', error: 22, afterMs: 300 });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).state).toBe('sent');
    const failure = { kind: 'failure', reference: 'obx_1', reason: expect.stringMatching(/error 22/) };
    await expect.poll(() => events, { timeout: 15_000 }).toContainEqual(expect.objectContaining(failure));
    expect(messages()).toEqual([]);
  });
});
