/** What a sender says of hand-overs whose outcome was lost, and whose it takes the rows of the message database to be. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LookUp } from '../src/line-driver.ts';
import { openJournal } from '../src/macos/journal.ts';
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

const DAY_MS = 24 * 60 * 60_000;
const open: SendingMac[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function start(...options: Parameters<typeof startSendingMac>): Promise<SendingMac> {
  const scene = await startSendingMac(...options);
  open.push(scene);
  return scene;
}

async function findOne({ sender }: Pick<SendingMac, 'sender'>, reference: string, attempt = 1): Promise<LookUp> {
  const answers = await sender.find([{ reference, attempt }]);
  return answers.get(reference) ?? { state: 'unknown' };
}

/** A sender that ends in the middle of its script, and the next one on the same journal. */
async function crashWhileSending(scene: SendingMac, writesRow: boolean) {
  await arrange(scene, { does: 'hang', writesRow });
  const lost = scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
  await expect.poll(() => sendsOf(scene), { timeout: 10_000 }).toHaveLength(1);
  // A script is noted before Messages hears of it.
  const rows = writesRow ? 1 : 0;
  await expect.poll(() => scene.chatDb.ownRowsAfter(0).length, { timeout: 10_000 }).toBe(rows);
  await scene.mac.settle();
  return { lost, successor: scene.restart() };
}

describe('a hand-over that was lost', () => {
  it('is found when its row is there, by a sender that knows its journal alone', async () => {
    const scene = await start({ timings: { textLimitMs: 4_000, textRowMs: 100 } });
    const { lost, successor } = await crashWhileSending(scene, true);
    const [row] = scene.chatDb.ownRowsAfter(0);
    for (const attempt of [1, 2]) {
      expect(await findOne({ sender: successor }, 'obx_1', attempt)).toEqual({ state: 'found', guid: row?.guid });
    }
    expect(await successor.send(textTo(DIRECT, 'obx_1', 'Hello', 2), scene.files)).toEqual({
      state: 'sent',
      guid: row?.guid,
    });
    await lost;
    expect(await scene.received()).toEqual(['Hello']);
  });

  it('is unknown without a row, is never sent again, and is found when its row comes after all', async () => {
    const scene = await start({ timings: { textLimitMs: 4_000, textRowMs: 100 } });
    const { lost, successor } = await crashWhileSending(scene, false);
    expect(await findOne({ sender: successor }, 'obx_1')).toEqual({ state: 'unknown' });
    expect((await successor.send(textTo(DIRECT, 'obx_1', 'Hello', 2), scene.files)).state).toBe('unknown');
    const late = await scene.mac.act('ownText', { to: PEER, text: 'Hello' });
    await scene.mac.settle();
    expect(await findOne({ sender: successor }, 'obx_1')).toEqual({ state: 'found', guid: late.guid });
    expect(claimAll(scene, successor)).toEqual([
      { state: 'ours', reference: 'obx_1', part: 0, isComplete: true, others: [], file: null },
    ]);
    await lost;
    expect(sendsOf(scene)).toHaveLength(1);
  });

  it('that nobody knows, or that never reached Messages, has not started: late it is refused, the next goes out', async () => {
    const scene = await start();
    await arrange(scene, { does: 'refuse', error: -1743 });
    await scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
    for (const reference of ['obx_1', 'obx_2']) {
      expect(await findOne(scene, reference)).toEqual({ state: 'not_started' });
      expect((await scene.send(textTo(DIRECT, reference, 'Too late'))).state).toBe('not_started');
      const successor = scene.restart();
      expect((await successor.send(textTo(DIRECT, reference, 'Too late'), scene.files)).state).toBe('not_started');
    }
    expect(sendsOf(scene)).toHaveLength(1);
    expect((await scene.send(textTo(DIRECT, 'obx_2', 'In time', 2))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['In time']);
  });

  it('that comes after a later attempt of it is refused', async () => {
    const scene = await start();
    await arrange(scene, { does: 'refuse', error: -1743 });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 2))).state).toBe('not_started');
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 1))).state).toBe('not_started');
    expect(sendsOf(scene)).toHaveLength(1);
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello', 3))).state).toBe('sent');
  });

  it('of which the text went out and the file did not is taken up where it ended', async () => {
    const scene = await start();
    await arrange(scene, { does: 'refuse', error: -1743 }, { when: { what: 'file' }, times: 1 });
    const command = { ...textTo(DIRECT, 'obx_1', 'Look'), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] };
    await scene.send(command);
    const successor = scene.restart();
    expect(await findOne({ sender: successor }, 'obx_1')).toEqual({ state: 'not_started' });
    expect((await successor.send({ ...command, attempt: 2 }, scene.files)).state).toBe('sent');
    expect((await findOne({ sender: successor }, 'obx_1', 2)).state).toBe('found');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['Look', 'hike.jpg']);
  });

  it('is waited for while it is under way, and given up while it waits for its turn', async () => {
    const scene = await start();
    const references = ['obx_1', 'obx_2', 'obx_3'];
    const sends = references.map((reference) => scene.send(textTo(DIRECT, reference, reference)));
    const answers = await scene.sender.find(references.map((reference) => ({ reference, attempt: 1 })));
    await Promise.all(sends);
    await scene.mac.settle();
    const received = await scene.received();
    for (const reference of references) {
      expect(answers.get(reference)?.state).toBe(received.includes(reference) ? 'found' : 'not_started');
    }
    expect(received.length).toBeLessThan(references.length);
  });

  it('is waited for when its script has begun', async () => {
    const scene = await start();
    const sending = scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
    await expect.poll(() => sendsOf(scene), { timeout: 10_000, interval: 5 }).toHaveLength(1);
    const found = await findOne(scene, 'obx_1');
    expect(await sending).toEqual({ state: 'sent', guid: found.state === 'found' && found.guid });
  });

  it('is answered for among hundreds', async () => {
    const scene = await start();
    await scene.send(textTo(DIRECT, 'obx_0', 'Hello'));
    const lost = Array.from({ length: 450 }, (_, place) => ({ reference: `obx_${place}`, attempt: 1 }));
    const answers = await scene.sender.find(lost);
    expect(answers.size).toBe(450);
    expect([...answers.values()].filter(({ state }) => state === 'found')).toHaveLength(1);
    expect(answers.get('obx_449')).toEqual({ state: 'not_started' });
    expect(await scene.sender.find([])).toEqual(new Map());
  });

  it('has not started after the sender was closed, and nothing is handed over any more', async () => {
    const scene = await start();
    const sending = scene.send(textTo(DIRECT, 'obx_1', 'First'));
    const waiting = scene.send(textTo(DIRECT, 'obx_2', 'Second'));
    await expect.poll(() => sendsOf(scene), { timeout: 10_000, interval: 5 }).toHaveLength(1);
    await scene.sender.close();
    expect(['sent', 'accepted']).toContain((await sending).state);
    expect((await waiting).state).toBe('not_started');
    expect((await scene.send(textTo(DIRECT, 'obx_3', 'Third'))).state).toBe('not_started');
    await scene.mac.settle();
    expect(await scene.received()).toEqual(['First']);
  });
});

describe('an own row', () => {
  it('that the owner wrote is theirs, before, beside and after what is sent', async () => {
    const scene = await start();
    await scene.mac.act('ownText', { to: PEER, text: 'Hello' });
    await scene.mac.act('behave', { rules: [], timings: { rowMs: 1_500 } });
    const sending = scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
    await expect.poll(() => sendsOf(scene), { timeout: 10_000, interval: 5 }).toHaveLength(1);
    await scene.mac.act('ownText', { to: PEER, text: 'Something else' });
    await scene.mac.act('ownText', { to: OTHER_PEER, text: 'Hello' });
    expect((await sending).state).toBe('sent');
    await scene.mac.act('ownText', { to: PEER, text: 'Hello' });
    await scene.mac.settle();
    const claims = claimAll(scene, scene.sender);
    expect(claims.map(({ state }) => state)).toEqual(['foreign', 'foreign', 'foreign', 'ours', 'foreign']);
    expect(claimAll(scene, scene.restart())).toEqual(claims);
  });

  it('is undecided while it stands in no chat and may belong to what is being sent', async () => {
    const scene = await start();
    await scene.mac.act('behave', { rules: [], timings: { joinMs: 2_000 } });
    const sending = scene.send(textTo(DIRECT, 'obx_1', 'Hello'));
    await expect.poll(() => scene.chatDb.ownRowsAfter(0).length, { timeout: 10_000, interval: 5 }).toBe(1);
    expect(claimAll(scene, scene.sender)).toEqual([{ state: 'undecided' }]);
    expect((await sending).state).toBe('sent');
    expect(claimAll(scene, scene.sender)).toMatchObject([{ state: 'ours' }]);
  });

  it('of a file is known by where it was staged, also where the same is sent twice', async () => {
    const scene = await start();
    const file = fileOf(scene, 'hike.jpg', 'a picture');
    await scene.send({ ...textTo(DIRECT, 'obx_1', null), attachments: [file] });
    await scene.send({ ...textTo(DIRECT, 'obx_2', null), attachments: [file] });
    await scene.mac.settle();
    expect(claimAll(scene, scene.sender)).toMatchObject([{ reference: 'obx_1' }, { reference: 'obx_2' }]);
  });

  it('that says what a hand-over of long ago said is the owner’s', async () => {
    const clock = { aheadMs: 0 };
    const scene = await start({ timings: { textRowMs: 60 }, now: () => Date.now() + clock.aheadMs });
    clock.aheadMs = -DAY_MS;
    await arrange(scene, { does: 'nothing' });
    expect((await scene.send(textTo(DIRECT, 'obx_1', 'Hello'))).state).toBe('accepted');
    clock.aheadMs = 0;
    await scene.mac.act('ownText', { to: PEER, text: 'Hello' });
    await scene.mac.settle();
    expect(claimAll(scene, scene.sender)).toEqual([{ state: 'foreign' }]);
  });
});

describe('the journal', () => {
  it('keeps no words of what was sent, and the outcome for more than a year', async () => {
    const clock = { aheadMs: 0 };
    const scene = await start({ now: () => Date.now() + clock.aheadMs });
    await scene.send(textTo(DIRECT, 'obx_1', 'A tidy little secret'));
    const journal = openJournal(join(scene.mac.folder, 'journal.db'), []);
    const kept = () => JSON.stringify(journal.database.prepare('select * from send_parts').all());
    expect(kept()).toContain('obx_1');
    expect(kept()).not.toContain('secret');
    // By such a clock no row is of now: nothing is worth waiting for.
    const hasty = scene.restart({ textRowMs: 20 });
    clock.aheadMs = 390 * DAY_MS;
    await hasty.send(textTo(DIRECT, 'obx_2', 'Hello'), scene.files);
    expect((await findOne(scene, 'obx_1')).state).toBe('found');
    clock.aheadMs = 401 * DAY_MS;
    await hasty.send(textTo(DIRECT, 'obx_3', 'Hello'), scene.files);
    expect(kept()).not.toContain('obx_1');
    expect((await findOne(scene, 'obx_2')).state).not.toBe('not_started');
    journal.close();
  });
});

describe('a staged file', () => {
  it('stays for a day after it was sent, and a week while nobody knows what became of it', async () => {
    const clock = { aheadMs: 0 };
    const scene = await start({ now: () => Date.now() + clock.aheadMs });
    const hasty = scene.restart({ fileRowMs: 20, textRowMs: 20 });
    const attachments = [fileOf(scene, 'hike.jpg', 'a picture')];
    await scene.send({ ...textTo(DIRECT, 'obx_1', null), attachments });
    await arrange(scene, { does: 'nothing' });
    await hasty.send({ ...textTo(DIRECT, 'obx_2', null), attachments }, scene.files);
    const folders = scene.mac.osascriptCalls().map(({ argv }) => dirname(argv[1] ?? ''));
    const there = async (afterDays: number, reference: string): Promise<boolean[]> => {
      clock.aheadMs = afterDays * DAY_MS;
      await hasty.send(textTo(DIRECT, reference, 'Hello'), scene.files);
      return folders.map((folder) => existsSync(folder));
    };
    expect(await there(0.9, 'obx_3')).toEqual([true, true]);
    expect(await there(1.1, 'obx_4')).toEqual([false, true]);
    expect(await there(7.1, 'obx_5')).toEqual([false, false]);
  });
});

describe('the health of a Mac', () => {
  it('is that of the account that the line sends by', async () => {
    const scene = await start();
    const account = { id: 'A', service: 'iMessage', isEnabled: true, status: 'connected' } as const;
    expect(await scene.sender.probe()).toEqual({ state: 'online', reason: null });
    const states = [
      [[{ ...account, status: 'connecting' as const }], 'degraded'],
      [[{ ...account, isEnabled: false }], 'offline'],
      [[{ ...account, service: 'SMS' as const }], 'offline'],
      [[], 'offline'],
      [[{ ...account, isEnabled: false }, account], 'online'],
    ] as const;
    for (const [accounts, state] of states) {
      await scene.mac.act('setAccounts', { accounts });
      expect((await scene.sender.probe()).state).toBe(state);
    }
    expect(sendsOf(scene)).toEqual([]);
  });

  it('says what to do where scripts are refused', async () => {
    const scene = await start({ timings: { probeLimitMs: 5_000 } });
    await arrange(scene, { does: 'refuse', error: -1743 });
    expect(await scene.sender.probe()).toEqual({ state: 'offline', reason: expect.stringMatching(/Automation/) });
    await arrange(scene, { does: 'hang', writesRow: false });
    expect(await scene.sender.probe()).toEqual({ state: 'degraded', reason: expect.stringMatching(/did not answer/) });
    await scene.mac.act('setRunning', { isRunning: false });
    expect(await scene.sender.probe()).toEqual({ state: 'degraded', reason: expect.stringMatching(/does not run/) });
  });
});
