/** Who owns a lane: one holder at a time, by the database's clock; what a former holder does leaves no trace. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEASE_MS, takeLease } from '../src/leases/held-lease.ts';
import { StorageUnavailableError } from '../src/store/database.ts';
import type { Claim } from '../src/store/leases.ts';
import { claimItems, settleItems } from '../src/store/outbox-lane.ts';
import type { Writer } from '../src/store/writer.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { ENGINES, PHONE } from './harness.ts';
import { own } from './sightings.ts';
import { expireLease, openProcess, openStage, STARTED_AT, type Stage } from './stage.ts';

const LANE = 'line 4711';

describe.each(ENGINES)('a lease on %s', (engine) => {
  let stage: Stage;
  let clock: FakeClock;

  beforeEach(async () => {
    stage = await openStage(engine);
    clock = createFakeClock(STARTED_AT);
  });
  afterEach(() => stage.close());

  const take = (holder: string, writer: Writer = stage.writer) => takeLease({ writer, clock, holder }, LANE);
  const isOver = (lease: { ended: Promise<void> }) =>
    Promise.race([lease.ended.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

  it('has one holder', async () => {
    const first = await take('first');
    expect(first?.isHeld()).toBe(true);
    expect(await take('second')).toBeNull();
    expect(await take('third')).toBeNull();
  });

  it('has one holder also where several ask for it in one commit', async () => {
    for (let round = 0; round < 3; round++) {
      const asked = ['first', 'second', 'third', 'first'].map((holder) => take(`${holder} ${round}`));
      const held = (await Promise.all(asked)).filter((lease) => lease !== null);
      expect(held).toHaveLength(1);
      await held[0]?.release();
      expect(await take(`fourth ${round}`)).not.toBeNull();
      await expireLease(stage.databases.server, LANE);
    }
  });

  it('is taken at once when it was released, with a higher fence', async () => {
    const first = await take('first');
    await first?.release();
    expect(first?.isHeld()).toBe(false);
    const second = await take('second');
    expect(second?.claim.fence).toBeGreaterThan(first?.claim.fence ?? 0);
  });

  it('is renewed for as long as its holder lives', async () => {
    const lease = await take('first');
    for (let round = 0; round < 10; round++) {
      await clock.advance(3_000);
      await stage.writer.idle();
      await clock.advance(0);
    }
    expect(lease?.isHeld()).toBe(true);
    expect(await take('second')).toBeNull();
    await lease?.release();
  });

  it('is lost by the holder’s own clock while the database is away, and never by the wall clock', async () => {
    let isAway = false;
    const flaky: Writer = {
      ...stage.writer,
      write: (write, item) =>
        isAway ? Promise.reject(new StorageUnavailableError(new Error('away'))) : stage.writer.write(write, item),
    };
    const lease = await take('first', flaky);
    isAway = true;
    clock.jump(24 * 3_600_000);
    await clock.advance(LEASE_MS - 1);
    expect(lease?.isHeld()).toBe(true);
    await clock.advance(1);
    expect(lease?.isHeld()).toBe(false);
    if (lease) expect(await isOver(lease)).toBe(true);
  });

  it('survives a database that was away for less than its time', async () => {
    let isAway = false;
    const flaky: Writer = {
      ...stage.writer,
      write: (write, item) =>
        isAway ? Promise.reject(new StorageUnavailableError(new Error('away'))) : stage.writer.write(write, item),
    };
    const lease = await take('first', flaky);
    isAway = true;
    await clock.advance(10_000);
    isAway = false;
    await clock.advance(1_999);
    await stage.writer.idle();
    expect(lease?.isHeld()).toBe(true);
    await lease?.release();
  });

  it('is lost at the next renewal when another took it over', async () => {
    const first = await take('first');
    await expireLease(stage.engine, LANE);
    const second = await take('second');
    expect(second?.claim.fence).toBe((first?.claim.fence ?? 0) + 1);
    await clock.advance(3_000);
    await stage.writer.idle();
    await clock.advance(0);
    expect(first?.isHeld()).toBe(false);
    expect(second?.isHeld()).toBe(true);
    await second?.release();
  });

  it('of another is not touched by a late release', async () => {
    const first = await take('first');
    await expireLease(stage.engine, LANE);
    const second = await take('second');
    await first?.release();
    expect(await take('third')).toBeNull();
    await second?.release();
  });

  it('refuses a stale claim, settlement and report, which leave no trace', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    await stage.accept({ to: PHONE, id: 'obx_2' });
    const stale = await stage.takeLine('a process');
    const taken = await claimed(stage, stale, 1);
    const item = taken === 'fenced' ? undefined : taken[0];
    const good = await stage.takeLine('its successor');
    const before = await dump(stage);

    const { writer, line } = stage;
    const settlement = { lineRef: line.ref, ref: item?.ref ?? 0, handOver: item?.handOver ?? 0, now: stage.now() };
    expect(await claimed(stage, stale, 10)).toBe('fenced');
    for (const outcome of [
      { state: 'returned' },
      { state: 'handed_over', guid: 'A' },
      { state: 'not_started', reason: 'No.' },
      { state: 'failed', reason: 'No.' },
      { state: 'unknown', reason: 'No.' },
    ] as const) {
      expect(await writer.write(settleItems, { ...settlement, claim: stale, outcome })).toBe('fenced');
    }
    expect(await stage.report([own('A', { reference: 'obx_1' })], stale)).toEqual({ state: 'fenced', sent: [] });
    expect(await dump(stage)).toEqual(before);

    // A stale and a good settlement in one commit are told apart.
    const outcome = { state: 'returned' } as const;
    const both = await Promise.all([
      writer.write(settleItems, { ...settlement, claim: stale, outcome: { state: 'failed', reason: 'No.' } }),
      writer.write(settleItems, { ...settlement, claim: good, outcome }),
    ]);
    expect(both).toEqual(['fenced', 'settled']);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending', error: null, attempts: 0, hand_overs: 1 });
  });

  it('ignores the settlement of an earlier hand-over of the same item', async () => {
    await stage.accept({ to: PHONE, id: 'obx_1' });
    const claim = await stage.takeLine();
    const settle = (handOver: number, state: 'returned' | 'failed') =>
      stage.writer.write(settleItems, {
        claim,
        lineRef: stage.line.ref,
        ref: 1,
        handOver,
        outcome: state === 'returned' ? { state } : { state, reason: 'No.' },
        now: stage.now(),
      });
    await claimed(stage, claim, 1);
    await settle(1, 'returned');
    await claimed(stage, claim, 1);
    expect(await settle(1, 'failed')).toBe('settled');
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sending', attempts: 1, hand_overs: 2 });
    await settle(2, 'returned');
  });
});

describe('leases between two processes on postgres', () => {
  it('gives a free lane to one of many that ask at once, and again when it falls free', async () => {
    const stage = await openStage('postgres');
    const others = await Promise.all([1, 2, 3].map(() => openProcess(stage.home, stage.now)));
    const writers = [stage.writer, ...others.map((other) => other.writer)];
    const clock = createFakeClock(STARTED_AT);
    for (let round = 0; round < 10; round++) {
      const taken = await Promise.all(
        writers.map((writer, place) => takeLease({ writer, clock, holder: `process ${place}` }, LANE)),
      );
      const held = taken.filter((lease) => lease !== null);
      expect(held).toHaveLength(1);
      if (round % 2 === 0) await held[0]?.release();
      else await expireLease(stage.engine, LANE);
      for (const lease of held) lease.lose();
    }
    for (const other of others) await other.databases.close();
    await stage.close();
  });
});

describe('leases on sqlite', () => {
  it('fall to a new process at once: who holds the folder’s lock has no rival', async () => {
    const stage = await openStage('sqlite');
    const clock = createFakeClock(STARTED_AT);
    const first = await takeLease({ writer: stage.writer, clock, holder: 'killed' }, LANE);
    await stage.databases.close();
    const next = await openProcess(stage.home, stage.now);
    const second = await takeLease({ writer: next.writer, clock, holder: 'next' }, LANE);
    expect(second?.claim.fence).toBe((first?.claim.fence ?? 0) + 1);
    await next.databases.close();
    await stage.home.remove();
  });
});

function claimed(stage: Stage, claim: Claim, limit: number) {
  return stage.writer.write(claimItems, { claim, lineRef: stage.line.ref, limit, now: stage.now() });
}

async function dump(stage: Stage): Promise<unknown> {
  const { query } = stage.engine;
  return {
    outbox: await query.selectFrom('outbox').selectAll().orderBy('ref').execute(),
    messages: await stage.messages(),
    chats: await query.selectFrom('chats').selectAll().execute(),
    events: await stage.events(),
    cursors: await query.selectFrom('line_cursors').selectAll().execute(),
  };
}
