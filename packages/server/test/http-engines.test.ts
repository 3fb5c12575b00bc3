/** What the doors say where an engine could say it differently: on SQLite and on PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, expectStatus, LINE, PHONE, startTestServer, type TestServer } from './harness.ts';
import { addAccount, addKey, expected, refusal } from './tenancy.ts';

describe.each(ENGINES)('the doors on %s', (engine) => {
  const from = encodeURIComponent(LINE);
  let test: TestServer;

  beforeAll(async () => {
    test = await startTestServer(engine);
  });
  afterAll(() => test.stop());

  it.each([
    ['a NUL in a path', '/v1/messages/a%00b', 'message_not_found', 'id'],
    ['a NUL in a query', '/v1/outbox?id=obx_%00', 'invalid_parameter_value', 'id'],
    ['a quote in a query', "/v1/outbox?id=obx_';--", 'outbox_item_not_found', 'id'],
    [
      'a number past 2^53 in a cursor',
      `/v1/chats?from=${from}&cursor=OTk5OTk5OTk5OTk5OTk5OTk5OQ`,
      'invalid_parameter_value',
      'cursor',
    ],
    ['an id of 300 characters', `/v1/messages/${'x'.repeat(300)}`, 'message_not_found', 'id'],
  ])('refuse %s', async (_name, path, code, param) => {
    expect(refusal(await test.call('GET', path))).toEqual(expected(code, param));
  });

  it('keep every character of a text', async () => {
    const text = 'é😀 \\ \' " % _ \u202e ‍ e\u0301\n\ttab \u{10ffff}';
    const item = await test.settled(await test.send(text));
    expect((item['payload'] as { text: string }).text).toBe(text);
    expect((await test.phone()).at(-1)?.['text']).toBe(text);
  });

  it('page through a chat and refuse a cursor of another', async () => {
    for (const text of ['One', 'Two', 'Three']) await test.text(text, '+15550107040');
    const path = `/v1/messages?from=${from}&to=%2B15550107040&limit=2`;
    const first = expectStatus(200, await test.call('GET', path)).body;
    const second = expectStatus(200, await test.call('GET', `${path}&cursor=${String(first['next_cursor'])}`)).body;
    const texts = [first, second].flatMap((body) => (body['data'] as { text: string }[]).map((one) => one.text));
    expect(texts).toEqual(['Three', 'Two', 'One']);
    const other = `/v1/messages?from=${from}&to=${encodeURIComponent(PHONE)}&cursor=${String(first['next_cursor'])}`;
    expect(refusal(await test.call('GET', other))).toEqual(expected('invalid_parameter_value', 'cursor'));
  });

  it('refuse a contact that has not written, an unknown chat, and what is another account’s', async () => {
    const send = (to: string) => test.call('POST', '/v1/messages', { from: LINE, to, text: 'x' });
    expect(refusal(await send('+15550107041'))).toEqual(expected('contact_has_not_messaged', 'to'));
    expect(refusal(await send('cht_none'))).toEqual(expected('chat_not_found', 'to'));
    const key = await addKey(test, { accountRef: await addAccount(test) });
    const id = await test.send('Mine');
    const foreign = await test.call('GET', `/v1/outbox?id=${id}`, undefined, { key });
    expect(refusal(foreign)).toEqual(expected('outbox_item_not_found', 'id'));
  });

  it('make, list and delete a webhook', async () => {
    const { id, secret } = await test.webhook('http://127.0.0.1:9/hook');
    expect(secret).toMatch(/^whsec_/);
    const list = async () => (await test.call('GET', `/v1/webhooks?from=${from}`)).body['data'] as { id: string }[];
    expect((await list()).map((one) => one.id)).toEqual([id]);
    expectStatus(200, await test.call('DELETE', '/v1/webhooks', { id }));
    expect(await list()).toEqual([]);
  });
});
