/** Two dialects over one line: what goes or comes through one is seen through the other, in the same words and times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOfUuid, uuidOfId } from '../src/domain/ids.ts';
import { upload } from './file-client.ts';
import { ENGINES, expectStatus, LINE, PHONE, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

type Body = Record<string, unknown>;

/** What each status of an outbox item is called in a list. */
const CALLED: Readonly<Record<string, readonly string[]>> = {
  pending: ['QUEUED'],
  claimed: ['ACCEPTED'],
  sent: ['SENT', 'DELIVERED'],
  failed: ['ERROR'],
};

describe.each(ENGINES)('both dialects on %s', (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
  });
  afterAll(() => stage.test.stop());

  const get = async (path: string, query: Record<string, string>): Promise<Body> =>
    expectStatus(200, await stage.test.call('GET', `${path}?${new URLSearchParams(query)}`)).body;
  const messagesWith = async (to: string) => (await get('/v1/messages', { from: LINE, to }))['data'] as Body[];
  const faults = async (given: Body) =>
    expectStatus(201, await stage.test.call('POST', '/simulator/v1/faults', { line: LINE, ...given }));
  const handleOf = (id: string) => uuidOfId(id)?.toUpperCase() ?? '';
  const sendV1 = async (body: Body) =>
    String(
      expectStatus(201, await stage.test.call('POST', '/v1/messages', { from: LINE, to: PHONE, ...body })).body['id'],
    );
  const sendHere = async (content: string) => {
    const { message_handle: handle = '' } = await stage.client.messages.send({
      number: PHONE,
      from_number: LINE,
      content,
    });
    return { handle, id: idOfUuid('outbox', handle) ?? '' };
  };
  const listed = async (handle: string) => {
    const { data = [] } = await stage.client.messages.list({ limit: 100 });
    const item = data.find((one) => one.message_handle === handle);
    if (!item) throw new Error(`There is no item ${handle}.`);
    return item;
  };

  /** What both say of an own message; read again while it moves between the two. */
  async function compareOwn(
    id: string,
    text: string,
  ): Promise<{ item: Awaited<ReturnType<typeof listed>>; outbox: Body }> {
    return waitFor(async () => {
      const before = await get('/v1/outbox', { id });
      const item = await listed(handleOf(id));
      const outbox = await get('/v1/outbox', { id });
      if (before['status'] !== outbox['status'] || before['status'] === 'claimed') return undefined;
      expect(item).toMatchObject({ content: text, is_outbound: true, from_number: LINE, sendblue_number: LINE });
      expect(CALLED[String(outbox['status'])]).toContain(item.status);
      expect(item).toMatchObject({ date_created: new Date(Number(outbox['created_at'])).toISOString() });
      expect(item.error_message ?? null).toBe(outbox['status'] === 'failed' ? outbox['error'] : null);
      return { item, outbox };
    }, `both dialects to agree about ${id}`);
  }

  it('show what was sent through the one in the other, both ways', async () => {
    const here = await sendHere('Sent here');
    const there = await sendV1({ text: 'Sent there' });
    for (const [id, text] of [
      [here.id, 'Sent here'],
      [there, 'Sent there'],
    ] as const) {
      await stage.status(handleOf(id), 'DELIVERED');
      const { outbox } = await compareOwn(id, text);
      expect(outbox['status']).toBe('sent');
      const seen = (await messagesWith(PHONE)).find((message) => message['outbox_id'] === id);
      expect(seen).toMatchObject({ text, is_from_me: true });
      const { data } = await stage.client.messages.retrieve(String(seen?.['guid']));
      expect(data?.message_handle).toBe(handleOf(id));
    }
  });

  it('show what came in with the same words and the same time', async () => {
    const { guid } = await stage.test.text('Came in');
    const [message] = await messagesWith(PHONE);
    expect(message).toMatchObject({ guid, text: 'Came in' });
    const item = await listed(handleOf(String(message?.['id'])));
    const at = new Date(Number(message?.['sent_at'])).toISOString();
    expect(item).toMatchObject({ content: 'Came in', status: 'RECEIVED', date_sent: at, number: PHONE });
  });

  it('show each attachment of one message as an item of its own', async () => {
    const files = await Promise.all(
      ['one', 'two', 'three'].map(async (name) => {
        const headers = { 'content-type': 'text/plain', 'x-filename': `${name}.txt` };
        return String(expectStatus(201, await upload(stage.baseURL, Buffer.from(name), { headers })).body['id']);
      }),
    );
    const texted = { from: PHONE, to: LINE, text: 'Three files', attachments: files };
    const { guid } = expectStatus(201, await stage.test.call('POST', '/simulator/v1/messages', texted)).body;
    const message = (await messagesWith(PHONE)).find((one) => one['guid'] === guid);
    const attachments = message?.['attachments'] as readonly Body[];
    expect(attachments).toHaveLength(3);
    const { data = [] } = await stage.client.messages.list({ limit: 3 });
    expect(data.map(({ content }) => content)).toEqual(['', '', 'Three files']);
    const urls = data.toReversed().map(({ media_url: url }) => new URL(url ?? '').pathname);
    expect(urls).toEqual(attachments.map(({ url }) => new URL(String(url)).pathname));
    expect(data.at(-1)?.message_handle).toBe(handleOf(String(message?.['id'])));
    const sent = await sendV1({ text: 'With a file', attachments: files.slice(0, 1) });
    await stage.status(handleOf(sent), 'DELIVERED');
    expect((await compareOwn(sent, 'With a file')).item.media_url).toContain('/');
  });

  it('show a group and its messages', async () => {
    const made = { line: LINE, participants: [PHONE, '+15550109998'], name: 'The three of us' };
    const chatId = String(
      expectStatus(201, await stage.test.call('POST', '/simulator/v1/groups', made)).body['chat_id'],
    );
    expectStatus(
      201,
      await stage.test.call('POST', '/simulator/v1/messages', { from: PHONE, to: chatId, text: 'Hello all' }),
    );
    const sent = await sendV1({ to: chatId, text: 'Hello both' });
    await stage.status(handleOf(sent), 'DELIVERED');
    await compareOwn(sent, 'Hello both');
    const { data = [] } = await stage.client.messages.list({ group_id: chatId });
    expect(data.map(({ content }) => content)).toEqual(['Hello both', 'Hello all']);
    const messages = await messagesWith(chatId);
    expect(messages.map(({ text }) => text)).toEqual(['Hello both', 'Hello all']);
    for (const item of data) {
      expect(item).toMatchObject({ group_id: chatId, group_display_name: made.name, message_type: 'group' });
      expect(new Set(item.participants)).toEqual(new Set([LINE, ...made.participants]));
    }
  });

  it('say the same of what waits on a line that is offline', async () => {
    await faults({ offline: true });
    try {
      const { id } = await sendHere('Waits here');
      const other = await sendV1({ text: 'Waits there' });
      for (const [one, text] of [
        [id, 'Waits here'],
        [other, 'Waits there'],
      ] as const) {
        const { outbox, item } = await compareOwn(one, text);
        expect([outbox['status'], item.status]).toEqual(['pending', 'QUEUED']);
      }
    } finally {
      await faults({});
    }
  });

  it('say the same of what has failed', async () => {
    await faults({ fail_rate: 1 });
    try {
      const { id } = await sendHere('Fails here');
      const other = await sendV1({ text: 'Fails there' });
      for (const [one, text] of [
        [id, 'Fails here'],
        [other, 'Fails there'],
      ] as const) {
        await stage.test.settled(one, 'failed');
        const { item } = await compareOwn(one, text);
        expect(item).toMatchObject({
          status: 'ERROR',
          error_code: 10_001,
          error_message: expect.stringMatching(/\.$/),
        });
      }
    } finally {
      await faults({});
    }
  });

  it('say the same of what was changed and what was taken back', async () => {
    const changed = await stage.test.text('Before');
    const gone = await stage.test.text('Not meant');
    const act = async (path: string, body: Body) =>
      expectStatus(201, await stage.test.call('POST', `/simulator/v1/${path}`, { from: PHONE, ...body }));
    await act('edits', { message_id: changed.guid, text: 'After' });
    await act('unsends', { message_id: gone.guid });
    for (const { guid } of [changed, gone]) {
      const message = expectStatus(200, await stage.test.call('GET', `/v1/messages/${guid}`)).body;
      const { data } = await stage.client.messages.retrieve(guid);
      expect(data?.content).toBe(message['text'] ?? '');
      expect(data?.message_handle).toBe(handleOf(String(message['id'])));
      expect(data?.date_sent).toBe(new Date(Number(message['sent_at'])).toISOString());
      expect(Date.parse(data?.date_updated ?? '')).toBeGreaterThanOrEqual(Date.parse(data?.date_sent ?? ''));
    }
  });
});
