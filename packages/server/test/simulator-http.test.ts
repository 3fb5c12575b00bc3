/** The phones' side over HTTP: every route of `/simulator/v1`, and what of it each key sees. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHONE_MESSAGE_KEYS } from './answer-keys.ts';
import {
  type Answer,
  expectStatus,
  LINE,
  PHONE,
  SANDBOX_LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { addAccount, addKey, addLine, expected, refusal, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const ROOT = '/simulator/v1';
type Item = Record<string, unknown>;

let test: TestServer;
let strangersKey: string;
let limitedKey: string;

beforeAll(async () => {
  test = await startTestServer('sqlite', { simulatorTimings: { autoreplyMs: 20, pollMs: 50 } });
  const stranger = await addAccount(test);
  await addLine(test, STRANGERS_LINE, { accountRef: stranger });
  strangersKey = await addKey(test, { accountRef: stranger });
  limitedKey = await addKey(test, { lineRefs: [(await addLine(test, SECOND_LINE)).ref] });
});
afterAll(() => test.stop());

const post = (path: string, body: unknown, key?: string): Promise<Answer> =>
  test.call('POST', `${ROOT}${path}`, body, key === undefined ? {} : { key });
const made = async (path: string, body: unknown, key?: string): Promise<Item> =>
  expectStatus(201, await post(path, body, key)).body;
const shown = (phone: string, query = '', key?: string): Promise<Answer> =>
  test.call('GET', `${ROOT}/phones/${encodeURIComponent(phone)}/messages${query}`, undefined, key ? { key } : {});
const seenBy = async (phone: string, query = '', key?: string): Promise<Item[]> =>
  expectStatus(200, await shown(phone, query, key)).body['data'] as Item[];
const chatsOf = async (line: string): Promise<Item[]> => {
  const path = `/v1/chats?from=${encodeURIComponent(line)}&limit=100`;
  return expectStatus(200, await test.call('GET', path)).body['data'] as Item[];
};

describe('POST /messages', () => {
  it('is answered once the next /v1 call sees the message, from a phone that nobody knew', async () => {
    const phone = '+15550107301';
    const answer = await post('/messages', { from: phone, to: LINE, text: 'Hello' });
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body).sort()).toEqual(['chat_id', 'guid', 'request_id']);
    const message = expectStatus(200, await test.call('GET', `/v1/messages/${String(answer.body['guid'])}`)).body;
    expect(message).toMatchObject({ chat_id: answer.body['chat_id'], sender: phone, text: 'Hello', is_from_me: false });
  });

  it('takes handles in any spelling, and e-mails', async () => {
    const mail = `${'very-long-'.repeat(12)}@example.com`;
    const { guid } = await made('/messages', { from: mail.toUpperCase(), to: ' 15550100001', text: 'Mail' });
    expect((await test.call('GET', `/v1/messages/${String(guid)}`)).body['sender']).toBe(mail);
    expect((await seenBy(mail.toUpperCase())).map((one) => one['text'])).toEqual(['Mail']);
  });

  it.each([
    ['no from', { to: LINE, text: 'x' }, 'missing_required_parameter', 'from'],
    ['no to', { from: PHONE, text: 'x' }, 'missing_required_parameter', 'to'],
    ['no text', { from: PHONE, to: LINE }, 'missing_required_parameter', 'text'],
    ['a bad from', { from: 'x', to: LINE, text: 'x' }, 'invalid_parameter_value', 'from'],
    ['a bad to', { from: PHONE, to: 'x', text: 'x' }, 'invalid_parameter_value', 'to'],
    ['a NUL', { from: PHONE, to: LINE, text: 'a\0b' }, 'invalid_parameter_value', 'text'],
    ['no such line', { from: PHONE, to: '+15550199999', text: 'x' }, 'line_not_found', 'to'],
    ['the sandbox line', { from: PHONE, to: SANDBOX_LINE, text: 'x' }, 'line_not_found', 'to'],
    ['a foreign line', { from: PHONE, to: STRANGERS_LINE, text: 'x' }, 'line_not_found', 'to'],
    ['no such group', { from: PHONE, to: 'cht_none', text: 'x' }, 'chat_not_found', 'to'],
  ])('refuses %s', async (_name, body, code, param) => {
    expect(refusal(await post('/messages', body))).toEqual(expected(code, param));
  });

  it('takes a chat only if it is a group', async () => {
    const { chat_id } = await made('/messages', { from: PHONE, to: LINE, text: 'x' });
    const answer = await post('/messages', { from: PHONE, to: chat_id, text: 'x' });
    expect(refusal(answer)).toEqual(expected('chat_not_found', 'to'));
  });
});

describe('POST /groups', () => {
  const members = ['+15550107311', '+15550107312'];

  it('makes a chat of /v1 at once, which its members write in', async () => {
    const body = { line: LINE, participants: [...members, members[0]], name: 'Team' };
    const answer = await made('/groups', body);
    expect(Object.keys(answer).sort()).toEqual(['chat_id', 'request_id']);
    const chat = (await chatsOf(LINE)).find((one) => one['id'] === answer['chat_id']);
    expect(chat).toMatchObject({ is_group: true, name: 'Team', participants: members, last_message_at: null });
    const text = await made('/messages', { from: members[0], to: answer['chat_id'], text: 'Hi all' });
    expect(text['chat_id']).toBe(answer['chat_id']);
    expect((await seenBy(members[1] ?? '')).at(-1)).toMatchObject({
      text: 'Hi all',
      from_me: false,
      sender: members[0],
    });
    expect((await seenBy(members[0] ?? '')).at(-1)).toMatchObject({ from_me: true, chat_id: answer['chat_id'] });
    const other = await post('/messages', { from: PHONE, to: answer['chat_id'], text: 'x' });
    expect(refusal(other)).toEqual(expected('invalid_parameter_value', 'from'));
  });

  it.each([
    ['no line', { participants: members }, 'missing_required_parameter', 'line'],
    ['nobody', { line: LINE }, 'missing_required_parameter', 'participants'],
    ['an empty list', { line: LINE, participants: [] }, 'invalid_parameter_value', 'participants'],
    ['a bad handle', { line: LINE, participants: ['x'] }, 'invalid_parameter_value', 'participants'],
    ['the line itself', { line: LINE, participants: [PHONE, LINE] }, 'invalid_parameter_value', 'participants'],
    ['33 members', { line: LINE, participants: new Array(33).fill(PHONE) }, 'invalid_parameter_value', 'participants'],
    ['a foreign line', { line: STRANGERS_LINE, participants: members }, 'line_not_found', 'line'],
  ])('refuses %s', async (_name, body, code, param) => {
    expect(refusal(await post('/groups', body))).toEqual(expected(code, param));
  });
});

describe('GET /phones/{handle}/messages', () => {
  it('shows what the phone sees, oldest first, with every key', async () => {
    const phone = '+15550107321';
    const { chatId } = await test.text('First', phone);
    await test.settled(await test.send('Second', phone));
    const both = await waitFor(async () => {
      const all = await seenBy(phone);
      return all[1]?.['state'] === 'delivered' ? all : undefined;
    }, 'the second to be delivered');
    for (const one of both) expect(Object.keys(one).sort()).toEqual([...PHONE_MESSAGE_KEYS].sort());
    expect(both[0]).toMatchObject({ text: 'First', chat_id: chatId, line: LINE, from_me: true, state: 'received' });
    expect(both[1]).toMatchObject({ text: 'Second', from_me: false, sender: LINE, attachments: [], reactions: [] });
    expect(both[1]).toMatchObject({ is_audio_message: false, reply_to_guid: null, effect: null, edited: false });
    const messages = await test.call('GET', `/v1/messages/${String(both[1]?.['guid'])}`);
    expect(messages.body['text']).toBe('Second');
    await test.text('Third', phone);
    expect((await seenBy(phone))[1]?.['state']).toBe('read');
  });

  it('pages, and is empty for a phone that nobody knows', async () => {
    const phone = '+15550107322';
    expect((await shown(phone)).body).toMatchObject({ data: [], has_more: false, next_cursor: null });
    for (const text of ['1', '2', '3', '4', '5']) await test.text(text, phone);
    const texts: unknown[] = [];
    let query = '?limit=2';
    for (let pages = 0; pages < 3; pages++) {
      const { body } = expectStatus(200, await shown(phone, query));
      texts.push(...(body['data'] as Item[]).map((one) => one['text']));
      query = `?limit=2&cursor=${encodeURIComponent(String(body['next_cursor']))}`;
      expect(body['has_more']).toBe(pages < 2);
    }
    expect(texts).toEqual(['1', '2', '3', '4', '5']);
  });

  it.each([
    ['a bad handle', 'x', '', 'invalid_parameter_value', 'handle'],
    ['a handle with NUL', 'a\0@example.com', '', 'invalid_parameter_value', 'handle'],
    ['a bad limit', PHONE, '?limit=x', 'invalid_parameter_value', 'limit'],
    ['a bad cursor', PHONE, '?cursor=x', 'invalid_parameter_value', 'cursor'],
    ['no such line', PHONE, '?line=%2B15550199999', 'line_not_found', 'line'],
    ['a foreign line', PHONE, `?line=${encodeURIComponent(STRANGERS_LINE)}`, 'line_not_found', 'line'],
    ['the sandbox line', PHONE, `?line=${encodeURIComponent(SANDBOX_LINE)}`, 'line_not_found', 'line'],
  ])('refuses %s', async (_name, phone, query, code, param) => {
    expect(refusal(await shown(phone, query))).toEqual(expected(code, param));
  });
});

describe('a key', () => {
  const phone = '+15550107331';

  beforeAll(async () => {
    for (const number of [1, 2, 3]) {
      await made('/messages', { from: phone, to: STRANGERS_LINE, text: `Stranger ${number}` }, strangersKey);
      await made('/messages', { from: phone, to: LINE, text: `First ${number}` });
      await made('/messages', { from: phone, to: SECOND_LINE, text: `Second ${number}` });
    }
  });

  it("sees what a phone says to its account's lines, and may ask for one of them", async () => {
    const lines = async (query: string, key?: string) =>
      new Set((await seenBy(phone, query, key)).map((one) => one['line']));
    expect(await lines('')).toEqual(new Set([LINE, SECOND_LINE]));
    expect(await lines(`?line=${encodeURIComponent(SECOND_LINE)}`)).toEqual(new Set([SECOND_LINE]));
    expect(await lines('', strangersKey)).toEqual(new Set([STRANGERS_LINE]));
    expect(await lines('', limitedKey)).toEqual(new Set([SECOND_LINE]));
  });

  it('pages through those alone: no page is short and no cursor tells of another line', async () => {
    const texts: unknown[] = [];
    let query = '?limit=1';
    for (let pages = 0; pages < 3; pages++) {
      const { body } = expectStatus(200, await shown(phone, query, strangersKey));
      expect(body['data']).toHaveLength(1);
      texts.push(...(body['data'] as Item[]).map((one) => one['text']));
      expect(body['has_more']).toBe(pages < 2);
      expect(String(body['next_cursor'])).not.toContain(LINE);
      query = `?limit=1&cursor=${encodeURIComponent(String(body['next_cursor']))}`;
    }
    expect(texts).toEqual(['Stranger 1', 'Stranger 2', 'Stranger 3']);
  });

  it('finds no line that it may not use, and no group of one', async () => {
    const { chat_id } = await made('/groups', { line: LINE, participants: [phone] });
    const calls: readonly (readonly [Promise<Answer>, string, string])[] = [
      [post('/messages', { from: phone, to: LINE, text: 'x' }, limitedKey), 'line_not_found', 'to'],
      [post('/messages', { from: phone, to: chat_id, text: 'x' }, limitedKey), 'chat_not_found', 'to'],
      [post('/messages', { from: phone, to: chat_id, text: 'x' }, strangersKey), 'chat_not_found', 'to'],
      [post('/groups', { line: LINE, participants: [phone] }, limitedKey), 'line_not_found', 'line'],
      [post('/faults', { line: LINE }, limitedKey), 'line_not_found', 'line'],
      [test.call('DELETE', `${ROOT}/faults`, { line: LINE }, { key: limitedKey }), 'line_not_found', 'line'],
      [shown(phone, `?line=${encodeURIComponent(LINE)}`, limitedKey), 'line_not_found', 'line'],
    ];
    for (const [answer, code, param] of calls) expect(refusal(await answer)).toEqual(expected(code, param));
  });
});

describe('POST and DELETE /faults', () => {
  const phone = '+15550107341';
  const clear = async () => expectStatus(200, await test.call('DELETE', `${ROOT}/faults`, { line: SECOND_LINE }));
  const send = async (text: string): Promise<string> => {
    const body = { from: SECOND_LINE, to: phone, text };
    return String(expectStatus(201, await test.call('POST', '/v1/messages', body)).body['id']);
  };

  beforeAll(() => made('/messages', { from: phone, to: SECOND_LINE, text: 'Hello' }));

  it('make sends fail, until they are cleared', async () => {
    const faults = await made('/faults', { line: SECOND_LINE, fail_rate: 1, latency_ms: 5 });
    expect(faults).toMatchObject({ line: SECOND_LINE, fail_rate: 1, latency_ms: 5 });
    expect((await test.settled(await send('Fails'), 'failed'))['error']).toMatch(/\.$/);
    expect((await clear()).body).toMatchObject({ line: SECOND_LINE, cleared: true });
    await test.settled(await send('Works'));
    expect((await seenBy(phone)).at(-1)?.['text']).toBe('Works');
  });

  it('take a line offline: what is accepted waits, and goes out afterwards, once', async () => {
    await made('/faults', { line: SECOND_LINE, offline: true });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const id = await send('Waits');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await test.outbox(id))['status']).toBe('pending');
    await clear();
    await test.settled(id);
    expect((await seenBy(phone)).filter((one) => one['text'] === 'Waits')).toHaveLength(1);
  });

  it('report everything twice: the message is there once', async () => {
    await made('/faults', { line: SECOND_LINE, duplicate_rate: 1, reorder: true });
    await test.settled(await send('Twice'));
    await clear();
    const path = `/v1/messages?from=${encodeURIComponent(SECOND_LINE)}&to=${encodeURIComponent(phone)}`;
    const texts = ((await test.call('GET', path)).body['data'] as Item[]).map((one) => one['text']);
    expect(texts.filter((text) => text === 'Twice')).toHaveLength(1);
  });

  it.each([
    ['no line', {}, 'missing_required_parameter', 'line'],
    ['a rate over 1', { line: LINE, fail_rate: 1.1 }, 'invalid_parameter_value', 'fail_rate'],
    ['a rate in text', { line: LINE, drop_echo_rate: '1' }, 'invalid_parameter_value', 'drop_echo_rate'],
    ['a negative latency', { line: LINE, latency_ms: -1 }, 'invalid_parameter_value', 'latency_ms'],
    ['half a millisecond', { line: LINE, jitter_ms: 0.5 }, 'invalid_parameter_value', 'jitter_ms'],
    ['offline in text', { line: LINE, offline: 'yes' }, 'invalid_parameter_value', 'offline'],
    ['a foreign line', { line: STRANGERS_LINE, offline: true }, 'line_not_found', 'line'],
    ['the sandbox line', { line: SANDBOX_LINE, offline: true }, 'line_not_found', 'line'],
  ])('refuse %s', async (_name, body, code, param) => {
    expect(refusal(await post('/faults', body))).toEqual(expected(code, param));
  });
});

describe('POST /autoreply', () => {
  const phone = '+15550107351';
  const heard = (text: string) =>
    waitFor(async () => (await seenBy(phone)).find((one) => one['text'] === text && one['from_me'] === true), text);

  it('makes a phone answer with a text or with what it was sent, until it is told not to', async () => {
    await test.text('Hello', phone);
    expect(await made('/autoreply', { phone, text: 'Busy' })).toMatchObject({ phone, text: 'Busy', echo: false });
    await test.settled(await test.send('Are you there?', phone));
    await heard('Busy');
    expect(await made('/autoreply', { phone, echo: true })).toMatchObject({ phone, text: null, echo: true });
    await test.settled(await test.send('Polly', phone));
    await heard('Polly');
    await made('/autoreply', { phone });
    await test.settled(await test.send('Quiet now', phone));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await seenBy(phone)).filter((one) => one['text'] === 'Quiet now')).toHaveLength(1);
  });

  it.each([
    ['no phone', {}, 'missing_required_parameter', 'phone'],
    ['a bad phone', { phone: 'x' }, 'invalid_parameter_value', 'phone'],
    ['a bad echo', { phone: PHONE, echo: 'yes' }, 'invalid_parameter_value', 'echo'],
    ['a bad text', { phone: PHONE, text: 'a\0' }, 'invalid_parameter_value', 'text'],
  ])('refuses %s', async (_name, body, code, param) => {
    expect(refusal(await post('/autoreply', body))).toEqual(expected(code, param));
  });
});

describe('while the simulator is off', () => {
  it('no route of it exists', async () => {
    const off = await startTestServer('sqlite', { environment: { TRUNKLINE_SIMULATOR: 'off' } });
    const phones = `${ROOT}/phones/${encodeURIComponent(PHONE)}/messages`;
    for (const path of ['/messages', '/groups', '/faults', '/autoreply']) {
      expect(refusal(await off.call('POST', `${ROOT}${path}`, {}))).toEqual(expected('route_not_found'));
    }
    expect(refusal(await off.call('GET', phones))).toEqual(expected('route_not_found'));
    expect((await off.call('GET', '/v1/lines')).body['data']).toEqual([]);
    await off.stop();
  });
});
