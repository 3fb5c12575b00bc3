/** Whatever Messages does with a message, it is said how certain the outcome is, and nothing goes out twice. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Disposition } from '../src/line-driver.ts';
import type { Outcome } from './fake-mac/behaviour.ts';
import { uuidOf } from './fake-mac/chat-db.ts';
import {
  arrange,
  claimAll,
  DIRECT,
  fileOf,
  OTHER_PEER,
  PEER,
  type SendingMac,
  sendsOf,
  startSendingMac,
  textTo,
} from './sending-mac.ts';

const open: SendingMac[] = [];
const SENTENCE = /^\w+ .*\.$/;

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function start(...options: Parameters<typeof startSendingMac>): Promise<SendingMac> {
  const scene = await startSendingMac(...options);
  open.push(scene);
  return scene;
}

/** What a text comes to while Messages does this, once, and what the next attempt of it comes to. */
async function sendTwice(scene: SendingMac, outcome: Outcome): Promise<readonly Disposition[]> {
  await arrange(scene, outcome);
  const first = await scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
  await scene.mac.settle();
  return [first, await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 2))];
}

describe('an error of the look-up', () => {
  it.each([
    [-1743, /Automation/],
    [-1744, /Automation/],
    [-1719, /signed in/],
    [-1700, /-1700/],
    [-1712, /did not answer/],
    [-10_810, /could not be started/],
  ])('%d has not started, says what to do, and the next attempt goes out', async (error, words) => {
    const scene = await start();
    const times = error === -10_810 ? 2 : 1;
    await arrange(scene, { does: 'refuse', error }, { times });
    const first = await scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
    expect(first).toEqual({ state: 'not_started', reason: expect.stringMatching(SENTENCE) });
    expect(first).toEqual({ state: 'not_started', reason: expect.stringMatching(words) });
    expect(await scene.sender.find([{ reference: 'obx_1', attempt: 1 }])).toEqual(
      new Map([['obx_1', { state: 'not_started' }]]),
    );
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 2))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Hello']);
  });

  it('where Messages does not run opens it and tries once more', async () => {
    const scene = await start();
    await scene.mac.act('setRunning', { isRunning: false });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).state).toBe('sent');
    expect(scene.mac.programCalls().map(({ argv }) => argv)).toEqual([['-gj', '-b', 'com.apple.MobileSMS']]);
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Hello']);
  });

  it('for a direct chat that is not live takes the way by the account', async () => {
    const scene = await start();
    await scene.mac.act('setLiveIds', { ids: [{ guid: `any;-;${PEER}`, live: null }] });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).state).toBe('sent');
    const file = fileOf(scene, 'hike.jpg', 'a picture');
    expect((await scene.send({ ...textTo(DIRECT, 'obx_2', null), attachments: [file] })).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Hello', 'hike.jpg']);
    expect(sendsOf(scene)).toEqual(['text by chat', 'text by participant', 'file by chat', 'file by participant']);
    expect(scene.mac.osascriptCalls().at(-1)?.argv.slice(0, 2)).toEqual([uuidOf(scene.mac.line), PEER]);
  });

  it('for a group takes the id under which it is live, and never one that is no group', async () => {
    const scene = await start();
    const { chat, guid } = await scene.mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hikers' });
    const group = { identifier: chat, isGroup: true };
    await scene.mac.act('setLiveIds', { ids: [{ guid, live: `iMessage;+;${chat}` }] });
    expect((await scene.send(textTo(group, 'obx_1', 'All'))).state).toBe('sent');
    await scene.mac.act('setLiveIds', { ids: [{ guid, live: `any;-;${chat}` }] });
    const second = await scene.send(textTo(group, 'obx_2', 'All of you'));
    expect(second).toEqual({ state: 'not_started', reason: expect.stringMatching(/open it once in Messages/) });
    await scene.mac.settle();
    expect(await scene.received(chat)).toEqual(['All']);
    expect(sendsOf(scene)).toHaveLength(3);
  });

  it('for a group that is not live opens it by its link, once', async () => {
    const scene = await start();
    const { chat, guid } = await scene.mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hikers' });
    const group = { identifier: chat, isGroup: true };
    await scene.mac.act('setLiveIds', { ids: [{ guid, live: null }] });
    expect((await scene.send(textTo(group, 'obx_1', 'All'))).state).toBe('not_started');
    expect(scene.mac.programCalls().map(({ argv }) => argv)).toEqual([['-g', `imessage://open?groupid=${chat}`]]);
    expect(sendsOf(scene)).toEqual(['text by chat']);
    await scene.mac.act('setLiveIds', { ids: [{ guid, live: null }], comeByLink: true });
    expect((await scene.send(textTo(group, 'obx_1', 'All', 2))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received(chat)).toEqual(['All']);
  });
});

describe('an error of the send itself', () => {
  it('with the row written is a message that was sent', async () => {
    const scene = await start();
    const [first, second] = await sendTwice(scene, { does: 'break', error: -1712, writesRow: true });
    expect(first?.state).toBe('sent');
    expect(second).toEqual(first);
    expect(await scene.received()).toEqual(['Hello']);
    expect(sendsOf(scene)).toHaveLength(1);
  });

  it.each([-1712, -1728, -1700, -10_000, -609])('%d without a row is unknown for good', async (error) => {
    const scene = await start({ timings: { textRowMs: 200 } });
    const both = await sendTwice(scene, { does: 'break', error, writesRow: false });
    expect(both).toEqual(both.map(() => ({ state: 'unknown', reason: expect.stringMatching(SENTENCE) })));
    expect(await scene.sender.find([{ reference: 'obx_1', attempt: 2 }])).toEqual(
      new Map([['obx_1', { state: 'unknown' }]]),
    );
    expect(sendsOf(scene)).toHaveLength(1);
  });

  it.each([-1743, -1744, -600])('%d proves that nothing went out', async (error) => {
    const scene = await start();
    await arrange(scene, { does: 'break', error, writesRow: false }, { times: error === -600 ? 2 : 1 });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).state).toBe('not_started');
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 2))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Hello']);
  });

  it('ends an item of several parts: what was to follow is never sent', async () => {
    const scene = await start({ timings: { textRowMs: 200 } });
    await arrange(scene, { does: 'break', error: -1712, writesRow: false });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    expect(await scene.send(command)).toEqual({ state: 'unknown', reason: expect.stringMatching(/^The text: /) });
    expect((await scene.send({ ...command, attempt: 2 })).state).toBe('unknown');
    expect(sendsOf(scene)).toEqual(['text by chat']);
  });
});

describe('a script that does not end', () => {
  it.each([
    [true, 'sent'],
    [false, 'unknown'],
  ])('is killed; with a row (%s) the message is %s', async (writesRow, state) => {
    const scene = await start({ timings: { textLimitMs: 4_000, textRowMs: 200 } });
    const both = await sendTwice(scene, { does: 'hang', writesRow });
    expect(both.map((one) => one.state)).toEqual([state, state]);
    expect(await scene.received()).toEqual(writesRow ? ['Hello'] : []);
    expect(sendsOf(scene)).toHaveLength(1);
  });
});

describe('a success', () => {
  it('without a row is accepted, and a row that comes later is its echo', async () => {
    const scene = await start({ timings: { textRowMs: 100 } });
    await scene.mac.act('behave', { rules: [], timings: { rowMs: 3_000 } });
    expect(await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).toEqual({ state: 'accepted' });
    await scene.mac.settle();
    expect(claimAll(scene, scene.sender)).toEqual([
      { state: 'ours', reference: 'obx_1', part: 0, isComplete: true, others: [], file: null },
    ]);
    expect(await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 2))).toEqual({
      state: 'sent',
      guid: scene.chatDb.ownRowsAfter(0)[0]?.guid,
    });
    expect(await scene.received()).toEqual(['Hello']);
  });

  it('without a row ever stays accepted, and what follows it goes out', async () => {
    const scene = await start({ timings: { textRowMs: 100 } });
    await arrange(scene, { does: 'nothing' });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    expect(await scene.send(command)).toEqual({ state: 'accepted' });
    expect(await scene.send({ ...command, attempt: 2 })).toEqual({ state: 'accepted' });
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['hike.jpg']);
    expect(claimAll(scene, scene.sender)).toMatchObject([
      { state: 'ours', reference: 'obx_1', part: 1, isComplete: false, others: [], file: { filename: 'hike.jpg' } },
    ]);
    expect(await scene.sender.find([{ reference: 'obx_1', attempt: 2 }])).toEqual(
      new Map([['obx_1', { state: 'unknown' }]]),
    );
  });

  it('with a row to nowhere has failed, and the row is nobody’s message', async () => {
    const scene = await start();
    const both = await sendTwice(scene, { does: 'ghost' });
    expect(both).toEqual(both.map(() => ({ state: 'failed', reason: expect.stringMatching(SENTENCE) })));
    expect(claimAll(scene, scene.sender)).toEqual([{ state: 'foreign' }]);
    expect(await scene.received()).toEqual([]);
    expect(sendsOf(scene)).toHaveLength(1);
  });

  it('whose row has an error has failed, and the row is its echo', async () => {
    const scene = await start();
    const both = await sendTwice(scene, { does: 'fail', error: 22, afterMs: 0 });
    expect(both).toEqual(both.map(() => ({ state: 'failed', reason: expect.stringMatching(/\(error 22\)\.$/) })));
    expect(claimAll(scene, scene.sender)).toMatchObject([{ state: 'ours', reference: 'obx_1' }]);
    expect(sendsOf(scene)).toHaveLength(1);
  });

  it('whose row has an error and was delivered all the same is sent, and what follows it goes out', async () => {
    const scene = await start({ timings: { textLimitMs: 4_000, textRowMs: 200 } });
    await arrange(scene, { does: 'hang', writesRow: true }, { when: { what: 'text' }, times: 1 });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    const sent = scene.send(command);
    await expect.poll(() => scene.chatDb.ownRowsAfter(0).length, { timeout: 5_000 }).toBe(1);
    const guid = scene.chatDb.ownRowsAfter(0)[0]?.guid ?? '';
    await scene.mac.act('fail', { guid, error: 22 });
    await scene.mac.act('delivered', { guid });
    expect((await sent).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Look', 'hike.jpg']);
  });

  it('with an empty place for a file that could not be read has failed', async () => {
    const scene = await start();
    await arrange(scene, { does: 'placeholder' }, { when: { what: 'file' } });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    const failed = { state: 'failed', reason: expect.stringMatching(/^File 1: .*\(error 25\)\./) };
    expect(await scene.send(command)).toEqual(failed);
    expect(await scene.send({ ...command, attempt: 2 })).toEqual(failed);
    expect(await scene.received()).toEqual(['Look']);
    expect(claimAll(scene, scene.sender)).toMatchObject([
      { reference: 'obx_1', part: 0, isComplete: false },
      { reference: 'obx_1', part: 1 },
    ]);
  });

  it('that Messages splits round links is one message of several rows', async () => {
    const scene = await start();
    await arrange(scene, { does: 'split' }, { when: { what: 'text' }, times: 1 });
    const text = 'See https://example.com/a and https://example.com/b.';
    const command = { ...textTo(DIRECT, 'obx_1', text), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    const disposition = await scene.send(command);
    await scene.mac.settle();
    const rows = scene.chatDb.ownRowsAfter(0);
    expect(disposition).toEqual({ state: 'sent', guid: rows[0]?.guid });
    expect(rows).toHaveLength(4);
    expect(claimAll(scene, scene.sender)).toMatchObject(
      [0, 2, 3, 1].map((part) => ({ state: 'ours', reference: 'obx_1', part, isComplete: true })),
    );
    expect(await scene.received()).toEqual([text, 'hike.jpg']);
  });

  it('is not taken from a text that is refused for its length', async () => {
    const scene = await start({ timings: { textRowMs: 100 } });
    await scene.mac.act('behave', { rules: [{ outcome: { does: 'bound', characters: 4, error: -1700 } }] });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Four'))).state).toBe('sent');
    expect((await scene.send(textTo(DIRECT, 'obx_2', 'Fives'))).state).toBe('unknown');
  });
});

describe('the Mac', () => {
  it('whose programs cannot be run has sent nothing', async () => {
    const scene = await start();
    const sender = scene.restart({}, { osascript: [`${scene.mac.folder}/no-such-program`] });
    expect(await sender.send(textTo(DIRECT, 'obx_1', 'Hello'), scene.files)).toEqual({
      state: 'not_started',
      reason: expect.stringMatching(/could not be started/),
    });
    expect(await sender.probe()).toEqual({ state: 'offline', reason: expect.stringMatching(/could not be started/) });
  });

  it('whose message database cannot be read for a moment has sent what it has sent', async () => {
    const scene = await start();
    let failures = 3;
    const ownRowsAfter = (rowid: number) => {
      failures -= 1;
      if (failures >= 0) throw new Error('The database is locked.');
      return scene.chatDb.ownRowsAfter(rowid);
    };
    const sender = scene.restart({}, { chatDb: { ...scene.chatDb, ownRowsAfter } });
    expect((await sender.send(textTo(DIRECT, 'obx_1', 'Hello'), scene.files)).state).toBe('sent');
    failures = Number.POSITIVE_INFINITY;
    const second = await sender.send(textTo(DIRECT, 'obx_2', 'Hello again'), scene.files);
    expect(second).toEqual({ state: 'unknown', reason: expect.stringMatching(/database is locked/) });
    const blind = scene.restart(
      {},
      {
        chatDb: {
          ...scene.chatDb,
          maxRowid: () => {
            throw new Error('The database is locked.');
          },
        },
      },
    );
    expect((await blind.send(textTo(DIRECT, 'obx_3', 'Hello'), scene.files)).state).toBe('not_started');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Hello', 'Hello again']);
  });
});
