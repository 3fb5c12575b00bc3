/** What people write comes out of the message database once, and as it was written. */
import { afterEach, describe, expect, it } from 'vitest';
import { GENERATIONS, type Generation } from './fake-mac/generations.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import { journalPath, type ReaderStage, type StageOptions, startReader } from './reader-stage.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const HOUR_MS = 3_600_000;

const open: { mac: FakeMac | null; stages: ReaderStage[] } = { mac: null, stages: [] };

afterEach(async () => {
  for (const stage of open.stages.splice(0)) await stage.stop();
  await open.mac?.close();
  open.mac = null;
});

async function startMac(generation: Generation = 'golden'): Promise<FakeMac> {
  open.mac = await startFakeMac({ generation });
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

describe.each(GENERATIONS)('on %s', (generation) => {
  it('a line begins at the present, and every message of direct chats and groups comes once', async () => {
    const mac = await startMac(generation);
    await mac.act('text', { from: PEER, text: 'Before' });
    const stage = read({ mac });
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hike' });
    const direct = await mac.act('text', { from: PEER, text: 'Hello 👍🏽', textColumn: 'null' });
    await mac.act('text', { from: OTHER_PEER, text: 'All', group, effect: 'com.apple.messages.effect.CKLasersEffect' });
    await mac.act('text', { from: OTHER_PEER, text: 'By SMS', service: 'SMS', replyTo: direct.guid });
    await mac.act('ownText', { to: PEER, text: 'Mine' });
    await stage.until('four messages', () => stage.of('message').length === 4);
    await stage.looks();
    expect(stage.of('message')).toMatchObject([
      {
        guid: direct.guid,
        chat: { identifier: PEER, isGroup: false, name: null, participants: [PEER], service: 'imessage' },
        isFromMe: false,
        sender: PEER,
        text: 'Hello 👍🏽',
        attachments: [],
        service: 'imessage',
        isOld: false,
        awaits: null,
        reference: null,
      },
      {
        chat: { identifier: group, isGroup: true, name: 'Hike', participants: [PEER, OTHER_PEER] },
        sender: OTHER_PEER,
        text: 'All',
        effect: 'lasers',
      },
      { sender: OTHER_PEER, text: 'By SMS', service: 'sms', replyToGuid: direct.guid, chat: { service: 'sms' } },
      { isFromMe: true, sender: mac.line, text: 'Mine', chat: { identifier: PEER }, reference: null },
    ]);
    expect(stage.healths).toEqual([{ state: 'online', reason: null }]);
  });
});

describe('rows that come in pieces', () => {
  it('are told when they stand in a chat, though others have overtaken them', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('text', { from: PEER, text: 'Late', joinAfterMs: 400 });
    await mac.act('text', { from: OTHER_PEER, text: 'Early' });
    await stage.until('both', () => stage.texts().length === 2);
    expect(stage.texts()).toEqual(['Early', 'Late']);
    expect(stage.reader.diagnostics()).toMatchObject({ waiting: 0, lag: 0, orphans: 0 });
  });

  it('are waited for over a restart', async () => {
    const mac = await startMac();
    const journal = journalPath(mac);
    const first = read({ mac, journal });
    await mac.act('text', { from: PEER, text: 'Late', joinAfterMs: 600 });
    await mac.act('text', { from: PEER, text: 'Now' });
    await first.until('the one', () => first.texts().length === 1);
    await first.until('the wait', () => first.reader.diagnostics().waiting === 1);
    await stop(first);
    await mac.settle();
    const second = read({ mac, journal });
    await second.until('the other', () => second.texts().length === 1);
    await second.looks();
    expect([first.texts(), second.texts()]).toEqual([['Now'], ['Late']]);
  });

  it('that never get a chat are orphans after five minutes, and never messages', async () => {
    const mac = await startMac();
    const clock = { aheadMs: 0 };
    const stage = read({ mac, aheadMs: () => clock.aheadMs });
    const { guid } = await mac.act('text', { from: PEER, text: 'Never', joinAfterMs: null });
    const ghost = await mac.act('ghost', { identifier: PEER });
    await stage.until('they wait', () => stage.reader.diagnostics().waiting === 2);
    for (let minutes = 0; minutes < 6; minutes += 0.75) {
      clock.aheadMs = minutes * 60_000;
      await stage.looks();
    }
    await stage.until('they are given up', () => stage.reader.diagnostics().orphans === 2);
    const { newestOrphans, waiting } = stage.reader.diagnostics();
    expect(newestOrphans.map((one) => [one.guid, one.why]).sort()).toEqual(
      [
        [guid, 'unjoined'],
        [ghost.guid, 'ghost'],
      ].sort(),
    );
    expect(waiting).toBe(0);
    expect(stage.of('message')).toEqual([]);
  });

  it('that were written a moment before the first start and joined after it are new', async () => {
    const mac = await startMac();
    await mac.act('text', { from: PEER, text: 'On its way', joinAfterMs: 500 });
    const stage = read({ mac });
    await stage.until('it is told', () => stage.texts().length === 1);
    expect(stage.of('message')).toMatchObject([{ text: 'On its way', isOld: false }]);
  });

  it('and stand in two chats are told once', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('text', { from: PEER, text: 'Twice', alsoIn: [OTHER_PEER] });
    await mac.act('text', { from: PEER, text: 'Once' });
    await stage.until('both', () => stage.texts().length === 2);
    await stage.looks();
    expect(stage.texts()).toEqual(['Twice', 'Once']);
  });
});

describe('a burst', () => {
  it('of rows is told whole, in order, and in reports of no more than two hundred events', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    const steps = Array.from({ length: 450 }, (_, at) => ({
      at: 0,
      name: 'text' as const,
      act: { from: PEER, text: `Nr ${at}` },
    }));
    await mac.play(steps);
    await stage.until('all', () => stage.texts().length === 450);
    expect(stage.texts()).toEqual(steps.map(({ act }) => act.text));
  });

  it('of old rows from iCloud is stored and not announced, while what is written now is new', async () => {
    const mac = await startMac();
    const stage = read({ mac });
    await mac.act('flood', { from: [PEER, OTHER_PEER], rows: 600, newest: Date.now() - HOUR_MS });
    await mac.act('text', { from: PEER, text: 'Live' });
    await stage.until('all', () => stage.texts().length === 601);
    const news = stage.of('message').filter(({ isOld }) => !isOld);
    expect(news.map(({ text }) => text)).toEqual(['Live']);
  });
});

describe('after a restart', () => {
  it('what came while nobody read is new, however old it is by then, and nothing is told again', async () => {
    const mac = await startMac();
    const journal = journalPath(mac);
    const first = read({ mac, journal });
    await mac.act('text', { from: PEER, text: 'One' });
    await first.until('one', () => first.texts().length === 1);
    await stop(first);
    await mac.act('text', { from: PEER, text: 'Two' });
    const second = read({ mac, journal, aheadMs: () => 48 * HOUR_MS });
    await second.until('two', () => second.texts().length === 1);
    await second.looks();
    expect(second.of('message')).toMatchObject([{ text: 'Two', isOld: false }]);
  });

  it('without a journal the server’s cursor says where to go on', async () => {
    const mac = await startMac();
    const first = read({ mac });
    await mac.act('text', { from: PEER, text: 'One' });
    await first.until('one', () => first.texts().length === 1);
    await stop(first);
    await mac.act('text', { from: PEER, text: 'Two' });
    const second = read({ mac, cursor: first.events.at(-1)?.cursor ?? null });
    await second.until('two', () => second.texts().length === 1);
    expect(second.of('message')).toMatchObject([{ text: 'Two', isOld: false }]);
  });

  it('what was reported and not remembered is reported again under its GUID', async () => {
    const mac = await startMac();
    const journal = journalPath(mac);
    let unanswered = 0;
    const first = read({
      mac,
      journal,
      onReport: (events) => {
        if (!events.some(({ kind }) => kind === 'message')) return;
        unanswered += 1;
        throw new Error('The answer was lost.');
      },
    });
    const { guid } = await mac.act('text', { from: PEER, text: 'One' });
    await first.until('it was reported', () => unanswered > 1);
    await stop(first);
    const second = read({ mac, journal });
    await second.until('one', () => second.texts().length === 1);
    expect(second.of('message')).toMatchObject([{ guid, isOld: false }]);
  });
});

describe('a report that is refused', () => {
  it('is made again, and nothing overtakes it', async () => {
    const mac = await startMac();
    let refusals = 0;
    const stage = read({
      mac,
      onReport: (events) => {
        refusals += 1;
        if (refusals < 6 && events.some(({ kind }) => kind === 'message')) throw new Error('The store refuses.');
      },
    });
    await mac.act('text', { from: PEER, text: 'One' });
    await mac.act('text', { from: PEER, text: 'Two' });
    await stage.until('both', () => stage.texts().length === 2);
    await stage.looks();
    expect(stage.texts()).toEqual(['One', 'Two']);
  });
});
