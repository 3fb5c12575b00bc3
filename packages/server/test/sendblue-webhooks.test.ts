/** What is told to the webhooks of an account and to the callbacks of sends, set up by Sendblue's own client. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendblueMessageSchema } from '../src/wire/sendblue-schemas.ts';
import { ENGINES, KEY, LINE, PHONE, waitFor } from './harness.ts';
import { answers, type Received, type Receiver, startReceiver } from './receiver.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const GLOBAL_SECRET = 'the secret of all';

describe.each(ENGINES)('the webhooks of an account on %s', (engine) => {
  let stage: SendblueStage;
  let receiver: Receiver;
  beforeEach(async () => {
    stage = await startSendblue(engine);
    receiver = await startReceiver(answers(200), (body) => void sendblueMessageSchema.parse(body));
  });
  afterEach(async () => {
    await stage.test.stop();
    await receiver.close();
  });

  const send = (content: string, more = {}) =>
    stage.client.messages.send({ number: PHONE, from_number: LINE, content, ...more });
  const bodyOf = (post: Received) => JSON.parse(post.body) as Record<string, unknown>;
  const posts = (count: number, path?: string) =>
    waitFor(() => {
      const found = receiver.received.filter((one) => path === undefined || one.path.endsWith(path));
      return found.length >= count ? found : undefined;
    }, `${count} posts`);

  it('are given back as they were given', async () => {
    const url = receiver.url;
    const limited = { url: `${url}/limited`, secret: 'its own', sendblue_numbers: [LINE] };
    expect(await stage.client.webhooks.list()).toEqual({ status: 'OK', webhooks: { receive: [], outbound: [] } });
    const made = await stage.client.webhooks.create({ webhooks: [url, limited], globalSecret: GLOBAL_SECRET });
    const lists = { receive: [url, limited], outbound: [], globalSecret: GLOBAL_SECRET };
    expect(made).toMatchObject({ status: 'OK', webhooks: lists });
    expect(await stage.client.webhooks.create({ webhooks: [url], type: 'outbound' })).toMatchObject({
      webhooks: { ...lists, outbound: [url] },
    });
    const replaced = await stage.client.webhooks.update({ webhooks: { receive: [limited] } });
    expect(replaced.webhooks).toEqual({ receive: [limited], outbound: [] });
    expect(await stage.client.webhooks.delete({ webhooks: [limited.url] })).toMatchObject({ status: 'OK' });
    expect((await stage.client.webhooks.list()).webhooks).toEqual({ receive: [], outbound: [] });
    const alias = await stage.call('GET', '/api/v2/account/webhooks');
    expect(alias).toMatchObject({ status: 200, body: { webhooks: { receive: [], outbound: [] } } });
  });

  it('are told of what comes in, with the secret as it is', async () => {
    await stage.client.webhooks.create({ webhooks: [receiver.url], globalSecret: GLOBAL_SECRET });
    await stage.test.text('Hello');
    const [post] = await posts(1);
    expect(post?.headers).toMatchObject({
      'sb-signing-secret': GLOBAL_SECRET,
      'x-webhook-delivery-id': expect.stringMatching(/^dlv_/),
      'content-type': 'application/json',
    });
    const body = post ? bodyOf(post) : {};
    expect(body).toMatchObject({ content: 'Hello', status: 'RECEIVED', from_number: PHONE, is_outbound: false });
    const { data } = await stage.client.messages.retrieve(String(body['message_handle']));
    expect(data).toEqual(body);
  });

  it('are told of every status of what goes out, and a callback of its own alone', async () => {
    await stage.client.webhooks.create({ webhooks: [`${receiver.url}/all`], type: 'outbound' });
    const followed = await send('Followed', { status_callback: `${receiver.url}/one?id=1` });
    await stage.status(followed.message_handle ?? '', 'DELIVERED');
    const other = await send('Other');
    await stage.status(other.message_handle ?? '', 'DELIVERED');
    const statuses = ['ACCEPTED', 'SENT', 'DELIVERED'];
    const ofCallback = await posts(3, '/one?id=1');
    expect(ofCallback.map((post) => bodyOf(post)['status'])).toEqual(statuses);
    expect(new Set(ofCallback.map((post) => bodyOf(post)['message_handle']))).toEqual(
      new Set([followed.message_handle]),
    );
    expect(ofCallback[0]?.headers['sb-signing-secret']).toBeUndefined();
    const ofAll = await posts(6, '/all');
    expect(ofAll.map((post) => bodyOf(post)['status'])).toEqual([...statuses, ...statuses]);
    expect(receiver.received).toHaveLength(9);
  });

  it('are told of what failed, with the reason', async () => {
    const failing = '+15550100400';
    const phones = await stage.test.call('GET', `/simulator/v1/phones/${encodeURIComponent(failing)}/messages`);
    expect(phones.status).toBe(200);
    const sent = await stage.client.messages.send({
      number: failing,
      from_number: LINE,
      content: 'x',
      status_callback: receiver.url,
    });
    const failed = await stage.status(sent.message_handle ?? '', 'ERROR');
    expect(failed).toMatchObject({ error_code: 10_001, error_message: expect.stringMatching(/\.$/) });
    const told = (await posts(2)).map(bodyOf).at(-1);
    expect(told).toMatchObject({ status: 'ERROR', error_code: 10_001, error_message: failed.error_message });
  });

  it('are refused where they lead to forbidden places, or hear more than the key may', async () => {
    const bad = stage.client.webhooks.create({ webhooks: ['http://169.254.169.254/latest'] });
    await expect(bad).rejects.toThrow(/400 .*webhooks/);
    await expect(send('x', { status_callback: 'ftp://example.com' })).rejects.toThrow(/400 .*status_callback/);
    const { body } = await stage.test.call('POST', '/admin/v1/keys', {
      name: 'Limited',
      scopes: ['webhooks:write', 'webhooks:read'],
      line_ids: [LINE],
    });
    expect(body).toMatchObject({ key: expect.any(String) });
    const limited = stage.clientWith({ apiKey: String(body['id']), apiSecret: String(body['key'] ?? KEY) });
    await expect(limited.webhooks.create({ webhooks: [receiver.url] })).rejects.toThrow(/403/);
  });

  it('do not show on the streams and webhooks of the other dialect', async () => {
    await stage.client.webhooks.create({ webhooks: [receiver.url], type: 'outbound' });
    expect((await stage.test.call('GET', `/v1/webhooks?from=${encodeURIComponent(LINE)}`)).body['data']).toEqual([]);
  });
});
