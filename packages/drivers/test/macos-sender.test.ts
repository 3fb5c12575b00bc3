/** Sending from a Mac when Messages does what it should: by what way, in what order, and whose the rows are. */
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GENERATIONS } from './fake-mac/generations.ts';
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

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function start(...options: Parameters<typeof startSendingMac>): Promise<SendingMac> {
  const scene = await startSendingMac(...options);
  open.push(scene);
  return scene;
}

describe.each(GENERATIONS)('on %s', (generation) => {
  it('a text goes into the chat that is there, and is sent when its row is seen', async () => {
    const scene = await start({ generation });
    const text = 'Say "hi" \\ to\r\nthe ¬ 👍🏽 crew ';
    const disposition = await scene.send(textTo(DIRECT, 'obx_1', text));
    await scene.mac.settle();
    const [row] = scene.chatDb.ownRowsAfter(0);
    expect(disposition).toEqual({ state: 'sent', guid: row?.guid });
    expect(await scene.received()).toEqual([text]);
    expect(sendsOf(scene)).toEqual(['text by chat']);
    expect(claimAll(scene, scene.sender)).toEqual([
      { state: 'ours', reference: 'obx_1', part: 0, isComplete: true, others: [], file: null },
    ]);
  });

  it('a peer without a chat is reached by the account, and in their chat from then on', async () => {
    const scene = await start({ generation });
    const chat = { identifier: OTHER_PEER, isGroup: false };
    expect((await scene.send(textTo(chat, 'obx_1', 'First'))).state).toBe('sent');
    expect((await scene.send(textTo(chat, 'obx_2', 'Second'))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received(OTHER_PEER)).toEqual(['First', 'Second']);
    expect(sendsOf(scene)).toEqual(['text by participant', 'text by chat']);
  });

  it('a group is reached by its own chat', async () => {
    const scene = await start({ generation });
    const { chat } = await scene.mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: null, hex: true });
    expect((await scene.send(textTo({ identifier: chat, isGroup: true }, 'obx_1', 'All'))).state).toBe('sent');
    await scene.mac.settle();
    expect(await scene.received(chat)).toEqual(['All']);
    expect(await scene.received()).toEqual([]);
  });

  it('files follow the text, each a message of its own that knows of the others', async () => {
    const scene = await start({ generation });
    const command = {
      ...textTo(DIRECT, 'obx_1', 'Look'),
      attachments: [fileOf(scene, 'hike.jpg', 'a picture'), fileOf(scene, 'climb.jpg', 'another')],
    };
    const disposition = await scene.send(command);
    await scene.mac.settle();
    const rows = scene.chatDb.ownRowsAfter(0);
    expect(disposition).toEqual({ state: 'sent', guid: rows[0]?.guid });
    expect(await scene.received()).toEqual(['Look', 'hike.jpg', 'climb.jpg']);
    expect(claimAll(scene, scene.sender)).toMatchObject([
      { state: 'ours', reference: 'obx_1', part: 0, file: null },
      { state: 'ours', reference: 'obx_1', part: 1, file: { filename: 'hike.jpg' } },
      { state: 'ours', reference: 'obx_1', part: 2, file: { filename: 'climb.jpg' } },
    ]);
    const [text, ...files] = rows.map(({ guid }) => guid);
    expect(claimAll(scene, scene.sender)[0]).toMatchObject({ isComplete: true, others: expect.arrayContaining(files) });
    expect(claimAll(scene, scene.sender)[2]).toMatchObject({
      isComplete: true,
      others: expect.arrayContaining([text]),
    });
  });
});

describe('what is said to Messages', () => {
  it('has its data in the arguments alone, and nothing of it is logged', async () => {
    const scene = await start();
    const secret = 'The password is a tidy little secret';
    await scene.send({ ...textTo(DIRECT, 'obx_1', secret), attachments: [fileOf(scene, 'hike.jpg', 'a picture')] });
    const calls = scene.mac.osascriptCalls();
    expect(calls.map(({ argv }) => argv[0])).toEqual([`any;-;${PEER}`, `any;-;${PEER}`]);
    for (const { script } of calls) expect(script).not.toMatch(/secret|5550109999|hike/);
    expect(scene.logged.join('\n')).toContain('obx_1');
    expect(scene.logged.join('\n')).not.toMatch(/secret|5550109999|hike/);
  });

  it('is said one after the other, in the order of asking, and equal texts are told apart', async () => {
    const scene = await start();
    const references = ['obx_1', 'obx_2', 'obx_3'];
    const sent = await Promise.all(references.map((reference) => scene.send(textTo(DIRECT, reference, 'Again'))));
    await scene.mac.settle();
    const rows = scene.chatDb.ownRowsAfter(0);
    expect(sent).toEqual(rows.map(({ guid }) => ({ state: 'sent', guid })));
    expect(rows).toHaveLength(3);
    expect(claimAll(scene, scene.sender).map((one) => one.state === 'ours' && one.reference)).toEqual(references);
  });

  it('is a text or a file: everything else fails at once', async () => {
    const scene = await start();
    const handOver = { reference: 'obx_1', attempt: 1, chat: DIRECT };
    const read = { read: scene.files.read };
    const refused = [
      await scene.sender.send({ ...handOver, kind: 'typing', isTyping: true }, read),
      await scene.sender.send({ ...handOver, kind: 'receipt' }, read),
      await scene.sender.send({ ...handOver, kind: 'reaction', target: 'A', type: 'love' }, read),
      await scene.send(textTo(DIRECT, 'obx_2', null)),
      await scene.send(textTo(DIRECT, 'obx_3', 'A\0B')),
      await scene.send(textTo({ identifier: 'chat123', isGroup: true }, 'obx_4', 'Nobody')),
      await scene.send(textTo({ identifier: 'chat123', isGroup: false }, 'obx_5', 'Nobody')),
    ];
    expect(refused).toEqual(refused.map(() => ({ state: 'failed', reason: expect.stringMatching(/\w+ .*\.$/) })));
    expect(scene.mac.osascriptCalls()).toEqual([]);
  });

  it('goes by the account of the line where that is SMS', async () => {
    const scene = await start({ service: 'sms' });
    const chat = { identifier: OTHER_PEER, isGroup: false };
    expect(await scene.send(textTo(chat, 'obx_1', 'Hi'))).toMatchObject({ state: 'not_started' });
    await scene.mac.act('setAccounts', {
      accounts: [
        { id: 'A', service: 'iMessage', isEnabled: true, status: 'connected' },
        { id: 'B', service: 'SMS', isEnabled: true, status: 'connected' },
      ],
    });
    expect((await scene.send(textTo(chat, 'obx_1', 'Hi', 2))).state).toBe('sent');
    expect(scene.mac.osascriptCalls().at(-1)?.argv).toEqual(['B', OTHER_PEER, 'Hi']);
  });
});

describe('a file', () => {
  it('is staged for its user alone, under a safe form of its name', async () => {
    const scene = await start();
    const file = fileOf(scene, '../.hike: 1.jpg', 'a picture');
    expect((await scene.send({ ...textTo(DIRECT, 'obx_1', null), attachments: [file] })).state).toBe('sent');
    await scene.mac.settle();
    const [got] = await scene.mac.act('received', { chat: PEER });
    const [staged] = got?.files ?? [];
    expect(staged?.sha256).toBe(createHash('sha256').update('a picture').digest('hex'));
    const path = staged?.path ?? '';
    expect(basename(path)).toBe('_.hike_ 1.jpg');
    expect(dirname(dirname(path))).toBe(join(scene.mac.home, 'Library/Messages/Attachments/Trunkline'));
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(lstatSync(dirname(path)).mode & 0o777).toBe(0o700);
  });

  it('that cannot be had, or is not as long as it should be, has not started, and does later', async () => {
    const scene = await start();
    const gone = { ...fileOf(scene, 'gone.jpg', 'gone'), file: 'file_gone' };
    const short = { ...fileOf(scene, 'short.jpg', 'short'), size: 900 };
    const long = { ...fileOf(scene, 'long.jpg', 'a long one'), size: 4 };
    for (const [place, file] of [gone, short, long].entries()) {
      const command = { ...textTo(DIRECT, `obx_${place}`, null), attachments: [file] };
      expect(await scene.send(command)).toEqual({ state: 'not_started', reason: expect.stringMatching(/\.$/) });
    }
    expect(scene.mac.osascriptCalls()).toEqual([]);
    scene.files.contents.set('file_gone', 'gone');
    const again = { ...textTo(DIRECT, 'obx_0', null, 2), attachments: [gone] };
    expect((await scene.send(again)).state).toBe('sent');
  });

  it('that could not be sent is not staged twice, and what came before it is not sent twice', async () => {
    const scene = await start();
    await arrange(scene, { does: 'refuse', error: -1743 }, { when: { what: 'file' }, times: 1 });
    const attachments = [fileOf(scene, 'hike.jpg', 'a picture')];
    const first = await scene.send({ ...textTo(DIRECT, 'obx_1', 'Look'), attachments });
    expect(first).toEqual({
      state: 'not_started',
      reason: expect.stringMatching(/^File 1: macOS .*not sent again\.$/),
    });
    scene.files.contents.clear();
    const second = await scene.send({ ...textTo(DIRECT, 'obx_1', 'Look', 2), attachments });
    await scene.mac.settle();
    expect(second).toEqual({ state: 'sent', guid: scene.chatDb.ownRowsAfter(0)[0]?.guid });
    expect(await scene.received()).toEqual(['Look', 'hike.jpg']);
  });
});
