/** What docs/guides/coming-from-messages-dev.md promises and no other test shows. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WEBHOOK_EVENTS } from '../src/domain/events.ts';
import { ID_PREFIXES } from '../src/domain/ids.ts';
import { LINE, PHONE, startTestServer, type TestServer } from './harness.ts';
import { refusal } from './tenancy.ts';

const GUIDE = readFileSync(new URL('../../../docs/guides/coming-from-messages-dev.md', import.meta.url), 'utf8');
const THEIR_EVENTS = ['message.received', 'message.sent', 'reaction.added', 'reaction.removed'];

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer('sqlite');
});
afterAll(() => test.stop());

/** The code in the text of a point. */
function codeOf(title: string): string[] {
  const [, text = ''] = new RegExp(`\\n- \\*\\*${title}\\.\\*\\*(.*?)\\n(?:- |\\n)`, 's').exec(GUIDE) ?? [];
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

it('the prefixes of ids that the guide names are those that are made', () => {
  const made = Object.values(ID_PREFIXES).map((prefix) => `${prefix}_`);
  const named = codeOf('Ids');
  expect(named).toHaveLength(10);
  expect(made).toEqual(expect.arrayContaining(named));
});

it('the further events that the guide names are those that a webhook may have beside theirs', () => {
  expect(codeOf('More events').sort()).toEqual(WEBHOOK_EVENTS.filter((name) => !THEIR_EVENTS.includes(name)).sort());
  expect(WEBHOOK_EVENTS).toEqual(expect.arrayContaining(THEIR_EVENTS));
});

it('a webhook takes each of them', async () => {
  const body = { from: LINE, url: 'http://127.0.0.1:9/hook', events: codeOf('More events') };
  const answer = await test.call('POST', '/v1/webhooks', body);
  expect(answer).toMatchObject({ status: 201, body: { events: body.events } });
});

it('who has not written first is refused by the code that the guide names', async () => {
  const send = (to: string) => test.call('POST', '/v1/messages', { from: LINE, to, text: 'Hello' });
  expect((await send(PHONE)).status).toBe(201);
  const refused = refusal(await send('+15550107777'));
  expect(refused).toMatchObject({ status: 403, code: codeOf('Contact-first')[0] });
});
