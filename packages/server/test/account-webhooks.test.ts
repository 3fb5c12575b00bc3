/** Webhooks of a whole account: what they are told, how, and what their operator sees of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNT_WEBHOOKS_MAX } from '../src/store/account-webhooks.ts';
import { refuseEntry, refuseSecret } from '../src/webhooks/account-webhooks.ts';
import { readEvents } from './event-reader.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createHome, ENGINES, expectStatus, type Home, LINE, startTestServer, type TestServer } from './harness.ts';
import { bodyOf, type ItemScene, openItemScene, startItemReceiver, textOf } from './item-scene.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';
import { addKey } from './tenancy.ts';

const POLL_MS = 1_100;
const OTHER_LINE = '+15550107777';
/** Nobody has written in it yet. */
const CHAT = {
  ...{ identifier: '+15550107711', service: 'imessage', is_group: 0, participants: '[]' },
  ...{ has_received_inbound: 0, last_message_at: 0 },
};
const OURS = ['x-webhook-signature', 'x-webhook-timestamp', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];

describe.each(ENGINES)('a webhook of an account on %s', (engine) => {
  let clock: FakeClock;
  let home: Home;
  let test: TestServer;
  let scene: ItemScene;
  let receiver: Receiver;

  const start = async () => {
    test = await startTestServer(engine, { clock, home });
    scene = await openItemScene(test, clock);
  };
  beforeEach(async () => {
    clock = createFakeClock();
    home = await createHome(engine);
    receiver = await startItemReceiver();
    await start();
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
    await home.remove();
  });

  const arrived = (count: number, at = receiver) =>
    scene.until(() => (at.received.length >= count ? at.received : undefined), `${count} deliveries`);
  const settled = (...states: string[]) =>
    scene.until(async () => {
      const found = await scene.states();
      return found.join() === states.join() || undefined;
    }, `the deliveries to be ${states.join()}`);
  async function pass(ms: number): Promise<void> {
    clock.jump(ms);
    await clock.advance(POLL_MS);
  }
  const get = async (path: string) => expectStatus(200, await test.call('GET', path)).body;
  const only = async () => {
    const [row, ...more] = await scene.webhooks();
    if (!row || more.length > 0) throw new Error('There is not one webhook.');
    return row;
  };

  it('gets the item as it was rendered, in order, with its secret as it is and no signature', async () => {
    await scene.replace([{ type: 'outbound', url: receiver.url, secret: 'a plain secret' }]);
    const texts = ['One', 'Two Ü 😀 \u2028', 'Three'];
    for (const text of texts) await scene.tell(text);
    const received = await arrived(3);
    expect(received.map((one) => one.body)).toEqual(texts.map(bodyOf));
    for (const { headers } of received) {
      expect(headers).toMatchObject({ 'sb-signing-secret': 'a plain secret', 'content-type': 'application/json' });
      expect(headers['x-webhook-delivery-id']).toMatch(/^dlv_/);
      for (const name of OURS) expect(headers).not.toHaveProperty(name);
    }
  });

  it('hears of the changes of one item in their order, from before it has a chat', async () => {
    receiver.behave((response, one) => {
      if (textOf(one) !== 'Accepted') response.end();
    });
    await scene.replace([{ type: 'outbound', url: receiver.url }]);
    const { ref: chatRef } = await test.server.engine.query
      .insertInto('chats')
      .values({ id: 'cht_1', account_ref: scene.accountRef, line_ref: scene.lineRef, ...CHAT, created_at: clock.now() })
      .returning('ref')
      .executeTakeFirstOrThrow();
    await scene.tell('Accepted', { outboxRef: 1 });
    await scene.tell('Sent', { outboxRef: 1, chatRef });
    await scene.tell('Of another', { outboxRef: 2, chatRef });
    await arrived(2);
    expect(receiver.received.map(textOf)).toEqual(['Accepted', 'Of another']);
    await clock.advance(2_000);
    await arrived(3);
    expect(receiver.received.map(textOf)).toEqual(['Accepted', 'Of another', 'Sent']);
  });

  it('hears of what its type and its lines are, and nothing is written or rendered where nobody listens', async () => {
    const url = (name: string) => receiver.url.replace('/hook', `/${name}`);
    await scene.replace([
      { type: 'receive', url: url('receive') },
      { type: 'outbound', url: url('outbound') },
      { type: 'receive', url: url('limited'), numbers: [OTHER_LINE] },
    ]);
    await scene.tell('in', { kind: 'received' });
    await scene.tell('out', { kind: 'status' });
    await scene.tell('other', { kind: 'received', lineHandle: OTHER_LINE });
    const received = await arrived(4);
    expect(received.map((one) => `${one.path} ${textOf(one)}`).sort()).toEqual(
      ['/receive in', '/outbound out', '/receive other', '/limited other'].sort(),
    );
    await scene.remove([url('receive'), url('limited')]);
    const before = await test.server.engine.query.selectFrom('events').select('seq').execute();
    await scene.tell('nobody', { kind: 'received', render: () => expect.unreachable('It was rendered.') });
    expect(await test.server.engine.query.selectFrom('events').select('seq').execute()).toEqual(before);
  });

  it('without a secret of its own carries that of the account, and none where there is none', async () => {
    const entries = [
      { type: 'outbound', url: receiver.url, secret: 'its own' },
      { type: 'outbound', url: `${receiver.url}/bare`, isBare: true },
    ] as const;
    const secrets = (from: number) =>
      Object.fromEntries(receiver.received.slice(from).map((one) => [one.path, one.headers['sb-signing-secret']]));
    await scene.replace(entries, 'of all');
    await scene.tell('First');
    await arrived(2);
    expect(secrets(0)).toEqual({ '/hook': 'its own', '/hook/bare': 'of all' });
    await scene.replace(entries, null);
    await clock.advance(POLL_MS);
    await scene.tell('Second');
    await arrived(4);
    expect(secrets(2)).toEqual({ '/hook': 'its own', '/hook/bare': undefined });
    const rows = await test.server.engine.query.selectFrom('webhooks').select('secret').execute();
    expect(JSON.stringify(rows)).not.toContain('its own');
  });

  it('is tried again after 500, also by the next process, with the same body under the same id', async () => {
    receiver.behave(answers(500));
    await scene.replace([{ type: 'outbound', url: receiver.url }]);
    await scene.tell('Again and again');
    await settled('retry');
    await test.stop();
    receiver.behave(answers(200));
    await start();
    await pass(60_000);
    await settled('delivered');
    expect(receiver.received.map((one) => one.body)).toEqual([bodyOf('Again and again'), bodyOf('Again and again')]);
    expect(new Set(receiver.received.map((one) => one.headers['x-webhook-delivery-id'])).size).toBe(1);
  });

  it('ends with 410, which drops what is due, and begins anew when it is given again', async () => {
    receiver.behave(answers(410));
    await scene.append([{ type: 'outbound', url: receiver.url }]);
    await scene.tell('Gone');
    await scene.until(async () => (await only()).is_active === 0 || undefined, 'the end');
    await scene.tell('Unheard');
    expect(await scene.states()).toEqual(['failed']);
    receiver.behave(answers(200));
    await scene.append([{ type: 'outbound', url: receiver.url }]);
    await scene.tell('Heard');
    await settled('failed', 'delivered');
  });

  it('stays off while an operator wants it off, whoever gives it again', async () => {
    await scene.append([{ type: 'outbound', url: receiver.url }]);
    const { id } = await only();
    expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${id}`, { is_active: false }));
    await scene.replace([{ type: 'outbound', url: receiver.url, secret: 'new' }]);
    expect(await only()).toMatchObject({ id, is_active: 0 });
    await scene.tell('Unheard');
    expect(await scene.states()).toEqual([]);
    expectStatus(200, await test.call('PATCH', `/admin/v1/webhooks/${id}`, { is_active: true }));
    await scene.tell('Heard');
    await settled('delivered');
  });

  it('is nothing to /v1: no stream shows its events, no webhook of a line gets them, no list has it', async () => {
    const ofLine = await startReceiver();
    await test.webhook(ofLine.url, ['message.received']);
    await scene.replace([{ type: 'outbound', url: receiver.url }]);
    const { id } = (await scene.webhooks()).find((one) => one.kind === 'account') ?? { id: '' };
    const reader = await readEvents(String(await test.server.listen()));
    await scene.tell('Not for them');
    await test.text('For them');
    await arrived(1);
    await arrived(1, ofLine);
    const streamed = await scene.until(() => (reader.events().length > 0 ? reader.events() : undefined), 'the stream');
    expect(streamed.map((one) => one.event)).toEqual(['message.received']);
    expect(ofLine.received.map((one) => one.event)).toEqual(['message.received']);
    reader.cut();
    const listed = await get(`/v1/webhooks?from=${encodeURIComponent(LINE)}`);
    expect(listed['data']).toHaveLength(1);
    expect((await test.call('DELETE', '/v1/webhooks', { id })).status).toBe(404);
    const asked = { from: LINE, url: ofLine.url, events: ['item.received'] };
    expect((await test.call('POST', '/v1/webhooks', asked)).status).toBe(400);
    await ofLine.close();
  });

  it('is shown to its operator with its kind, and its deliveries are sent again', async () => {
    await scene.replace([{ type: 'outbound', url: receiver.url, secret: 'hush' }]);
    const { id } = await only();
    await scene.tell('Hello', { chatRef: null });
    await settled('delivered');
    const shown = await get(`/admin/v1/webhooks/${id}`);
    expect(shown).toMatchObject({ id, kind: 'account', line_ids: [], line_handle: null, events: ['item.status'] });
    expect(JSON.stringify(shown)).not.toContain('hush');
    const listed = (await get('/admin/v1/deliveries?event=item.status'))['data'] as { id: string }[];
    expect(listed).toMatchObject([{ webhook_id: id, kind: 'account', url: receiver.url, event: 'item.status' }]);
    const path = `/admin/v1/deliveries/${listed[0]?.id}`;
    expect((await get(path))['body']).toEqual(JSON.parse(bodyOf('Hello')));
    expectStatus(200, await test.call('POST', `${path}/resend`, {}));
    await arrived(2);
    await settled('delivered');
    for (const change of [{ url: 'https://example.com/' }, { events: ['message.received'] }]) {
      const refused = await test.call('PATCH', `/admin/v1/webhooks/${id}`, change);
      expect(refused).toMatchObject({ status: 400, body: { error: { param: Object.keys(change)[0] } } });
    }
    expect((await test.call('POST', `/admin/v1/webhooks/${id}/rotate`, {})).status).toBe(400);
    const key = await addKey(test, { scopes: ['admin'], lineRefs: [scene.lineRef] });
    expect((await test.call('GET', `/admin/v1/webhooks/${id}`, undefined, { key })).status).toBe(404);
    expect((await test.call('GET', path, undefined, { key })).status).toBe(404);
    expect((await test.call('GET', '/admin/v1/webhooks', undefined, { key })).body['data']).toEqual([]);
  });

  it('outlives a line that is purged, of which it keeps nothing', async () => {
    receiver.behave(answers(500));
    await scene.replace([{ type: 'outbound', url: receiver.url }]);
    await scene.ensure(`${receiver.url}/a`);
    await scene.tell('Of the line', { callbackUrl: `${receiver.url}/a` });
    await settled('retry', 'retry');
    expectStatus(200, await test.call('DELETE', `/admin/v1/lines/${encodeURIComponent(LINE)}?purge=true`));
    expect(await scene.states()).toEqual([]);
    expect(await test.server.engine.query.selectFrom('attempts').selectAll().execute()).toEqual([]);
    expect((await scene.webhooks()).map((one) => one.is_active)).toEqual([1, 1]);
  });
});

describe.each(ENGINES)('the list of an account on %s', (engine) => {
  let clock: FakeClock;
  let test: TestServer;
  let scene: ItemScene;

  beforeEach(async () => {
    clock = createFakeClock();
    test = await startTestServer(engine, { clock, environment: { TRUNKLINE_ROLES: 'api' } });
    scene = await openItemScene(test, clock);
  });
  afterEach(() => test.stop());

  const url = (name: string) => `https://example.com/${name}`;
  const bare = (name: string) => ({ url: url(name), isBare: true });
  const urls = async () => (await scene.read()).entries.map((one) => one.url.replace('https://example.com/', ''));

  it('is given back as it was given, in its order, whatever was replaced, added and taken away', async () => {
    const whole = { type: 'outbound', url: url('b'), secret: 's', numbers: [LINE], isBare: false } as const;
    await scene.replace([bare('c'), whole, bare('a')], 'global');
    const plain = { type: 'receive', secret: null, numbers: null, isBare: true };
    expect(await scene.read()).toEqual({
      entries: [{ ...plain, url: url('c') }, whole, { ...plain, url: url('a') }],
      globalSecret: 'global',
    });
    await scene.append([bare('d')]);
    expect(await urls()).toEqual(['c', 'b', 'a', 'd']);
    expect((await scene.read()).globalSecret).toBe('global');
    expect(await scene.remove([url('c'), url('nobody')])).toBe(1);
    await scene.append([bare('e'), { ...bare('a'), secret: 'later' }], null);
    expect(await urls()).toEqual(['b', 'a', 'd', 'e']);
    expect(await scene.read()).toMatchObject({ entries: [{}, { secret: 'later' }, {}, {}], globalSecret: null });
    await scene.replace([bare('e'), bare('b')]);
    expect(await urls()).toEqual(['e', 'b']);
    expect(await scene.remove([url('b'), url('e')], 'outbound')).toBe(0);
    await scene.replace([]);
    expect(await urls()).toEqual([]);
  });

  it('keeps what is due to a webhook that is in it before and after, and drops what is due to one that is not', async () => {
    await scene.replace([bare('stays'), bare('goes')]);
    const ids = (await scene.webhooks()).map((one) => one.id);
    await scene.tell('Due', { kind: 'received' });
    await scene.replace([bare('new'), bare('stays')]);
    expect([...(await scene.states())].sort()).toEqual(['dropped', 'new']);
    expect((await scene.webhooks()).map((one) => one.id)).toContain(ids[0]);
  });

  it('has a hundred entries at most, and is left alone by one too many', async () => {
    const many = Array.from({ length: ACCOUNT_WEBHOOKS_MAX }, (_, index) => bare(`${index}`));
    expect(await scene.replace(many)).toBe('done');
    expect(await scene.append([bare('0')], 'first')).toBe('done');
    expect(await scene.append([bare('more')], 'second')).toBe('too_many');
    expect(await scene.replace([...many, bare('more')])).toBe('too_many');
    expect(await scene.read()).toMatchObject({ globalSecret: 'first', entries: many });
  });

  it('takes what can be posted to, with what a header can carry', async () => {
    const guard = { refuseUrl: async (given: string) => (given === url('hidden') ? 'leads nowhere' : null) };
    const refused = (given: string, secret: string | null = null) => refuseEntry(guard, { url: given, secret });
    expect(await refused(url('a'))).toBeNull();
    expect(await refused(url('a'), 'whsec_+/= and a space')).toBeNull();
    expect(await refused(url('hidden'))).toBe('leads nowhere');
    expect(await refused(url('a'.repeat(2_048)))).toMatch(/2048 characters/);
    for (const secret of ['two\r\nlines', 'naïve', ' padded', '\0', 'a'.repeat(1_025)]) {
      expect(refuseSecret(secret), secret).toMatch(/^has a secret/);
      expect(await refused(url('a'), secret), secret).toBe(refuseSecret(secret));
    }
    expect([refuseSecret(null), refuseSecret('')]).toEqual([null, null]);
  });

  it('is one list, whoever changes it at the same time', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => scene.append([bare(name)])));
    expect([...(await urls())].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
