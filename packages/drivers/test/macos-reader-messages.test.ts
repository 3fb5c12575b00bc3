/** What belongs to a message comes with it or after it, and what only looks like a message is none. */
import { afterEach, describe, expect, it } from 'vitest';
import type { MessageRow } from '../src/macos/chat-db/message-row.ts';
import type { OwnRow } from '../src/macos/own-rows.ts';
import type { FilesAct } from './fake-mac/acts.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import { journalPath, type ReaderStage, type StageOptions, startReader } from './reader-stage.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const URL = 'https://example.com/hike';
const REFERENCE = 'obx_1';

const open: { mac: FakeMac | null; stages: ReaderStage[] } = { mac: null, stages: [] };

afterEach(async () => {
  for (const stage of open.stages.splice(0)) await stage.stop();
  await open.mac?.close();
  open.mac = null;
});

async function startMac(): Promise<FakeMac> {
  open.mac ??= await startFakeMac();
  return open.mac;
}

async function start(options: Omit<StageOptions, 'mac'> = {}): Promise<{ mac: FakeMac; stage: ReaderStage }> {
  const mac = await startMac();
  const stage = startReader({ mac, ...options });
  open.stages.push(stage);
  return { mac, stage };
}

async function stop(stage: ReaderStage): Promise<void> {
  open.stages = open.stages.filter((one) => one !== stage);
  await stage.stop();
}

function picture(name: string, bytes: string): FilesAct['parts'][number] {
  return { file: { name, mimeType: 'image/jpeg', bytes: Buffer.from(bytes).toString('base64') } };
}

describe('attachments', () => {
  it('that are there are with the server before their message is told', async () => {
    const { mac, stage } = await start();
    const { guid } = await mac.act('files', {
      from: PEER,
      parts: [{ text: 'Look' }, picture('a.jpg', 'first'), picture('b.jpg', 'second one')],
    });
    await stage.until('the message', () => stage.of('message').length === 1);
    expect(stage.of('message')).toMatchObject([
      {
        text: 'Look',
        attachments: [
          { file: `file_at_1_${guid}`, filename: 'a.jpg', mimeType: 'image/jpeg', size: 5 },
          { file: `file_at_2_${guid}`, filename: 'b.jpg', size: 10 },
        ],
        awaits: null,
      },
    ]);
    expect(stage.taken.map(({ bytes }) => bytes).sort()).toEqual(['first', 'second one']);
    expect(stage.of('attachment')).toEqual([]);
  });

  it('that come later are announced with their message, and told when their bytes are there', async () => {
    const { mac, stage } = await start();
    const arrival = { rowAfterMs: 300, doneAfterMs: 200, fileAfterMs: 500 };
    const { guid } = await mac.act('files', {
      from: PEER,
      parts: [picture('a.jpg', 'bytes'), { text: 'Look' }],
      arrival,
    });
    await stage.until('the message', () => stage.of('message').length === 1);
    const [message] = stage.of('message');
    expect(message).toMatchObject({ attachments: [{ file: null, filename: 'a.jpg' }], awaits: { what: 'attachment' } });
    expect(message?.awaits?.until).toBeGreaterThan(Date.now());
    await stage.until('its bytes', () => stage.of('attachment').length === 1);
    await stage.looks();
    expect(stage.of('attachment')).toMatchObject([
      { guid, place: 0, attachment: { file: `file_at_0_${guid}`, size: 5 } },
    ]);
    expect(stage.of('message')).toHaveLength(1);
    expect(stage.reader.diagnostics().attachments).toBe(0);
  });

  it('whose upload is slow hold up no text, and follow their message', async () => {
    const upload = Promise.withResolvers<void>();
    const clock = { aheadMs: 0 };
    const { mac, stage } = await start({ onWrite: () => upload.promise, aheadMs: () => clock.aheadMs });
    await mac.act('files', { from: PEER, parts: [picture('a.jpg', 'bytes')] });
    await mac.act('text', { from: PEER, text: 'Did you get it?' });
    await stage.until('the text', () => stage.of('message').length === 1);
    expect(stage.texts()).toEqual(['Did you get it?']);
    clock.aheadMs = 6_000;
    await stage.until('the message', () => stage.of('message').length === 2);
    expect(stage.of('message')[1]).toMatchObject({ attachments: [{ file: null }], awaits: { what: 'attachment' } });
    upload.resolve();
    await stage.until('its bytes', () => stage.of('attachment').length === 1);
  });

  it('are told by themselves too, where the server may have the message without them', async () => {
    const upload = Promise.withResolvers<void>();
    const clock = { aheadMs: 0 };
    const attempts: (string | null | undefined)[] = [];
    const { mac, stage } = await start({
      aheadMs: () => clock.aheadMs,
      onWrite: () => upload.promise,
      onReport: (events) => {
        const message = events.find((event) => event.kind === 'message');
        if (message?.kind !== 'message') return;
        attempts.push(message.attachments[0]?.file);
        if (message.attachments[0]?.file !== null) return;
        upload.resolve();
        throw new Error('The answer was lost.');
      },
    });
    const { guid } = await mac.act('files', { from: PEER, parts: [picture('a.jpg', 'bytes')] });
    await stage.until('the upload', () => stage.reader.diagnostics().waiting === 1);
    clock.aheadMs = 6_000;
    await stage.until('its bytes', () => stage.of('attachment').length === 1);
    expect(attempts[0]).toBeNull();
    expect(stage.of('message')).toMatchObject([{ guid, attachments: [{ file: `file_at_0_${guid}` }] }]);
    expect(stage.of('attachment')).toMatchObject([{ guid, place: 0, attachment: { file: `file_at_0_${guid}` } }]);
  });

  it('that the server refuses are offered again, also after a restart', async () => {
    let refusals = 0;
    const clock = { aheadMs: 0 };
    const refuse = (): void => {
      refusals += 1;
      throw new Error('No room.');
    };
    const mac = await startMac();
    const path = journalPath(mac);
    const { stage: first } = await start({ journal: path, onWrite: refuse, aheadMs: () => clock.aheadMs });
    await mac.act('files', { from: PEER, parts: [picture('a.jpg', 'bytes')] });
    await first.until('a refusal', () => refusals > 0);
    clock.aheadMs = 6_000;
    await first.until('the message', () => first.of('message').length === 1);
    await stop(first);
    const { stage: second } = await start({ journal: path, aheadMs: () => 60_000 });
    await second.until('its bytes', () => second.of('attachment').length === 1);
    expect(second.of('message')).toEqual([]);
  });

  it('that fail or never come leave a message without them', async () => {
    const { mac, stage } = await start();
    await mac.act('files', { from: PEER, parts: [picture('a.jpg', 'bytes')], arrival: { fails: true } });
    await mac.act('files', { from: PEER, parts: [picture('b.jpg', 'bytes')], arrival: { fileAfterMs: null } });
    await stage.until('both', () => stage.of('message').length === 2);
    await stage.looks();
    expect(stage.of('message').map(({ attachments }) => attachments[0]?.file)).toEqual([null, null]);
    expect(stage.of('attachment')).toEqual([]);
    expect(stage.taken).toEqual([]);
  });

  it('of a voice memo say that it is one', async () => {
    const { mac, stage } = await start();
    await mac.act('files', { from: PEER, parts: [picture('Audio Message.caf', 'caf')], isAudio: true });
    await stage.until('the memo', () => stage.of('message').length === 1);
    expect(stage.of('message')).toMatchObject([{ isAudioMessage: true, text: null, attachments: [{ size: 3 }] }]);
  });
});

describe('links', () => {
  it('hold their announcement for a preview, whose row is a piece and no message', async () => {
    const { mac, stage } = await start();
    const before = Date.now();
    const { guid, preview } = await mac.act('textWithPreview', {
      from: PEER,
      text: `Look at ${URL}.`,
      url: URL,
      previewAfterMs: 300,
    });
    await stage.until('the piece', () => stage.of('part').length === 1);
    await stage.looks();
    expect(stage.of('part')).toMatchObject([{ guid: preview, partOf: guid }]);
    expect(stage.of('message')).toMatchObject([{ guid, awaits: { what: 'preview' } }]);
    const until = stage.of('message')[0]?.awaits?.until ?? 0;
    expect(until).toBeGreaterThanOrEqual(before + 2_000);
  });

  it('whose preview comes before its text is joined are one message all the same', async () => {
    const { mac, stage } = await start();
    const { guid } = await mac.act('textWithPreview', {
      from: PEER,
      text: URL,
      url: URL,
      previewAfterMs: 5,
      joinAfterMs: 400,
    });
    await stage.until('the piece', () => stage.of('part').length === 1);
    expect(stage.events.filter(({ kind }) => kind !== 'cursor').map(({ kind }) => kind)).toEqual(['message', 'part']);
    expect(stage.of('part')).toMatchObject([{ partOf: guid }]);
  });

  it('of another link’s preview or with the preview in their own row are messages', async () => {
    const { mac, stage } = await start();
    await mac.act('text', { from: PEER, text: 'See example.org' });
    await mac.act('textWithBalloon', { from: PEER, text: URL, url: URL, balloonAfterMs: 0 });
    await stage.until('both', () => stage.of('message').length === 2);
    await stage.looks();
    expect(stage.texts()).toEqual(['See example.org', URL]);
    expect(stage.of('part')).toEqual([]);
  });
});

describe('own messages', () => {
  const ours: OwnRow = { state: 'ours', reference: REFERENCE, part: 1, isComplete: false, others: [], file: null };

  it('are told when they are sent, then delivered, then read', async () => {
    const { mac, stage } = await start({ claim: () => ours });
    const { guid } = await mac.act('ownText', {
      to: PEER,
      text: 'Yes',
      sentAfterMs: 300,
      deliveredAfterMs: 700,
      readAfterMs: 1_100,
    });
    await stage.looks();
    expect(stage.of('message')).toEqual([]);
    await stage.until('it was read', () => stage.of('receipt').length === 2);
    expect(stage.of('message')).toMatchObject([
      { guid, isFromMe: true, reference: REFERENCE, itemPart: 1, isWholeItem: false, deliveredAt: null, readAt: null },
    ]);
    expect(stage.of('receipt')).toMatchObject([
      { guid, receipt: 'delivered' },
      { guid, receipt: 'read' },
    ]);
  });

  it('that were read while nobody looked are told as read after a restart', async () => {
    const mac = await startMac();
    const journal = journalPath(mac);
    const { stage: first } = await start({ journal });
    const { guid } = await mac.act('ownText', { to: PEER, text: 'Yes' });
    await first.until('it is told', () => first.of('message').length === 1);
    await stop(first);
    await mac.act('delivered', { guid });
    await mac.act('read', { guid });
    const { stage: second } = await start({ journal });
    await second.until('both receipts', () => second.of('receipt').length === 2);
    expect(second.of('message')).toEqual([]);
  });

  it('that Messages refuses fail their item in a sentence, and count as sent if they go out after all', async () => {
    const { mac, stage } = await start({ claim: () => ours });
    const { guid } = await mac.act('ownText', {
      to: PEER,
      text: 'No',
      sentAfterMs: null,
      fails: { error: 22, afterMs: 200 },
    });
    await stage.until('the failure', () => stage.of('failure').length === 1);
    expect(stage.of('failure')).toMatchObject([
      { reference: REFERENCE, reason: 'The recipient cannot be reached by this service (error 22).' },
    ]);
    expect(stage.of('message')).toEqual([]);
    await mac.act('delivered', { guid });
    await stage.until('the message', () => stage.of('message').length === 1);
    expect(stage.of('message')).toMatchObject([{ guid, reference: REFERENCE }]);
    await stage.looks();
    expect(stage.of('failure')).toHaveLength(1);
  });

  it('that Messages split are told as the parts of their item', async () => {
    const claimed: string[] = [];
    const claim = ({ guid }: MessageRow): OwnRow => {
      if (!claimed.includes(guid)) claimed.push(guid);
      const part = claimed.indexOf(guid);
      const others = claimed.filter((one) => one !== guid);
      return { state: 'ours', reference: REFERENCE, part, isComplete: claimed.length === 2, others, file: null };
    };
    const { mac, stage } = await start({ claim });
    await mac.act('ownText', { to: PEER, text: `Look ${URL}`, pieces: ['Look', URL] });
    const [expected] = await mac.act('oracle', {});
    const [, piece] = expected?.what === 'message' ? expected.rows : [];
    await stage.until('the first', () => stage.of('message').length === 1);
    await mac.act('delivered', { guid: piece ?? '' });
    await stage.until('the second', () => stage.of('message').length === 2);
    expect(stage.of('message')).toMatchObject([
      { text: 'Look', reference: REFERENCE, itemPart: 0, isWholeItem: false },
      { guid: piece, text: URL, reference: REFERENCE, itemPart: 1, isWholeItem: true },
    ]);
  });

  describe('of one item', () => {
    const startWithTwo = async (firstSentAfterMs: number | null = null) => {
      const guids: string[] = [];
      const claim = ({ guid }: MessageRow): OwnRow => {
        const others = guids.filter((one) => one !== guid);
        const part = guids.indexOf(guid);
        return { state: 'ours', reference: REFERENCE, part, isComplete: others.length === 1, others, file: null };
      };
      const { mac, stage } = await start({ claim });
      // Both are there before either has gone out.
      guids.push((await mac.act('ownText', { to: PEER, text: 'Look', sentAfterMs: firstSentAfterMs })).guid);
      guids.push((await mac.act('ownText', { to: PEER, text: 'Here', sentAfterMs: null })).guid);
      const told = () => stage.of('message').map(({ text, isWholeItem }) => [text, isWholeItem]);
      return { mac, stage, told, guids: guids as [string, string] };
    };

    /** The first is told, then refused; the second goes out. */
    const startAndRefuse = async (error: number) => {
      const { mac, stage, told, guids } = await startWithTwo(300);
      const [first, second] = guids;
      await stage.until('the first', () => told().length === 1);
      await mac.act('fail', { guid: first, error });
      await stage.until('the failure', () => stage.of('failure').length === 1);
      await mac.act('delivered', { guid: second });
      await stage.until('the second', () => told().length === 2);
      return { mac, stage, told, first };
    };

    it('are whole with the one that goes out last, whichever that is', async () => {
      const { mac, stage, told, guids } = await startWithTwo();
      await mac.act('delivered', { guid: guids[1] });
      await stage.until('the second', () => told().length === 1);
      await mac.act('delivered', { guid: guids[0] });
      await stage.until('the first', () => told().length === 2);
      expect(told()).toEqual([
        ['Here', false],
        ['Look', true],
      ]);
    });

    it('are whole once, where they go out at the same moment', async () => {
      const { mac, stage, told, guids } = await startWithTwo();
      await Promise.all(guids.map((guid) => mac.act('delivered', { guid })));
      await stage.until('both', () => told().length === 2);
      expect(told().filter(([, isWhole]) => isWhole)).toHaveLength(1);
    });

    it('are not whole where another was refused before it was told', async () => {
      const { mac, stage, told, guids } = await startWithTwo();
      await mac.act('fail', { guid: guids[0], error: 22 });
      await stage.until('the failure', () => stage.of('failure').length === 1);
      await mac.act('delivered', { guid: guids[1] });
      await stage.until('the second', () => told().length === 1);
      expect(told()).toEqual([['Here', false]]);
    });

    it('are whole where one that was refused after it was told goes out after all', async () => {
      const { mac, stage, told, first } = await startAndRefuse(22);
      await mac.act('delivered', { guid: first });
      await stage.until('the first again', () => told().length === 3);
      expect(told()).toEqual([
        ['Look', false],
        ['Here', false],
        ['Look', true],
      ]);
    });

    it('are not whole where another was refused after it was told', async () => {
      const { told } = await startAndRefuse(4);
      expect(told().map(([, isWhole]) => isWhole)).toEqual([false, false]);
    });
  });

  it('fail after they were told, where the refusal comes late', async () => {
    const { mac, stage } = await start({ claim: () => ours });
    const { guid } = await mac.act('ownText', { to: PEER, text: 'Later' });
    await stage.until('the message', () => stage.of('message').length === 1);
    await mac.act('fail', { guid, error: 4 });
    await stage.until('the failure', () => stage.of('failure').length === 1);
    expect(stage.of('failure')[0]?.reason).toContain('error 4');
  });

  it('are asked about again while nobody knows whose they are, and are the owner’s in the end', async () => {
    const clock = { aheadMs: 0 };
    const asked: string[] = [];
    const claim = ({ text }: MessageRow): OwnRow => {
      asked.push(text ?? '');
      return text === 'Ours' && asked.length > 4 ? ours : { state: 'undecided' };
    };
    const { mac, stage } = await start({ claim, aheadMs: () => clock.aheadMs });
    await mac.act('ownText', { to: PEER, text: 'Ours' });
    await stage.until('it is ours', () => stage.of('message').length === 1);
    await mac.act('ownText', { to: PEER, text: 'Whose' });
    await stage.looks();
    expect(stage.texts()).toEqual(['Ours']);
    clock.aheadMs = 125_000;
    await stage.until('the owner’s', () => stage.of('message').length === 2);
    expect(stage.of('message')).toMatchObject([{ reference: REFERENCE }, { text: 'Whose', reference: null }]);
  });

  it('to oneself are told once, and their other half is nobody’s message', async () => {
    const clock = { aheadMs: 0 };
    const { mac, stage } = await start({ aheadMs: () => clock.aheadMs });
    const { guid } = await mac.act('selfChat', { text: 'Note', gapMs: 300 });
    await mac.settle();
    await mac.act('text', { from: PEER, text: 'After' });
    await stage.until('the last', () => stage.texts().includes('After'));
    expect(stage.reader.diagnostics().waiting).toBe(0);
    // An other half that is still looked for would be given up by now.
    clock.aheadMs = 15_000;
    await stage.looks();
    expect(stage.of('message').map((one) => [one.guid === guid, one.isFromMe, one.text])).toEqual([
      [true, true, 'Note'],
      [false, false, 'After'],
    ]);
  });
});

describe('senders', () => {
  it('are the other party where a row names the own address instead', async () => {
    const { mac, stage } = await start();
    await mac.act('createDirectChat', { peer: PEER });
    await mac.act('text', { from: mac.line, text: 'Hi', destination: mac.line, group: PEER });
    await stage.until('it', () => stage.texts().length === 1);
    expect(stage.of('message')).toMatchObject([{ sender: PEER, isFromMe: false }]);
  });

  it('that are no numbers stay as they are', async () => {
    const { mac, stage } = await start();
    await mac.act('text', { from: '262966(smsft)', text: 'Code 123', service: 'SMS' });
    await mac.act('text', { from: 'urn:biz:1f2e', text: 'Your order' });
    await stage.until('both', () => stage.texts().length === 2);
    expect(stage.of('message').map(({ sender }) => sender)).toEqual(['262966', 'urn:biz:1f2e']);
  });
});

describe('what is no message', () => {
  it('is passed over: reactions, and what is planned for later', async () => {
    const { mac, stage } = await start();
    const { guid } = await mac.act('text', { from: PEER, text: 'Nice' });
    await mac.act('react', { from: PEER, guid, type: 2000, added: true });
    await mac.act('react', { from: PEER, guid, type: 2000, added: false });
    await mac.act('sendLater', { to: PEER, text: 'Tomorrow', inMs: 3_600_000 });
    await mac.act('text', { from: PEER, text: 'End' });
    await stage.until('the end', () => stage.texts().includes('End'));
    await stage.looks();
    expect(stage.texts()).toEqual(['Nice', 'End']);
    expect(stage.reader.diagnostics().waiting).toBe(1);
  });

  it('tells of groups that are renamed or change their members', async () => {
    const { mac, stage } = await start();
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hike' });
    await mac.act('renameGroup', { group, by: PEER, name: 'Trip' });
    await stage.until('the name', () => stage.of('chat').length === 1);
    await mac.act('changeMember', { group, by: PEER, who: OTHER_PEER, added: false });
    await stage.until('the members', () => stage.of('chat').length === 2);
    expect(stage.of('chat').map(({ chat }) => chat)).toMatchObject([
      { identifier: group, isGroup: true, name: 'Trip', participants: [PEER, OTHER_PEER] },
      { name: 'Trip', participants: [PEER] },
    ]);
    expect(stage.of('message')).toEqual([]);
  });
});
