/** `media_url` of Sendblue's API, by its own client: what is elsewhere is fetched, and what is here already goes as it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFileLinks } from '../src/domain/file-links.ts';
import { makeWav, readCafIndependently } from './audio-media.ts';
import { download, upload } from './file-client.ts';
import { bytes, type FileServer, startFileServer, status } from './file-server.ts';
import { ENGINES, LINE, PHONE } from './harness.ts';
import { filesOf } from './media-scene.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';
import { addAccount, addKey, addLine } from './tenancy.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const CARD = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Lovelace\r\nEND:VCARD\r\n';
const WAV = makeWav({ rate: 16_000, seconds: 0.5 });
const GREEN_LINE = '+15550107001';

type Shown = Record<string, unknown>;

describe.each(ENGINES)('media_url on %s', (engine) => {
  let stage: SendblueStage;
  let files: FileServer;
  beforeAll(async () => {
    stage = await startSendblue(engine, { environment: { TRUNKLINE_FILE_LIMIT_MB: '1' } });
    files = await startFileServer();
  });
  afterAll(async () => {
    await files.close();
    await stage.test.stop();
  });

  const send = (media_url: string, content?: string, from_number = LINE) =>
    stage.client.messages.send({ number: PHONE, from_number, media_url, ...(content !== undefined && { content }) });
  /** What the phone has, when the message is there. */
  const arrived = async (media_url: string, content?: string) => {
    const { message_handle = '' } = await send(media_url, content);
    const done = await stage.status(message_handle, 'DELIVERED');
    expect(done.media_url).toBe(media_url);
    const message = (await stage.test.phone()).at(-1) ?? {};
    const file = (message['attachments'] as Shown[])[0] ?? {};
    return { message, file, got: (await download(String(file['url']))).bytes };
  };
  const uploaded = async (body: Uint8Array, filename: string, key?: string) => {
    const answer = await upload(stage.baseURL, body, { headers: { 'x-filename': filename }, ...(key && { key }) });
    return { id: String(answer.body['id']), url: String(answer.body['url']) };
  };

  it('is fetched and sent after the answer, which says QUEUED', async () => {
    const url = files.put('/photo.png', bytes(PICTURE));
    const sent = await send(url, 'Look');
    expect(sent).toMatchObject({ status: 'QUEUED', media_url: url, content: 'Look' });
    const handle = sent.message_handle ?? '';
    expect(await stage.status(handle, 'DELIVERED')).toMatchObject({ media_url: url, content: 'Look' });
    const message = (await stage.test.phone()).at(-1) ?? {};
    const [file = {}] = message['attachments'] as Shown[];
    expect([message['text'], file['filename'], file['mime_type']]).toEqual(['Look', 'photo.png', 'image/png']);
    expect((await download(String(file['url']))).bytes).toEqual(PICTURE);
    expect((await stage.client.messages.retrieve(handle)).data?.media_url).toBe(url);
  });

  it('that leads to nothing makes the message fail, with a sentence', async () => {
    const sent = await send(files.put('/gone.png', status(404)));
    const failed = await stage.status(sent.message_handle ?? '', 'ERROR');
    expect(failed).toMatchObject({ error_code: 10_001, error_message: expect.stringMatching(/404.*\.$/) });
  });

  it.each(['http://169.254.169.254/latest', 'ftp://example.com/x', 'nonsense'])(
    'that is %s is refused at once',
    async (url) => {
      await expect(send(url)).rejects.toThrow(/^400 .*media_url/);
    },
  );

  it('of sound, alone, goes as a voice memo, and of a contact as a card', async () => {
    const memo = await arrived(files.put('/memo.caf', bytes(WAV)));
    expect(memo.message).toMatchObject({ is_audio_message: true, text: null });
    expect(readCafIndependently(memo.got)).toMatchObject({ codec: 'opus' });
    const card = await arrived(files.put('/ada.vcf', bytes(CARD, { 'content-type': 'text/plain' })));
    expect(card.file).toMatchObject({ filename: 'ada.vcf', mime_type: 'text/vcard' });
  });

  it('that is a link to a file of the account is that file, which is not fetched', async () => {
    const before = await filesOf(stage.test);
    const picture = await uploaded(PICTURE, 'a b.png');
    const { file, got } = await arrived(picture.url, 'Look');
    expect([file['filename'], got]).toEqual(['a b.png', PICTURE]);
    expect((await filesOf(stage.test)).slice(before.length).map(({ id }) => id)).toEqual([picture.id]);
    const card = await uploaded(Buffer.from(CARD), 'ada.VCF');
    expect((await arrived(card.url)).file).toMatchObject({ mime_type: 'text/vcard' });
  });

  it('that is a link to sound of the account goes as a voice memo, made once, where it is alone and can be played', async () => {
    const sound = await uploaded(WAV, 'memo.wav');
    const first = await arrived(sound.url);
    expect(first.message).toMatchObject({ is_audio_message: true });
    expect(readCafIndependently(first.got)).toMatchObject({ codec: 'opus' });
    const made = await filesOf(stage.test);
    expect((await arrived(sound.url)).message).toMatchObject({ is_audio_message: true });
    expect(await filesOf(stage.test)).toEqual(made);
    const beside = await arrived(sound.url, 'Listen');
    expect(beside.message).toMatchObject({ is_audio_message: false, text: 'Listen' });
    expect(beside.got).toEqual(Buffer.from(WAV));
    const broken = await arrived((await uploaded(Buffer.from('no sound'), 'broken.caf')).url);
    expect(broken.message).toMatchObject({ is_audio_message: false });
    expect(broken.file).toMatchObject({ filename: 'broken.caf' });
  });

  it('that is a link to sound goes as a file where the line has no voice memos', async () => {
    await addLine(stage.test, GREEN_LINE, { service: 'sms', contactFirst: false });
    const sent = await send((await uploaded(WAV, 'memo.wav')).url, undefined, GREEN_LINE);
    await stage.status(sent.message_handle ?? '', 'DELIVERED');
    expect((await stage.test.phone(PHONE)).at(-1)).toMatchObject({ is_audio_message: false });
  });

  it('that is a link to sound is not looked at for somebody who has not written first', async () => {
    const { url } = await uploaded(makeWav({ rate: 16_000, seconds: 0.2 }), 'memo.wav');
    const before = await filesOf(stage.test);
    await expect(
      stage.client.messages.send({ number: '+15550107777', from_number: LINE, media_url: url }),
    ).rejects.toThrow(/^400 .*first/);
    expect(await filesOf(stage.test)).toEqual(before);
  });

  it("that is a link to another account's file, or no good link, is fetched like any other", async () => {
    const key = await addKey(stage.test, { accountRef: await addAccount(stage.test) });
    const theirs = await uploaded(PICTURE, 'theirs.png', key);
    const { file, got } = await arrived(theirs.url);
    expect([file['filename'], got]).toEqual(['theirs.png', PICTURE]);
    const own = await uploaded(PICTURE, 'own.png');
    const forged = own.url.replace(/signature=.{4}/, 'signature=AAAA');
    const failed = await stage.status((await send(forged)).message_handle ?? '', 'ERROR');
    expect(failed.error_message).toMatch(/404/);
    const copies = (await filesOf(stage.test)).filter(({ filename }) => filename === 'theirs.png');
    expect(new Set(copies.map(({ account_ref }) => account_ref)).size).toBe(2);
  });
});

describe('a link', () => {
  const NOW = 1_750_000_000_000;
  const FILE = 'file_01k0q3v5x8f9q2t7m4n6p8r0sf';
  const linksAt = (address: string, now = NOW) =>
    createFileLinks({ key: Buffer.alloc(32, 1), baseUrl: () => address, now: () => now });
  const links = linksAt('https://line.example/api');
  const url = links.url(FILE, 'a b.png', 1_000);

  it('names its file until it ends, whatever its name says', () => {
    expect(links.fileOf(url)).toBe(FILE);
    expect(links.fileOf(url.replace('a%20b.png', 'c.jpg'))).toBe(FILE);
    expect(linksAt('https://line.example/api', NOW + 1_000).fileOf(url)).toBeNull();
  });

  it.each([
    url.replace('https', 'http'),
    url.replace('line.example', 'other.example'),
    url.replace('/api', ''),
    url.replace('/a%20b.png', ''),
    url.replace('/a%20b.png', '/x/a%20b.png'),
    url.replace(FILE, FILE.replace('01k', '01m')),
    url.replace(/expires=\d/, 'expires=2'),
    url.replace(/&signature.*/, ''),
    url.replace(/\?.*/, ''),
    'https://line.example/api/files/',
    'nonsense',
    '',
  ])('is none where anything that is signed, or where it leads, is another: %s', (other) => {
    expect(links.fileOf(other)).toBeNull();
  });
});
