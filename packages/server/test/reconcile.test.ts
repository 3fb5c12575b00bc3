/** Items found in `sending` after a crash: the driver's far end is asked, and nothing is sent on a guess. */
import type { LineDriver, LookUp } from '@trunkline/drivers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ECHO_LIMIT_MS } from '../src/domain/outbox.ts';
import type { HeldLease } from '../src/leases/held-lease.ts';
import { LineTakenOverError } from '../src/lines/ingest.ts';
import { reconcile } from '../src/outbox/reconcile.ts';
import type { Claim } from '../src/store/leases.ts';
import { claimItems } from '../src/store/outbox-lane.ts';
import { createFakeClock } from './fake-clock.ts';
import { ENGINES, PHONE } from './harness.ts';
import { ScriptedDriver } from './scripted-line.ts';
import { own } from './sightings.ts';
import { openStage, STARTED_AT, type Stage } from './stage.ts';

describe.each(ENGINES)('asking about lost hand-overs on %s', (engine) => {
  let stage: Stage;
  let claim: Claim;

  beforeEach(async () => {
    stage = await openStage(engine);
    for (const id of ['obx_found', 'obx_never', 'obx_doubt', 'obx_silence']) await stage.accept({ to: PHONE, id });
    const dead = await stage.takeLine('a process that was killed');
    await stage.writer.write(claimItems, { claim: dead, lineRef: stage.line.ref, limit: 10, now: stage.now() });
    claim = await stage.takeLine('its successor');
  });
  afterEach(() => stage.close());

  const ask = (driver: LineDriver, by: Claim = claim) =>
    reconcile({ ...stage, clock: createFakeClock(STARTED_AT) }, stage.line.ref, leaseOf(by), driver);

  it('takes what was found for handed over, what never started for pending, and anything else for unknown', async () => {
    await stage.accept({ to: PHONE, id: 'obx_pending' });
    const driver = answering({
      obx_found: { state: 'found', guid: 'A' },
      obx_never: { state: 'not_started' },
      obx_doubt: { state: 'unknown' },
    });
    expect(await ask(driver)).toBe(4);
    expect(driver.asked.map((one) => one.reference)).toEqual(['obx_found', 'obx_never', 'obx_doubt', 'obx_silence']);
    expect(driver.asked[0]).toEqual({ reference: 'obx_found', attempt: 1 });
    const waits = { echo_due_at: STARTED_AT + ECHO_LIMIT_MS, attempts: 1 };
    expect(await stage.item('obx_found')).toMatchObject({ state: 'handed_over', guid: 'A', ...waits });
    expect(await stage.item('obx_never')).toMatchObject({ state: 'pending', attempts: 0, hand_overs: 1, error: null });
    expect(await stage.item('obx_doubt')).toMatchObject({ state: 'unknown', ...waits });
    expect(await stage.item('obx_silence')).toMatchObject({ state: 'unknown', ...waits });
    expect((await stage.item('obx_doubt')).error).toMatch(/^The server stopped during the hand-over/);
    expect(await ask(driver)).toBe(0);
  });

  it('lets an echo that was reported meanwhile have the last word', async () => {
    await stage.report([own('A', { reference: 'obx_doubt' })]);
    const driver = answering({ obx_found: { state: 'found', guid: 'B' } });
    expect(await ask(driver)).toBe(3);
    expect(await stage.item('obx_doubt')).toMatchObject({ state: 'sent', error: null });
    await stage.report([own('B', { reference: 'obx_found' })]);
    expect(await stage.item('obx_found')).toMatchObject({ state: 'sent', guid: 'B' });
  });

  it('changes nothing once the line was taken over', async () => {
    await stage.takeLine('a third');
    const driver = answering({ obx_never: { state: 'not_started' } });
    await expect(ask(driver, claim)).rejects.toThrow(LineTakenOverError);
    expect(await stage.item('obx_never')).toMatchObject({ state: 'sending', attempts: 1 });
    expect(await stage.item('obx_doubt')).toMatchObject({ state: 'sending' });
  });

  it('asks about many in portions', async () => {
    for (let index = 0; index < 450; index++) void stage.accept({ to: PHONE, id: `obx_many_${index}` });
    await stage.writer.idle();
    await stage.writer.write(claimItems, { claim, lineRef: stage.line.ref, limit: 450, now: stage.now() });
    const sizes: number[] = [];
    const driver = new (class extends ScriptedDriver {
      override find(lost: Parameters<LineDriver['find']>[0]) {
        sizes.push(lost.length);
        return super.find(lost);
      }
    })({ send: () => ({ state: 'accepted' }), find: () => ({ state: 'not_started' }) }, [], context());
    expect(await ask(driver)).toBe(454);
    expect(sizes).toEqual([200, 200, 54]);
    const left = stage.engine.query.selectFrom('outbox').select('id').where('state', '<>', 'pending').execute();
    expect(await left).toEqual([]);
  });
});

function context() {
  const nothing = () => undefined;
  const report = async () => undefined;
  const files = { read: () => Promise.reject(new Error('none')), write: () => Promise.reject(new Error('none')) };
  const { signal } = new AbortController();
  return { now: () => 0, random: () => 0, log: nothing, report, health: nothing, files, signal };
}

/** Says nothing about what is not named, as a driver should not. */
function answering(answers: Readonly<Record<string, LookUp>>): ScriptedDriver {
  const driver = new ScriptedDriver({ send: () => ({ state: 'accepted' }) }, [], context());
  driver.find = async (lost) => {
    driver.asked.push(...lost);
    return new Map(Object.entries(answers));
  };
  return driver;
}

function leaseOf(claim: Claim): HeldLease {
  const nothing = () => undefined;
  return { claim, isHeld: () => true, ended: new Promise(nothing), release: async () => undefined, lose: nothing };
}
