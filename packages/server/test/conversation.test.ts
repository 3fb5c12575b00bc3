/** Reactions, typing, receipts, edits and what is told of them, through the doors, on both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventReader, readEvents } from './event-reader.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { type Answer, ENGINES, expectStatus, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { expected, refusal } from './tenancy.ts';

const PEER = '+15550107701';
const OTHER = '+15550107702';

describe.each(ENGINES)('a conversation on %s', (engine) => {
  let test: TestServer;
  let reader: EventReader;

  beforeAll(async () => {
    test = await startTestServer(engine);
    reader = await readEvents(String(await test.server.listen()));
  });
  afterAll(async () => {
    reader.cut();
    await test.stop();
  });

  const post = (path: string, body: unknown) => test.call('POST', path, body);
  const get = (path: string, query: Record<string, string> = {}) =>
    test.call('GET', `${path}?${new URLSearchParams(query)}`);
  const listed = async (path: string, query: Record<string, string>) =>
    expectStatus(200, await get(path, query)).body['data'] as Record<string, unknown>[];
  const accepted = async (answer: Promise<Answer>) => String(expectStatus(201, await answer).body['id']);
  const sentTo = async (peer: string, text: string) => {
    await test.settled(await test.send(text, peer));
    const [newest] = await listed('/v1/messages', { from: LINE, to: peer });
    return newest ?? {};
  };
  const told = (event: string, matches: (data: Record<string, unknown>) => boolean) =>
    waitFor(() => reader.events().find((one) => one.event === event && matches(one.data)), `${event} on the stream`);

  it('lets the line react, once, and lists it', async () => {
    const { guid } = await test.text('We made it', PEER);
    const [message] = await listed('/v1/messages', { from: LINE, to: PEER });
    const reaction = { from: LINE, to: PEER, message_id: message?.['id'], type: 'love' };
    const receipt = expectStatus(201, await post('/v1/reactions', reaction));
    expect(Object.keys(receipt.body).sort()).toEqual(['id', 'request_id', 'status']);
    const item = await test.settled(String(receipt.body['id']));
    expect(item['payload']).toEqual({ kind: 'reaction', ...reaction });
    const data = { message_id: message?.['id'], type: 'love', sender: LINE, is_from_me: true, added: true };
    for (const name of [guid, String(message?.['id'])]) {
      expect(await listed('/v1/reactions', { message_id: name })).toEqual([expect.objectContaining(data)]);
    }
    await told('reaction.added', (one) => one['message_id'] === message?.['id'] && one['line_handle'] === LINE);
    // The same again changes nothing, is sent all the same, and is not told twice.
    await test.settled(await accepted(post('/v1/reactions', { ...reaction, message_id: guid })));
    const events = reader.events().filter((one) => one.event === 'reaction.added');
    expect(events.filter((one) => one.data['message_id'] === message?.['id'])).toHaveLength(1);
    expect((await test.phone(PEER)).find((one) => one['guid'] === guid)?.['reactions']).toEqual([
      { type: 'love', sender: LINE, sent_at: expect.any(Number) },
    ]);
  });

  it("tells of a phone's reaction, of the one that takes its place, and of the end of that", async () => {
    await test.text('Hello', OTHER);
    const message = await sentTo(OTHER, 'Tomorrow at six');
    const react = (body: object) =>
      post('/simulator/v1/reactions', { from: OTHER, message_id: message['id'], ...body });
    expectStatus(201, await react({ type: 'like' }));
    expectStatus(201, await react({ type: 'question' }));
    expectStatus(201, await react({ type: 'question', added: false }));
    const rows = await listed('/v1/reactions', { message_id: String(message['id']), from: LINE });
    expect(rows.map(({ type, added, sender }) => [type, added, sender])).toEqual([
      ['like', false, OTHER],
      ['question', false, OTHER],
    ]);
    await told('reaction.removed', (one) => one['type'] === 'question' && one['message_id'] === message['id']);
    const events = reader.events().filter((one) => one.data['message_id'] === message['id']);
    expect(events.map(({ event, data }) => [event, data['type']])).toEqual([
      ['reaction.added', 'like'],
      ['reaction.removed', 'like'],
      ['reaction.added', 'question'],
      ['reaction.removed', 'question'],
    ]);
    const ids = new Set(events.map(({ data }) => data['id']));
    expect(ids.size).toBe(2);
  });

  it('shows that the line types, and who types to it', async () => {
    await test.text('Hello', PEER);
    await test.settled(await accepted(post('/v1/typing', { from: LINE, to: PEER })));
    const seen = () => listed(`/simulator/v1/phones/${encodeURIComponent(PEER)}/typing`, {});
    expect(await seen()).toEqual([{ line: LINE, chat_id: expect.stringMatching(/^cht_/), until: expect.any(Number) }]);
    await test.settled(await accepted(post('/v1/typing', { from: LINE, to: PEER, state: 'off' })));
    expect(await seen()).toEqual([]);

    const type = (state?: string) => post('/simulator/v1/typing', { from: PEER, to: LINE, ...(state && { state }) });
    const { chat_id: chatId } = expectStatus(201, await type()).body;
    const indicators = () => listed('/v1/typing', { from: LINE, to: PEER });
    expect(await indicators()).toEqual([
      expect.objectContaining({ chat_id: chatId, handle: PEER, is_typing: true, updated_at: expect.any(Number) }),
    ]);
    await told('typing.started', (one) => one['chat_id'] === chatId);
    // Whoever writes has ceased to type.
    await test.text('Here I am', PEER);
    expect(await indicators()).toEqual([expect.objectContaining({ is_typing: false })]);
    await told('typing.stopped', (one) => one['chat_id'] === chatId);
    expectStatus(201, await type('off'));
    expect(reader.events().filter((one) => one.event === 'typing.stopped')).toHaveLength(1);
  });

  it('marks a chat as read, and knows how far the other has read it', async () => {
    const { guid } = await test.text('Are you there?', PEER);
    const item = await test.settled(await accepted(post('/v1/receipts', { from: LINE, to: PEER })));
    expect(item['payload']).toEqual({ kind: 'receipt', from: LINE, to: PEER });
    expect((await test.phone(PEER)).find((one) => one['guid'] === guid)?.['state']).toBe('read');
    const message = await sentTo(PEER, 'I am');
    await told('message.delivered', (one) => one['id'] === message['id'] && typeof one['delivered_at'] === 'number');
    expectStatus(201, await post('/simulator/v1/reads', { from: PEER, to: LINE }));
    const [receipt, ...more] = await listed('/v1/receipts', { from: LINE, to: PEER });
    expect(more).toEqual([]);
    expect(receipt).toMatchObject({ chat_id: message['chat_id'], handle: PEER });
    expect(Number(receipt?.['last_read_at'])).toBeGreaterThanOrEqual(Number(message['sent_at']));
    await told('message.read', (one) => one['id'] === message['id'] && typeof one['read_at'] === 'number');
    await told('receipt.read', (one) => one['chat_id'] === message['chat_id']);
    expect(
      reader.events().filter(({ event, data }) => event === 'message.read' && data['id'] === message['id']),
    ).toHaveLength(1);
  });

  it('follows a message that its sender changes and takes back', async () => {
    const { guid } = await test.text('At fve', PEER);
    expectStatus(201, await post('/simulator/v1/edits', { from: PEER, message_id: guid, text: 'At five' }));
    const find = async () => expectStatus(200, await get(`/v1/messages/${guid}`)).body;
    expect((await find())['text']).toBe('At five');
    await told(
      'message.edited',
      (one) => one['guid'] === guid && one['text'] === 'At five' && Number(one['edited_at']) > 0,
    );
    const unsent = expectStatus(201, await post('/simulator/v1/unsends', { from: PEER, message_id: guid }));
    expect(unsent.body).toMatchObject({ guid, chat_id: expect.stringMatching(/^cht_/) });
    expect((await find())['text']).toBeNull();
    await told('message.unsent', (one) => one['guid'] === guid && one['text'] === null && Number(one['unsent_at']) > 0);
    const shown = (await test.phone(PEER)).find((one) => one['guid'] === guid);
    expect(shown).toMatchObject({ edited: true, unsent: true, text: null });
    const again = await post('/simulator/v1/edits', { from: PEER, message_id: guid, text: 'Too late' });
    expect(refusal(again)).toEqual(expected('message_not_found', 'message_id'));
  });

  it('lets nobody change what another wrote, nor touch what it does not show', async () => {
    const { guid } = await test.text('Mine', PEER);
    for (const path of ['/simulator/v1/edits', '/simulator/v1/unsends', '/simulator/v1/reactions']) {
      const answer = await post(path, { from: OTHER, message_id: guid, text: 'Yours', type: 'love' });
      expect(refusal(answer)).toEqual(expected('message_not_found', 'message_id'));
    }
    const message = await sentTo(PEER, "The line's own");
    const answer = await post('/simulator/v1/edits', { from: PEER, message_id: message['id'], text: 'No' });
    expect(refusal(answer)).toEqual(expected('message_not_found', 'message_id'));
  });

  it('reacts, types and reads in a group, and answers under a message there', async () => {
    const group = { line: LINE, participants: [PEER, OTHER], name: 'Hikers' };
    const to = String(expectStatus(201, await post('/simulator/v1/groups', group)).body['chat_id']);
    const cold = await post('/v1/messages', { from: LINE, to, text: 'Hi all' });
    expect(refusal(cold)).toEqual(expected('contact_has_not_messaged', 'to'));
    const asked = expectStatus(201, await post('/simulator/v1/messages', { from: PEER, to, text: 'Who is in?' })).body;
    const answered = { from: LINE, to, text: 'I am', reply_to: asked['guid'] };
    await test.settled(await accepted(post('/v1/messages', answered)));
    const [newest] = await listed('/v1/messages', { from: LINE, to });
    expect(newest).toMatchObject({ text: 'I am', reply_to_guid: asked['guid'], chat_id: to });
    await test.settled(
      await accepted(post('/v1/reactions', { from: LINE, to, message_id: asked['guid'], type: 'like' })),
    );
    expectStatus(
      201,
      await post('/simulator/v1/reactions', { from: OTHER, message_id: newest?.['id'], type: 'laugh' }),
    );
    expectStatus(201, await post('/simulator/v1/typing', { from: OTHER, to }));
    expect(await listed('/v1/typing', { from: LINE, to })).toEqual([expect.objectContaining({ handle: OTHER })]);
    expectStatus(201, await post('/simulator/v1/reads', { from: OTHER, to }));
    expect(await listed('/v1/receipts', { from: LINE, to })).toEqual([expect.objectContaining({ handle: OTHER })]);
    expect(expectStatus(200, await get(`/v1/chats/${to}`)).body).toMatchObject({
      id: to,
      is_group: true,
      name: 'Hikers',
    });
    const stranger = await post('/simulator/v1/typing', { from: '+15550107799', to });
    expect(refusal(stranger)).toEqual(expected('invalid_parameter_value', 'from'));
  });

  it('needs a chat for a reaction, typing and a receipt, and a message of that chat', async () => {
    const nobody = '+15550107788';
    await test.text('Hello', PEER);
    await test.text('Hello', OTHER);
    const [message] = await listed('/v1/messages', { from: LINE, to: OTHER });
    const reaction = { from: LINE, message_id: message?.['id'], type: 'love' };
    for (const to of [nobody, 'cht_01jq0000000000000000000000']) {
      for (const path of ['/v1/typing', '/v1/receipts']) {
        expect(refusal(await post(path, { from: LINE, to }))).toEqual(expected('chat_not_found', 'to'));
        expect(refusal(await get(path, { from: LINE, to }))).toEqual(expected('chat_not_found', 'to'));
      }
      expect(refusal(await post('/v1/reactions', { ...reaction, to }))).toEqual(expected('chat_not_found', 'to'));
    }
    const elsewhere = await post('/v1/reactions', { ...reaction, to: PEER });
    expect(refusal(elsewhere)).toEqual(expected('message_not_found', 'message_id'));
    const unknown = await get('/v1/reactions', { message_id: 'msg_01jq0000000000000000000000' });
    expect(refusal(unknown)).toEqual(expected('message_not_found', 'message_id'));
    for (const [field, path, body] of [
      ['type', '/v1/reactions', { ...reaction, to: OTHER, type: 'hug' }],
      ['state', '/v1/typing', { from: LINE, to: OTHER, state: 'maybe' }],
    ] as const) {
      expect(refusal(await post(path, body))).toEqual(expected('invalid_parameter_value', field));
    }
  });

  it('refuses on an SMS line what green bubbles cannot do', async () => {
    const handle = '+15550100077';
    expectStatus(201, await post('/admin/v1/lines', { handle, driver: 'simulator', service: 'sms' }));
    await waitFor(async () => {
      const { body } = await get(`/admin/v1/lines/${encodeURIComponent(handle)}`);
      return (body['health'] as Record<string, unknown>)['state'] === 'online' ? true : undefined;
    }, 'the line to run');
    const texted = { from: PEER, to: handle, text: 'Green' };
    const { guid } = expectStatus(201, await post('/simulator/v1/messages', texted)).body;
    const bodies = { '/v1/reactions': { message_id: guid, type: 'love' }, '/v1/typing': {}, '/v1/receipts': {} };
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await post(path, { from: handle, to: PEER, ...body });
      expect(refusal(answer)).toEqual(expected('advanced_features_required', 'from'));
    }
    const replied = await accepted(post('/v1/messages', { from: handle, to: PEER, text: 'Plain', reply_to: guid }));
    await test.settled(replied);
    const [newest] = await listed('/v1/messages', { from: handle, to: PEER });
    expect(newest).toMatchObject({ text: 'Plain', reply_to_guid: null });
  });

  it('tells of a message that failed, and of a line that goes and comes back', async () => {
    const id = await test.send('Nobody there', '+15550100400');
    await test.settled(id, 'failed');
    const failed = await told('message.failed', (one) => one['id'] === id);
    expect(failed.data).toMatchObject({ status: 'failed', line_handle: LINE, chat_id: null, message: null });
    expect(failed.data).not.toHaveProperty('request_id');
    expectStatus(201, await post('/simulator/v1/faults', { line: LINE, offline: true }));
    const gone = await told('line.status', ({ health }) => (health as Record<string, unknown>)['state'] === 'offline');
    expect(gone.data).toMatchObject({ handle: LINE, health: { reason: expect.stringMatching(/\.$/) } });
    expectStatus(200, await test.call('DELETE', '/simulator/v1/faults', { line: LINE }));
    await told('line.status', ({ health }) => (health as Record<string, unknown>)['state'] === 'online');
  });
});

describe.each(ENGINES)('typing that nobody ends, on %s', (engine) => {
  let test: TestServer;
  let clock: FakeClock;

  beforeAll(async () => {
    clock = createFakeClock();
    test = await startTestServer(engine, { clock });
  });
  afterAll(() => test.stop());

  it('is over after a minute', async () => {
    expectStatus(201, await test.call('POST', '/simulator/v1/typing', { from: PEER, to: LINE }));
    const path = `/v1/typing?${new URLSearchParams({ from: LINE, to: PEER })}`;
    const isTyping = async () => {
      const [one] = expectStatus(200, await test.call('GET', path)).body['data'] as Record<string, unknown>[];
      return one?.['is_typing'];
    };
    await clock.advance(58_000);
    expect(await isTyping()).toBe(true);
    // The sweep looks four times a second, and its database takes real time.
    for (let looks = 0; looks < 40 && (await isTyping()) === true; looks++) await clock.advance(250);
    expect(await isTyping()).toBe(false);
    const events = await test.server.engine.query.selectFrom('events').select('type').orderBy('seq').execute();
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('typing'))).toEqual([
      'typing.started',
      'typing.stopped',
    ]);
  });
});
