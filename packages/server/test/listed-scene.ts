/**
 * A few hundred listed items of every kind, several of them in the same millisecond: two accounts, lines of both
 * services and the shared one, groups, and whatever may become of a message. Written as drivers and workers write, with
 * no driver running, so that every time is the scene's own.
 */
import { randomBytes } from 'node:crypto';
import type { LineEvent, Service } from '@trunkline/drivers';
import { sql } from 'kysely';
import { createIds } from '../src/domain/ids.ts';
import { type Line, lineLane } from '../src/domain/line.ts';
import { acquireLeases, type Claim } from '../src/store/leases.ts';
import { createLines, readLines } from '../src/store/lines.ts';
import { acceptItems, type Recipient } from '../src/store/outbox.ts';
import { claimItems, type Outcome, settleItems } from '../src/store/outbox-lane.ts';
import { recordSightings } from '../src/store/sightings.ts';
import { expectStatus, LINE, SANDBOX_LINE, type TestServer } from './harness.ts';
import {
  chatSeen,
  direct,
  edited,
  group,
  inbound,
  own,
  PICTURE,
  reaction,
  read,
  receipt,
  transcribed,
  unsent,
} from './sightings.ts';
import { STARTED_AT } from './stage.ts';
import { addAccount, addKey, SECOND_LINE, STRANGERS_LINE } from './tenancy.ts';

const LEASE_MS = 3_600_000;
const ROUNDS = 9;
const SMS_LINE = '+15550100004';
const NAMES = ['+15550120001', '+15550120002', 'mail@example.com', SECOND_LINE] as const;
const PHONES = { before: '+15550120008', now: '+15550120009', strangers: '+15550120007' } as const;
/** What becomes of an item that was handed over. */
const FATES = ['stays', 'fails', 'sent', 'delivered', 'read', 'downgraded', 'waits', 'known', 'lost'] as const;

export interface ListedScene {
  /** Of the first account. */
  readonly lines: readonly string[];
  readonly peers: readonly string[];
  readonly phones: typeof PHONES;
  readonly groupIds: readonly string[];
  readonly strangers: { readonly key: string; readonly line: string; readonly groupId: string };
  /** Of the first account, for its second line alone. */
  readonly limitedKey: string;
  /** Of times that are in it. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export async function fillLists(test: TestServer): Promise<ListedScene> {
  const strangers = await addAccount(test);
  const accountRef = (await lineOf(test, LINE)).accountRef;
  await addLine(test, SECOND_LINE, 'imessage', accountRef);
  await addLine(test, SMS_LINE, 'sms', accountRef);
  await addLine(test, STRANGERS_LINE, 'imessage', strangers);
  const pen = createPen(test);
  const groupIds: string[] = [];
  for (const handle of [LINE, SECOND_LINE, STRANGERS_LINE]) groupIds.push(await pen.open(handle));
  for (let round = 0; round < ROUNDS; round++) {
    for (const handle of [LINE, SECOND_LINE, SMS_LINE, STRANGERS_LINE]) await pen.converse(handle, round);
  }
  const key = await addKey(test, { accountRef: strangers });
  await pen.pair(PHONES.strangers, key);
  await pen.pair(PHONES.before, null);
  await pen.pair(PHONES.now, null);
  for (const handle of [LINE, SECOND_LINE, STRANGERS_LINE]) await pen.leavePending(handle);
  const second = await lineOf(test, SECOND_LINE);
  // Else it may learn of the tables by itself just while they are filled, and read them slowly for a minute.
  if (test.server.engine.kind === 'postgres') await sql`analyze`.execute(test.server.engine.query);
  return {
    lines: [LINE, SECOND_LINE, SMS_LINE, SANDBOX_LINE],
    peers: NAMES,
    phones: PHONES,
    groupIds: groupIds.slice(0, 2),
    strangers: { key, line: STRANGERS_LINE, groupId: groupIds[2] ?? '' },
    limitedKey: await addKey(test, { lineRefs: [second.ref] }),
    firstAt: STARTED_AT,
    lastAt: pen.now(),
  };
}

async function lineOf(test: TestServer, handle: string): Promise<Line> {
  const line = (await readLines(test.server.engine)).find((one) => one.handle === handle);
  if (!line) throw new Error(`There is no line ${handle}.`);
  return line;
}

const ids = createIds(Date.now, randomBytes);

async function addLine(
  test: TestServer,
  handle: string,
  service: 'imessage' | 'sms',
  accountRef: number,
): Promise<void> {
  await test.server.writer.write(createLines, {
    ...{ id: ids.make('line'), accountRef, handle, label: null, service, kind: 'simulator' },
    ...{ isActive: true, isSandbox: false, contactFirst: false, paceMs: 0, optOutKeywords: false, now: STARTED_AT },
  });
}

/** Writes what happens, a few events to a millisecond. */
function createPen(test: TestServer) {
  const { engine, writer } = test.server;
  const claims = new Map<string, Claim>();
  let turn = 0;
  let guids = 0;
  const now = () => STARTED_AT + Math.floor(turn / 7) * 1_000;
  const nextGuid = () => `guid-${++guids}`;

  async function claimOf(line: Line): Promise<Claim> {
    const lane = lineLane(line.ref);
    const known = claims.get(lane);
    if (known) return known;
    const fence = await writer.write(acquireLeases, { name: lane, holder: 'the scene', ms: LEASE_MS });
    const claim = { lane, fence: fence ?? 0 };
    claims.set(lane, claim);
    return claim;
  }

  async function see(handle: string, events: readonly LineEvent[]): Promise<void> {
    const line = await lineOf(test, handle);
    const claim = await claimOf(line);
    turn++;
    const { state } = await writer.write(recordSightings, { claim, line, events, now: now() });
    if (state !== 'committed') throw new Error('The scene lost its lease.');
  }

  async function accept(handle: string, to: Recipient, text: string): Promise<string> {
    const { ref: lineRef, accountRef } = await lineOf(test, handle);
    const id = ids.make('outbox');
    turn++;
    const payload = JSON.stringify({ kind: 'message', from: handle, text });
    const rest = { requires: 'nothing', kind: 'message', details: null, payload, now: now() } as const;
    const accepted = await writer.write(acceptItems, { id, accountRef, lineRef, to, ...rest });
    if (accepted !== 'accepted') throw new Error(`The scene may not send: ${accepted}.`);
    return id;
  }

  /** Claims what is pending and settles it by turns. */
  async function handOver(handle: string, service: Service): Promise<void> {
    const line = await lineOf(test, handle);
    const claim = await claimOf(line);
    const items = await writer.write(claimItems, { claim, lineRef: line.ref, limit: 64, now: now() });
    if (items === 'fenced') throw new Error('The scene lost its lease.');
    for (const [index, { ref, id, handOver: number, recipient, isGroup }] of items.entries()) {
      const fate = FATES[index % FATES.length] ?? 'stays';
      const outcome = outcomeOf(fate);
      if (outcome) {
        turn++;
        await writer.write(settleItems, { claim, lineRef: line.ref, ref, handOver: number, outcome, now: now() });
      }
      if (!['sent', 'delivered', 'read', 'downgraded'].includes(fate)) continue;
      const guid = nextGuid();
      const chat = isGroup ? group(recipient, NAMES.slice(0, 2)) : direct(recipient);
      const carried = fate === 'downgraded' ? 'sms' : service;
      await see(handle, [own(guid, { chat, sender: handle, reference: id, sentAt: now(), service: carried })]);
      if (fate === 'delivered' || fate === 'read') await see(handle, [receipt(guid, 'delivered', now())]);
      if (fate === 'read') await see(handle, [receipt(guid, 'read', now())]);
    }
  }

  return {
    now,

    /** A group with the line. Gives its id. */
    async open(handle: string): Promise<string> {
      const identifier = `group of ${handle}`;
      await see(handle, [chatSeen(group(identifier, NAMES.slice(0, 2), `The group of ${handle}`))]);
      const query = engine.query.selectFrom('chats').select('id').where('identifier', '=', identifier);
      return (await query.executeTakeFirstOrThrow()).id;
    },

    async converse(handle: string, round: number): Promise<void> {
      const line = await lineOf(test, handle);
      const service = line.service === 'sms' ? 'sms' : 'imessage';
      const groupChat = group(`group of ${handle}`, NAMES.slice(0, 2));
      const isSms = service === 'sms';
      const earlier = now() - (round % 3) * 500;
      for (const [index, sender] of NAMES.filter((name) => name !== handle).entries()) {
        const [guid, typed] = [nextGuid(), nextGuid()];
        const attachments = Array.from({ length: (index + round) % 4 }, () => ({ ...PICTURE, file: null }));
        const carried: Service = isSms ? ((['sms', 'rcs'] as const)[round % 2] ?? 'sms') : service;
        await see(handle, [
          inbound(guid, { sender, attachments, sentAt: earlier, service: carried, text: index === 1 ? '' : guid }),
          own(typed, {
            chat: direct(sender),
            sender: handle,
            sentAt: now(),
            service: carried,
            deliveredAt: round % 2 ? now() : null,
          }),
        ]);
        if (round % 3 === 1) await see(handle, [edited(guid, `${guid} as changed`, now())]);
        if (round % 3 === 2) await see(handle, [unsent(guid, now())]);
        if (round % 4 === 3)
          await see(handle, [read(sender, now()), reaction(guid, 'love', sender), transcribed(guid)]);
        await accept(handle, { kind: 'handle', handle: sender }, `To ${sender} in round ${round}`);
      }
      if (!isSms) {
        const [first, typed] = [nextGuid(), nextGuid()];
        await see(handle, [
          inbound(first, { chat: groupChat, sender: NAMES[round % 2] ?? NAMES[0], sentAt: earlier }),
          own(typed, { chat: groupChat, sender: handle, sentAt: now() }),
        ]);
        const { id } = await engine.query
          .selectFrom('chats')
          .select('id')
          .where('identifier', '=', groupChat.identifier)
          .executeTakeFirstOrThrow();
        await accept(handle, { kind: 'chat', id }, `To the group in round ${round}`);
      }
      await handOver(handle, service);
    },

    /** Pairs a phone, after it ends the pairing that is there, and lets it write twice. */
    async pair(phone: string, key: string | null): Promise<void> {
      const as = key === null ? {} : { key };
      await test.call('DELETE', '/v1/sandbox', undefined, as);
      const { body } = expectStatus(200, await test.call('POST', '/v1/sandbox', undefined, as));
      const text = String(body['activation_code']);
      await see(SANDBOX_LINE, [inbound(nextGuid(), { sender: phone, text, sentAt: now() })]);
      for (const said of ['Hello', 'Are you there?']) {
        await see(SANDBOX_LINE, [inbound(nextGuid(), { sender: phone, text: said, sentAt: now() })]);
      }
    },

    async leavePending(handle: string): Promise<void> {
      for (const name of NAMES.slice(0, 3)) await accept(handle, { kind: 'handle', handle: name }, `Waits for ${name}`);
    },
  };
}

/** Null for what has not been answered yet. */
function outcomeOf(fate: (typeof FATES)[number]): Outcome | null {
  if (fate === 'fails') return { state: 'failed', reason: 'It was refused.' };
  if (fate === 'waits') return { state: 'not_started', reason: 'The line was busy.' };
  if (fate === 'known') return { state: 'handed_over', guid: null };
  return fate === 'lost' ? { state: 'unknown', reason: 'Nobody knows.' } : null;
}
