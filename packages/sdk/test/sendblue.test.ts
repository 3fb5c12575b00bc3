/** The Sendblue client against answers as the dialect's contract has them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, startScriptedServer } from '../../cli/test/scripted-server.ts';
import { AuthenticationError, InvalidRequestError, MessagesError, RateLimitError } from '../src/index.ts';
import { createSendblueClient, type SendblueClient } from '../src/sendblue.ts';
import { refusalOf } from './refusal-of.ts';

const ITEM = {
  accountEmail: 'owner@example.com',
  content: 'Hello',
  date_sent: '2026-01-02T03:04:05.678Z',
  error_code: null,
  from_number: '+15550100001',
  is_outbound: true,
  message_handle: '6A1C8E52-0000-4000-8000-000000000001',
  message_type: 'message',
  number: '+15550109999',
  status: 'SENT',
  service: 'iMessage',
};
const QUEUED = { ...ITEM, account_email: 'owner@example.com', status: 'QUEUED' };
const refusal = (status: number, code: number, headers: Readonly<Record<string, string>> = {}) =>
  json(status, { status: 'ERROR', message: 'No.', error_message: 'No, because.', error_code: code }, headers);

let scripted: ScriptedServer;
let client: SendblueClient;
beforeAll(async () => {
  scripted = await startScriptedServer();
  client = createSendblueClient({ apiKey: 'key_1', apiSecret: 'sk_live_1', baseUrl: scripted.url });
});
afterAll(() => scripted.close());

describe('the Sendblue client', () => {
  it('sends with both halves of the key, once, under the names of the dialect', async () => {
    scripted.behave((response, asked, count) =>
      (count === 1 ? refusal(500, 5000) : json(202, QUEUED))(response, asked, count),
    );
    const body = {
      number: '+15550109999',
      from_number: '+15550100001',
      content: 'Hello',
      send_style: 'confetti',
    } as const;
    expect(await client.messages.send(body)).toEqual(QUEUED);
    const [first, second] = scripted.asked;
    expect(first).toMatchObject({ method: 'POST', path: '/api/send-message' });
    expect(first?.headers).toMatchObject({ 'sb-api-key-id': 'key_1', 'sb-api-secret-key': 'sk_live_1' });
    expect(JSON.parse(first?.body ?? '')).toEqual(body);
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
  });

  it('does not repeat what was accepted though it failed', async () => {
    scripted.behave(refusal(500, 5000, { 'x-should-retry': 'false' }));
    expect(
      await refusalOf(client.messages.send({ number: '+15550109999', from_number: '+15550100001' })),
    ).toBeInstanceOf(MessagesError);
    expect(scripted.asked).toHaveLength(1);
  });

  it('lists, retrieves and asks for a status', async () => {
    const pagination = { hasMore: false, limit: 2, offset: 0, total: 1 };
    scripted.behave(json(200, { status: 'OK', data: [ITEM], pagination }));
    const list = await client.messages.list({
      number: '+15550109999',
      is_outbound: true,
      limit: 2,
      group_id: undefined,
    });
    expect(list).toEqual({ status: 'OK', data: [ITEM], pagination });
    expect(scripted.asked[0]?.path).toBe('/api/v2/messages?number=%2B15550109999&is_outbound=true&limit=2');
    scripted.behave(json(200, { status: 'OK', data: ITEM }));
    expect((await client.messages.retrieve('a/b')).data).toEqual(ITEM);
    expect(scripted.asked[0]?.path).toBe('/api/v2/messages/a%2Fb');
    scripted.behave(json(200, QUEUED));
    expect((await client.messages.getStatus({ handle: 'A' })).status).toBe('QUEUED');
    expect(scripted.asked[0]?.path).toBe('/api/status?handle=A');
  });

  it.each([
    [400, 4000, InvalidRequestError],
    [401, 4000, AuthenticationError],
    [429, 4001, RateLimitError],
  ])('makes an error of a %s', async (status, code, Kind) => {
    scripted.behave(refusal(status, code, { 'retry-after': '3600' }));
    const error = await refusalOf(client.messages.list());
    expect(error).toBeInstanceOf(Kind);
    expect(error).toMatchObject({ status, code: String(code), message: 'No, because.' });
  });

  it('needs both halves of the key', () => {
    expect(() => createSendblueClient({ apiSecret: 'sk_live_1' })).toThrow(/TRUNKLINE_API_KEY_ID/);
    expect(() => createSendblueClient({ apiKey: 'key_1' })).toThrow(/TRUNKLINE_API_KEY/);
  });
});
