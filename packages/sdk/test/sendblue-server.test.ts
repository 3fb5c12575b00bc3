/** The Sendblue client against a real server, whose answers are held against the server's own schemas. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  sendblueAnswerSchema,
  sendblueListSchema,
  sendblueMessageSchema,
} from '../../server/src/wire/sendblue-schemas.ts';
import { createAdminClient } from '../src/admin.ts';
import { AuthenticationError, InvalidRequestError, NotFoundError } from '../src/index.ts';
import { createSendblueClient, type SendblueClient } from '../src/sendblue.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const HANDLE = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;
const FOLLOWED_MS = 10_000;

let server: RealServer;
let client: SendblueClient;
let admin: ReturnType<typeof createAdminClient>;
beforeAll(async () => {
  server = await startRealServer();
  admin = createAdminClient({ apiKey: KEY, baseUrl: server.url });
  const [key] = (await admin.listKeys()).data;
  client = createSendblueClient({ apiKey: key?.id, apiSecret: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

const send = (content: string, more = {}) =>
  client.messages.send({ number: PHONE, from_number: LINE, content, ...more });

async function follow(handle: string, status: string) {
  const until = performance.now() + FOLLOWED_MS;
  for (;;) {
    const message = await client.messages.getStatus({ handle });
    if (message.status === status) return message;
    if (performance.now() > until) throw new Error(`It is ${message.status} still.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('sends, follows, lists and retrieves', async () => {
  const sent = await send('From the SDK', { send_style: 'confetti' });
  expect(sendblueMessageSchema.parse(sent)).toEqual(sent);
  expect(sent).toMatchObject({
    status: 'QUEUED',
    content: 'From the SDK',
    send_style: 'confetti',
    number: PHONE,
    sendblue_number: LINE,
    message_handle: expect.stringMatching(HANDLE),
  });
  const delivered = await follow(sent.message_handle, 'DELIVERED');
  expect(delivered).toMatchObject({ content: 'From the SDK', message_handle: sent.message_handle });

  const answer = await send('An answer', { reply_to: { message_handle: sent.message_handle } });
  expect(answer.reply_to).toEqual({ message_handle: sent.message_handle, part_index: 0 });
  await follow(answer.message_handle, 'DELIVERED');
  await admin.simulator.sendText({ from: PHONE, to: LINE, text: 'Hello back' });

  const list = await client.messages.list({ number: PHONE, order_by: 'created_at', limit: 3 });
  expect(sendblueListSchema.parse(list)).toEqual(list);
  expect(list.data.map(({ content, status }) => [content, status])).toEqual([
    ['Hello back', 'RECEIVED'],
    ['An answer', 'DELIVERED'],
    ['From the SDK', 'DELIVERED'],
  ]);
  const own = await client.messages.list({ number: PHONE, is_outbound: true });
  expect(own).toMatchObject({ data: list.data.slice(1), pagination: { total: 2, hasMore: false, offset: 0 } });
  const one = await client.messages.retrieve(sent.message_handle);
  expect(sendblueAnswerSchema.parse(one)).toEqual(one);
  expect(one.data).toEqual(list.data[2]);
});

it('is refused by errors of their kinds, with the sentence of the server', async () => {
  const cold = await refusalOf(client.messages.send({ number: '+15550107777', from_number: LINE, content: 'Cold' }));
  expect(cold).toBeInstanceOf(InvalidRequestError);
  expect(cold).toMatchObject({ status: 400, code: '4000', message: expect.stringMatching(/messaged.*first/) });
  const nothing = await refusalOf(client.messages.retrieve('00000000-0000-7000-8000-000000000000'));
  expect(nothing).toBeInstanceOf(NotFoundError);
  const stranger = createSendblueClient({ apiKey: 'key_other', apiSecret: KEY, baseUrl: server.url });
  expect(await refusalOf(stranger.messages.list())).toBeInstanceOf(AuthenticationError);
});
