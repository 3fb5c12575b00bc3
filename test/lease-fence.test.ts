/** A lane has one owner, and what a former owner still writes is refused. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../packages/server/src/clock.ts';
import { createIds } from '../packages/server/src/domain/ids.ts';
import { type Line, lineLane } from '../packages/server/src/domain/line.ts';
import { LEASE_MS, takeLease } from '../packages/server/src/leases/held-lease.ts';
import { createAccounts } from '../packages/server/src/store/accounts.ts';
import type { Engine } from '../packages/server/src/store/database.ts';
import { openPostgres } from '../packages/server/src/store/dialects/postgres.ts';
import { openSqlite } from '../packages/server/src/store/dialects/sqlite.ts';
import { acquireLeases, type Claim } from '../packages/server/src/store/leases.ts';
import { createLines, readLines } from '../packages/server/src/store/lines.ts';
import { migrate } from '../packages/server/src/store/migrate.ts';
import { acceptItems, findOutboxItem } from '../packages/server/src/store/outbox.ts';
import { type ClaimedItem, claimItems, settleItems } from '../packages/server/src/store/outbox-lane.ts';
import { recordSightings } from '../packages/server/src/store/sightings.ts';
import { createWriter, type Writer } from '../packages/server/src/store/writer.ts';
import { createTestDatabase } from '../packages/server/test/postgres-database.ts';
import { makeFolder } from './world.ts';

const ids = createIds(Date.now, randomBytes);
const PEER = '+15550109999';

describe.each(['sqlite', 'postgres'] as const)('a lane on %s', (kind) => {
  let engine: Engine;
  let writer: Writer;
  let line: Line;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ engine, remove } = await openEngine(kind));
    await migrate(engine);
    writer = createWriter(engine, ids);
    line = await makeLine(engine, writer);
  });
  afterEach(async () => {
    await writer.idle();
    await engine.close();
    await remove();
  });

  it('is given to one of many who ask, and to nobody else while the lease lasts', async () => {
    // Each process has a writer of its own.
    const asked = Array.from({ length: 8 }, (_, index) =>
      takeLease(
        { writer: createWriter(engine, ids), clock: systemClock, holder: `holder ${index}` },
        lineLane(line.ref),
      ),
    );
    const [taken, ...more] = (await Promise.all(asked)).filter((lease) => lease !== null);
    if (taken === undefined) throw new Error('Nobody got the lane.');
    expect(more).toEqual([]);
    const stranger = { name: lineLane(line.ref), holder: 'a stranger', ms: LEASE_MS };
    expect(await writer.write(acquireLeases, stranger)).toBeNull();
    expect(taken.isHeld()).toBe(true);
    await taken.release();
    expect(await writer.write(acquireLeases, stranger)).toBeGreaterThan(taken.claim.fence);
  });

  it('refuses what a former owner claims, settles and reports', async () => {
    const item = await acceptOne();
    const old = await claimLane('the old owner', 1);
    const claimed = await claimOne(old, item);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = await claimLane('the new owner', LEASE_MS);
    expect(now.fence).toBe(old.fence + 1);

    const request = { lineRef: line.ref, now: Date.now() };
    expect(await writer.write(claimItems, { ...request, claim: old, limit: 10 })).toBe('fenced');
    const outcome = { state: 'failed', reason: 'Told by a former owner.' } as const;
    const settlement = { ...request, ref: claimed.ref, handOver: claimed.handOver, outcome };
    expect(await writer.write(settleItems, { ...settlement, claim: old })).toBe('fenced');
    expect(await stateOf(item)).toBe('claimed');
    const report = await writer.write(recordSightings, { claim: old, line, events: [echoOf(item)], now: Date.now() });
    expect(report).toEqual({ state: 'fenced', sent: [] });
    expect(await stateOf(item)).toBe('claimed');

    const again = await writer.write(recordSightings, { claim: now, line, events: [echoOf(item)], now: Date.now() });
    expect(again).toEqual({ state: 'committed', sent: [item] });
    expect(await stateOf(item)).toBe('sent');
  });

  async function acceptOne(): Promise<string> {
    const id = ids.make('outbox');
    const to = { kind: 'handle', handle: PEER } as const;
    const { accountRef, ref: lineRef } = line;
    const payload = JSON.stringify({ kind: 'message', text: 'Hello' });
    const accepted = await writer.write(acceptItems, {
      ...{ id, accountRef, lineRef, to, payload },
      requires: 'nothing',
      kind: 'message',
      details: null,
      now: Date.now(),
    });
    expect(accepted).toBe('accepted');
    return id;
  }

  async function claimLane(holder: string, ms: number): Promise<Claim> {
    const name = lineLane(line.ref);
    const fence = await writer.write(acquireLeases, { name, holder, ms });
    if (fence === null) throw new Error(`${holder} did not get the lane.`);
    return { lane: name, fence };
  }

  async function claimOne(claim: Claim, id: string): Promise<ClaimedItem> {
    const items = await writer.write(claimItems, { claim, lineRef: line.ref, limit: 10, now: Date.now() });
    const found = items === 'fenced' ? undefined : items.find((one) => one.id === id);
    if (found === undefined) throw new Error('The item was not claimed.');
    return found;
  }

  async function stateOf(id: string): Promise<string | undefined> {
    return (await findOutboxItem(engine, line.accountRef, id))?.status;
  }

  function echoOf(reference: string) {
    const chat = { identifier: PEER, isGroup: false, name: null, participants: [PEER], service: 'imessage' } as const;
    return {
      kind: 'message',
      cursor: '1',
      guid: 'GUID-1',
      chat,
      isFromMe: true,
      sender: line.handle,
      text: 'Hello',
      attachments: [],
      isAudioMessage: false,
      service: 'imessage',
      sentAt: Date.now(),
      replyToGuid: null,
      effect: null,
      reference,
      deliveredAt: null,
      readAt: null,
      itemPart: 0,
      isWholeItem: true,
      isOld: false,
      awaits: null,
    } as const;
  }
});

async function openEngine(kind: 'sqlite' | 'postgres'): Promise<{ engine: Engine; remove: () => Promise<void> }> {
  if (kind === 'postgres') {
    const database = await createTestDatabase(inject('postgresUrl'));
    return { engine: await openPostgres({ url: database.url, schema: 'trunkline' }), remove: database.drop };
  }
  const folder = makeFolder();
  const remove = () => rm(folder, { recursive: true, force: true });
  return { engine: openSqlite({ file: join(folder, 'trunkline.sqlite') }), remove };
}

async function makeLine(engine: Engine, writer: Writer): Promise<Line> {
  const now = Date.now();
  const accountRef = await writer.write(createAccounts, { id: ids.make('account'), ownerEmail: 'a@example.com', now });
  await writer.write(createLines, {
    ...{ id: ids.make('line'), accountRef, handle: '+15550100001', label: null, service: 'imessage' },
    ...{
      kind: 'simulator',
      isActive: true,
      isSandbox: false,
      contactFirst: false,
      optOutKeywords: false,
      paceMs: 0,
      now,
    },
  });
  const [line] = await readLines(engine);
  if (line === undefined) throw new Error('The line was not made.');
  return line;
}
