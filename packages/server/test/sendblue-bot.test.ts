/** A bot of the Chat SDK on the adapter for Sendblue, both as they are published, against a simulated line. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Adapter, Chat, type Message, type Thread } from 'chat';
import { createSendblueAdapter } from 'chat-adapter-sendblue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryState } from './chat-memory-state.ts';
import { upload } from './file-client.ts';
import { ENGINES, expectStatus, KEY, LINE, PHONE, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const SECRET = 'what the bot and its webhook share';
const MEMBER = '+15550107779';
const ADDRESS_VARIABLE = 'SENDBLUE_API_BASE_URL';

describe.each(ENGINES)("a Chat SDK's bot on %s", (engine) => {
  let stage: SendblueStage;
  let bot: ReturnType<typeof createBot>;
  let receiver: Server;
  /** How the bot has answered each post, in order. */
  const answered: number[] = [];
  beforeAll(async () => {
    stage = await startSendblue(engine);
    bot = createBot(stage);
    await bot.chat.initialize();
    receiver = await serve(async (request) => {
      const response = await bot.chat.webhooks.sendblue(request);
      answered.push(response.status);
      return response;
    });
    const { port } = receiver.address() as AddressInfo;
    const hook = { url: `http://127.0.0.1:${port}/sendblue`, secret: SECRET };
    await stage.client.webhooks.create({ webhooks: [hook], type: 'receive' });
  });
  afterAll(async () => {
    await stage.test.stop();
    await bot.chat.shutdown();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  const onPhone = (match: (message: Record<string, unknown>) => boolean, what: string) =>
    waitFor(async () => (await stage.test.phone()).find(match), what);
  const arrives = (content: string) => onPhone((one) => one['text'] === content, `${content} to arrive`);
  const thread = () => bot.adapter.encodeThreadId({ fromNumber: LINE, contactNumber: PHONE });

  it('hears what a phone writes, marks it as read, and answers', async () => {
    const { guid } = await stage.test.text('Hello, bot');
    expect(await arrives('First: Hello, bot')).toMatchObject({ sender: LINE });
    await onPhone((one) => one['guid'] === guid && one['state'] === 'read', 'the first text to be read');
    await stage.test.text('How are you?');
    await arrives('Then: How are you?');
    expect(bot.heard.map(({ threadId, content }) => [threadId, content])).toEqual([
      [thread(), 'Hello, bot'],
      [thread(), 'How are you?'],
    ]);
    expect(bot.failed).toEqual([]);
    expect(answered).toEqual([200, 200]);
  });

  it('reads its history, the oldest first, page by page', async () => {
    await waitFor(async () => {
      const { data } = await stage.client.messages.list({ number: PHONE, limit: 1 });
      return data?.[0]?.status === 'DELIVERED' || undefined;
    }, 'the last answer to be delivered');
    const latest = await bot.adapter.fetchMessages(thread(), { limit: 3 });
    const earlier = await bot.adapter.fetchMessages(thread(), { limit: 3, cursor: latest.nextCursor ?? 'none' });
    const said = [...earlier.messages, ...latest.messages].map((one) => [one.text, one.author.isMe]);
    expect(said.slice(-4)).toEqual([
      ['Hello, bot', false],
      ['First: Hello, bot', true],
      ['How are you?', false],
      ['Then: How are you?', true],
    ]);
    expect(earlier.nextCursor).toBeUndefined();
  });

  it('types, and reacts to what it heard', async () => {
    await bot.adapter.startTyping(thread());
    await waitFor(async () => {
      const path = `/simulator/v1/phones/${encodeURIComponent(PHONE)}/typing`;
      const { data } = expectStatus(200, await stage.test.call('GET', path)).body;
      return (data as unknown[]).length === 1 || undefined;
    }, 'the line to type');
    await bot.adapter.addReaction(thread(), bot.heard[0]?.id ?? '', 'heart');
    const reacted = await onPhone(
      (one) => one['text'] === 'Hello, bot' && (one['reactions'] as unknown[]).length > 0,
      'the reaction',
    );
    expect(reacted['reactions']).toMatchObject([{ type: 'love', sender: LINE }]);
    expect(await bot.adapter.evaluateService(PHONE)).toEqual({ number: PHONE, service: 'iMessage' });
    expect(await bot.adapter.listLines()).toMatchObject({ numbers: expect.arrayContaining([LINE]) });
  });

  it('is in a group as well', async () => {
    const made = { line: LINE, participants: [PHONE, MEMBER], name: 'Weekend' };
    const { body } = expectStatus(201, await stage.test.call('POST', '/simulator/v1/groups', made));
    const groupId = String(body['chat_id']);
    const said = { from: MEMBER, to: groupId, text: 'Hello, group' };
    expectStatus(201, await stage.test.call('POST', '/simulator/v1/messages', said));
    await arrives('First: Hello, group');
    const group = bot.adapter.encodeThreadId({ fromNumber: LINE, groupId });
    expect(bot.heard.at(-1)).toMatchObject({ threadId: group });
    const { messages } = await bot.adapter.fetchMessages(group);
    expect(messages.map((one) => one.text)).toEqual(['Hello, group', 'First: Hello, group']);
  });

  it('hears of each attachment, and fetches it', async () => {
    const files = ['one', 'two'];
    const ids = await Promise.all(
      files.map(async (name) => {
        const headers = { 'content-type': 'text/plain', 'x-filename': `${name}.txt` };
        return expectStatus(201, await upload(stage.baseURL, Buffer.from(name), { headers })).body['id'];
      }),
    );
    const before = bot.heard.length;
    const texted = { from: PHONE, to: LINE, text: 'Two files', attachments: ids };
    expectStatus(201, await stage.test.call('POST', '/simulator/v1/messages', texted));
    const heard = await waitFor(
      () => (bot.heard.length === before + 2 ? bot.heard.slice(before) : undefined),
      'both attachments to be heard of',
    );
    expect(heard.map(({ content }) => content).sort()).toEqual(['', 'Two files']);
    const fetched = await Promise.all(heard.map(({ attachments }) => attachments[0]?.fetchData?.()));
    expect(fetched.map(String).sort()).toEqual(files);
  });

  it('hears nothing under another secret than its own', async () => {
    const [url] = (await stage.client.webhooks.list()).webhooks?.receive ?? [];
    const given = typeof url === 'object' ? url.url : (url ?? '');
    await stage.client.webhooks.update({ webhooks: { receive: [{ url: given, secret: 'another' }] } });
    const heard = bot.heard.length;
    await stage.test.text('Not for you');
    await waitFor(() => (answered.at(-1) === 401 ? true : undefined), 'the bot to refuse');
    expect(bot.heard).toHaveLength(heard);
  });
});

/** The adapter as this test uses it: its own types name files that this compiler does not find. */
type SendblueBotAdapter = Adapter<{ fromNumber: string; contactNumber?: string; groupId?: string }> & {
  evaluateService(number: string): Promise<unknown>;
  listLines(): Promise<unknown>;
};

interface Heard {
  readonly id: string;
  readonly threadId: string;
  readonly content: string;
  readonly attachments: Message['attachments'];
}

/** Answers each text, and keeps what it heard. */
function createBot({ keyId, baseURL }: SendblueStage) {
  const adapter = createAdapter(keyId, baseURL);
  const chat = new Chat({
    userName: 'bot',
    adapters: { sendblue: adapter },
    state: createMemoryState(),
    // Else a text that comes before an answer is done with is dropped.
    concurrency: 'concurrent',
    logger: 'silent',
  });
  const heard: Heard[] = [];
  const failed: unknown[] = [];
  const answer = async (thread: Thread, { id, text: content, attachments }: Message, words: string) => {
    heard.push({ id, threadId: thread.id, content, attachments });
    // The Chat SDK logs what its handlers throw, and goes on.
    await thread.post(`${words}: ${content}`).catch((error: unknown) => failed.push(error));
  };
  chat.onNewMention(async (thread, message) => {
    await thread.subscribe();
    await answer(thread, message, 'First');
  });
  chat.onSubscribedMessage((thread, message) => answer(thread, message, 'Then'));
  return { adapter, chat, heard, failed };
}

/** The adapter takes no address: its client finds one in the environment. */
function createAdapter(keyId: string, baseURL: string): SendblueBotAdapter {
  const before = process.env[ADDRESS_VARIABLE];
  process.env[ADDRESS_VARIABLE] = baseURL;
  try {
    return createSendblueAdapter({
      apiKey: keyId,
      apiSecret: KEY,
      defaultFromNumber: LINE,
      webhookSecret: SECRET,
    });
  } finally {
    if (before === undefined) delete process.env[ADDRESS_VARIABLE];
    else process.env[ADDRESS_VARIABLE] = before;
  }
}

/** A server of node:http for a handler in the manner of the web. */
async function serve(handle: (request: Request) => Promise<Response>): Promise<Server> {
  const server = createServer(async (request, response) => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    const url = `http://${request.headers.host}${request.url}`;
    const answer = await handle(new Request(url, { method: 'POST', headers, body: await text(request) }));
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
