/** Effects through the doors, in both directions: what was asked for, what the phone sees, and what is told of it. */
import { SEND_STYLES } from '@trunkline/drivers';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventReader, readEvents } from './event-reader.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  LINE,
  PHONE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { isSigned, startReceiver } from './receiver.ts';
import { openHome } from './stage.ts';
import { expected, refusal } from './tenancy.ts';

const PEER = '+15550107801';

async function newest(test: TestServer, to: string, from = LINE): Promise<Record<string, unknown>> {
  const { body } = expectStatus(200, await test.call('GET', `/v1/messages?${new URLSearchParams({ from, to })}`));
  const [message] = body['data'] as Record<string, unknown>[];
  return message ?? {};
}

async function sendStyled(test: TestServer, text: string, style: string, to = PEER, from = LINE): Promise<string> {
  const body = { from, to, text, send_style: style };
  return String(expectStatus(201, await test.call('POST', '/v1/messages', body)).body['id']);
}

async function shownEffects(test: TestServer, phone: string): Promise<unknown[]> {
  return (await test.phone(phone)).filter((one) => one['from_me'] === false).map((one) => one['effect']);
}

describe.each(ENGINES)('an effect on %s', (engine) => {
  let test: TestServer;
  let reader: EventReader;

  beforeAll(async () => {
    test = await startTestServer(engine);
    reader = await readEvents(String(await test.server.listen()));
    await test.text('Hello', PEER);
  });
  afterAll(async () => {
    reader.cut();
    await test.stop();
  });

  const told = (event: string, guid: unknown) =>
    waitFor(() => reader.events().find((one) => one.event === event && one.data['guid'] === guid), `${event}`);

  it('is on the phone, in the message and in what is told of it; the item has it as it was asked for', async () => {
    const item = await test.settled(await sendStyled(test, 'Done', 'slam'));
    expect(item['payload']).toEqual({ kind: 'message', from: LINE, to: PEER, text: 'Done', send_style: 'slam' });
    expect((await test.phone(PEER)).at(-1)).toMatchObject({ text: 'Done', effect: 'slam' });
    const message = await newest(test, PEER);
    expect(message).toMatchObject({ text: 'Done', is_from_me: true, send_style: 'slam', outbox_id: item['id'] });
    expect((await told('message.sent', message['guid'])).data['send_style']).toBe('slam');
    expect((await told('message.delivered', message['guid'])).data['send_style']).toBe('slam');
    const one = expectStatus(200, await test.call('GET', `/v1/messages/${String(message['id'])}`)).body;
    expect(one['send_style']).toBe('slam');
  });

  it('can be each of the thirteen, and none', async () => {
    const phone = '+15550107802';
    await test.text('Hello', phone);
    for (const style of SEND_STYLES) await test.settled(await sendStyled(test, style, style, phone));
    await test.settled(await test.send('None', phone));
    // As everywhere, an empty text is no value.
    await test.settled(await sendStyled(test, 'None either', '', phone));
    expect(SEND_STYLES).toHaveLength(13);
    expect(await shownEffects(test, phone)).toEqual([...SEND_STYLES, null, null]);
    const message = await newest(test, phone);
    expect(message).toMatchObject({ text: 'None either', send_style: null });
    expect((await told('message.sent', message['guid'])).data['send_style']).toBeNull();
  });

  it('of a phone arrives with its message, on the stream and at a webhook', async () => {
    const receiver = await startReceiver();
    const { secret } = await test.webhook(receiver.url, ['message.received']);
    const texted = { from: PEER, to: LINE, text: 'Hooray', effect: 'confetti' };
    const { guid } = expectStatus(201, await test.call('POST', '/simulator/v1/messages', texted)).body;
    expect(await newest(test, PEER)).toMatchObject({ guid, text: 'Hooray', is_from_me: false, send_style: 'confetti' });
    expect((await told('message.received', guid)).data['send_style']).toBe('confetti');
    const delivery = await waitFor(() => receiver.received.find(({ data }) => data['guid'] === guid), 'the delivery');
    expect(delivery.data['send_style']).toBe('confetti');
    expect(isSigned(delivery, secret)).toBe(true);
    expect((await test.phone(PEER)).at(-1)).toMatchObject({ from_me: true, effect: 'confetti' });
    await receiver.close();
  });

  it('stays when the message is seen twice, is changed and is taken back', async () => {
    expectStatus(201, await test.call('POST', '/simulator/v1/faults', { line: LINE, duplicate_rate: 1 }));
    const texted = { from: PEER, to: LINE, text: 'Psst', effect: 'invisible' };
    const { guid } = expectStatus(201, await test.call('POST', '/simulator/v1/messages', texted)).body;
    const about = { from: PEER, message_id: guid };
    expectStatus(201, await test.call('POST', '/simulator/v1/edits', { ...about, text: 'Hush' }));
    expect((await told('message.edited', guid)).data).toMatchObject({ text: 'Hush', send_style: 'invisible' });
    expectStatus(201, await test.call('POST', '/simulator/v1/unsends', about));
    expect((await told('message.unsent', guid)).data).toMatchObject({ text: null, send_style: 'invisible' });
    expect(await newest(test, PEER)).toMatchObject({ guid, send_style: 'invisible' });
    expectStatus(200, await test.call('DELETE', '/simulator/v1/faults', { line: LINE }));
  });

  it('that is none is refused, sent or received', async () => {
    for (const style of ['Slam', 'impact', 'slam ', 1, ['slam']]) {
      const sent = { from: LINE, to: PEER, text: 'No', send_style: style };
      expect(refusal(await test.call('POST', '/v1/messages', sent))).toEqual(
        expected('invalid_parameter_value', 'send_style'),
      );
      const texted = { from: PEER, to: LINE, text: 'No', effect: style };
      expect(refusal(await test.call('POST', '/simulator/v1/messages', texted))).toEqual(
        expected('invalid_parameter_value', 'effect'),
      );
    }
    expect((await newest(test, PEER))['text']).not.toBe('No');
  });

  it('is left out on an SMS line, in both directions', async () => {
    const handle = '+15550100078';
    expectStatus(201, await test.call('POST', '/admin/v1/lines', { handle, driver: 'simulator', service: 'sms' }));
    // At once, before its driver has said what it can do.
    const texted = { from: PEER, to: handle, text: 'Green', effect: 'slam' };
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', texted));
    const isHeard = async () => {
      const chats = await test.call('GET', `/v1/chats?${new URLSearchParams({ from: handle })}`);
      return (chats.body['data'] as unknown[]).length === 1 || undefined;
    };
    await waitFor(isHeard, 'the line to hear of the text');
    expect(await newest(test, PEER, handle)).toMatchObject({ text: 'Green', send_style: null });
    const item = await test.settled(await sendStyled(test, 'Plain', 'slam', PEER, handle));
    expect(item['payload']).toMatchObject({ send_style: 'slam' });
    expect(await newest(test, PEER, handle)).toMatchObject({ text: 'Plain', is_from_me: true, send_style: null });
    expect((await test.phone(PEER)).at(-1)).toMatchObject({ line: handle, text: 'Plain', effect: null });
  });
});

describe.each(ENGINES)('an effect over a restart, on %s', (engine) => {
  it('goes out, or not, as it was decided when the message was accepted', async () => {
    const home = await createHome(engine);
    await (await startTestServer(engine, { home })).stop();
    const front = await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const set = async (capabilities: string | null) => {
      await front.server.engine.query.updateTable('line_health').set({ capabilities }).execute();
      // A line that is not known makes the process look at all of them again.
      expect((await front.call('GET', '/v1/chats?from=%2B15550199999')).status).toBe(404);
    };
    await sendStyled(front, 'It can', 'lasers', PHONE);
    await set('["text","reply"]');
    await sendStyled(front, 'It cannot', 'lasers', PHONE);
    await set(null);
    const last = await sendStyled(front, 'Who knows', 'lasers', PHONE);
    await front.stop();
    const next = await startTestServer(engine, { home });
    await next.settled(last);
    expect(await shownEffects(next, PHONE)).toEqual(['lasers', null, 'lasers']);
    await next.stop();
    await home.remove();
  });

  it('is none for what was on its way before there were effects', async () => {
    const home = await createHome(engine);
    await (await startTestServer(engine, { home })).stop();
    const front = await startTestServer(engine, { home, environment: { TRUNKLINE_ROLES: 'api' } });
    const texted = await front.server.network?.text({ from: PHONE, to: LINE, text: 'Unheard' });
    await front.stop();
    const { simulator, close } = await openHome(home);
    await sql`update entries set body = replace(body, '"effect":null,', '')`.execute(simulator.query);
    const left = await sql`select body from entries where body like '%effect%'`.execute(simulator.query);
    expect(left.rows).toEqual([]);
    await close();
    const next = await startTestServer(engine, { home });
    const find = async () => {
      const { status, body } = await next.call('GET', `/v1/messages/${texted?.guid}`);
      return status === 200 ? body : undefined;
    };
    expect(await waitFor(find, 'the text')).toMatchObject({ text: 'Unheard', send_style: null });
    const events = await next.server.engine.query.selectFrom('events').select('data').orderBy('seq').execute();
    expect(JSON.parse(events.at(-1)?.data ?? '{}')).toMatchObject({ guid: texted?.guid, send_style: null });
    await next.stop();
    await home.remove();
  });
});
