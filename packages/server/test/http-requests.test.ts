/** What a request may say and how it may spell it: lines, recipients, texts, groups, replies, pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectStatus, LINE, PHONE, startTestServer, type TestServer } from './harness.ts';
import { addLine, expected, refOf, refusal } from './tenancy.ts';

const MAIL_LINE = 'support@example.com';
const from = encodeURIComponent(LINE);
let test: TestServer;

beforeAll(async () => {
  test = await startTestServer('sqlite', { simulatorTimings: { slowMs: 50 } });
  await addLine(test, MAIL_LINE, { contactFirst: false });
});
afterAll(() => test.stop());

type Item = Record<string, unknown>;
const listOf = async (path: string): Promise<Item[]> =>
  expectStatus(200, await test.call('GET', path)).body['data'] as Item[];

describe('from', () => {
  it.each([
    ['its handle', from],
    ['a plus that was lost', ' 15550100001'],
    ['a plus that became a space', '+15550100001'],
    ['spaces and brackets', encodeURIComponent('+1 (555) 010-0001')],
  ])('names a line by %s', async (_name, spelling) => {
    const chats = await listOf(`/v1/chats?from=${spelling.replaceAll(' ', '%20')}`);
    expect(chats.map((chat) => chat['identifier'])).toContain(PHONE);
  });

  it('names a line by its id, in a query and in a body', async () => {
    const { id } = await refOf(test, LINE);
    expect((await listOf(`/v1/chats?from=${id}`)).length).toBeGreaterThan(0);
    const answer = await test.call('POST', '/v1/messages', { from: id, to: PHONE, text: 'x' });
    expect((await test.outbox(String(answer.body['id'])))['line_id']).toBe(id);
  });

  it('names a line by an e-mail in any case', async () => {
    expect(await listOf('/v1/chats?from=Support@Example.COM')).toEqual([]);
  });
});

describe('a send', () => {
  it('takes 20,000 characters, any of them', async () => {
    const text = 'é😀\n\u202e‍'.repeat(3_333).padEnd(20_000, 'x');
    expect([text.length, text.isWellFormed()]).toEqual([20_000, true]);
    const item = await test.settled(await test.send(text));
    expect((item['payload'] as Item)['text']).toBe(text);
    expect((await test.phone()).at(-1)?.['text']).toBe(text);
  });

  it('goes to a handle in any spelling', async () => {
    const item = await test.settled(await test.send('Spelled', '+1 (555) 010-9999'));
    expect((item['payload'] as Item)['to']).toBe('+1 (555) 010-9999');
    expect((await test.phone()).at(-1)?.['text']).toBe('Spelled');
  });

  it('goes to a chat by its id', async () => {
    const chat = (await listOf(`/v1/chats?from=${from}`)).find((one) => one['identifier'] === PHONE);
    await test.settled(await test.send('By chat', String(chat?.['id'])));
    expect((await test.phone()).at(-1)?.['text']).toBe('By chat');
  });

  it('needs no inbound message first where its line says so', async () => {
    const body = { from: MAIL_LINE, to: '+15550107001', text: 'Cold' };
    const { body: receipt } = expectStatus(201, await test.call('POST', '/v1/messages', body));
    await test.settled(String(receipt['id']));
    expect((await test.phone('+15550107001')).map((one) => one['text'])).toEqual(['Cold']);
  });

  it.each([
    ['+15550100400', 'failed'],
    ['+15550100410', 'sent'],
    ['+15550100429', 'sent'],
  ] as const)('to %s needs no inbound message first, and ends %s', async (handle, status) => {
    const item = await test.settled(await test.send('Magic', handle), status);
    if (status === 'failed') expect(item['error']).toMatch(/\.$/);
    else expect(item['error']).toBeNull();
  });

  it('may answer a contact as soon as it has written, and not one moment earlier', async () => {
    const contact = '+15550107002';
    const body = { from: LINE, to: contact, text: 'x' };
    const refused = await test.call('POST', '/v1/messages', body);
    expect(refusal(refused)).toEqual(expected('contact_has_not_messaged', 'to'));
    await test.text('First', contact);
    expect((await test.call('POST', '/v1/messages', body)).status).toBe(201);
  });

  it('may reply to a message of its chat, by id and by GUID', async () => {
    const { guid } = await test.text('Ask me');
    const id = (await test.call('GET', `/v1/messages/${guid}`)).body['id'];
    for (const replyTo of [guid, id]) {
      const body = { from: LINE, to: PHONE, text: 'A reply', reply_to: replyTo };
      const receipt = expectStatus(201, await test.call('POST', '/v1/messages', body)).body;
      const item = await test.settled(String(receipt['id']));
      expect((item['payload'] as Item)['reply_to']).toBe(replyTo);
    }
  });

  it('may not reply to a message of another chat', async () => {
    const { guid } = await test.text('Elsewhere', '+15550107003');
    const body = { from: LINE, to: PHONE, text: 'x', reply_to: guid };
    expect(refusal(await test.call('POST', '/v1/messages', body))).toEqual(expected('message_not_found', 'reply_to'));
  });
});

describe('a group', () => {
  it('is written to once one of it has written, and shows who is in it', async () => {
    const members = ['+15550107010', '+15550107011'];
    const made = await test.call('POST', '/simulator/v1/groups', { line: LINE, participants: members, name: 'Team' });
    const chatId = String(expectStatus(201, made).body['chat_id']);
    const body = { from: LINE, to: chatId, text: 'Hello all' };
    const cold = await test.call('POST', '/v1/messages', body);
    expect(refusal(cold)).toEqual(expected('contact_has_not_messaged', 'to'));
    const phoneText = { from: members[1], to: chatId, text: 'Hello line' };
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', phoneText));
    const receipt = expectStatus(201, await test.call('POST', '/v1/messages', body)).body;
    await test.settled(String(receipt['id']));

    const chat = (await listOf(`/v1/chats?from=${from}`)).find((one) => one['id'] === chatId);
    expect(chat).toMatchObject({ is_group: true, name: 'Team', participants: members, has_received_inbound: true });
    const messages = await listOf(`/v1/messages?from=${from}&to=${chatId}`);
    expect(messages.map((one) => one['text'])).toEqual(['Hello all', 'Hello line']);
    for (const member of members) expect((await test.phone(member)).at(-1)?.['text']).toBe('Hello all');
  });
});

describe('pages', () => {
  const phone = '+15550107020';
  const path = `/v1/messages?from=${from}&to=${encodeURIComponent(phone)}`;
  const page = async (query: string) => expectStatus(200, await test.call('GET', `${path}${query}`)).body;
  const texts = (body: Item) => (body['data'] as Item[]).map((one) => one['text']);

  beforeAll(async () => {
    for (let number = 1; number <= 7; number++) await test.text(`Text ${number}`, phone);
  });

  it('walk through a chat, newest first, without a gap or a repeat, while messages arrive', async () => {
    const seen: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < 10; pages++) {
      const body = await page(`&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...texts(body));
      expect(body['has_more']).toBe(body['next_cursor'] !== null);
      if (body['next_cursor'] === null) break;
      cursor = String(body['next_cursor']);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      await test.text('Later', phone);
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => `Text ${number}`));
  });

  it.each([
    ['0', 1],
    ['-5', 1],
    ['1', 1],
    ['2.9', 2],
    ['100', 100],
    ['101', 100],
    ['999999999999999999999', 100],
  ])('have a limit that is clamped: %s is %i', async (limit, count) => {
    expect(texts(await page(`&limit=${limit}`)).length).toBeLessThanOrEqual(count);
    expect(texts(await page(`&limit=${limit}`)).length).toBeGreaterThanOrEqual(Math.min(count, 7));
  });

  it('end exactly: a page that takes the last row says that there is no more', async () => {
    const all = texts(await page('&limit=100')).length;
    expect(await page(`&limit=${all}`)).toMatchObject({ has_more: false, next_cursor: null });
    expect(await page(`&limit=${all - 1}`)).toMatchObject({ has_more: true });
  });

  it.each(['NaN', '1e', 'ten', '0x10', '1,5', '--1'])('refuse a limit of %s', async (limit) => {
    const answer = await test.call('GET', `${path}&limit=${limit}`);
    expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'limit'));
  });

  it('refuse a cursor that is bent, of another chat, or of another list', async () => {
    const cursor = String((await page('&limit=1'))['next_cursor']);
    const bent = [...cursor].map((letter, at) => (at === 3 ? (letter === 'A' ? 'B' : 'A') : letter)).join('');
    const invalid = expected('invalid_parameter_value', 'cursor');
    const ask = async (query: string) => refusal(await test.call('GET', query));
    expect(await ask(`${path}&cursor=${bent}`)).toEqual(invalid);
    expect(await ask(`${path}&cursor=${cursor}AA`)).toEqual(invalid);
    expect(await ask(`/v1/chats?from=${from}&cursor=${cursor}`)).toEqual(invalid);
    expect(await ask(`/v1/messages?from=${from}&to=${encodeURIComponent(PHONE)}&cursor=${cursor}`)).toEqual(invalid);
  });

  it('walk through the chats, latest activity first, those without messages last', async () => {
    const participants = ['+15550107030'];
    const group = await test.call('POST', '/simulator/v1/groups', { line: LINE, participants });
    await test.text('Latest', '+15550107031');
    const seen: Item[] = [];
    let cursor = '';
    do {
      const body = expectStatus(200, await test.call('GET', `/v1/chats?from=${from}&limit=2${cursor}`)).body;
      seen.push(...(body['data'] as Item[]));
      cursor = body['next_cursor'] === null ? '' : `&cursor=${String(body['next_cursor'])}`;
    } while (cursor !== '');
    const all = await listOf(`/v1/chats?from=${from}`);
    expect(seen.map((chat) => chat['id'])).toEqual(all.map((chat) => chat['id']));
    expect(seen[0]).toMatchObject({ identifier: '+15550107031' });
    expect(seen.at(-1)).toMatchObject({ id: group.body['chat_id'], last_message_at: null });
    const times = seen.map((chat) => Number(chat['last_message_at'] ?? 0));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });
});
