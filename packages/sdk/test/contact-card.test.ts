/** Contact cards and uploads, as they arrive at a server that only listens. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { json, refusal, type ScriptedServer, startScriptedServer } from '../../cli/test/scripted-server.ts';
import { createClient, type MessagesClient, MessagesError, type UploadSource } from '../src/index.ts';
import { KEY } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const FILE = { id: 'file_1', url: null, filename: 'a', mime_type: 'text/plain', size: 5, request_id: 'req_1' };
const PEOPLE = { from: '+15550100001', to: '+15550109999' };
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Array(200).keys()]);
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);

let scripted: ScriptedServer;
let client: MessagesClient;
let photo: Buffer;
beforeAll(async () => {
  scripted = await startScriptedServer();
  client = createClient({ apiKey: KEY, baseUrl: scripted.url });
});
afterAll(() => scripted.close());
beforeEach(() =>
  scripted.behave((response, asked, count) => {
    if (asked.path === '/photo') return void response.end(photo);
    if (asked.path === '/v1/files/file_photo')
      return json(200, { ...FILE, url: `${scripted.url}/photo` })(response, asked, count);
    const body = asked.path === '/v1/files' ? FILE : { id: 'obx_1', status: 'pending', request_id: 'req_2' };
    json(201, body)(response, asked, count);
  }),
);

const upload = () => scripted.asked.find((one) => one.path === '/v1/files');
/** The lines as they are meant: a line that begins with a space goes on with the one before. */
const linesOf = (card: string) => card.replaceAll('\r\n ', '').split('\r\n');

describe('a contact card', () => {
  it('is made, uploaded and sent, with all that it can say', async () => {
    const item = await client.sendContactCard(
      {
        ...PEOPLE,
        firstName: 'Mary Jane',
        lastName: 'O;Neil, Jr.',
        phones: [{ value: '+15551234567' }, { value: '+15557654321', type: 'work' }],
        emails: [{ value: 'mj@example.com' }, { value: 'mary@example.com', type: 'home' }],
        org: 'Acme\\Works',
        title: 'Chief, of staff',
        url: 'https://example.com/?a=1,2;3',
        address: {
          street: '1 Main St',
          city: 'Springfield',
          region: 'IL',
          postalCode: '62701',
          country: 'USA',
          type: 'home',
        },
        bday: '1990-05-06',
        note: 'One\nTwo\r\nThree',
        text: 'My card',
        replyTo: 'msg_1',
      },
      { idempotencyKey: 'card-1' },
    );
    expect(item).toEqual({ id: 'obx_1', status: 'pending', requestId: 'req_2' });
    expect(upload()?.headers).toMatchObject({
      'content-type': 'text/vcard',
      'x-filename': encodeURIComponent('mary-jane-o;neil,-jr..vcf'),
      'idempotency-key': 'card-1',
    });
    expect(linesOf(upload()?.body ?? '')).toEqual([
      'BEGIN:VCARD',
      'VERSION:3.0',
      'N:O\\;Neil\\, Jr.;Mary Jane;;;',
      'FN:Mary Jane O\\;Neil\\, Jr.',
      'ORG:Acme\\\\Works',
      'TITLE:Chief\\, of staff',
      'TEL;TYPE=CELL:+15551234567',
      'TEL;TYPE=WORK:+15557654321',
      'EMAIL:mj@example.com',
      'EMAIL;TYPE=HOME:mary@example.com',
      'ADR;TYPE=HOME:;;1 Main St;Springfield;IL;62701;USA',
      'URL:https://example.com/?a=1,2;3',
      'BDAY:1990-05-06',
      'NOTE:One\\nTwo\\nThree',
      'END:VCARD',
      '',
    ]);
    const sent = scripted.asked.at(-1);
    expect(sent).toMatchObject({ method: 'POST', path: '/v1/messages' });
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      ...PEOPLE,
      text: 'My card',
      attachments: ['file_1'],
      reply_to: 'msg_1',
    });
    expect(sent?.headers['idempotency-key']).toBe('card-1');
  });

  it('has lines of 75 octets at most, and no letter cut in two', async () => {
    const note = `${'é👩‍👩‍👧'.repeat(40)} end`;
    await client.sendContactCard({ ...PEOPLE, firstName: 'Jane', lastName: 'Doe', note });
    const body = upload()?.body ?? '';
    const lines = body.split('\r\n');
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(75);
    expect(lines.some((line) => Buffer.byteLength(line) > 70)).toBe(true);
    expect(body).not.toContain('\uFFFD');
    expect(linesOf(body)).toContain(`NOTE:${note}`);
    expect(upload()?.headers['x-filename']).toBe('jane-doe.vcf');
  });

  it.each([
    ['JPEG', JPEG, undefined],
    ['PNG', PNG, undefined],
    ['PNG', Buffer.from('unknown bytes'), 'PNG' as const],
  ])('carries a photo, a %s, which is fetched without the key', async (type, bytes, photoType) => {
    photo = bytes;
    await client.sendContactCard({ ...PEOPLE, firstName: 'Jane', lastName: 'Doe', photo: 'file_photo', photoType });
    expect(linesOf(upload()?.body ?? '')).toContain(`PHOTO;ENCODING=b;TYPE=${type}:${bytes.toString('base64')}`);
    expect(scripted.asked.find((one) => one.path === '/photo')?.headers.authorization).toBeUndefined();
  });

  it('with a photo that is none sends nothing', async () => {
    photo = Buffer.from('<html>');
    const card = { ...PEOPLE, firstName: 'Jane', lastName: 'Doe', photo: 'file_photo' };
    expect(await refusalOf(client.sendContactCard(card))).toMatchObject({ code: 'unknown_photo_type', param: 'photo' });
    expect(upload()).toBeUndefined();
  });

  it('cannot be made to hold lines of its own by a value', async () => {
    await client.sendContactCard({
      ...PEOPLE,
      firstName: 'Jane\r\nNOTE:a',
      lastName: '',
      url: 'https://example.com\r\nNOTE:b',
      phones: [{ value: '1\nNOTE:c', type: 'x:\r\nNOTE:d;' }],
    });
    expect(linesOf(upload()?.body ?? '').filter((line) => line.startsWith('NOTE'))).toEqual([]);
  });
});

describe('an upload', () => {
  const bytes = Buffer.from('hello');
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 2);
    yield bytes.subarray(2);
  }
  it.each<[string, () => UploadSource]>([
    ['a Buffer', () => bytes],
    ['a Uint8Array', () => new Uint8Array(bytes)],
    ['an ArrayBuffer', () => Uint8Array.from(bytes).buffer],
    ['a Blob', () => new Blob([bytes])],
    ['a web stream', () => new Blob([bytes]).stream()],
    ['a Node stream', () => Readable.from(pieces())],
    ['an async iterable', () => pieces()],
  ])('of %s arrives whole', async (_name, file) => {
    const uploaded = await client.uploadFile({ file: file(), filename: 'Grüße 100%/👋.txt', mimeType: 'text/plain' });
    expect(uploaded).toEqual({
      id: 'file_1',
      url: null,
      filename: 'a',
      mimeType: 'text/plain',
      size: 5,
      requestId: 'req_1',
    });
    expect(upload()).toMatchObject({ method: 'POST', body: 'hello' });
    expect(upload()?.headers['content-type']).toBe('text/plain');
    expect(decodeURIComponent(String(upload()?.headers['x-filename']))).toBe('Grüße 100%/👋.txt');
    expect(upload()?.headers['idempotency-key']).toMatch(/./);
  });

  it('takes the name and the type of a file that has them', async () => {
    await client.uploadFile({ file: new File([bytes], 'note.md', { type: 'text/markdown' }) });
    expect(upload()?.headers).toMatchObject({ 'content-type': 'text/markdown', 'x-filename': 'note.md' });
    await client.uploadFile({ file: bytes });
    expect(scripted.asked.at(-1)?.headers['content-type']).toBe('application/octet-stream');
    expect(scripted.asked.at(-1)?.headers['x-filename']).toBeUndefined();
  });

  it('is tried again, unless it is a stream, which can be read once', async () => {
    scripted.behave((response, asked, count) =>
      (count === 1 ? refusal(503, 'overloaded') : json(201, FILE))(response, asked, count),
    );
    expect((await client.uploadFile({ file: bytes })).id).toBe('file_1');
    expect(scripted.asked.map((one) => one.body)).toEqual(['hello', 'hello']);
    scripted.behave(refusal(503, 'overloaded'));
    expect(await refusalOf(client.uploadFile({ file: pieces() }))).toBeInstanceOf(MessagesError);
    expect(scripted.asked).toHaveLength(1);
  });
});
