/** Pairing when everything happens at once: codes, ends and sends, from one process and from two. */
import { describe, expect, it } from 'vitest';
import { lineLane } from '../src/domain/line.ts';
import { readLines } from '../src/store/lines.ts';
import { acceptItems } from '../src/store/outbox.ts';
import { activateSandbox, deactivateSandbox } from '../src/store/sandbox-pairings.ts';
import { recordSightings } from '../src/store/sightings.ts';
import { createHome, ENGINES, expectStatus, startTestServer } from './harness.ts';
import { addTenant, freshPhone } from './sandbox-scene.ts';
import { inbound } from './sightings.ts';
import { openProcess, openStage, STARTED_AT } from './stage.ts';

const ROUNDS = 12;
const NOW = STARTED_AT;
const EXPIRES_AT = NOW + 1_000_000;

describe.each(ENGINES)('codes that are texted at once on %s', (engine) => {
  it('pair one phone with one account: one code from many phones, many codes from one phone', async () => {
    const test = await startTestServer(engine);
    const tenants = await Promise.all(Array.from({ length: 4 }, () => addTenant(test)));
    const [first] = tenants;
    if (!first) throw new Error('There is no account.');
    const code = await first.code();
    const phones = Array.from({ length: 4 }, () => freshPhone());
    await Promise.all(phones.map((phone) => first.text(phone, code)));
    expect(phones).toContain((await first.state())['contact_identifier']);
    const codes = await Promise.all(tenants.slice(1).map((tenant) => tenant.code()));
    const phone = freshPhone();
    for (const answer of await Promise.all(codes.map((one) => first.text(phone, one)))) expectStatus(201, answer);
    const states = await Promise.all(tenants.slice(1).map((tenant) => tenant.state()));
    expect(states.map((state) => state['status']).sort()).toEqual(['active', 'missing', 'missing']);
    expect(states.filter((state) => state['contact_identifier'] === phone)).toHaveLength(1);
    await test.stop();
  });
});

describe('two processes on postgres', () => {
  it('agree on whose a phone is, whatever comes first: codes, an end, a new code, sends', async () => {
    const home = await createHome('postgres');
    const [one, two] = [await openProcess(home, () => NOW), await openProcess(home, () => NOW)];
    const { query } = one.engine;
    await query
      .insertInto('accounts')
      .values([1, 2].map((ref) => ({ ref, id: `acc_${ref}`, owner_email: 'a@b', created_at: NOW })))
      .execute();
    const line = {
      account_ref: 1,
      label: null,
      service: 'imessage',
      kind: 'simulator',
      is_active: 1,
      contact_first: 1,
      pace_ms: 0,
      created_at: NOW,
    };
    await query
      .insertInto('lines')
      .values({ ...line, ref: 1, id: 'ln_1', handle: '+15550100000', is_sandbox: 1 })
      .execute();
    await query
      .insertInto('leases')
      .values({ name: lineLane(1), holder: 'the holder', fence: 1, expires_at: NOW * 2 })
      .execute();
    const [sandbox] = await readLines(one.engine);
    if (!sandbox) throw new Error('There is no line.');
    const claim = { lane: lineLane(1), fence: 1 };
    for (let round = 0; round < ROUNDS; round++) {
      await query.deleteFrom('sandbox_pairings').execute();
      const [a, b] = [`+1555014${round}001`, `+1555014${round}002`];
      const codes = { mine: `AAAA0${String(round).padStart(3, '0')}`, yours: `BBBB0${String(round).padStart(3, '0')}` };
      await query
        .insertInto('sandbox_pairings')
        .values([
          { account_ref: 1, code: codes.mine, code_expires_at: EXPIRES_AT, phone: null, paired_at: null },
          { account_ref: 2, code: codes.yours, code_expires_at: EXPIRES_AT, phone: null, paired_at: null },
        ])
        .execute();
      const text = (process: typeof one, phone: string, said: string, guid: string) =>
        process.writer.write(recordSightings, {
          claim,
          line: sandbox,
          events: [inbound(`${round} ${guid}`, { sender: phone, text: said, cursor: '1' })],
          now: NOW,
        });
      const send = (process: typeof one, accountRef: number, to: string, id: string) =>
        process.writer.write(acceptItems, {
          ...{
            id: `obx_${round}_${id}`,
            accountRef,
            lineRef: 1,
            to: { kind: 'handle', handle: to },
            requires: 'nothing',
          },
          ...{ kind: 'message', payload: '{}', details: null, now: NOW, isOnSandbox: true },
        });
      const results = await Promise.all([
        text(one, a, codes.mine, 'a mine'),
        text(two, b, codes.mine, 'b mine'),
        text(two, a, codes.yours, 'a yours'),
        text(one, b, 'Whose am I?', 'b asks'),
        send(one, 1, a, '1'),
        send(two, 2, a, '2'),
        ...(round % 3 === 0
          ? [
              two.writer.write(deactivateSandbox, {
                accountRef: 1,
                code: `CCCC0${String(round).padStart(3, '0')}`,
                expiresAt: EXPIRES_AT,
              }),
            ]
          : []),
        ...(round % 3 === 1
          ? [
              one.writer.write(activateSandbox, {
                accountRef: 2,
                seen: { code: codes.yours, phone: null },
                fresh: null,
              }),
            ]
          : []),
      ]);
      expect(results.length).toBeGreaterThan(5);
      const pairings = await query.selectFrom('sandbox_pairings').selectAll().orderBy('account_ref').execute();
      const phones = pairings.flatMap(({ phone }) => phone ?? []);
      expect(new Set(phones).size).toBe(phones.length);
      for (const { phone, code, paired_at: pairedAt } of pairings) {
        expect(phone === null || code === null).toBe(true);
        expect(phone === null).toBe(pairedAt === null);
      }
      // Every message lies in its own account's chat, and every item counted.
      const messages = await query
        .selectFrom('messages')
        .innerJoin('chats', 'chats.ref', 'messages.chat_ref')
        .select(['messages.account_ref', 'chats.account_ref as owner', 'messages.text'])
        .execute();
      expect(messages.filter((message) => message.account_ref !== message.owner)).toEqual([]);
      for (const { account_ref: accountRef, sent } of pairings) {
        const items = await query
          .selectFrom('outbox')
          .select('id')
          .where('account_ref', '=', accountRef)
          .where('id', 'like', `obx_${round}_%`)
          .execute();
        expect(items).toHaveLength(Number(sent));
      }
    }
    await one.databases.close();
    await two.databases.close();
    await home.remove();
  });
});

describe.each(ENGINES)('a report of the sandbox line on %s', (engine) => {
  it('that comes twice pairs once and says nothing twice, and a group on it is nobody’s', async () => {
    const stage = await openStage(engine);
    const { query } = stage.engine;
    await query.updateTable('lines').set({ is_sandbox: 1 }).execute();
    await query
      .insertInto('sandbox_pairings')
      .values({
        account_ref: stage.line.accountRef,
        code: 'AAAA0000',
        code_expires_at: EXPIRES_AT,
        phone: null,
        paired_at: null,
      })
      .execute();
    const claim = await stage.takeLine();
    const phone = freshPhone();
    const events = [
      inbound('before', { sender: phone, text: 'Before', sentAt: NOW - 1 }),
      inbound('code', { sender: phone, text: 'aaaa0000' }),
      inbound('group', {
        sender: phone,
        chat: { identifier: 'group', isGroup: true, name: null, participants: [phone], service: 'imessage' },
      }),
      inbound('after', { sender: phone, text: 'After' }),
    ];
    const report = () =>
      stage.writer.write(recordSightings, { claim, line: { ...stage.line, isSandbox: true }, events, now: NOW });
    expect(await report()).toEqual({ state: 'committed', sent: [] });
    await report();
    expect((await stage.messages()).map(({ guid }) => guid)).toEqual(['code', 'after']);
    expect((await stage.events()).map(({ type }) => type)).toEqual(['message.received', 'message.received']);
    const [pairing] = await query.selectFrom('sandbox_pairings').selectAll().execute();
    expect(pairing).toMatchObject({ phone, code: null, paired_at: NOW, code_sent_at: NOW });
    const guesses = await query.selectFrom('sandbox_phones').selectAll().execute();
    expect(guesses).toEqual([]);
    const cursor = await query.selectFrom('line_cursors').select('cursor').executeTakeFirstOrThrow();
    expect(cursor.cursor).toBe(events.at(-1)?.cursor);
    await stage.close();
  });
});
