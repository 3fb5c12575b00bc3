/** What sleep, a clock that is set, and long waits do to what is told, and what they must not do. */
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import { type ReaderStage, type StageOptions, startReader } from './reader-stage.ts';

const PEER = '+15550109999';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than a proof that the line is read settles for. */
const SETTLED_MS = 11 * 60_000;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: Partial<StageOptions> = {}): Promise<{ mac: FakeMac; stage: ReaderStage; clock: Clock }> {
  const clock = { aheadMs: 0 };
  const mac = await startFakeMac();
  closing.push(mac.close);
  const stage = startReader({ mac, aheadMs: () => clock.aheadMs, ...options });
  closing.push(stage.stop);
  await stage.looks();
  return { mac, stage, clock };
}
interface Clock {
  aheadMs: number;
}

async function pass(stage: ReaderStage, clock: Clock, ms: number): Promise<void> {
  clock.aheadMs += ms;
  await stage.looks();
}

const olds = (stage: ReaderStage) => stage.of('message').map(({ text, isOld }) => [text, isOld]);

describe('a message from long before it came', () => {
  it('is new where only own rows were written meanwhile, which prove nothing of what arrives', async () => {
    const { mac, stage, clock } = await start();
    clock.aheadMs = HOUR_MS;
    await mac.act('ownText', { to: PEER, text: 'Is anybody there?', sentAfterMs: null, date: Date.now() + HOUR_MS });
    await stage.looks();
    await pass(stage, clock, SETTLED_MS);
    await mac.act('text', { from: PEER, text: 'Written at half past', date: Date.now() + HOUR_MS / 2 });
    await stage.until('it is told', () => stage.of('message').length === 1);
    expect(olds(stage)).toEqual([['Written at half past', false]]);
  });

  it('is new where this Mac slept just after the newest one had come', async () => {
    const { mac, stage, clock } = await start();
    clock.aheadMs = 8 * HOUR_MS;
    await mac.act('text', { from: PEER, text: 'The newest', date: Date.now() + clock.aheadMs });
    await stage.until('the newest is told', () => stage.of('message').length === 1);
    clock.aheadMs = 9 * HOUR_MS;
    await stage.looks();
    await mac.act('text', { from: PEER, text: 'Missed', date: Date.now() + 4 * HOUR_MS });
    await stage.until('it is told', () => stage.of('message').length === 2);
    expect(olds(stage)).toEqual([
      ['The newest', false],
      ['Missed', false],
    ]);
  });
});

describe('a row that waits for its chat', () => {
  it('is waited for anew when this Mac has slept, and told', async () => {
    const { mac, stage, clock } = await start();
    await mac.act('text', { from: PEER, text: 'Good night', joinAfterMs: 3_000 });
    await stage.until('it waits', () => stage.reader.diagnostics().waiting === 1);
    clock.aheadMs = 8 * HOUR_MS;
    await stage.until('it is told', () => stage.of('message').length === 1);
    expect(stage.reader.diagnostics().orphans).toBe(0);
  });

  it('is looked at again at once when the clock was set back', async () => {
    const { mac, stage, clock } = await start();
    clock.aheadMs = HOUR_MS;
    await stage.looks();
    await mac.act('text', { from: PEER, text: 'Late', joinAfterMs: 1_500 });
    await stage.until('it waits', () => stage.reader.diagnostics().waiting === 1);
    clock.aheadMs = 0;
    await stage.until('it is told', () => stage.of('message').length === 1);
  });
});

describe('an own message that Messages took long for', () => {
  it('is not old, and its receipts are told', async () => {
    const item = { state: 'ours', reference: 'obx_1', part: 0, isComplete: true, others: [], file: null } as const;
    const { mac, stage, clock } = await start({ claim: () => item });
    const { guid } = await mac.act('ownText', { to: PEER, text: 'A long film', sentAfterMs: null });
    await stage.looks();
    clock.aheadMs = HOUR_MS;
    await mac.act('text', { from: PEER, text: 'Meanwhile', date: Date.now() + HOUR_MS });
    await pass(stage, clock, SETTLED_MS);
    await mac.act('delivered', { guid });
    await stage.until('it is told', () => stage.of('message').some(({ isFromMe }) => isFromMe));
    expect(olds(stage)).toContainEqual(['A long film', false]);
    await mac.act('read', { guid });
    await stage.until('it was read', () => stage.of('receipt').some(({ receipt }) => receipt === 'read'));
  });
});

describe('a group that was renamed long ago', () => {
  it('keeps the name that it has now', async () => {
    const { mac, stage } = await start();
    const { chat } = await mac.act('createGroup', { participants: [PEER, '+15550109998'], name: 'Now' });
    await mac.act('text', { from: PEER, group: chat, text: 'Hello' });
    await stage.until('the message', () => stage.of('message').length === 1);
    await mac.act('renameGroup', { group: chat, by: PEER, name: 'Trip', agoMs: 1_000 * DAY_MS });
    await stage.until('the change', () => stage.of('chat').length === 1);
    expect(stage.of('chat')).toMatchObject([{ chat: { name: 'Now' } }]);
  });
});
