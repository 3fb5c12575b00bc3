/** The line that all accounts share: how a phone is paired, and what an account sees of it, on both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFakeClock } from './fake-clock.ts';
import { ENGINES, expectStatus, LINE, SANDBOX_LINE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { addTenant, freshPhone, type Tenant, wrongCode } from './sandbox-scene.ts';
import { addKey, expected, refusal, sendRaw } from './tenancy.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CODE = /^[0-9A-HJKMNP-TV-Z]{8}$/;
const NOT_ACTIVATED = expected('sandbox_not_activated', 'from');

describe.each(ENGINES)('the sandbox on %s', (engine) => {
  let test: TestServer;
  let one: Tenant;
  let other: Tenant;
  beforeAll(async () => {
    test = await startTestServer(engine);
  });
  afterAll(() => test.stop());
  const fresh = async () => {
    [one, other] = await Promise.all([addTenant(test), addTenant(test)]);
    return freshPhone();
  };

  it('is missing at first, pending with a code, active with a phone, and pending again without it', async () => {
    const phone = await fresh();
    const usage = { used: 0, limit: 50, remaining: 50, resets_at: expect.any(Number) };
    const empty = { activation_code: null, contact_identifier: null, activated_at: null, usage };
    const line = { sandbox_line_handle: SANDBOX_LINE, request_id: expect.stringMatching(/^req_/) };
    expect(await one.state()).toEqual({ ...line, ...empty, status: 'missing' });
    const pending = expectStatus(200, await one.call('POST', '/v1/sandbox')).body;
    expect(pending).toEqual({ ...line, ...empty, status: 'pending', activation_code: expect.stringMatching(CODE) });
    const before = Date.now();
    expectStatus(201, await one.text(phone, String(pending['activation_code'])));
    const active = await one.state();
    expect(active).toMatchObject({
      ...empty,
      status: 'active',
      contact_identifier: phone,
      activated_at: expect.any(Number),
    });
    expect(Number(active['activated_at'])).toBeGreaterThanOrEqual(before);
    expect(expectStatus(200, await one.call('POST', '/v1/sandbox')).body).toMatchObject({
      status: 'active',
      activation_code: null,
    });
    const ended = expectStatus(200, await one.call('DELETE', '/v1/sandbox')).body;
    expect(ended).toEqual({ ...pending, request_id: line.request_id, activation_code: expect.stringMatching(CODE) });
    expect(ended['activation_code']).not.toBe(pending['activation_code']);
    expect(await one.state()).toMatchObject({ status: 'pending', activation_code: ended['activation_code'] });
    expect(refusal(await one.send(phone))).toEqual(NOT_ACTIVATED);
  });

  it('shows the files of the account that the phone is paired with, in both directions', async () => {
    const phone = await fresh();
    await one.pair(phone);
    const headers = { authorization: `Bearer ${one.key}`, 'content-type': 'image/png' };
    const { body } = await sendRaw(test, { method: 'POST', path: '/v1/files', headers, payload: 'bytes' });
    const attachments = [String(body['id'])];
    expectStatus(201, await one.call('POST', '/simulator/v1/messages', { from: phone, to: SANDBOX_LINE, attachments }));
    const send = { from: SANDBOX_LINE, to: phone, attachments };
    const { id } = expectStatus(201, await one.call('POST', '/v1/messages', send)).body;
    const status = async () => (await one.get('/v1/outbox', { id: String(id) })).body['status'];
    await waitFor(async () => ((await status()) === 'sent' ? true : undefined), 'the file to be sent');
    const messages = (await one.listed('/v1/messages', { to: phone })) as { attachments: { url: unknown }[] }[];
    const links = messages.flatMap((message) => message.attachments.map(({ url }) => url));
    expect(links).toEqual([expect.stringContaining('/files/'), expect.stringContaining('/files/')]);
  });

  it('gives every request the same code, also at once, and rolls it with each end', async () => {
    await fresh();
    const codes = new Set(await Promise.all(Array.from({ length: 12 }, () => one.code())));
    expect(codes.size).toBe(1);
    const ended = await one.call('DELETE', '/v1/sandbox');
    const again = await one.call('DELETE', '/v1/sandbox');
    const rolled = [...codes, ended.body['activation_code'], again.body['activation_code'], await other.code()];
    expect(new Set(rolled).size).toBe(4);
  });

  it.each([
    ['no body and no type', {}, undefined],
    ['a type and no body', { 'content-type': 'application/json' }, ''],
    ['a form of nothing', { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' }, undefined],
    ['an empty object', { 'content-type': 'application/json' }, '{}'],
    ['fields that nobody asked for', { 'content-type': 'application/json' }, '{"phone":"x"}'],
  ])('takes POST and DELETE with %s', async (_what, headers, payload) => {
    await fresh();
    for (const method of ['POST', 'DELETE']) {
      const authorization = `Bearer ${one.key}`;
      const named = { 'idempotency-key': `${method} ${JSON.stringify(headers)}` };
      const request = { method, path: '/v1/sandbox', headers: { authorization, ...named, ...headers } };
      const answer = await sendRaw(test, payload === undefined ? request : { ...request, payload });
      expect(expectStatus(200, answer).body['status']).toBe('pending');
    }
  });

  it('answers a repeat under an Idempotency-Key as the first time, whatever has happened since', async () => {
    const phone = await fresh();
    const ask = () => one.call('POST', '/v1/sandbox', undefined, { 'idempotency-key': 'pair me' });
    const first = expectStatus(200, await ask());
    expectStatus(201, await one.text(phone, String(first.body['activation_code'])));
    const again = expectStatus(200, await ask());
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const kept = await test.server.engine.query
      .selectFrom('kept_answers')
      .select('body')
      .where('name', '=', 'pair me')
      .execute();
    expect(JSON.stringify(kept)).not.toContain(first.body['activation_code']);
  });

  it('pairs by the code in any case and among spaces, once', async () => {
    const phone = await fresh();
    const code = await one.code();
    expectStatus(201, await other.text(phone, `  ${code.toLowerCase()}\n`));
    expect(await one.state()).toMatchObject({ status: 'active', contact_identifier: phone });
    const second = freshPhone();
    expectStatus(201, await one.text(second, code));
    expect(await one.state()).toMatchObject({ contact_identifier: phone });
    expect(refusal(await one.send(second))).toEqual(expected('sandbox_contact_mismatch', 'to'));
  });

  it('keeps the text that paired as the first message, and knows nothing of a phone that is nobody’s', async () => {
    const phone = await fresh();
    const code = await one.code();
    expect(expectStatus(201, await one.text(phone, wrongCode(1))).body['chat_id']).toBeNull();
    const chatId = await one.pair(phone);
    const [message, ...more] = await one.listed('/v1/messages', { to: phone });
    expect(more).toEqual([]);
    expect(message).toMatchObject({ text: code, sender: phone, chat_id: chatId, is_from_me: false });
    expect(await one.listed('/v1/chats')).toEqual([
      expect.objectContaining({ id: chatId, identifier: phone, has_received_inbound: true }),
    ]);
  });

  it('gives a phone to whoever was paired last, and shows each account its own part of what was said', async () => {
    const phone = await fresh();
    const firstChat = await one.pair(phone);
    expectStatus(201, await one.text(phone, 'For the first account'));
    await one.sent(phone, 'From the first account');
    const [before] = await one.listed('/v1/messages', { to: phone });
    const secondChat = await other.pair(phone);
    expect(secondChat).not.toBe(firstChat);
    expectStatus(201, await other.text(phone, 'For the second account'));
    expect((await other.listed('/v1/messages', { to: phone })).map(({ text }) => text)).toEqual([
      'For the second account',
      expect.stringMatching(CODE),
    ]);
    expect(await other.listed('/v1/chats')).toHaveLength(1);
    expect(await one.state()).toMatchObject({ status: 'missing', contact_identifier: null, activation_code: null });
    for (const path of ['/v1/chats', '/v1/events']) {
      expect(refusal(await one.get(path, { from: SANDBOX_LINE }))).toEqual(NOT_ACTIVATED);
    }
    for (const tenant of [one, other]) {
      const chat = await tenant.get(`/v1/chats/${firstChat}`);
      expect(refusal(chat)).toEqual(expected('chat_not_found', 'id'));
      for (const name of [before?.['id'], before?.['guid']]) {
        const message = await tenant.get(`/v1/messages/${String(name)}`);
        expect(refusal(message)).toEqual(expected('message_not_found', 'id'));
        const reactions = await tenant.get('/v1/reactions', { message_id: String(name) });
        expect(refusal(reactions)).toEqual(expected('message_not_found', 'message_id'));
      }
    }
    // The phone comes back: what it said to the account is there again, and nothing of what it said meanwhile.
    expect(await one.pair(phone)).toBe(firstChat);
    const texts = (await one.listed('/v1/messages', { to: phone })).map(({ text }) => text);
    expect(texts).toContain('For the first account');
    expect(texts).not.toContain('For the second account');
  });

  it('shows an account that has another phone now nothing of the former one', async () => {
    const phone = await fresh();
    const former = await one.pair(phone);
    const [message] = await one.listed('/v1/messages', { to: phone });
    const code = (await one.call('DELETE', '/v1/sandbox')).body['activation_code'];
    const next = freshPhone();
    expectStatus(201, await one.text(next, String(code)));
    expect((await one.listed('/v1/chats')).map(({ identifier }) => identifier)).toEqual([next]);
    for (const to of [phone, former]) {
      for (const path of ['/v1/messages', '/v1/typing', '/v1/receipts']) {
        expect(refusal(await one.get(path, { from: SANDBOX_LINE, to }))).toEqual(expected('chat_not_found', 'to'));
      }
      expect(refusal(await one.send(to))).toEqual(expected('sandbox_contact_mismatch', 'to'));
    }
    expect(refusal(await one.get(`/v1/messages/${String(message?.['id'])}`))).toEqual(
      expected('message_not_found', 'id'),
    );
  });

  it('lets reactions, typing and receipts go both ways, with the paired phone alone', async () => {
    const phone = await fresh();
    await one.pair(phone);
    const [message] = await one.listed('/v1/messages', { to: phone });
    const messageId = String(message?.['id']);
    const acts: readonly [string, object][] = [
      ['/v1/reactions', { message_id: messageId, type: 'love' }],
      ['/v1/typing', {}],
      ['/v1/receipts', {}],
    ];
    for (const [path, fields] of acts) {
      const act = (to: string) => one.call('POST', path, { from: SANDBOX_LINE, to, ...fields });
      expectStatus(201, await act(phone));
      expect(refusal(await act(freshPhone()))).toEqual(expected('sandbox_contact_mismatch', 'to'));
      expect(refusal(await act('cht_00000000000000000000000000'))).toEqual(expected('sandbox_contact_mismatch', 'to'));
    }
    expect((await one.state())['usage']).toMatchObject({ used: 0, remaining: 50 });
    const ofPhone = (path: string, fields: object) =>
      one.call('POST', `/simulator/v1${path}`, { from: phone, ...fields });
    expectStatus(201, await ofPhone('/reactions', { message_id: messageId, type: 'like' }));
    expectStatus(201, await ofPhone('/typing', { to: SANDBOX_LINE }));
    expectStatus(201, await ofPhone('/reads', { to: SANDBOX_LINE }));
    expect((await one.listed('/v1/reactions', { message_id: messageId })).map(({ sender }) => sender)).toContain(phone);
    expect(await one.listed('/v1/typing', { to: phone })).toEqual([
      expect.objectContaining({ handle: phone, is_typing: true }),
    ]);
    expect(await one.listed('/v1/receipts', { to: phone })).toEqual([expect.objectContaining({ handle: phone })]);
    expect(refusal(await other.get('/v1/reactions', { message_id: messageId }))).toEqual(
      expected('message_not_found', 'message_id'),
    );
  });

  it('lets the simulator touch what belongs to the pairing, and else only what pairs a phone', async () => {
    const phone = await fresh();
    const guid = String((await one.text(phone, wrongCode(2))).body['guid']);
    await one.pair(phone);
    const shown = (tenant: Tenant, query = {}) =>
      tenant.get(`/simulator/v1/phones/${encodeURIComponent(phone)}/messages`, query);
    const texts = (await shown(one)).body['data'] as { text: string; chat_id: string }[];
    expect(texts.map(({ text }) => text)).toEqual([expect.stringMatching(CODE)]);
    expect(texts[0]?.chat_id).toMatch(/^cht_/);
    expect((await shown(other)).body['data']).toEqual([]);
    const noLine = (param: string) => expected('line_not_found', param);
    expect(refusal(await shown(other, { line: SANDBOX_LINE }))).toEqual(noLine('line'));
    expect(refusal(await other.text(phone, 'Hello there'))).toEqual(noLine('to'));
    for (const path of ['/simulator/v1/typing', '/simulator/v1/reads']) {
      expect(refusal(await other.call('POST', path, { from: phone, to: SANDBOX_LINE }))).toEqual(noLine('to'));
    }
    const reaction = { from: phone, message_id: guid, type: 'love' };
    expect(refusal(await one.call('POST', '/simulator/v1/reactions', reaction))).toEqual(
      expected('message_not_found', 'message_id'),
    );
    const group = { line: SANDBOX_LINE, participants: [phone] };
    expect(refusal(await one.call('POST', '/simulator/v1/groups', group))).toEqual(noLine('line'));
    expect(refusal(await one.call('POST', '/simulator/v1/faults', { line: SANDBOX_LINE }))).toEqual(noLine('line'));
    await other.pair(phone);
    expect((await shown(one)).body['data']).toEqual([]);
    expect((await shown(other)).body['data']).toHaveLength(1);
  });

  it('is there for a key that is limited to other lines, and asks for its scopes', async () => {
    const phone = await fresh();
    await one.pair(phone);
    const { accountRef } = one;
    const as = async (scopes: readonly ('lines:read' | 'messages:write')[]) =>
      addKey(test, { accountRef, scopes, lineRefs: [1] });
    const [reader, writer] = await Promise.all([as(['lines:read']), as(['messages:write'])]);
    const call = (method: 'GET' | 'POST' | 'DELETE', key: string) =>
      test.call(method, '/v1/sandbox', undefined, { key });
    expect(expectStatus(200, await call('GET', reader)).body['contact_identifier']).toBe(phone);
    expectStatus(
      201,
      await test.call('POST', '/v1/messages', { from: SANDBOX_LINE, to: phone, text: 'x' }, { key: writer }),
    );
    expect(refusal(await call('GET', writer))).toEqual(expected('insufficient_scope'));
    for (const method of ['POST', 'DELETE'] as const)
      expect(refusal(await call(method, reader))).toEqual(expected('insufficient_scope'));
    expectStatus(200, await call('DELETE', writer));
  });

  it('refuses an account that has no owner', async () => {
    await fresh();
    const { query } = test.server.engine;
    await query.updateTable('accounts').set({ owner_email: '' }).where('ref', '=', one.accountRef).execute();
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      expect(refusal(await one.call(method, '/v1/sandbox'))).toEqual(expected('sandbox_requires_owner'));
    }
  });
});

describe.each(ENGINES)('time and the sandbox on %s', (engine) => {
  it('lets a code run out after 24 hours, and gives another', async () => {
    const clock = createFakeClock();
    const test = await startTestServer(engine, { clock });
    const tenant = await addTenant(test);
    const code = await tenant.code();
    clock.jump(DAY_MS - 10_000);
    expect(await tenant.code()).toBe(code);
    clock.jump(20_000);
    expect(await tenant.state()).toMatchObject({ status: 'missing', activation_code: null });
    expectStatus(201, await tenant.text(freshPhone(), code));
    expect(await tenant.state()).toMatchObject({ status: 'missing' });
    expect(await tenant.code()).not.toBe(code);
    await test.stop();
  });

  it('ignores the codes of a phone that has texted ten wrong ones in an hour, until the hour is over', async () => {
    const clock = createFakeClock();
    const test = await startTestServer(engine, { clock });
    const [tenant, other] = [await addTenant(test), await addTenant(test)];
    const phone = freshPhone();
    const careful = freshPhone();
    const code = await tenant.code();
    for (let guess = 0; guess < 10; guess++) expectStatus(201, await other.text(phone, wrongCode(guess)));
    for (let guess = 0; guess < 9; guess++) expectStatus(201, await other.text(careful, wrongCode(guess)));
    expectStatus(201, await tenant.text(phone, code));
    expect(await tenant.state()).toMatchObject({ status: 'pending', activation_code: code });
    expectStatus(201, await other.text(careful, await other.code()));
    expect(await other.state()).toMatchObject({ status: 'active', contact_identifier: careful });
    clock.jump(HOUR_MS);
    expectStatus(201, await tenant.text(phone, code));
    expect(await tenant.state()).toMatchObject({ status: 'active', contact_identifier: phone });
    await test.stop();
  });

  it('takes a word that looks like a code for a text of the paired phone', async () => {
    const test = await startTestServer(engine);
    const tenant = await addTenant(test);
    const phone = freshPhone();
    await tenant.pair(phone);
    expectStatus(201, await tenant.text(phone, 'answered'));
    expect((await tenant.listed('/v1/messages', { to: phone }))[0]).toMatchObject({ text: 'answered' });
    expect(await tenant.state()).toMatchObject({ status: 'active', contact_identifier: phone });
    await test.stop();
  });

  it('is not found where the installation has no such line', async () => {
    const test = await startTestServer(engine, { environment: { TRUNKLINE_SANDBOX_LINE: '' } });
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      expect(refusal(await test.call(method, '/v1/sandbox'))).toEqual(expected('line_not_found'));
    }
    expect(
      ((await test.call('GET', '/v1/lines')).body['data'] as { handle: string }[]).map(({ handle }) => handle),
    ).toEqual([LINE]);
    await test.stop();
  });
});
