/** The event stream's door: what it says at once, what it shows to whom, and what it refuses. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type EventReader, type ReadOptions, readEvents } from './event-reader.ts';
import { KEY, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { addAccount, addKey, addLine, expected, refusal, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const PHONE = '+15550107501';
let test: TestServer;
let address: string;
let secondRef: number;
let strangersKey: string;
const readers: EventReader[] = [];

beforeAll(async () => {
  test = await startTestServer('sqlite');
  address = String(await test.server.listen());
  secondRef = (await addLine(test, SECOND_LINE)).ref;
  const stranger = await addAccount(test);
  await addLine(test, STRANGERS_LINE, { accountRef: stranger });
  strangersKey = await addKey(test, { accountRef: stranger });
});
afterEach(() => {
  for (const reader of readers.splice(0)) reader.cut();
});
afterAll(() => test.stop());

async function read(options: ReadOptions = {}): Promise<EventReader> {
  const reader = await readEvents(address, options);
  readers.push(reader);
  return reader;
}

const textTo = (line: string, text: string, key = KEY) =>
  test.call('POST', '/simulator/v1/messages', { from: PHONE, to: line, text }, { key });
const seen = (reader: EventReader, text: string) =>
  waitFor(() => reader.events().find((event) => event.data['text'] === text), `"${text}" on the stream`);
/** Of the messages themselves, without what became of them later. */
const textsOf = (reader: EventReader) =>
  reader
    .events()
    .filter(({ event }) => event === 'message.received' || event === 'message.sent')
    .map((event) => event.data['text']);

describe('a stream', () => {
  it('sends its headers and a comment at once', async () => {
    const startedAt = performance.now();
    const reader = await read();
    await waitFor(() => (reader.text().startsWith(': ') ? true : undefined), 'a comment');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(reader.status).toBe(200);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(reader.headers['x-request-id']).toMatch(/^req_/);
    expect(reader.headers['content-length']).toBeUndefined();
  });

  it('says in its head where it begins, so that one cut off before its first event misses nothing', async () => {
    const first = await read();
    const begins = String(first.headers['x-event-cursor']);
    first.cut();
    await test.text('while nobody read');
    const second = await read({ lastEventId: begins });
    await seen(second, 'while nobody read');
    expect(second.headers['x-event-cursor']).toBe(begins);
  });

  it("has the webhook's body without its delivery, and a cursor as its id", async () => {
    const reader = await read();
    const { guid, chatId } = await test.text('Hello\nstream \u2028 😀');
    const event = await waitFor(() => reader.events()[0], 'an event');
    expect(Object.keys(event)).toEqual(['id', 'event', 'data', 'timestamp']);
    expect(event).toMatchObject({ id: expect.stringMatching(/^[0-9a-z]+\.\d+$/), event: 'message.received' });
    expect(Math.abs(event.timestamp - Date.now())).toBeLessThan(10_000);
    const { request_id: _own, ...message } = (await test.call('GET', `/v1/messages/${guid}`)).body;
    expect(event.data).toEqual({ ...message, line_handle: LINE });
    expect(event.data['chat_id']).toBe(chatId);
    await test.settled(await test.send('And out'));
    expect((await seen(reader, 'And out')).event).toBe('message.sent');
  });

  it('begins now, unless a cursor says otherwise', async () => {
    await test.text('Before');
    const reader = await read();
    await test.text('After');
    await seen(reader, 'After');
    expect(textsOf(reader)).toEqual(['After']);
  });

  it('goes on after `after`, and after Last-Event-ID if both are there', async () => {
    const first = await read();
    for (const text of ['One', 'Two', 'Three']) await test.text(text);
    await seen(first, 'Three');
    const [one, two] = first.events();
    const after = await read({ query: `after=${one?.id}` });
    await seen(after, 'Three');
    expect(textsOf(after)).toEqual(['Two', 'Three']);
    const both = await read({ query: `after=${one?.id}`, lastEventId: String(two?.id) });
    await seen(both, 'Three');
    expect(textsOf(both)).toEqual(['Three']);
    expect(both.events()[0]).toEqual(first.events()[2]);
  });

  it('is the same for many readers', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => read()));
    for (let number = 0; number < 10; number++) await test.text(`To all ${number}`);
    await Promise.all(all.map((reader) => seen(reader, 'To all 9')));
    const texts = Array.from({ length: 10 }, (_, number) => `To all ${number}`);
    for (const reader of all) expect(textsOf(reader)).toEqual(texts);
    expect(new Set(all.map((reader) => JSON.stringify(reader.events()))).size).toBe(1);
  });
});

describe('a stream that was given up before it began', () => {
  it('is not kept', async () => {
    const { engine } = test.server;
    const { read: readNow } = engine;
    let keysRead = 0;
    let asked = 0;
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    engine.read = async (statement, item) => {
      if (statement.sql.includes('from api_keys')) keysRead++;
      if (statement.sql.includes('max(seq)')) {
        asked++;
        await gate;
      }
      return readNow(statement, item);
    };
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    await waitFor(() => asked > 0 || undefined, 'the request');
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    keysRead = 0;
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    engine.read = readNow;
    expect(keysRead).toBe(0);
  });
});

describe('what a stream shows', () => {
  it('is filtered by line and by event', async () => {
    const [second, sent, both] = await Promise.all([
      read({ query: `from=${encodeURIComponent(SECOND_LINE)}` }),
      read({ query: 'events=message.sent' }),
      read({ query: 'events=message.sent,%20message.received' }),
    ]);
    await textTo(LINE, 'To the first');
    await textTo(SECOND_LINE, 'To the second');
    await test.settled(await test.send('Out', PHONE));
    await Promise.all([seen(both, 'Out'), seen(sent, 'Out'), seen(second, 'To the second')]);
    expect(textsOf(second)).toEqual(['To the second']);
    expect(textsOf(sent)).toEqual(['Out']);
    expect(textsOf(both)).toEqual(['To the first', 'To the second', 'Out']);
  });

  it("is never another account's, nor another line's than the key may use", async () => {
    const limited = await addKey(test, { lineRefs: [secondRef] });
    const [stranger, narrow, whole] = await Promise.all([read({ key: strangersKey }), read({ key: limited }), read()]);
    await textTo(LINE, 'First line');
    await textTo(STRANGERS_LINE, 'Strange line', strangersKey);
    await textTo(SECOND_LINE, 'Second line');
    await Promise.all([seen(stranger, 'Strange line'), seen(narrow, 'Second line'), seen(whole, 'Second line')]);
    expect(textsOf(stranger)).toEqual(['Strange line']);
    expect(textsOf(narrow)).toEqual(['Second line']);
    expect(textsOf(whole)).toEqual(['First line', 'Second line']);
  });

  it('shows the same when it is read from a cursor', async () => {
    const limited = await addKey(test, { lineRefs: [secondRef] });
    const start = await read();
    await textTo(LINE, 'Start');
    const after = `after=${(await seen(start, 'Start')).id}`;
    await textTo(LINE, 'Later on the first');
    await textTo(STRANGERS_LINE, 'Later elsewhere', strangersKey);
    await textTo(SECOND_LINE, 'Later on the second');
    const narrow = await read({ key: limited, query: after });
    await seen(narrow, 'Later on the second');
    expect(textsOf(narrow)).toEqual(['Later on the second']);
    const stranger = await read({ key: strangersKey, query: after });
    await seen(stranger, 'Later elsewhere');
    expect(textsOf(stranger)).toEqual(['Later elsewhere']);
  });
});

describe('a key', () => {
  const update = async (key: string, values: { revoked_at?: number; line_refs?: string; scopes?: string }) => {
    const keys = test.server.engine.query.updateTable('api_keys').set(values);
    await keys.where('prefix', '=', key.slice(0, 12)).execute();
    test.server.engine.wake('keys');
  };

  it('that is revoked ends its open streams within a second', async () => {
    const key = await addKey(test);
    const [reader, other] = await Promise.all([read({ key }), read()]);
    await update(key, { revoked_at: Date.now() });
    const startedAt = performance.now();
    await waitFor(() => reader.isEnded() || undefined, 'the end of the stream');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await test.text('After the end');
    await seen(other, 'After the end');
    expect(reader.events()).toEqual([]);
  });

  it('that expires ends them as well', async () => {
    const key = await addKey(test, { expiresAt: Date.now() + 300 });
    const reader = await read({ key });
    expect(reader.isEnded()).toBe(false);
    await waitFor(() => reader.isEnded() || undefined, 'the end of the stream');
  });

  it('that is narrowed narrows them within a second', async () => {
    const key = await addKey(test);
    const [reader, other] = await Promise.all([read({ key }), read()]);
    await textTo(LINE, 'Wide');
    await seen(reader, 'Wide');
    await update(key, { line_refs: JSON.stringify([secondRef]) });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await textTo(LINE, 'Not for the narrow');
    await textTo(SECOND_LINE, 'For both');
    await Promise.all([seen(reader, 'For both'), seen(other, 'For both')]);
    expect(textsOf(reader)).toEqual(['Wide', 'For both']);
  });
});

describe('a stream is refused', () => {
  it('on which nothing could come', async () => {
    const key = await addKey(test, { scopes: ['chats:read', 'webhooks:write', 'outbox:read'] });
    expect(refusal(await test.call('GET', '/v1/events', undefined, { key }))).toEqual(expected('insufficient_scope'));
    const other = await addKey(test, { scopes: ['lines:read', 'reactions:read'] });
    const path = '/v1/events?events=message.sent,typing.started';
    expect(refusal(await test.call('GET', path, undefined, { key: other }))).toEqual(expected('insufficient_scope'));
  });

  it.each([
    ['malformed', 'abc'],
    ['of another log', 'ffffffffffff.1'],
    ['negative', 'ffffffffffff.-1'],
    ['too large to be a number', 'ffffffffffff.99999999999999999999'],
    ['a bare number', '1'],
  ])('for a cursor that is %s', async (_name, cursor) => {
    const invalid = expected('invalid_parameter_value', 'after');
    expect(refusal(await test.call('GET', `/v1/events?after=${cursor}`))).toEqual(invalid);
    const headers = { 'last-event-id': cursor };
    expect(refusal(await test.call('GET', '/v1/events', undefined, { headers }))).toEqual(invalid);
  });

  it('for a cursor of the future, even by one', async () => {
    const reader = await read();
    await test.text('The last');
    const [epoch, seq] = (await seen(reader, 'The last')).id.split('.');
    const answer = await test.call('GET', `/v1/events?after=${epoch}.${Number(seq) + 1}`);
    expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'after'));
    const good = await read({ query: `after=${epoch}.${seq}` });
    expect(good.status).toBe(200);
  });

  it.each(['nothing', 'message.received,x', ',', 'message.lost '])('for events=%s', async (events) => {
    const answer = await test.call('GET', `/v1/events?events=${encodeURIComponent(events)}`);
    expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'events'));
  });

  it('for a bad Last-Event-ID although `after` is good', async () => {
    const reader = await read();
    await test.text('Good');
    const { id } = await seen(reader, 'Good');
    const headers = { 'last-event-id': 'bad' };
    const answer = await test.call('GET', `/v1/events?after=${id}`, undefined, { headers });
    expect(refusal(answer)).toEqual(expected('invalid_parameter_value', 'after'));
  });
});

describe('when the server stops', () => {
  it('its streams end, and can be taken up again at the next one', async () => {
    const home = test.home;
    const reader = await read();
    await test.text('Before the stop');
    const { id } = await seen(reader, 'Before the stop');
    await test.server.stop();
    await waitFor(() => reader.isEnded() || undefined, 'the end of the stream');
    test = await startTestServer('sqlite', { home });
    address = String(await test.server.listen());
    await test.text('After the start');
    const again = await read({ lastEventId: id });
    await seen(again, 'After the start');
    expect(textsOf(again)).toEqual(['After the start']);
    await test.stop();
    await home.remove();
    test = await startTestServer('sqlite');
  });
});
