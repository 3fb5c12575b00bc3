/** What a line does in a conversation besides texting, from the command, against a real server with simulated phones. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWav } from '../../server/test/audio-media.ts';
import { KEY, LINE, startTestServer, type TestServer, waitFor } from '../../server/test/harness.ts';
import { createUser, linesOf, type Ran, runTrunkline, type User } from './command-process.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const CHAT = ['--from', LINE, '--to'];

type Row = Record<string, unknown>;

let test: TestServer;
let user: User;
let picture: string;
let recording: string;
beforeAll(async () => {
  test = await startTestServer('sqlite');
  const address = String(await test.server.listen());
  user = await createUser({ TRUNKLINE_URL: address, TRUNKLINE_API_KEY: KEY });
  picture = join(user.folder, 'Grüße 100%.png');
  recording = join(user.folder, 'memo.wav');
  await writeFile(picture, PICTURE);
  await writeFile(recording, makeWav({ rate: 16_000, seconds: 0.5 }));
});
afterAll(async () => {
  await test.stop();
  await user.remove();
});

async function run(...words: string[]): Promise<Ran> {
  return runTrunkline(user, words);
}

/** The output of a command that did what it was asked. */
async function output(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const rows = async (...words: string[]): Promise<Row[]> => linesOf(await output(...words, '--json'));
const messages = (phone: string) => rows('messages', ...CHAT, phone);
const seen = (phone: string) => rows('simulate', 'phone', phone);

/** The chat's newest message as the API has it, once the phone has written it. */
async function texted(phone: string, text = 'hello'): Promise<Row> {
  await test.text(text, phone);
  return (await messages(phone))[0] ?? {};
}

async function phoneShows(phone: string, text: string): Promise<Row> {
  const find = async () => (await test.phone(phone)).find((one) => one['text'] === text);
  return waitFor(find, `the phone to show ${text}`);
}

describe('send', () => {
  it('sends a file with its name and type, alone and with a text', async () => {
    const phone = '+15550107401';
    await texted(phone);
    await output('send', '--wait', ...CHAT, phone, '--file', picture);
    await output('send', '--wait', ...CHAT, phone, '--file', picture, 'Look');
    const file = { filename: 'Grüße 100%.png', mime_type: 'image/png', size: PICTURE.length };
    const sent = (await seen(phone)).filter((one) => one['from_me'] === false);
    expect(sent.map((one) => one['attachments'])).toMatchObject([[file], [file]]);
    expect(sent.map((one) => one['text'])).toEqual([null, 'Look']);
    expect(await output('messages', ...CHAT, phone)).toMatch(/ {2}Look \[Grüße 100%\.png\]\n/);
    expect(await output('messages', ...CHAT, phone)).toMatch(/ {2}\[Grüße 100%\.png\]\n/);
  });

  it('sends a file from stdin', async () => {
    const phone = '+15550107402';
    await texted(phone);
    const words = ['send', 'raw', '--wait', ...CHAT, phone, '--file', '-'];
    expect(await runTrunkline(user, words, 'some bytes')).toMatchObject({ code: 0, stderr: '' });
    const [newest = {}] = await messages(phone);
    expect(newest['attachments']).toMatchObject([{ mime_type: 'application/octet-stream', size: 10 }]);
  });

  it('sends a recording as a voice memo', async () => {
    const phone = '+15550107403';
    await texted(phone);
    await output('send', '--wait', ...CHAT, phone, '--audio', recording);
    const sent = (await seen(phone)).at(-1);
    expect(sent).toMatchObject({ is_audio_message: true, attachments: [{ mime_type: 'audio/x-caf' }] });
    expect(await output('messages', ...CHAT, phone)).toContain('[voice memo]\n');
    expect(await run('send', ...CHAT, phone, '--audio', picture)).toMatchObject({ code: 5, stdout: '' });
  });

  it('replies under a message', async () => {
    const phone = '+15550107404';
    const { id, guid } = await texted(phone, 'question');
    await output('send', 'answer', '--wait', ...CHAT, phone, '--reply-to', String(id));
    expect((await seen(phone)).at(-1)).toMatchObject({ text: 'answer', reply_to_guid: guid });
    const lost = await run('send', 'answer', ...CHAT, phone, '--reply-to', 'msg_01k0q3v5x8f9q2t7m4n6p8r0sh');
    expect(lost).toMatchObject({ code: 4, stderr: expect.stringContaining('message_not_found') });
  });

  it('sends with an effect, and shows it', async () => {
    const phone = '+15550107406';
    await texted(phone);
    const [item = {}] = await rows('send', 'Done', '--wait', ...CHAT, phone, '--style', 'slam');
    expect(item['payload']).toMatchObject({ text: 'Done', send_style: 'slam' });
    expect((await seen(phone)).at(-1)).toMatchObject({ text: 'Done', effect: 'slam' });
    expect(await output('messages', ...CHAT, phone)).toMatch(/ {2}Done \[with slam\]\n/);
    expect(await output('simulate', 'phone', phone)).toMatch(/ {2}Done \[with slam\]\n/);
    const unknown = await run('send', 'Done', ...CHAT, phone, '--style', 'splash');
    expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('shooting_star') });
    const memo = await run('send', ...CHAT, phone, '--audio', recording, '--style', 'slam');
    expect(memo).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--style') });
  });

  it('of a file with a key of its own is one file and one message however often it is run', async () => {
    const phone = '+15550107405';
    await texted(phone);
    const words = ['send', 'once', '--wait', ...CHAT, phone, '--file', picture, '--idempotency-key', 'order 18'];
    const [[first], [second]] = [await rows(...words), await rows(...words)];
    expect(second?.['id']).toBe(first?.['id']);
    expect(second?.['payload']).toEqual(first?.['payload']);
    expect((await seen(phone)).map((one) => one['text'])).toEqual(['hello', 'once']);
  });
});

describe('reactions', () => {
  it('are sent, listed for people and for machines, and seen by the phone', async () => {
    const phone = '+15550107411';
    const message = await texted(phone);
    const id = String(message['id']);
    const words = ['react', 'laugh', ...CHAT, phone, '--message', id];
    expect(await output(...words, '--wait')).toMatch(/^Sent: obx_\w+ \(\d+ ms\)\n$/);
    await output('simulate', 'react', 'love', '--phone', phone, '--message', id);
    expect((await seen(phone))[0]?.['reactions']).toMatchObject([
      { type: 'laugh', sender: LINE },
      { type: 'love', sender: phone },
    ]);
    const table = (await output('reactions', id)).split('\n');
    expect(table[0]).toMatch(/^AT +SENDER +TYPE +STATE +ID$/);
    expect(table[1]).toMatch(/^\S+ \S+ +me +laugh +there +rxn_\w+$/);
    expect(table[2]).toMatch(/ \+15550107411 +love +there +rxn_\w+$/);

    await output('simulate', 'react', 'love', '--off', '--phone', phone, '--message', id);
    const all = await rows('reactions', String(message['guid']), '--from', LINE);
    expect(all).toMatchObject([
      { type: 'laugh', is_from_me: true, added: true },
      { type: 'love', is_from_me: false, added: false },
    ]);
    expect(await run('reactions', 'msg_01k0q3v5x8f9q2t7m4n6p8r0sh')).toMatchObject({ code: 4 });
    expect(await run(...words.slice(0, -1), 'msg_01k0q3v5x8f9q2t7m4n6p8r0sh')).toMatchObject({ code: 4 });
  });
});

describe('typing and reading', () => {
  it('is seen by the phone, and ends', async () => {
    const phone = '+15550107421';
    await texted(phone);
    const shown = async () => {
      const { body } = await test.call('GET', `/simulator/v1/phones/${encodeURIComponent(phone)}/typing`);
      return (body['data'] as Row[]).map((one) => one['line']);
    };
    expect(await output('typing', ...CHAT, phone)).toMatch(/^Accepted: obx_\w+\n$/);
    await waitFor(async () => ((await shown()).includes(LINE) ? true : undefined), 'the phone to see it');
    const [item] = await rows('typing', '--off', '--wait', ...CHAT, phone);
    expect(item).toMatchObject({ status: 'sent', payload: { kind: 'typing', state: 'off' } });
    expect(await shown()).toEqual([]);
  });

  it('marks a chat as read, and tells who has read it', async () => {
    const phone = '+15550107422';
    await texted(phone);
    await output('read', '--wait', ...CHAT, phone);
    expect((await seen(phone))[0]).toMatchObject({ state: 'read' });

    await output('send', 'seen?', '--wait', ...CHAT, phone);
    expect(await output('simulate', 'read', '--phone', phone, '--to', LINE)).toContain('has read its chat');
    const table = (await output('receipts', ...CHAT, phone)).split('\n');
    expect(table[0]).toMatch(/^WHO +READ UNTIL +ID$/);
    expect(table[1]).toMatch(/^\+15550107422 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +rcp_\w+$/);
    expect(await rows('receipts', ...CHAT, phone)).toMatchObject([{ handle: phone }]);
    expect(await run('receipts', ...CHAT, '+15550107498')).toMatchObject({ code: 4 });
    expect(await run('read', ...CHAT, '+15550107498')).toMatchObject({ code: 4 });
  });
});

describe('chats', () => {
  it('are listed for people and for machines, the latest first', async () => {
    const words = ['--line', LINE, '--phone', '+15550107431,+15550107432', '--name', 'Hikers'];
    const [group = {}] = await rows('simulate', 'group', ...words);
    await output('simulate', 'text', 'hi all', '--phone', '+15550107431', '--to', String(group['chat_id']));
    await texted('+15550107433');
    const lines = (await output('chats', '--from', LINE)).split('\n');
    expect(lines[0]).toMatch(/^LATEST +ID +SERVICE +WROTE +WITH$/);
    expect(lines[1]).toMatch(/^\S+ \S+ +cht_\w+ +imessage +yes +\+15550107433$/);
    expect(lines[2]).toMatch(/ Hikers \(\+15550107431, \+15550107432\)$/);
    const chats = await rows('chats', '--from', LINE, '--limit', '2');
    expect(chats).toMatchObject([{ identifier: '+15550107433' }, { id: group['chat_id'], is_group: true }]);
    expect((await rows('chats', '--from', LINE, '--all')).length).toBeGreaterThan(2);
    expect(await run('chats', '--from', '+15550100999')).toMatchObject({ code: 4 });
  });
});

describe('outbox', () => {
  it('says what became of an item', async () => {
    const phone = '+15550107441';
    await texted(phone);
    const [sent = {}] = await rows('send', 'there', '--wait', ...CHAT, phone);
    const id = String(sent['id']);
    const [head = '', row = ''] = (await output('outbox', id)).split('\n');
    expect(head).toMatch(/^ID +KIND +STATUS +ATTEMPTS +ACCEPTED +ENDED +ERROR$/);
    expect(row).toMatch(new RegExp(`^${id} +message +sent +1 of \\d+ +.* -$`));
    expect(await rows('outbox', id)).toMatchObject([{ id, status: 'sent', payload: { text: 'there' } }]);
    const failed = await run('send', 'nobody', '--wait', '--json', ...CHAT, '+15550100400');
    const [item = {}] = linesOf(failed.stdout);
    expect(await output('outbox', String(item['id']))).toContain('+15550100400 is not an iMessage user');
    expect(await run('outbox', 'obx_01k0q3v5x8f9q2t7m4n6p8r0sh')).toMatchObject({ code: 4 });
    expect(await run('outbox', 'msg_1')).toMatchObject({ code: 5 });
  });
});

describe("a phone's side", () => {
  it('sends files and voice memos', async () => {
    const phone = '+15550107451';
    await output('simulate', 'file', picture, '--phone', phone, '--to', LINE, '--text', 'mine');
    const said = await output('simulate', 'memo', recording, '--phone', phone, '--to', LINE, '--transcription', 'Hm');
    expect(said).toMatch(/^\+15550107451 sent .*memo\.wav to \+15550100001: \S+\n$/);
    const [memo = {}, file = {}] = await messages(phone);
    expect(file).toMatchObject({ text: 'mine', attachments: [{ filename: 'Grüße 100%.png' }] });
    expect(memo).toMatchObject({ is_audio_message: true, attachments: [{ transcription: 'Hm' }] });
    expect(await output('simulate', 'phone', phone)).toContain('[voice memo: Hm]\n');
  });

  it('types, changes what it wrote and takes it back', async () => {
    const phone = '+15550107452';
    const message = await texted(phone, 'one');
    await output('simulate', 'type', '--phone', phone, '--to', LINE);
    const typing = async () =>
      (await test.call('GET', `/v1/typing?${new URLSearchParams({ from: LINE, to: phone })}`)).body;
    expect(await typing()).toMatchObject({ data: [{ handle: phone, is_typing: true }] });
    await output('simulate', 'type', '--off', '--phone', phone, '--to', LINE);
    expect(await typing()).toMatchObject({ data: [{ handle: phone, is_typing: false }] });

    const about = ['--phone', phone, '--message', String(message['id'])];
    expect(await output('simulate', 'edit', 'two', ...about)).toMatch(/^\+15550107452 changes msg_\w+\.\n$/);
    expect(await phoneShows(phone, 'two')).toMatchObject({ edited: true });
    expect((await rows('simulate', 'unsend', ...about))[0]).toMatchObject({ guid: message['guid'] });
    expect((await seen(phone))[0]).toMatchObject({ unsent: true });
    const others = ['--phone', '+15550107453', '--message', String(message['id'])];
    expect(await run('simulate', 'unsend', ...others)).toMatchObject({ code: 4 });
  });

  it('texts with an effect', async () => {
    const phone = '+15550107455';
    await output('simulate', 'text', 'Hooray', '--phone', phone, '--to', LINE, '--effect', 'confetti');
    expect((await messages(phone))[0]).toMatchObject({ text: 'Hooray', send_style: 'confetti' });
    expect(await output('messages', ...CHAT, phone)).toMatch(/ {2}Hooray \[with confetti\]\n/);
  });

  it('replies under a message', async () => {
    const phone = '+15550107454';
    const { id, guid } = await texted(phone, 'first');
    await output('simulate', 'text', 'second', '--phone', phone, '--to', LINE, '--reply-to', String(id));
    expect((await messages(phone))[0]).toMatchObject({ text: 'second', reply_to_guid: guid });
  });
});
