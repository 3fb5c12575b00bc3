/** What Sendblue's clients call around messages: typing, read receipts, tapbacks, groups, lookups, opting out. */
import SendblueAPI from 'sendblue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UNSERVED } from '../src/http/sendblue/unserved.ts';
import { ENGINES, expectStatus, LINE, PHONE, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';
import { addKey, addLine, keyIdOf, SECOND_LINE } from './tenancy.ts';

const STRANGER = '+15550107777';
const TEXTER = '+15550107778';
const MEMBER = '+15550107779';

/** What the client's types do not know of. */
interface Grouped {
  readonly participants?: readonly string[];
}

describe.each(ENGINES)("what Sendblue's client calls around messages, on %s", (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
    await stage.test.text('Hello', PHONE);
  });
  afterAll(() => stage.test.stop());

  const inbound = async (number = PHONE) =>
    waitFor(async () => {
      const { data } = await stage.client.messages.list({ number, is_outbound: 'false', limit: 1 });
      return data?.[0];
    }, 'an inbound message');
  const typing = async () => {
    const answer = await stage.test.call('GET', `/simulator/v1/phones/${encodeURIComponent(PHONE)}/typing`);
    return expectStatus(200, answer).body['data'] as unknown[];
  };

  it('types, and ceases to', async () => {
    const chat = { number: PHONE, from_number: LINE };
    const sent = { number: PHONE, status: 'SENT', error_message: null };
    expect(await stage.client.typingIndicators.send(chat)).toEqual(sent);
    await waitFor(async () => ((await typing()).length === 1 ? true : undefined), 'the line to type');
    expect(await stage.client.typingIndicators.send({ ...chat, state: 'stop', max_duration_ms: 5_000 })).toEqual(sent);
    await waitFor(async () => ((await typing()).length === 0 ? true : undefined), 'the line to cease');
  });

  it('finds no route to a contact that was never seen', async () => {
    const chat = { number: STRANGER, from_number: LINE };
    await expect(stage.client.typingIndicators.send(chat)).rejects.toThrow(/400 .*No route mapping found/);
    await expect(stage.client.post('/api/mark-read', { body: chat })).rejects.toThrow(/400 .*No route mapping found/);
    const unknownLine = { number: PHONE, from_number: STRANGER };
    await expect(stage.client.typingIndicators.send(unknownLine)).rejects.toThrow(/400 There is no such line/);
  });

  it('marks a chat as read', async () => {
    const answer = await stage.client.post('/api/mark-read', { body: { number: PHONE, from_number: LINE } });
    expect(answer).toEqual({ status: 'OK', message: expect.any(String), number: PHONE });
    await waitFor(async () => {
      const [message] = await stage.test.phone();
      return message?.['state'] === 'read' || undefined;
    }, 'the message to be read');
  });

  it('reacts to what came in and to what it sent, by the handle or by the GUID', async () => {
    const react = (message_handle: string, reaction: string) =>
      stage.client.post('/api/send-reaction', { body: { from_number: LINE, message_handle, reaction } });
    const shown = (text: string, type: string) =>
      waitFor(async () => {
        const message = (await stage.test.phone()).find((one) => one['text'] === text);
        const reactions = (message?.['reactions'] ?? []) as { type: string; sender: string }[];
        return reactions.find((one) => one.type === type && one.sender === LINE);
      }, `${type} on ${text}`);
    const { message_handle: handle = '' } = await inbound();
    expect(await react(handle, 'love')).toEqual({
      status: 'OK',
      message: expect.any(String),
      message_handle: handle,
      reaction: 'love',
    });
    await shown('Hello', 'love');
    const sent = await stage.client.messages.send({ number: PHONE, from_number: LINE, content: 'Our own' });
    await stage.status(sent.message_handle ?? '', 'DELIVERED');
    await react(sent.message_handle ?? '', 'laugh');
    await shown('Our own', 'laugh');
    const { guid } = await stage.test.text('By its GUID');
    expect(await react(guid, 'question')).toMatchObject({
      status: 'OK',
      message_handle: expect.not.stringMatching(guid),
    });
    await shown('By its GUID', 'question');
    await expect(react(handle, 'wave')).rejects.toThrow(/400 .*must be one of love, like/);
    await expect(react('00000000-0000-7000-8000-000000000000', 'love')).rejects.toThrow(SendblueAPI.NotFoundError);
  });

  it('does not react to a message that is not sent yet, nor on another line than its own', async () => {
    await addLine(stage.test, SECOND_LINE);
    const { message_handle } = await inbound();
    const elsewhere = { from_number: SECOND_LINE, message_handle, reaction: 'love' };
    await expect(stage.client.post('/api/send-reaction', { body: elsewhere })).rejects.toThrow(/404/);
    const faults = (body: object) => stage.test.call('POST', '/simulator/v1/faults', { line: LINE, ...body });
    expectStatus(201, await faults({ latency_ms: 60_000 }));
    const slow = await stage.client.messages.send({ number: PHONE, from_number: LINE, content: 'Slow' });
    const early = { from_number: LINE, message_handle: slow.message_handle, reaction: 'love' };
    await expect(stage.client.post('/api/send-reaction', { body: early })).rejects.toThrow(/400 .*not been sent yet/);
    expectStatus(200, await stage.test.call('DELETE', '/simulator/v1/faults', { line: LINE }));
  });
});

describe.each(ENGINES)("lines, lookups, groups and opting out for Sendblue's client on %s", (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
    await stage.test.text('Hello', PHONE);
    await addLine(stage.test, SECOND_LINE);
  });
  afterAll(() => stage.test.stop());

  it('lists the numbers of the lines that the key may use', async () => {
    const { numbers } = (await stage.client.get('/api/lines')) as { numbers: string[] };
    expect(numbers).toEqual(expect.arrayContaining([LINE, SECOND_LINE]));
    const { ref } = await stage.test.server.engine.query
      .selectFrom('lines')
      .select('ref')
      .where('handle', '=', SECOND_LINE)
      .executeTakeFirstOrThrow();
    const secret = await addKey(stage.test, { lineRefs: [Number(ref)] });
    const limited = stage.clientWith({ apiKey: await keyIdOf(stage.test, secret), apiSecret: secret });
    const seen = (await limited.get('/api/lines')) as { numbers: string[] };
    expect(seen.numbers).toContain(SECOND_LINE);
    expect(seen.numbers).not.toContain(LINE);
  });

  it('tells the service that a number was seen on, and for one never seen what the lines send by', async () => {
    const look = (number: string, client = stage.client) => client.lookups.lookupNumber({ number });
    expect(await look(PHONE)).toEqual({ number: PHONE, service: 'iMessage' });
    expect(await look(STRANGER)).toEqual({ number: STRANGER, service: 'iMessage' });
    await stage.test.text('Green', TEXTER);
    // The simulator's phones are all blue: the row is as a bridge that saw an SMS would have left it.
    const { query } = stage.test.server.engine;
    await query.updateTable('listed_items').set({ service: 'sms' }).where('peer', '=', TEXTER).execute();
    expect(await look(TEXTER)).toEqual({ number: TEXTER, service: 'SMS' });
    const green = { handle: '+15550100077', driver: 'simulator', service: 'sms' };
    const { id } = expectStatus(201, await stage.test.call('POST', '/admin/v1/lines', green)).body;
    const key = { name: 'Green', scopes: ['messages:read'], line_ids: [id] };
    const made = expectStatus(201, await stage.test.call('POST', '/admin/v1/keys', key)).body;
    const limited = stage.clientWith({ apiKey: String(made['id']), apiSecret: String(made['key']) });
    // What was seen on other lines is not for this key.
    for (const number of [PHONE, STRANGER]) expect(await look(number, limited)).toEqual({ number, service: 'SMS' });
    await expect(look('12')).rejects.toThrow(SendblueAPI.BadRequestError);
  });

  it('sends to a group that is there, and makes none', async () => {
    const made = { line: LINE, participants: [PHONE, MEMBER], name: 'Weekend' };
    const group = expectStatus(201, await stage.test.call('POST', '/simulator/v1/groups', made)).body;
    const groupId = String(group['chat_id']);
    const send = (fields: object) => stage.client.groups.sendMessage({ content: 'All', from_number: LINE, ...fields });
    await expect(send({ group_id: groupId })).rejects.toThrow(/400 Cannot send to a contact or group/);
    const text = { from: PHONE, to: groupId, text: 'Hello all' };
    expectStatus(201, await stage.test.call('POST', '/simulator/v1/messages', text));
    const sent = (await send({ group_id: groupId })) as SendblueAPI.MessageResponse & Grouped;
    expect(sent).toMatchObject({
      status: 'QUEUED',
      content: 'All',
      group_id: groupId,
      group_display_name: 'Weekend',
      message_type: 'group',
      number: '',
      to_number: '',
      from_number: LINE,
    });
    expect(sent.participants).toEqual(expect.arrayContaining([LINE, PHONE, MEMBER]));
    await waitFor(async () => {
      const { status } = await stage.client.messages.getStatus({ handle: sent.message_handle ?? '' });
      return status === 'SENT' || status === 'DELIVERED' || undefined;
    }, 'the group message to be sent');
    const { data } = await stage.client.messages.list({ group_id: groupId });
    const listed = (data ?? []) as ({ content?: string } & Grouped)[];
    expect(listed.map(({ content, participants }) => [content, participants])).toEqual([
      ['All', sent.participants],
      ['Hello all', sent.participants],
    ]);
    await expect(send({ numbers: [PHONE, MEMBER] })).rejects.toThrow(/400 .*makes no groups/);
    await expect(send({ group_id: 'cht_nobody' })).rejects.toThrow(/400 .*no such chat/);
    await expect(send({ group_id: groupId, from_number: SECOND_LINE })).rejects.toThrow(/400 .*no such chat/);
  });

  it('opts a contact out, who is refused then, and in again', async () => {
    const optOut = (fields: object) => stage.client.contacts.optOut({ number: PHONE, ...fields });
    const send = () => stage.client.messages.send({ number: PHONE, from_number: LINE, content: 'Still there?' });
    expect(await optOut({})).toEqual({ status: 'OK', number: PHONE, opted_out: true });
    await expect(send()).rejects.toThrow(SendblueAPI.BadRequestError);
    const refused = await stage.call('POST', '/api/send-message', { number: PHONE, from_number: LINE, content: 'x' });
    expect(refused).toMatchObject({ status: 400, body: { error_code: 4_000, error_reason: 'recipient_opted_out' } });
    expect(await optOut({ opted_out: false })).toEqual({ status: 'OK', number: PHONE, opted_out: false });
    expect(await send()).toMatchObject({ status: 'QUEUED' });
  });

  it('says of what is not served that it is not, to whoever has a key, and that it is not to be repeated', async () => {
    for (const [method, path] of UNSERVED) {
      const answer = await stage.call(method, path.replaceAll(/:\w+/g, 'x'));
      expect({ path, status: answer.status, retry: answer.headers['x-should-retry'] }).toEqual({
        path,
        status: 501,
        retry: 'false',
      });
      expect(answer.body['message']).toMatch(/not serve/);
    }
    // The client would repeat any other 5xx.
    const patient = stage.clientWith({ maxRetries: 2 });
    await expect(patient.contacts.list()).rejects.toMatchObject({ status: 501 });
    await expect(patient.groups.modify({ group_id: 'x', modify_type: 'add_recipient', number: PHONE })).rejects.toThrow(
      /501/,
    );
    const stranger = stage.clientWith({ apiKey: 'key_other' });
    await expect(stranger.contacts.list()).rejects.toThrow(SendblueAPI.AuthenticationError);
    const photo = { 'sb-api-key-id': stage.keyId, 'content-type': 'multipart/form-data; boundary=x' };
    const raw = await fetch(`${stage.baseURL}/api/v2/groups/x/photo`, {
      method: 'POST',
      headers: { ...photo, 'sb-api-secret-key': stage.client.apiSecret },
      body: '--x--',
    });
    expect(raw.status).toBe(501);
  });
});
