/** The four endpoints of Sendblue's message API, driven by its own client, unmodified. */
import SendblueAPI from 'sendblue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, KEY, LINE, PHONE, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const HANDLE = /^[0-9A-F]{8}-[0-9A-F]{4}-7[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;

describe.each(ENGINES)("Sendblue's client on %s", (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
  });
  afterAll(() => stage.test.stop());

  const send = (content: string, number = PHONE) => stage.client.messages.send({ number, from_number: LINE, content });

  it('sends a message, which is queued, then delivered, under one handle', async () => {
    const sent = await send('First');
    expect(sent).toMatchObject({
      status: 'QUEUED',
      content: 'First',
      number: PHONE,
      from_number: LINE,
      is_outbound: true,
      error_code: null,
      media_url: '',
      send_style: '',
      message_handle: expect.stringMatching(HANDLE),
    });
    const delivered = await stage.status(sent.message_handle ?? '', 'DELIVERED');
    expect(delivered).toMatchObject({ content: 'First', date_created: sent.date_created });
    const { data } = await stage.client.messages.retrieve(sent.message_handle ?? '');
    expect(data).toMatchObject({
      status: 'DELIVERED',
      sendblue_number: LINE,
      service: 'iMessage',
      plan: 'self-hosted',
    });
    expect((await stage.test.phone()).at(-1)).toMatchObject({ text: 'First' });
  });

  it('lists it beside what came in, the newest first', async () => {
    await stage.test.text('Hello there');
    const list = await waitFor(async () => {
      const found = await stage.client.messages.list({ number: PHONE, limit: 2 });
      return found.data?.[0]?.content === 'Hello there' ? found : undefined;
    }, 'the inbound message to be listed');
    expect(list.data?.map(({ content, status }) => [content, status])).toEqual([
      ['Hello there', 'RECEIVED'],
      ['First', 'DELIVERED'],
    ]);
    expect(list.data?.[0]).toMatchObject({ from_number: PHONE, to_number: LINE, is_outbound: false, number: PHONE });
    expect(list.pagination).toMatchObject({ limit: 2, offset: 0 });
  });

  it('gives its own errors', async () => {
    await expect(stage.client.messages.retrieve('00000000-0000-7000-8000-000000000000')).rejects.toThrow(
      SendblueAPI.NotFoundError,
    );
    await expect(send('Cold', '+15550107777')).rejects.toThrow(SendblueAPI.BadRequestError);
    await expect(
      stage.client.messages.send({ number: PHONE, from_number: '+15550107777', content: 'x' }),
    ).rejects.toThrow(/400 There is no such line/);
    const stranger = stage.clientWith({ apiKey: 'key_other' });
    await expect(stranger.messages.list()).rejects.toThrow(SendblueAPI.AuthenticationError);
    await expect(stage.client.get('/api/nowhere')).rejects.toThrow(/404 There is no such route/);
  });
});

describe.each(ENGINES)('what goes with a message on %s', (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
  });
  afterAll(() => stage.test.stop());

  it('is a send style, which the phone sees', async () => {
    const sent = await stage.client.messages.send({
      number: PHONE,
      from_number: LINE,
      content: 'Hooray',
      send_style: 'confetti',
    });
    expect(sent.send_style).toBe('confetti');
    await stage.status(sent.message_handle ?? '', 'DELIVERED');
    expect((await stage.test.phone()).at(-1)).toMatchObject({ text: 'Hooray', effect: 'confetti' });
    const { data } = await stage.client.messages.retrieve(sent.message_handle ?? '');
    expect(data?.send_style).toBe('confetti');
  });

  it('is a reply, by a handle of either side', async () => {
    const { guid } = await stage.test.text('A question');
    const asked = await waitFor(async () => {
      const { data } = await stage.client.messages.list({ number: PHONE, limit: 1 });
      return data?.[0]?.content === 'A question' ? data[0] : undefined;
    }, 'the question');
    const reply_to = { message_handle: asked.message_handle ?? '', part_index: 0 };
    const answer = await stage.client.messages.send({
      number: PHONE,
      from_number: LINE,
      content: 'An answer',
      reply_to,
    });
    expect(answer).toMatchObject({ reply_to, thread_originator: { message_handle: asked.message_handle } });
    const done = await stage.status(answer.message_handle ?? '', 'DELIVERED');
    expect(done.reply_to).toEqual(reply_to);
    expect((await stage.test.phone()).at(-1)).toMatchObject({ text: 'An answer', reply_to_guid: guid });
    const byGuid = await stage.client.messages.retrieve(guid);
    expect(byGuid.data?.message_handle).toBe(asked.message_handle);
  });

  it('is no seat and no app card', async () => {
    const message = { number: PHONE, from_number: LINE, content: 'x' };
    await expect(stage.client.messages.send({ ...message, seat_id: 'one' })).rejects.toThrow(/400 .*seat_id/);
    await expect(stage.client.messages.send({ ...message, send_style: 'loudly' as 'loud' })).rejects.toThrow(
      /send_style/,
    );
  });

  it('may come as a form', async () => {
    const response = await fetch(`${stage.baseURL}/api/send-message`, {
      method: 'POST',
      headers: { 'SB-API-KEY-ID': stage.keyId, 'X-SB-API-SECRET-KEY': KEY },
      body: new URLSearchParams({ number: PHONE, from_number: LINE, content: 'By form & all', send_style: '' }),
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ content: 'By form & all', status: 'QUEUED', send_style: '' });
  });
});
