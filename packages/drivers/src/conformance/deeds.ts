import { describe, expect, it } from 'vitest';
import type { Command, OutgoingFile } from '../line-driver.ts';
import type { SeenAttachment } from '../line-events.ts';
import type { Feature } from './line-harness.ts';
import { direct, echoOf, message } from './sending.ts';
import { eventually, type ServerSide } from './server-side.ts';
import type { Stage } from './stage.ts';

const FILE: OutgoingFile = { file: 'file_1', filename: 'hike.jpg', mimeType: 'image/jpeg', size: 1_234 };
const PICTURE: SeenAttachment = { ...FILE, transcription: null };
const MEMO: SeenAttachment = { ...PICTURE, file: 'file_2', filename: 'Audio Message.caf', mimeType: 'audio/x-caf' };

/** What happens on a line besides texts, in both directions. */
export function describeDeeds(stage: () => Stage, can: (feature: Feature) => boolean): void {
  describe('besides texts', () => {
    if (can('attachments')) describeFiles(stage);
    if (can('replies')) describeReplies(stage);
    if (can('effects')) describeEffects(stage);
    if (can('audio')) describeVoiceMemos(stage);
    if (can('reactions')) describeReactions(stage);
    if (can('typing')) describeTyping(stage);
    if (can('receipts')) describeReceipts(stage);
    if (can('edits')) describeEdits(stage);
  });
}

function describeFiles(stage: () => Stage): void {
  it('sends a file, with a text or alone, and tells of one that a phone sent', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const chat = direct(far.peer);
    await driver.send({ ...message(chat, 'obx_1', 'Look'), attachments: [FILE] });
    await driver.send({ ...message(chat, 'obx_2', ''), text: null, attachments: [FILE] });
    // A line may need several messages for one item, in its order.
    const echoes = await wholeEcho(server, 'obx_1');
    expect(echoes.flatMap(({ attachments }) => attachments)).toEqual([PICTURE]);
    expect(echoes.flatMap(({ text }) => text ?? [])).toEqual(['Look']);
    expect(echoes.map(({ itemPart }) => itemPart)).toEqual(echoes.map((_, place) => place));
    const [alone, ...others] = await wholeEcho(server, 'obx_2');
    expect(alone).toMatchObject({ text: null, attachments: [PICTURE], isAudioMessage: false });
    expect(others).toEqual([]);
    await eventually(async () => {
      const onPhone = await far.received(chat);
      expect(onPhone.flatMap(({ text }) => text ?? [])).toEqual(['Look']);
      expect(onPhone.flatMap(({ attachments }) => attachments.map(({ file }) => file))).toEqual(['file_1', 'file_1']);
    });
    const guid = await far.sendFile(far.peer, PICTURE);
    expect(await server.message(guid)).toMatchObject({ isFromMe: false, text: null, attachments: [PICTURE] });
  });
}

/** Every message of an item, once the last of them was seen. */
function wholeEcho(server: ServerSide, reference: string) {
  return eventually(() => {
    const seen = server.messages().filter((message) => message.reference === reference);
    if (!seen.some(({ isWholeItem }) => isWholeItem)) throw new Error(`Not all of ${reference} was reported.`);
    return [...new Map(seen.map((message) => [message.guid, message])).values()];
  });
}

function describeReplies(stage: () => Stage): void {
  it('answers a message under that message', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const asked = await far.text(far.peer, 'Which one?');
    await driver.send({ ...message(direct(far.peer), 'obx_1', 'This one'), replyToGuid: asked });
    expect(await echoOf(server, 'obx_1')).toMatchObject({ replyToGuid: asked });
    expect((await far.received(direct(far.peer))).map(({ replyToGuid }) => replyToGuid)).toEqual([asked]);
  });
}

function describeEffects(stage: () => Stage): void {
  it('sends a message with its effect, and tells of the one that a phone used', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const chat = direct(far.peer);
    await driver.send({ ...message(chat, 'obx_1', 'Done'), effect: 'slam' });
    await driver.send(message(chat, 'obx_2', 'As ever'));
    expect(await echoOf(server, 'obx_1')).toMatchObject({ text: 'Done', effect: 'slam' });
    expect(await echoOf(server, 'obx_2')).toMatchObject({ effect: null });
    expect((await far.received(chat)).map(({ effect }) => effect)).toEqual(['slam', null]);
    const guid = await far.textWithEffect(far.peer, 'Hooray', 'confetti');
    expect(await server.message(guid)).toMatchObject({ text: 'Hooray', isFromMe: false, effect: 'confetti' });
    expect(await server.message(await far.text(far.peer, 'Well'))).toMatchObject({ effect: null });
  });
}

function describeVoiceMemos(stage: () => Stage): void {
  it('sends a voice memo as one, and tells of one whose transcription comes later', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const chat = direct(far.peer);
    const audio = { ...FILE, file: 'file_2', mimeType: 'audio/x-caf' };
    await driver.send({ kind: 'audio_message', reference: 'obx_1', attempt: 1, chat, audio, replyToGuid: null });
    expect(await echoOf(server, 'obx_1')).toMatchObject({ text: null, isAudioMessage: true });
    expect(await far.received(chat)).toMatchObject([{ isAudioMessage: true, attachments: [{ file: 'file_2' }] }]);
    const guid = await far.sendVoiceMemo(far.peer, MEMO, 'See you at noon');
    expect(await server.message(guid)).toMatchObject({ isAudioMessage: true, attachments: [MEMO] });
    await eventually(() =>
      expect(server.events).toContainEqual(
        expect.objectContaining({ kind: 'transcription', guid, transcription: 'See you at noon' }),
      ),
    );
  });
}

function describeReactions(stage: () => Stage): void {
  it('reacts to a message, and its echo names the item', async () => {
    const { server, far, line } = stage();
    const { driver } = await server.start();
    const target = await far.text(far.peer, 'We made it');
    const reaction = { kind: 'reaction', attempt: 1, chat: direct(far.peer), target, type: 'love' } as const;
    const disposition = await driver.send({ ...reaction, reference: 'obx_1' });
    expect(['sent', 'accepted']).toContain(disposition.state);
    const seen = { kind: 'reaction', target, type: 'love', added: true, isFromMe: true, sender: line };
    await eventually(() =>
      expect(server.events).toContainEqual(expect.objectContaining({ ...seen, reference: 'obx_1' })),
    );
  });

  it('tells of reactions that are put on, changed and taken off', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    await driver.send(message(direct(far.peer), 'obx_1', 'Tomorrow at six'));
    const { guid } = await echoOf(server, 'obx_1');
    await far.react(far.peer, guid, 'like', true);
    await far.react(far.peer, guid, 'love', true);
    await far.react(far.peer, guid, 'love', false);
    const told = () => server.events.filter((event) => event.kind === 'reaction');
    await eventually(() => expect(told()).toHaveLength(4));
    expect(told().map(({ type, added, sender, isFromMe }) => [type, added, sender, isFromMe])).toEqual([
      ['like', true, far.peer, false],
      ['like', false, far.peer, false],
      ['love', true, far.peer, false],
      ['love', false, far.peer, false],
    ]);
  });
}

function describeTyping(stage: () => Stage): void {
  it('shows that the line types, and tells that a phone does', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const typing = (reference: string, isTyping: boolean): Command => {
      return { kind: 'typing', reference, attempt: 1, chat: direct(far.peer), isTyping };
    };
    expect(await driver.send(typing('obx_1', true))).toEqual({ state: 'done' });
    expect(await far.seesTyping(far.peer)).toBe(true);
    expect(await driver.send(typing('obx_2', false))).toEqual({ state: 'done' });
    expect(await far.seesTyping(far.peer)).toBe(false);
    for (const isTyping of [true, false]) {
      await far.showTyping(far.peer, isTyping);
      await eventually(() =>
        expect(server.events).toContainEqual(
          expect.objectContaining({ kind: 'typing', handle: far.peer, isTyping, chat: expect.anything() }),
        ),
      );
    }
  });
}

function describeReceipts(stage: () => Stage): void {
  it('marks a chat as read, and tells that a phone has read it', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const guid = await far.text(far.peer, 'Are you there?');
    const chat = direct(far.peer);
    expect(await driver.send({ kind: 'receipt', reference: 'obx_1', attempt: 1, chat })).toEqual({ state: 'done' });
    expect(await far.readByLine(far.peer)).toEqual([guid]);
    await driver.send(message(chat, 'obx_2', 'I am'));
    const sent = await echoOf(server, 'obx_2');
    await far.markRead(far.peer);
    await eventually(() => {
      expect(server.events).toContainEqual(expect.objectContaining({ kind: 'read', handle: far.peer }));
      expect(server.events).toContainEqual(
        expect.objectContaining({ kind: 'receipt', receipt: 'read', guid: sent.guid }),
      );
    });
  });

  it('knows of what has no echo that it was carried out', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    await far.text(far.peer, 'Are you there?');
    await driver.send({ kind: 'receipt', reference: 'obx_1', attempt: 1, chat: direct(far.peer) });
    const answers = await driver.find([{ reference: 'obx_1', attempt: 1 }]);
    expect(['done', 'unknown']).toContain(answers.get('obx_1')?.state);
  });
}

function describeEdits(stage: () => Stage): void {
  it('tells that a message was changed, and that it was taken back', async () => {
    const { server, far } = stage();
    await server.start();
    const guid = await far.text(far.peer, 'At fve');
    await far.edit(far.peer, guid, 'At five');
    await far.unsend(far.peer, guid);
    await eventually(() => expect(server.events.filter((event) => event.kind === 'unsent')).toHaveLength(1));
    const told = server.events.filter((event) => event.kind === 'edited' || event.kind === 'unsent');
    expect(told).toEqual([
      expect.objectContaining({ kind: 'edited', guid, text: 'At five' }),
      expect.objectContaining({ kind: 'unsent', guid }),
    ]);
  });
}
