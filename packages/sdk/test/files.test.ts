/** Files and voice memos between the client and the real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type MessagesClient, NotFoundError } from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const PEOPLE = { from: LINE, to: PHONE };
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let server: RealServer;
let client: MessagesClient;

beforeAll(async () => {
  server = await startRealServer();
  client = createClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

/** One second of a tone as a WAV file: 16 bits, 24 kHz, one channel. */
function wav(): Buffer {
  const samples = Int16Array.from({ length: 24_000 }, (_, at) =>
    Math.round(8_000 * Math.sin((at * 2 * Math.PI * 440) / 24_000)),
  );
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(24_000, 24);
  head.writeUInt32LE(48_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

describe('files', () => {
  it('are uploaded in any form, have an address without a key, and are sent', async () => {
    const uploaded = await client.uploadFile({ file: PNG, filename: 'Grüße 100%.png', mimeType: 'image/png' });
    expect(uploaded).toMatchObject({
      id: expect.stringMatching(/^file_/),
      filename: 'Grüße 100%.png',
      size: PNG.length,
    });
    const streamed = await client.uploadFile({ file: new Blob([PNG]).stream(), filename: 'streamed.png' });
    expect(streamed).toMatchObject({ size: PNG.length, mimeType: 'application/octet-stream' });
    const { url } = await client.getFileUrl({ id: uploaded.id });
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(PNG);
    const { id } = await client.sendMessage({ ...PEOPLE, attachments: [uploaded.id] });
    expect(await client.waitForOutbox(id)).toMatchObject({ status: 'sent' });
    const [message] = (await client.listMessages({ ...PEOPLE, limit: 1 })).data;
    expect(message).toMatchObject({ text: null, attachments: [{ filename: 'Grüße 100%.png', mimeType: 'image/png' }] });
    expect(await refusalOf(client.getFileUrl({ id: 'file_01k0q3v5x8f9q2t7m4n6p8r0sa' }))).toBeInstanceOf(NotFoundError);
    expect(await refusalOf(client.uploadFile({ file: new Blob([]) }))).toMatchObject({
      status: 400,
      code: 'empty_file',
    });
  });

  it('make a contact card with a photo, which the phone has', async () => {
    const photo = await client.uploadFile({ file: PNG, filename: 'jane.png', mimeType: 'image/png' });
    const item = await client.sendContactCard({
      ...PEOPLE,
      firstName: 'Jane',
      lastName: 'Doe',
      phones: [{ value: '+15559876543' }],
      photo: photo.id,
    });
    expect(await client.waitForOutbox(item.id)).toMatchObject({ status: 'sent' });
    const [message] = (await client.listMessages({ ...PEOPLE, limit: 1 })).data;
    const [card] = message?.attachments ?? [];
    expect(card).toMatchObject({ filename: 'jane-doe.vcf', mimeType: 'text/vcard' });
    const text = await (await fetch(card?.url ?? '')).text();
    expect(text.replaceAll('\r\n ', '')).toContain(`PHOTO;ENCODING=b;TYPE=PNG:${PNG.toString('base64')}`);
  });

  it('become voice memos', async () => {
    const file = await client.uploadFile({ file: wav(), filename: 'memo.wav', mimeType: 'audio/wav' });
    const { id } = await client.sendAudioMessage({ ...PEOPLE, audioMessage: file.id });
    expect(await client.waitForOutbox(id)).toMatchObject({ status: 'sent', payload: { kind: 'audio_message' } });
    const [message] = (await client.listMessages({ ...PEOPLE, limit: 1 })).data;
    expect(message).toMatchObject({ isAudioMessage: true, text: null });
  });
});
