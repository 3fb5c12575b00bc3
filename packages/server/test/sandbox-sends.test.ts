/** What may be sent on the sandbox line in a day, and what webhooks and streams of several accounts hear of it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeWav } from './audio-media.ts';
import { type EventReader, readEvents } from './event-reader.ts';
import { createFakeClock } from './fake-clock.ts';
import { ENGINES, expectStatus, SANDBOX_LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { startReceiver } from './receiver.ts';
import { addTenant, type Body, freshPhone, type Tenant } from './sandbox-scene.ts';
import { addKey, expected, refusal, sendRaw } from './tenancy.ts';

const DAY_MS = 86_400_000;
const QUOTA = 50;
const EXCEEDED = expected('sandbox_quota_exceeded');

/** The id of a recording that the account has uploaded. */
async function voiceMemoOf(test: TestServer, tenant: Tenant): Promise<string> {
  const headers = { authorization: `Bearer ${tenant.key}`, 'content-type': 'audio/wav' };
  const wav = makeWav({ rate: 16_000, seconds: 1 });
  const answer = await sendRaw(test, { method: 'POST', path: '/v1/files', headers, payload: Buffer.from(wav) });
  return String(expectStatus(201, answer).body['id']);
}

describe.each(ENGINES)('the quota of the sandbox on %s', (engine) => {
  it('accepts exactly fifty of sixty messages that come at once, with all keys of the account', async () => {
    const test = await startTestServer(engine);
    const tenant = await addTenant(test);
    const other = await addTenant(test);
    const [phone, others] = [freshPhone(), freshPhone()];
    await tenant.pair(phone);
    await other.pair(others);
    const keys = [tenant.key, await addKey(test, { accountRef: tenant.accountRef })];
    const sends = Array.from({ length: 60 }, (_, index) =>
      test.call(
        'POST',
        '/v1/messages',
        { from: SANDBOX_LINE, to: phone, text: `No. ${index}` },
        { key: keys[index % 2] ?? '' },
      ),
    );
    const answers = await Promise.all(sends);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(QUOTA);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(refusal)).toEqual(refused.map(() => EXCEEDED));
    expect((await tenant.state())['usage']).toMatchObject({ used: QUOTA, limit: QUOTA, remaining: 0 });
    const items = test.server.engine.query
      .selectFrom('outbox')
      .selectAll()
      .where('account_ref', '=', tenant.accountRef);
    expect(await items.execute()).toHaveLength(QUOTA);
    expectStatus(201, await other.send(others));
    const memo = { from: SANDBOX_LINE, to: phone, audio_message: await voiceMemoOf(test, tenant) };
    expect(refusal(await tenant.call('POST', '/v1/audio-messages', memo))).toEqual(EXCEEDED);
    const spoken = { from: SANDBOX_LINE, to: others, audio_message: await voiceMemoOf(test, other) };
    expectStatus(201, await other.call('POST', '/v1/audio-messages', spoken));
    expect((await other.state())['usage']).toMatchObject({ used: 2, remaining: QUOTA - 2 });
    const mismatch = await other.call('POST', '/v1/audio-messages', { ...spoken, to: phone });
    expect(refusal(mismatch)).toEqual(expected('sandbox_contact_mismatch', 'to'));
    // What is said about messages does not count.
    const typing = { from: SANDBOX_LINE, to: phone };
    expectStatus(201, await tenant.call('POST', '/v1/typing', typing));
    await test.stop();
  });

  it('counts what was accepted, once, and begins anew at midnight in UTC', async () => {
    const clock = createFakeClock(DAY_MS * 20_000 - 60_000);
    const test = await startTestServer(engine, { clock });
    const tenant = await addTenant(test);
    const phone = freshPhone();
    await tenant.pair(phone);
    const used = async () => ((await tenant.state())['usage'] as Body)['used'];
    const named = { 'idempotency-key': 'the first' };
    const first = { from: SANDBOX_LINE, to: phone, text: 'Once' };
    const accepted = expectStatus(201, await tenant.call('POST', '/v1/messages', first, named));
    const again = expectStatus(201, await tenant.call('POST', '/v1/messages', first, named));
    expect(again.body).toEqual(accepted.body);
    expect((await tenant.send(freshPhone())).status).toBe(400);
    expect((await tenant.call('POST', '/v1/messages', { ...first, reply_to: 'nothing' })).status).toBe(404);
    expect(await used()).toBe(1);
    for (let sent = 1; sent < QUOTA; sent++) expectStatus(201, await tenant.send(phone, `No. ${sent}`));
    const late = await tenant.send(phone, 'Too much');
    expect(refusal(late)).toEqual(EXCEEDED);
    const { resets_at: resetsAt } = (await tenant.state())['usage'] as Body;
    expect(resetsAt).toBe(DAY_MS * 20_000);
    const seconds = Number(late.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    clock.jump(seconds * 1_000);
    expect(await used()).toBe(0);
    expectStatus(201, await tenant.send(phone, 'A new day'));
    expect((await tenant.state())['usage']).toEqual({
      used: 1,
      limit: QUOTA,
      remaining: QUOTA - 1,
      resets_at: DAY_MS * 20_001,
    });
    // Ending the pairing gives nothing back.
    expectStatus(200, await tenant.call('DELETE', '/v1/sandbox'));
    expect(await used()).toBe(1);
    await test.stop();
  });
});

describe.each(ENGINES)('what is told of the sandbox on %s', (engine) => {
  let test: TestServer;
  let address: string;
  let closes: (() => unknown)[] = [];
  beforeAll(async () => {
    test = await startTestServer(engine);
    address = String(await test.server.listen());
  });
  afterEach(async () => {
    for (const close of closes) await close();
    closes = [];
  });
  afterAll(() => test.stop());

  const streamOf = async (key: string, query = '', lastEventId?: string) => {
    const reader = await readEvents(address, { key, query, ...(lastEventId === undefined ? {} : { lastEventId }) });
    closes.push(() => reader.cut());
    return reader;
  };
  const hookOf = async (tenant: Tenant) => {
    const receiver = await startReceiver();
    closes.push(() => receiver.close());
    const events = ['message.received', 'message.sent', 'reaction.added'];
    expectStatus(201, await tenant.call('POST', '/v1/webhooks', { from: SANDBOX_LINE, url: receiver.url, events }));
    return receiver;
  };
  const textsOf = (events: readonly { readonly event: string; readonly data: Body }[]) =>
    events.flatMap(({ event, data }) =>
      event.startsWith('message.') && typeof data['text'] === 'string' ? [data['text']] : [],
    );
  const until = (reader: EventReader, text: string) =>
    waitFor(() => (textsOf(reader.events()).includes(text) ? true : undefined), `"${text}" on the stream`);

  it('is told to the account whose phone it was at that moment, by webhook and by stream, and to no other', async () => {
    const [one, other] = [await addTenant(test), await addTenant(test)];
    const phone = freshPhone();
    const [oneHook, otherHook] = [await hookOf(one), await hookOf(other)];
    const [oneStream, otherStream] = [await streamOf(one.key), await streamOf(other.key)];
    const firstCode = await one.code();
    expectStatus(201, await one.text(phone, firstCode));
    expectStatus(201, await one.text(phone, 'For one'));
    await one.sent(phone, 'From one');
    await until(oneStream, 'From one');
    const secondCode = await other.code();
    expectStatus(201, await other.text(phone, secondCode));
    expectStatus(201, await other.text(phone, 'For the other'));
    await other.sent(phone, 'From the other');
    await until(otherStream, 'From the other');
    await waitFor(() => (textsOf(otherHook.received).length >= 3 ? true : undefined), 'the deliveries of the other');
    await waitFor(() => (textsOf(oneHook.received).length >= 3 ? true : undefined), 'the deliveries of the first');
    const ofOne = [firstCode, 'For one', 'From one'];
    const ofOther = [secondCode, 'For the other', 'From the other'];
    const distinct = (texts: readonly string[]) => [...new Set(texts)].sort();
    expect(distinct(textsOf(oneHook.received))).toEqual(ofOne.toSorted());
    expect(distinct(textsOf(otherHook.received))).toEqual(ofOther.toSorted());
    expect(distinct(textsOf(oneStream.events()))).toEqual(ofOne.toSorted());
    expect(distinct(textsOf(otherStream.events()))).toEqual(ofOther.toSorted());
  });

  it('comes on a stream in its order among what happens on ordinary lines, also to a key that is limited to others', async () => {
    const tenant = await addTenant(test);
    const phone = freshPhone();
    await tenant.pair(phone);
    const limited = await addKey(test, { accountRef: tenant.accountRef, lineRefs: [1] });
    const [stream, narrow] = [
      await streamOf(tenant.key),
      await streamOf(limited, `from=${encodeURIComponent(SANDBOX_LINE)}`),
    ];
    const texts = Array.from({ length: 20 }, (_, index) => `No. ${index}`);
    for (const text of texts) expectStatus(201, await tenant.text(phone, text));
    await until(stream, 'No. 19');
    await until(narrow, 'No. 19');
    expect(textsOf(stream.events())).toEqual(texts);
    expect(textsOf(narrow.events())).toEqual(texts);
  });

  it('of a former phone is not shown again to a stream that takes up where it was', async () => {
    const tenant = await addTenant(test);
    const stream = await streamOf(tenant.key);
    const begin = String(stream.headers['x-event-cursor']);
    const [former, next] = [freshPhone(), freshPhone()];
    await tenant.pair(former);
    expectStatus(201, await tenant.text(former, 'Before'));
    await until(stream, 'Before');
    const code = String((await tenant.call('DELETE', '/v1/sandbox')).body['activation_code']);
    expectStatus(201, await tenant.text(next, code));
    expectStatus(201, await tenant.text(next, 'After'));
    await until(stream, 'After');
    const resumed = await streamOf(tenant.key, '', begin);
    await until(resumed, 'After');
    expect(textsOf(resumed.events())).toEqual([code, 'After']);
  });

  it('goes on belonging to the account that said it, whoever has the phone when it is read', async () => {
    const [one, other] = [await addTenant(test), await addTenant(test)];
    const phone = freshPhone();
    await one.pair(phone);
    await one.sent(phone, 'Still on its way');
    const [message] = await one.listed('/v1/messages', { to: phone });
    await other.pair(phone);
    await other.sent(phone, 'Of the other');
    // Reads the phone's whole chat with the line: the first account's message, too.
    expectStatus(201, await other.call('POST', '/simulator/v1/reads', { from: phone, to: SANDBOX_LINE }));
    const read = async (tenant: Tenant) =>
      test.server.engine.query
        .selectFrom('events')
        .select(['type', 'data'])
        .where('account_ref', '=', tenant.accountRef)
        .where('type', '=', 'message.read')
        .execute();
    await waitFor(
      async () => ((await read(one)).length > 0 ? true : undefined),
      "the first account's message to be read",
    );
    expect((await read(one)).map(({ data }) => (JSON.parse(data) as Body)['id'])).toEqual([message?.['id']]);
    const texts = (await read(other)).map(({ data }) => (JSON.parse(data) as Body)['text']);
    expect(texts).toEqual(['Of the other']);
  });
});
