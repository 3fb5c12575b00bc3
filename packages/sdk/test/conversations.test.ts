/** What people do in a chat besides texting, by the client on one side and the simulator's phones on the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminClient, createAdminClient } from '../src/admin.ts';
import { createClient, InvalidRequestError, type MessagesClient, type StreamedEvent } from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const PEOPLE = { from: LINE, to: PHONE };

let server: RealServer;
let client: MessagesClient;
let admin: AdminClient;

beforeAll(async () => {
  server = await startRealServer();
  client = createClient({ apiKey: KEY, baseUrl: server.url });
  admin = createAdminClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

describe('a chat', () => {
  it('is given by its id', async () => {
    const [chat] = (await client.listChats({ from: LINE })).data;
    expect(await client.getChat({ id: chat?.id ?? '' })).toEqual({ ...chat, requestId: expect.any(String) });
  });

  it('takes tapbacks, which are listed and told of', async () => {
    const [message] = (await client.listMessages({ ...PEOPLE })).data.slice(-1);
    const events = client.events({ events: ['reaction.added'] });
    const next = events.next();
    await server.streamIsOpen();
    const { id } = await client.sendReaction({ ...PEOPLE, messageId: message?.id ?? '', type: 'love' });
    expect(await client.waitForOutbox(id)).toMatchObject({
      status: 'sent',
      payload: { kind: 'reaction', type: 'love' },
    });
    const [reaction] = (await client.listReactions({ messageId: message?.id ?? '' })).data;
    expect(reaction).toMatchObject({ type: 'love', added: true, isFromMe: true, messageId: message?.id });
    expect((await next).value).toMatchObject({ event: 'reaction.added', data: { id: reaction?.id, lineHandle: LINE } });
    await events.return();
    const wrong = await refusalOf(client.sendReaction({ ...PEOPLE, messageId: 'msg_1', type: JSON.parse('"shrug"') }));
    expect(wrong).toBeInstanceOf(InvalidRequestError);
    expect(wrong.param).toBe('type');
  });

  it('shows typing and reading, of both sides', async () => {
    await client.waitForOutbox((await client.startTyping(PEOPLE)).id);
    const [typing] = (await admin.simulator.listPhoneTyping({ phone: PHONE })).data;
    expect(typing).toMatchObject({ line: LINE, chatId: expect.stringMatching(/^cht_/) });
    for (const call of [client.stopTyping(PEOPLE), client.sendReadReceipt(PEOPLE)]) {
      expect(await client.waitForOutbox((await call).id)).toMatchObject({ status: 'sent' });
    }
    expect((await admin.simulator.listPhoneTyping({ phone: PHONE })).data).toEqual([]);
    await admin.simulator.startTyping({ from: PHONE, to: LINE });
    const [indicator] = (await client.listTypingIndicators(PEOPLE)).data;
    expect(indicator).toMatchObject({ handle: PHONE, isTyping: true, chatId: typing?.chatId });
    await admin.simulator.stopTyping({ from: PHONE, to: LINE });
    await admin.simulator.markRead({ from: PHONE, to: LINE });
    const [receipt] = (await client.listReadReceipts(PEOPLE)).data;
    expect(receipt).toMatchObject({ handle: PHONE, lastReadAt: expect.any(Number) });
  });

  it('tells of what a phone does, under the names and with the data of the types', async () => {
    const got: StreamedEvent[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of client.events({ signal: stop.signal })) got.push(event);
    })();
    await server.streamIsOpen();
    const { simulator } = admin;
    const { guid } = await simulator.sendText({ from: PHONE, to: LINE, text: 'Frist' });
    const message = await client.getMessage({ id: guid });
    await simulator.editMessage({ from: PHONE, messageId: message.id, text: 'First' });
    await simulator.sendReaction({ from: PHONE, messageId: guid, type: 'laugh' });
    await simulator.sendReaction({ from: PHONE, messageId: guid, type: 'laugh', added: false });
    await simulator.unsendMessage({ from: PHONE, messageId: guid });
    await simulator.startTyping({ from: PHONE, to: LINE });
    const expected = [
      'message.received',
      'message.edited',
      'reaction.added',
      'reaction.removed',
      'message.unsent',
      'typing.started',
    ];
    while (got.length < expected.length) await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort();
    await reading;
    expect(got.map((event) => event.event)).toEqual(expected);
    for (const event of got) {
      if (event.event === 'message.edited')
        expect(event.data).toMatchObject({ text: 'First', editedAt: expect.any(Number) });
      if (event.event === 'message.unsent')
        expect(event.data).toMatchObject({ text: null, unsentAt: expect.any(Number) });
      if (event.event === 'reaction.removed')
        expect(event.data).toMatchObject({ added: false, chatId: message.chatId });
      expect(event.data).toMatchObject({ lineHandle: LINE });
    }
  });
});
