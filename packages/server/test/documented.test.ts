/** What holds every test's answers against the rows notices what is wrong with them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_EXAMPLES, EXAMPLE_DELIVERY, EXAMPLE_REQUEST_ID, RESOURCE_EXAMPLES } from '../src/wire/examples.ts';
import { expectDocumentedAnswer, expectDocumentedEvent, type Seen } from './documented.ts';
import { startTestServer, type TestServer } from './harness.ts';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer('sqlite');
});
afterAll(() => test.stop());

const request_id = EXAMPLE_REQUEST_ID;
const line = RESOURCE_EXAMPLES.Line as Record<string, unknown>;
const good: Seen = {
  method: 'GET',
  url: '/v1/lines?x=1',
  status: 200,
  body: { data: [line], has_more: false, next_cursor: null, request_id },
};
const refused = (code: string): Seen => ({
  ...good,
  status: 400,
  body: { error: { type: 'invalid_request_error', code, message: 'No.' }, request_id },
});
const check = (seen: Seen) => () => expectDocumentedAnswer(test.server.routes, seen);

describe('an answer', () => {
  it('that is as its row says passes, and so does one that no route gave', () => {
    expect(check(good)).not.toThrow();
    expect(check({ ...good, url: '/healthz', body: { status: 'ok' } })).not.toThrow();
  });

  it.each([
    ['has a key too many', { ...good, body: { ...good.body, extra: 1 } }],
    ['has an item with a key too many', { ...good, body: { ...good.body, data: [{ ...line, extra: 1 }] } }],
    ['has an item with a key too few', { ...good, body: { ...good.body, data: [{ id: line['id'] }] } }],
    ['has null where nothing may be null', { ...good, body: { ...good.body, data: [{ ...line, handle: null }] } }],
    ['has another status', { ...good, status: 201 }],
    ['is a refusal that the row does not name', refused('chat_not_found')],
    ['is a refusal with a null', { ...refused('overloaded'), body: { error: { param: null }, request_id } }],
  ])('that %s does not pass', (_what, seen) => {
    expect(check(seen)).toThrow(/listLines/);
  });

  it('that is a refusal of the row passes', () => {
    expect(check(refused('overloaded'))).not.toThrow();
    expect(check(refused('uri_too_long'))).not.toThrow();
  });
});

describe('an event', () => {
  const body = { event: 'message.sent', data: EVENT_EXAMPLES['message.sent'], ...EXAMPLE_DELIVERY };

  it('that is as its schema says passes, with and without the id of a delivery', () => {
    const { delivery_id: _id, ...streamed } = body;
    expect(() => expectDocumentedEvent(body)).not.toThrow();
    expect(() => expectDocumentedEvent(streamed)).not.toThrow();
  });

  it.each([
    ['has an unknown name', { ...body, event: 'message.lost' }, /message\.lost/],
    ['has a key too many', { ...body, data: { ...body.data, extra: 1 } }, /extra/],
    ['has null for its id', { ...body, delivery_id: null }, /delivery_id/],
  ])('that %s does not pass', (_what, wrong, why) => {
    expect(() => expectDocumentedEvent(wrong)).toThrow(why);
  });
});
