/** The four endpoints of Sendblue's message API, driven by its own client, unmodified. */
import SendblueAPI from 'sendblue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, LINE, PHONE, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const HANDLE = /^[0-9A-F]{8}-[0-9A-F]{4}-7[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;

describe.each(ENGINES)("Sendblue's client on %s", (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
  });
  afterAll(() => stage.test.stop());

  const send = (content: string, number = PHONE) =>
    stage.client.messages.send({ number, from_number: LINE, content });

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
    expect(data).toMatchObject({ status: 'DELIVERED', sendblue_number: LINE, service: 'iMessage', plan: 'self-hosted' });
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
