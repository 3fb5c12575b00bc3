/** The operator's client against the real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, startScriptedServer } from '../../cli/test/scripted-server.ts';
import { type AdminClient, createAdminClient } from '../src/admin.ts';
import { createClient, NotFoundError } from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

let server: RealServer;
let admin: AdminClient;

beforeAll(async () => {
  server = await startRealServer();
  admin = createAdminClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

describe('the operator', () => {
  it('makes keys, reads them over pages, and revokes them', async () => {
    const made = await admin.createKey({
      name: 'Bot',
      scopes: ['messages:read'],
      lineIds: [LINE],
      rateLimitPerHour: 9,
    });
    expect(made).toMatchObject({ name: 'Bot', rateLimitPerHour: 9, key: expect.stringMatching(/^sk_live_/) });
    expect((await admin.getKey({ id: made.id })).lineIds).toHaveLength(1);
    const names: string[] = [];
    for await (const key of admin.listKeys({ limit: 1 })) names.push(key.name);
    expect(names).toEqual(['Bot', 'First key']);
    expect(await admin.revokeKey({ id: made.id })).toMatchObject({ id: made.id, deleted: true });
    expect((await admin.getKey({ id: made.id })).revokedAt).toEqual(expect.any(Number));
  });

  it('makes devices, reads them over pages, and revokes them', async () => {
    const remote = await admin.addLine({ handle: '+15550100005', driver: 'remote' });
    expect(remote).toMatchObject({ driver: 'remote', settings: { paceMs: 1_000 } });
    const made = await admin.createDevice({ name: 'Office Mac', lines: [remote.handle] });
    expect(made).toMatchObject({ name: 'Office Mac', agent: null, token: expect.stringMatching(/^dtk_/) });
    const second = await admin.createDevice({ name: 'Second Mac', lines: made.lineIds });
    const ids: string[] = [];
    for await (const device of admin.listDevices({ limit: 1 })) ids.push(device.id);
    expect(ids).toEqual([second.id, made.id]);
    expect(await admin.revokeDevice({ id: made.id })).toMatchObject({ id: made.id, deleted: true });
    expect((await admin.getDevice({ id: made.id })).revokedAt).toEqual(expect.any(Number));
  });

  it('adds, sets, lists and removes lines', async () => {
    const line = await admin.addLine({ handle: '+15550100002', driver: 'simulator', settings: { paceMs: 10 } });
    expect(line.settings).toEqual({ contactFirst: true, optOutKeywords: false, paceMs: 10 });
    const set = await admin.updateLine({
      id: line.id,
      label: 'Two',
      settings: { contactFirst: false, optOutKeywords: true },
    });
    expect(set).toMatchObject({ label: 'Two', settings: { contactFirst: false, optOutKeywords: true, paceMs: 10 } });
    expect(await admin.getLine({ id: line.handle })).toMatchObject({ id: line.id, driver: 'simulator' });
    expect(await admin.removeLine({ id: line.id, purge: true })).toMatchObject({ deleted: true });
    const idsOf = async (removed: boolean) => (await admin.listLines({ removed })).data.map((one) => one.id);
    expect(await idsOf(false)).not.toContain(line.id);
    expect(await idsOf(true)).toContain(line.id);
  });

  it('walks a message from its acceptance to its event, with the API under the same key', async () => {
    const { id } = await admin.v1.sendMessage({ from: LINE, to: PHONE, text: 'Walked' });
    await admin.v1.waitForOutbox(id);
    const { walk, message, outboxItem } = await admin.getOutboxWalk({ id });
    expect(walk.map((step) => step.step)).toEqual(expect.arrayContaining(['accepted', 'claimed', 'stored', 'event']));
    expect(outboxItem?.maxAttempts).toBe(3);
    expect((await admin.getMessageWalk({ id: message?.id ?? '' })).message?.text).toBe('Walked');
    const none = await refusalOf(admin.getMessageWalk({ id: 'msg_01k0q3v5x8f9q2t7m4n6p8r0sa' }));
    expect(none).toBeInstanceOf(NotFoundError);
  });

  it('plays the phones', async () => {
    const { simulator } = admin;
    const texted = await simulator.sendText({ from: '+15550104001', to: LINE, text: 'Hello' });
    expect(texted).toMatchObject({ guid: expect.any(String), chatId: expect.stringMatching(/^cht_/) });
    const group = await simulator.createGroup({
      line: LINE,
      participants: ['+15550104001', '+15550104002'],
      name: 'Us',
    });
    const client = createClient({ apiKey: KEY, baseUrl: server.url });
    await simulator.sendText({ from: '+15550104002', to: group.chatId ?? '', text: 'All of you' });
    const [newest] = (await client.listMessages({ from: LINE, to: group.chatId ?? '' })).data;
    expect(newest?.text).toBe('All of you');
    expect(await simulator.setAutoreply({ phone: '+15550104001', text: 'Later' })).toMatchObject({ text: 'Later' });
    expect(await simulator.setFaults({ line: LINE, latencyMs: 5 })).toMatchObject({ line: LINE, latencyMs: 5 });
    expect(await simulator.clearFaults({ line: LINE })).toMatchObject({ line: LINE, cleared: true });
    const seen = await simulator.listPhoneMessages({ phone: '+15550104002', line: LINE });
    expect(seen.data).toContainEqual(expect.objectContaining({ text: 'All of you', fromMe: true }));
  });
});

describe('without a key', () => {
  let scripted: ScriptedServer;
  beforeAll(async () => {
    scripted = await startScriptedServer();
  });
  afterAll(() => scripted.close());

  it('a session asks: no bearer token, and the token against forged requests on changes alone', async () => {
    scripted.behave(json(200, { data: [], has_more: false, next_cursor: null, request_id: 'req_1' }));
    const requests: RequestInit[] = [];
    const session = createAdminClient({
      baseUrl: scripted.url,
      csrfToken: () => 'a-token',
      fetch: (input, init) => {
        requests.push(init ?? {});
        return fetch(input, init);
      },
    });
    expect((await session.listLines()).data).toEqual([]);
    await session.updateLine({ id: 'ln_1', isActive: false });
    expect((await session.v1.listLines()).data).toEqual([]);
    expect(scripted.asked.map((one) => [one.method, one.headers['x-csrf-token']])).toEqual([
      ['GET', undefined],
      ['PATCH', 'a-token'],
      ['GET', undefined],
    ]);
    expect(scripted.asked.every((one) => one.headers.authorization === undefined)).toBe(true);
    expect(requests.every((one) => one.credentials === 'same-origin')).toBe(true);
    expect(scripted.asked[1]?.body).toBe('{"is_active":false}');
  });
});
