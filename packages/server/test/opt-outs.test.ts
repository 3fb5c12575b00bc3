/** Contacts that want no more messages: what is refused, whose word counts, and what changes nothing. On both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { optOut } from '../src/outbox/opt-out.ts';
import { contactKey, findOptOut, readOptOuts, setOptOuts } from '../src/store/opt-outs.ts';
import { recordSightings } from '../src/store/sightings.ts';
import { makeWav } from './audio-media.ts';
import { ENGINES, expectStatus, KEY, LINE, SANDBOX_LINE, startTestServer, type TestServer } from './harness.ts';
import { addTenant, freshPhone, type Tenant } from './sandbox-scene.ts';
import { edited, group, inbound, own } from './sightings.ts';
import { openProcess, openStage, type Stage } from './stage.ts';
import { addLine, expected, refOf, refusal, SECOND_LINE, sendRaw } from './tenancy.ts';

const PEER = '+15550107801';
const OTHER = '+15550107802';
const ROUNDS = 20;
const REFUSED = expected('recipient_opted_out', 'to');

describe.each(ENGINES)('a contact that has opted out on %s', (engine) => {
  let test: TestServer;
  let accountRef: number;
  beforeAll(async () => {
    test = await startTestServer(engine);
    accountRef = (await refOf(test, LINE)).accountRef;
    for (const phone of [PEER, OTHER]) await test.text('Hello', phone);
  });
  afterAll(() => test.stop());

  const say = (handle: string, optedOut: boolean) =>
    optOut({ writer: test.server.writer, clock: systemClock }, { accountRef, handle, optedOut });
  const send = (to: string, more: object = {}) =>
    test.call('POST', '/v1/messages', { from: LINE, to, text: 'Hello', ...more });
  const upload = async () => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'audio/wav' };
    const payload = Buffer.from(makeWav({ rate: 16_000, seconds: 1 }));
    return String(
      expectStatus(201, await sendRaw(test, { method: 'POST', path: '/v1/files', headers, payload })).body['id'],
    );
  };

  it('is sent no message, whether by its handle or its chat, and is again once it has opted in', async () => {
    const { chatId, guid } = await test.text('Once more', PEER);
    await say(PEER, true);
    for (const to of [PEER, '+1 (555) 010-7801', chatId]) expect(refusal(await send(to))).toEqual(REFUSED);
    // It is named before a message to reply to that is not there.
    expect(refusal(await send(PEER, { reply_to: 'msg_none' }))).toEqual(REFUSED);
    expect(refusal(await send(PEER, { reply_to: guid }))).toEqual(REFUSED);
    await test.settled(await test.send('To another', OTHER));
    await say(PEER, true);
    await say(PEER, false);
    await test.settled(await test.send('Here we are again', PEER));
    expect((await test.phone(PEER)).filter((one) => one['sender'] === LINE)).toHaveLength(1);
  });

  it('is sent no voice memo either', async () => {
    const memo = { from: LINE, to: PEER, audio_message: await upload() };
    await say(PEER, true);
    expect(refusal(await test.call('POST', '/v1/audio-messages', memo))).toEqual(REFUSED);
    const files = () => test.server.engine.query.selectFrom('files').select('id').execute();
    // Nothing was made of the file for somebody who does not hear it.
    expect(await files()).toHaveLength(1);
    await say(PEER, false);
    const { body } = expectStatus(201, await test.call('POST', '/v1/audio-messages', memo));
    await test.settled(String(body['id']));
  });

  it('may be shown typing, receipts and reactions', async () => {
    const { guid } = await test.text('Last words', PEER);
    await say(PEER, true);
    const to = { from: LINE, to: PEER };
    for (const [path, more] of [
      ['/v1/typing', {}],
      ['/v1/receipts', {}],
      ['/v1/reactions', { message_id: guid, type: 'like' }],
    ] as const) {
      const { body } = expectStatus(201, await test.call('POST', path, { ...to, ...more }));
      await test.settled(String(body['id']));
    }
    await say(PEER, false);
  });

  it('has opted out of every line of the account, and of no group that it is in', async () => {
    await addLine(test, SECOND_LINE, { contactFirst: false });
    const made = { line: LINE, participants: [PEER, OTHER], name: 'Hikers' };
    const chatId = String(expectStatus(201, await test.call('POST', '/simulator/v1/groups', made)).body['chat_id']);
    const text = { from: PEER, to: chatId, text: 'Hello all' };
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', text));
    await say(PEER, true);
    const hikers = expectStatus(200, await test.call('GET', `/v1/chats/${chatId}`)).body;
    await say(String(hikers['identifier']), true);
    expect(refusal(await send(PEER, { from: SECOND_LINE }))).toEqual(REFUSED);
    await test.settled(String(expectStatus(201, await send(chatId)).body['id']));
    // Whoever has not written first is told so first.
    const stranger = '+15550107803';
    await say(stranger, true);
    expect(refusal(await send(stranger))).toEqual(expected('contact_has_not_messaged', 'to'));
    expect(refusal(await send(stranger, { from: SECOND_LINE }))).toEqual(REFUSED);
    await say(PEER, false);
  });

  it('gets what was accepted before', async () => {
    expectStatus(201, await test.call('POST', '/simulator/v1/faults', { line: LINE, offline: true }));
    const id = await test.send('On its way', OTHER);
    await say(OTHER, true);
    expectStatus(200, await test.call('DELETE', '/simulator/v1/faults', { line: LINE }));
    await test.settled(id);
    expect(refusal(await send(OTHER))).toEqual(REFUSED);
    await say(OTHER, false);
  });

  it('is one to that account alone, and is found with since when and whose word it was', async () => {
    const before = Date.now();
    await say(PEER, true);
    const { engine: store } = test.server;
    const found = await findOptOut(store, accountRef, PEER);
    expect(found).toEqual({ optedOutAt: expect.any(Number), by: 'api' });
    expect(found?.optedOutAt).toBeGreaterThanOrEqual(before);
    // Who says it again has said it when he did first.
    await say(PEER, true);
    expect(await findOptOut(store, accountRef, PEER)).toEqual(found);
    expect(await findOptOut(store, accountRef + 1, PEER)).toBeNull();
    const contacts = [PEER, OTHER, PEER].map((handle) => ({ accountRef, handle }));
    const stranger = { accountRef: accountRef + 1, handle: PEER };
    expect(await readOptOuts(store.readEach, [...contacts, stranger])).toEqual(
      new Set([contactKey({ accountRef, handle: PEER })]),
    );
    await say(PEER, false);
    expect(await findOptOut(store, accountRef, PEER)).toBeNull();
  });
});

describe.each(ENGINES)('a contact that opts out while it is written to on %s', (engine) => {
  it('is refused for that alone, and is sent nothing that was asked for after the word was taken', async () => {
    const stage = await openStage(engine);
    // On SQLite one process has the folder; on PostgreSQL another one takes the word.
    const other = engine === 'sqlite' ? null : await openProcess(stage.home, () => stage.now());
    const writer = other?.writer ?? stage.writer;
    const { accountRef } = stage.line;
    const say = (optedOut: boolean) =>
      writer.write(setOptOuts, { accountRef, handle: PEER, optedOut, by: 'api', now: stage.now() });
    const accept = () => stage.accept({ to: PEER, contactFirst: true });
    await stage.report([inbound('Hello', { sender: PEER })]);
    const answers = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const racing = Promise.all(Array.from({ length: 6 }, accept));
      expect(await say(true)).toBe(true);
      expect(await accept()).toBe('recipient_opted_out');
      for (const answer of await racing) answers.add(answer);
      const again = Promise.all(Array.from({ length: 6 }, accept));
      expect(await say(false)).toBe(false);
      expect(await accept()).toBe('accepted');
      for (const answer of await again) answers.add(answer);
    }
    expect([...answers].filter((answer) => answer !== 'accepted' && answer !== 'recipient_opted_out')).toEqual([]);
    await other?.databases.close();
    await stage.close();
  });
});

describe.each(ENGINES)('STOP and START on %s', (engine) => {
  let test: TestServer;
  let tenant: Tenant;
  beforeAll(async () => {
    test = await startTestServer(engine);
    tenant = await addTenant(test);
  });
  afterAll(() => test.stop());

  const listen = async (isOn: boolean, line = LINE) => {
    const body = { settings: { opt_out_keywords: isOn } };
    const answer = await test.call('PATCH', `/admin/v1/lines/${encodeURIComponent(line)}`, body);
    expect(expectStatus(200, answer).body['settings']).toMatchObject({ opt_out_keywords: isOn });
  };
  const send = (to: string) => test.call('POST', '/v1/messages', { from: LINE, to, text: 'Hello' });

  it('are only words while the line’s setting is off, as it is at first', async () => {
    const phone = freshPhone();
    await test.text('STOP', phone);
    expectStatus(201, await send(phone));
    await listen(true);
    // It holds for what comes from now on.
    expectStatus(201, await send(phone));
    await test.text('STOP', phone);
    expect(refusal(await send(phone))).toEqual(REFUSED);
    await listen(false);
    await test.text('START', phone);
    expect(refusal(await send(phone))).toEqual(REFUSED);
    await listen(true);
    await test.text('START', phone);
    expectStatus(201, await send(phone));
  });

  it.each(['STOP', 'unsubscribe', ' Cancel ', 'End', '\n\tquit \n'])('%j opts out', async (word) => {
    await listen(true);
    const phone = freshPhone();
    const { guid } = await test.text(word, phone);
    expect(refusal(await send(phone))).toEqual(REFUSED);
    // It is a message like any other.
    expect(expectStatus(200, await test.call('GET', `/v1/messages/${guid}`)).body['text']).toBe(word);
    await test.text(' start\n', phone);
    expectStatus(201, await send(phone));
  });

  it.each(['STOP it', 'Stop.', 'stopp', 'S T O P', 'constructor', 'STOP\nSTOP'])('%j is only words', async (text) => {
    await listen(true);
    const phone = freshPhone();
    await test.text(text, phone);
    expectStatus(201, await send(phone));
  });

  it('are heard in a chat with one phone only', async () => {
    await listen(true);
    const [phone, other] = [freshPhone(), freshPhone()];
    await test.text('Hello', phone);
    const made = { line: LINE, participants: [phone, other], name: 'Hikers' };
    const to = String(expectStatus(201, await test.call('POST', '/simulator/v1/groups', made)).body['chat_id']);
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', { from: phone, to, text: 'STOP' }));
    expectStatus(201, await send(to));
    expectStatus(201, await send(phone));
  });

  it('are for the account whose phone it is on the sandbox line, and what is refused is not counted', async () => {
    await listen(true, SANDBOX_LINE);
    const phone = freshPhone();
    await tenant.pair(phone);
    expectStatus(201, await tenant.send(phone));
    expectStatus(201, await tenant.text(phone, 'stop'));
    expect(refusal(await tenant.send(phone))).toEqual(REFUSED);
    expect(refusal(await tenant.send(freshPhone()))).toEqual(expected('sandbox_contact_mismatch', 'to'));
    expectStatus(201, await tenant.call('POST', '/v1/typing', { from: SANDBOX_LINE, to: phone }));
    expect((await tenant.state())['usage']).toMatchObject({ used: 1 });
    // Another account has heard nothing of it.
    await test.text('Hello', phone);
    expectStatus(201, await send(phone));
    expectStatus(201, await tenant.text(phone, 'start'));
    expectStatus(201, await tenant.send(phone));
    expect((await tenant.state())['usage']).toMatchObject({ used: 2 });
  });
});

describe.each(ENGINES)('what a line says of STOP and START on %s', (engine) => {
  const onStage = async (run: (stage: Stage) => Promise<void>) => {
    const stage = await openStage(engine);
    await stage.engine.query.updateTable('lines').set({ opt_out_keywords: 1 }).execute();
    await run(stage);
    await stage.close();
  };
  const word = (guid: string, text: string, given: Parameters<typeof inbound>[1] = {}) =>
    inbound(guid, { sender: PEER, text, ...given });
  const optedOut = async ({ engine: store, line }: Stage) =>
    (await findOptOut(store, line.accountRef, PEER))?.by ?? null;

  it('counts once, however often it is said', () =>
    onStage(async (stage) => {
      await stage.report([word('A', 'STOP')]);
      expect(await optedOut(stage)).toBe('phone');
      await stage.report([word('B', 'START')]);
      await stage.report([word('A', 'STOP')]);
      await stage.report([word('C', 'Hello'), word('A', 'STOP'), word('B', 'START')]);
      expect(await optedOut(stage)).toBeNull();
      expect((await stage.events()).map((event) => event.type)).toEqual(Array(3).fill('message.received'));
    }));

  it('counts in the order of the report, the last word in the end', () =>
    onStage(async (stage) => {
      await stage.report([word('A', 'STOP'), word('B', 'START'), word('C', 'QUIT')]);
      expect(await optedOut(stage)).toBe('phone');
      await stage.report([word('D', 'START'), word('E', 'END'), word('F', 'START'), word('D', 'STOP')]);
      expect(await optedOut(stage)).toBeNull();
    }));

  it('is no word of the phone where the line wrote it, a group heard it, it was edited in or is beneath a picture', () =>
    onStage(async (stage) => {
      const hikers = group('chat123456789012345678', [PEER, OTHER]);
      const picture = { file: 'file_1', filename: 'a.jpg', mimeType: 'image/jpeg', size: 1, transcription: null };
      await stage.report([
        own('A', { chat: word('A', '').chat, text: 'STOP' }),
        word('B', 'STOP', { chat: hikers }),
        word('C', 'Hello'),
        edited('C', 'STOP'),
        word('D', 'STOP', { attachments: [picture] }),
        word('E', 'STOP', { isAudioMessage: true }),
      ]);
      expect(await stage.engine.query.selectFrom('opt_outs').selectAll().execute()).toEqual([]);
      await stage.report([word('F', 'STOP')]);
      expect(await optedOut(stage)).toBe('phone');
    }));

  it('is taken with the message or not at all', () =>
    onStage(async (stage) => {
      const { line, writer } = stage;
      const stale = { lane: `line ${line.ref}`, fence: 0 };
      const fenced = await writer.write(recordSightings, {
        ...{ claim: stale, line, now: stage.now() },
        events: [word('A', 'STOP')],
      });
      expect(fenced.state).toBe('fenced');
      expect(await optedOut(stage)).toBeNull();
      expect(await stage.accept({ to: PEER, contactFirst: true })).toBe('contact_has_not_messaged');
      await stage.report([word('A', 'STOP')]);
      expect(await stage.accept({ to: PEER, contactFirst: true })).toBe('recipient_opted_out');
    }));
});
