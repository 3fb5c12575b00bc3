/** Files and voice memos in conversations, in both directions, through the doors, on both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeByFfmpeg,
  hasFfmpeg,
  loudnessAt,
  makeByFfmpeg,
  makeWav,
  probe,
  readCafIndependently,
} from './audio-media.ts';
import { type EventReader, readEvents } from './event-reader.ts';
import { download, upload } from './file-client.ts';
import { ENGINES, expectStatus, KEY, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { addAccount, addKey, expected, refusal } from './tenancy.ts';

const PEER = '+15550107801';
const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const CARD = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Lovelace\r\nEND:VCARD\r\n';
const NEAR_SECONDS = 0.05;
const RECORDED = ['wav', 'mp3', 'm4a', 'aiff'];

type Shown = Record<string, unknown>;

describe.each(ENGINES)('files in a conversation on %s', (engine) => {
  let test: TestServer;
  let address: string;
  let reader: EventReader;

  beforeAll(async () => {
    test = await startTestServer(engine);
    address = String(await test.server.listen());
    reader = await readEvents(address);
    await test.text('Hello', PEER);
  });
  afterAll(async () => {
    reader.cut();
    await test.stop();
  });

  const post = (path: string, body: unknown, key = KEY) => test.call('POST', path, body, { key });
  const fileOf = async (bytes: Uint8Array, mimeType: string, filename?: string, key = KEY) => {
    const headers = { 'content-type': mimeType, ...(filename && { 'x-filename': filename }) };
    return String(expectStatus(201, await upload(address, bytes, { headers, key })).body['id']);
  };
  const sent = async (path: string, body: object) =>
    test.settled(String(expectStatus(201, await post(path, { from: LINE, to: PEER, ...body })).body['id']));
  const newest = async (): Promise<Shown> => {
    const query = new URLSearchParams({ from: LINE, to: PEER, limit: '1' });
    const { body } = expectStatus(200, await test.call('GET', `/v1/messages?${query}`));
    return (body['data'] as Shown[])[0] ?? {};
  };
  const onPhone = async (guid: unknown) => (await test.phone(PEER)).find((one) => one['guid'] === guid) ?? {};
  const attachmentOf = (message: Shown) => (message['attachments'] as Shown[])[0] ?? {};

  it('go out with a text or alone, and everybody has a link that needs no key', async () => {
    const id = await fileOf(PICTURE, 'image/png', 'hike.png');
    for (const body of [{ text: 'Look', attachments: [id] }, { attachments: [id] }]) {
      const item = await sent('/v1/messages', body);
      expect(item['payload']).toEqual({ kind: 'message', from: LINE, to: PEER, ...body });
      const message = await newest();
      const facts = { filename: 'hike.png', mime_type: 'image/png', size: PICTURE.length, transcription: null };
      expect(message).toMatchObject({ text: 'text' in body ? 'Look' : null, is_audio_message: false });
      expect(message['attachments']).toEqual([{ ...facts, url: expect.stringContaining(`/files/${id}/hike.png?`) }]);
      const shown = await onPhone(message['guid']);
      expect(shown['attachments']).toEqual([{ ...facts, url: expect.any(String) }]);
      const event = await waitFor(
        () => reader.events().find((one) => one.event === 'message.sent' && one.data['id'] === message['id']),
        'the event',
      );
      for (const from of [message, shown, event.data]) {
        const { status, bytes } = await download(String(attachmentOf(from)['url']));
        expect([status, bytes.equals(PICTURE)]).toEqual([200, true]);
      }
    }
  });

  it('come in from a phone, also a contact card', async () => {
    const picture = await fileOf(PICTURE, 'image/png', 'view.png');
    const card = await fileOf(Buffer.from(CARD), 'text/vcard', 'ada-lovelace.vcf');
    const body = { from: PEER, to: LINE, attachments: [picture, card] };
    const { guid } = expectStatus(201, await post('/simulator/v1/messages', body)).body;
    const message = await newest();
    expect(message).toMatchObject({ guid, text: null, is_from_me: false, is_audio_message: false });
    expect((message['attachments'] as Shown[]).map(({ filename, mime_type: type }) => [filename, type])).toEqual([
      ['view.png', 'image/png'],
      ['ada-lovelace.vcf', 'text/vcard'],
    ]);
    await sent('/v1/messages', { attachments: [card] });
    const { bytes } = await download(String(attachmentOf(await onPhone((await newest())['guid']))['url']));
    expect(bytes.toString()).toBe(CARD);
    const read = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`)).body;
    expect((read['attachments'] as Shown[]).map(({ filename }) => filename)).toEqual(['view.png', 'ada-lovelace.vcf']);
  });

  it("are not there when they are another account's, or nobody's", async () => {
    const accountRef = await addAccount(test);
    const key = await addKey(test, { accountRef });
    const foreign = await fileOf(PICTURE, 'image/png', 'secret.png', key);
    for (const id of [foreign, 'file_01k0q3v5x8f9q2t7m4n6p8r0sa']) {
      const message = { from: LINE, to: PEER };
      const refused = await post('/v1/messages', { ...message, attachments: [id] });
      expect(refusal(refused)).toEqual(expected('file_not_found', 'attachments'));
      const memo = await post('/v1/audio-messages', { ...message, audio_message: id });
      expect(refusal(memo)).toEqual(expected('file_not_found', 'audio_message'));
      const texted = await post('/simulator/v1/messages', { from: PEER, to: LINE, attachments: [id] });
      expect(refusal(texted)).toEqual(expected('file_not_found', 'attachments'));
    }
    const two = [await fileOf(PICTURE, 'image/png'), await fileOf(PICTURE, 'image/png')];
    const refused = await post('/v1/messages', { from: LINE, to: PEER, attachments: two });
    expect(refusal(refused)).toEqual(expected('invalid_parameter_value', 'attachments'));
  });

  it('are gone from a message that was taken back', async () => {
    const id = await fileOf(PICTURE, 'image/png', 'oops.png');
    const body = { from: PEER, to: LINE, attachments: [id] };
    const { guid } = expectStatus(201, await post('/simulator/v1/messages', body)).body;
    expectStatus(201, await post('/simulator/v1/unsends', { from: PEER, message_id: guid }));
    expect(await newest()).toMatchObject({ guid, text: null, attachments: [] });
    expect(await onPhone(guid)).toMatchObject({ unsent: true, attachments: [] });
  });

  it('arrive as a voice memo that a phone can play, and are made into one once', async () => {
    const id = await fileOf(makeWav({ rate: 44_100, seconds: 1.2, channels: 2 }), 'application/octet-stream', 'x.txt');
    const item = await sent('/v1/audio-messages', { audio_message: id });
    expect(item['payload']).toEqual({ kind: 'audio_message', from: LINE, to: PEER, audio_message: id });
    const message = await newest();
    const facts = { filename: 'Audio Message.caf', mime_type: 'audio/x-caf', transcription: null };
    expect(message).toMatchObject({ text: null, is_audio_message: true, attachments: [facts] });
    const shown = await onPhone(message['guid']);
    expect(shown).toMatchObject({ is_audio_message: true, attachments: [facts] });
    const { bytes } = await download(String(attachmentOf(shown)['url']));
    const caf = readCafIndependently(bytes);
    expect(caf).toMatchObject({ codec: 'opus', rate: 24_000, channels: 1 });
    expect(Math.abs(caf.validFrames / caf.rate - 1.2)).toBeLessThan(NEAR_SECONDS);
    await sent('/v1/audio-messages', { audio_message: id });
    const again = await newest();
    expect(again['guid']).not.toBe(message['guid']);
    const path = (one: Shown) => new URL(String(attachmentOf(one)['url'])).pathname;
    expect(path(again)).toBe(path(message));
  });

  it.each(RECORDED)('that ffmpeg has recorded as %s arrive as Opus for ffprobe, as long as they were', async (kind) => {
    if (!hasFfmpeg('voice memos that arrive at a phone')) return;
    const id = await fileOf(makeByFfmpeg('sine=frequency=440:duration=2', kind), `audio/${kind}`, `memo.${kind}`);
    await sent('/v1/audio-messages', { audio_message: id });
    const { bytes } = await download(String(attachmentOf(await onPhone((await newest())['guid']))['url']));
    const { codec, channels, seconds } = probe(bytes);
    expect({ codec, channels }).toEqual({ codec: 'opus', channels: 1 });
    expect(Math.abs(seconds - 2)).toBeLessThan(NEAR_SECONDS);
    expect(readCafIndependently(bytes).rate).toBe(24_000);
    expect(loudnessAt(decodeByFfmpeg(bytes), 440)).toBeGreaterThan(0.1);
  });

  it('that cannot be heard are refused, and nothing is sent', async () => {
    const whole = makeWav({ rate: 8_000, seconds: 1 });
    const hostile: Record<string, Uint8Array> = {
      'a picture': PICTURE,
      'a file cut short': whole.subarray(0, whole.length / 2),
      silence: makeWav({ rate: 8_000, seconds: 0 }),
    };
    for (const [name, bytes] of Object.entries(hostile)) {
      const id = await fileOf(bytes, 'audio/wav', 'memo.wav');
      const answer = await post('/v1/audio-messages', { from: LINE, to: PEER, audio_message: id });
      expect(refusal(answer), name).toEqual(expected('invalid_parameter_value', 'audio_message'));
      expect((answer.body['error'] as Shown)['message']).toMatch(/^The 'audio_message' field .{10,}\.$/);
    }
    const id = await fileOf(whole, 'audio/wav');
    const cold = await post('/v1/audio-messages', { from: LINE, to: '+15550107899', audio_message: id });
    expect(refusal(cold)).toEqual(expected('contact_has_not_messaged', 'to'));
    const wrong = await post('/v1/audio-messages', { from: LINE, to: PEER, audio_message: 'msg_1' });
    expect(refusal(wrong)).toEqual(expected('invalid_parameter_value', 'audio_message'));
  });

  it('come in as a voice memo, whose transcription may come later', async () => {
    const audio = await fileOf(makeWav({ rate: 8_000, seconds: 0.2 }), 'audio/wav', 'memo.wav');
    const texted = { from: PEER, to: LINE, audio, transcription: 'See you at noon' };
    expectStatus(201, await post('/simulator/v1/messages', texted));
    const known = { mime_type: 'audio/x-caf', transcription: 'See you at noon' };
    expect(await newest()).toMatchObject({ text: null, is_audio_message: true, attachments: [known] });
    const later = { ...texted, transcription_after_ms: 30 };
    const { guid } = expectStatus(201, await post('/simulator/v1/messages', later)).body;
    const event = await waitFor(() => reader.events().find((one) => one.data['guid'] === guid), 'the event');
    expect(event).toMatchObject({
      event: 'message.received',
      data: { text: null, is_audio_message: true, attachments: [{ mime_type: 'audio/x-caf', transcription: null }] },
    });
    await waitFor(async () => attachmentOf(await newest())['transcription'] ?? undefined, 'the transcription');
    expect(await newest()).toMatchObject({ guid, attachments: [known] });
  });
});
