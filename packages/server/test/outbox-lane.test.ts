/** A line's lane with a driver that does what the test says: order, pace, attempts, doubts and crashes. */
import type { Command, Disposition } from '@trunkline/drivers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ECHO_LIMIT_MS, SENTENCES } from '../src/domain/outbox.ts';
import { createLog } from '../src/log.ts';
import { startTimeLimits } from '../src/outbox/time-limits.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { ENGINES } from './harness.ts';
import { passUntil, type Script, type ScriptedLine, startScriptedLine } from './scripted-line.ts';
import { own } from './sightings.ts';
import { openStage, STARTED_AT, type Stage } from './stage.ts';

const A = '+15550109001';
const B = '+15550109002';
const NOT_STARTED: Disposition = { state: 'not_started', reason: 'Messages was not ready.' };
const UNKNOWN: Disposition = { state: 'unknown', reason: 'The connection was lost.' };
const ACCEPTED: Disposition = { state: 'accepted' };

describe.each(ENGINES)("a line's lane on %s", (engine) => {
  let stage: Stage;
  let clock: FakeClock;
  let line: ScriptedLine | null = null;

  beforeEach(async () => {
    stage = await openStage(engine);
    clock = createFakeClock(STARTED_AT);
  });
  afterEach(async () => {
    await stopLine();
    await stage.close();
  });

  const start = async (script: Script) => {
    line = await startScriptedLine(stage, { clock, script });
    return line;
  };
  const stopLine = async () => {
    if (line === null) return;
    await passUntil(clock, isDone(line.stop()), 'the line to stop');
    line = null;
  };
  const accept = async (ids: readonly string[], to: string) => {
    for (const id of ids) await stage.accept({ id, to, text: id });
  };
  const until = (check: () => Promise<boolean> | boolean, what: string) => passUntil(clock, check, what);
  const stateOf = async (id: string) => (await stage.item(id)).state;
  const becomes = (id: string, state: string) =>
    until(async () => (await stateOf(id)) === state, `${id} to be ${state}`);
  const orderOf = (commands: readonly Command[]) => commands.map((command) => command.reference);

  it('hands over in the order of acceptance', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `obx_${index + 10}`);
    for (const [index, id] of ids.entries()) await accept([id], index % 2 === 0 ? A : B);
    const { handedOver } = await start({ inFlight: 1, send: () => ACCEPTED });
    await until(() => handedOver.length === ids.length, 'all hand-overs');
    expect(orderOf(handedOver)).toEqual(ids);
    expect(handedOver[0]).toMatchObject({
      kind: 'message',
      attempt: 1,
      chat: { identifier: A, isGroup: false },
      text: 'obx_10',
    });
  });

  it('keeps the order in a chat while another chat overtakes it', async () => {
    await accept(['obx_a1', 'obx_a2', 'obx_a3'], A);
    await accept(['obx_b1', 'obx_b2'], B);
    const slow = Promise.withResolvers<Disposition>();
    const { handedOver } = await start({
      send: (command) => (command.reference === 'obx_a1' ? slow.promise : ACCEPTED),
    });
    await until(() => handedOver.length === 3, 'the other chat to go on');
    await clock.advance(2_000);
    expect(orderOf(handedOver)).toEqual(['obx_a1', 'obx_b1', 'obx_b2']);
    slow.resolve(ACCEPTED);
    await until(() => handedOver.length === 5, 'the chat to go on');
    expect(orderOf(handedOver).filter((id) => id.startsWith('obx_a'))).toEqual(['obx_a1', 'obx_a2', 'obx_a3']);
  });

  it('has no more hand-overs under way than its driver takes', async () => {
    let open = 0;
    let most = 0;
    const { handedOver } = await start({
      inFlight: 3,
      send: async () => {
        open++;
        most = Math.max(most, open);
        await new Promise<void>((resolve) => clock.after(50, resolve));
        open--;
        return ACCEPTED;
      },
    });
    for (let index = 0; index < 12; index++) await accept([`obx_${index}`], `+155501090${10 + index}`);
    await until(() => handedOver.length === 12 && open === 0, 'all hand-overs');
    expect(most).toBe(3);
  });

  it('holds up the chat and never the line when a hand-over did not start', async () => {
    await accept(['obx_a1', 'obx_a2'], A);
    await accept(['obx_b1'], B);
    let tries = 0;
    const { handedOver } = await start({
      send: (command) => (command.reference === 'obx_a1' && tries++ === 0 ? NOT_STARTED : ACCEPTED),
    });
    await becomes('obx_a1', 'waiting');
    await until(() => handedOver.length === 2, 'the other chat to go on');
    await accept(['obx_b2', 'obx_a3'], B);
    await becomes('obx_a2', 'handed_over');
    const order = orderOf(handedOver);
    expect(order.slice(0, 2).sort()).toEqual(['obx_a1', 'obx_b1']);
    expect(order.filter((id) => id === 'obx_a1' || id === 'obx_a2')).toEqual(['obx_a1', 'obx_a1', 'obx_a2']);
    // What was claimed behind it and handed back was no attempt.
    expect(await stage.item('obx_a2')).toMatchObject({ attempts: 1, error: null });
    expect(await stage.item('obx_a1')).toMatchObject({ attempts: 2, hand_overs: 2 });
  });

  it('tries three times, a second and three apart, and then says why', async () => {
    await accept(['obx_1'], A);
    const at: number[] = [];
    const { handedOver } = await start({
      send: () => {
        at.push(clock.now());
        return NOT_STARTED;
      },
    });
    await becomes('obx_1', 'failed');
    expect(handedOver.map((command) => command.attempt)).toEqual([1, 2, 3]);
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(1_000);
    expect(third - second).toBeGreaterThanOrEqual(3_000);
    expect(await stage.item('obx_1')).toMatchObject({
      attempts: 3,
      error: 'It could not be handed over, and nothing was sent. Last reason: Messages was not ready.',
    });
    await clock.advance(10_000);
    expect(handedOver).toHaveLength(3);
  });

  it('ends a final failure at once, with the sentence of the driver', async () => {
    await accept(['obx_1', 'obx_2'], A);
    const { handedOver } = await start({
      send: ({ reference }) => (reference === 'obx_1' ? { state: 'failed', reason: 'Nobody there.' } : ACCEPTED),
    });
    await becomes('obx_2', 'handed_over');
    expect(await stage.item('obx_1')).toMatchObject({ state: 'failed', error: 'Nobody there.', attempts: 1 });
    expect(handedOver).toHaveLength(2);
  });

  it.each([
    ['an unknown outcome', UNKNOWN, 'unknown'],
    ['a hand-over without an echo', ACCEPTED, 'handed_over'],
  ])('waits 10 minutes after %s, fails, and lets a later echo make it sent', async (_name, disposition, waiting) => {
    await accept(['obx_1'], A);
    const { handedOver, drivers } = await start({ send: () => disposition });
    const limits = startTimeLimits({ ...stage, clock, log: createLog('silent', false) });
    await becomes('obx_1', waiting);
    clock.jump(ECHO_LIMIT_MS - 60_000);
    await clock.advance(500);
    expect(await stateOf('obx_1')).toBe(waiting);
    clock.jump(60_000);
    await becomes('obx_1', 'failed');
    expect(await stage.item('obx_1')).toMatchObject({ error: SENTENCES.noEcho });
    expect(SENTENCES.noEcho).toContain('may have arrived');
    await drivers[0]?.report([own('late', { reference: 'obx_1' })]);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', guid: 'late', error: null });
    expect(handedOver).toHaveLength(1);
    await limits.stop();
  });

  it('waits for no echo before the next hand-over of the chat', async () => {
    await accept(['obx_1', 'obx_2', 'obx_3'], A);
    const { handedOver } = await start({ send: ({ reference }) => (reference === 'obx_1' ? UNKNOWN : ACCEPTED) });
    await until(() => handedOver.length === 3, 'all hand-overs');
    expect(orderOf(handedOver)).toEqual(['obx_1', 'obx_2', 'obx_3']);
  });

  it('writes nothing over an echo that was faster than the answer', async () => {
    await accept(['obx_1'], A);
    await start({
      send: async ({ reference }, driver) => {
        await driver.report([own('fast', { reference })]);
        return { state: 'unknown', reason: 'The answer got lost.' };
      },
    });
    await becomes('obx_1', 'sent');
    await clock.advance(2_000);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'sent', guid: 'fast', error: null, echo_due_at: null });
  });

  it('hands nothing over while its driver is offline, and then all in order', async () => {
    const { handedOver, drivers } = await start({ send: () => ACCEPTED });
    await until(() => drivers.length === 1, 'the driver');
    await clock.advance(100);
    drivers[0]?.health('offline');
    await accept(['obx_1', 'obx_2', 'obx_3'], A);
    await clock.advance(3_000);
    expect(handedOver).toHaveLength(0);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending', attempts: 0 });
    drivers[0]?.health('online');
    await until(() => handedOver.length === 3, 'all hand-overs');
    expect(orderOf(handedOver)).toEqual(['obx_1', 'obx_2', 'obx_3']);
  });

  it('starts a driver that crashed again, and asks it about what was under way', async () => {
    await accept(['obx_1', 'obx_2'], A);
    await accept(['obx_3'], B);
    const { handedOver, drivers } = await start({
      send: (_command, driver) => {
        if (drivers.length > 1) return ACCEPTED;
        driver.crash();
        throw new Error('The driver crashed.');
      },
      find: ({ reference }) => (reference === 'obx_1' ? { state: 'found', guid: 'A' } : { state: 'not_started' }),
    });
    await becomes('obx_2', 'handed_over');
    await becomes('obx_3', 'handed_over');
    expect(drivers).toHaveLength(2);
    expect(drivers[1]?.asked.map((one) => one.reference)).toContain('obx_1');
    expect(orderOf(handedOver).filter((id) => id === 'obx_1')).toHaveLength(1);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'handed_over', guid: 'A' });
    expect(await stage.item('obx_2')).toMatchObject({ attempts: 1 });
  });

  it('hands back what a crash left behind in a chat, although its driver cannot tell', async () => {
    await accept(['obx_1', 'obx_2', 'obx_3'], A);
    const { drivers } = await start({
      send: () => {
        if (drivers.length > 1) return ACCEPTED;
        throw new Error('The driver crashed.');
      },
      find: () => ({ state: 'unknown' }),
    });
    await becomes('obx_3', 'handed_over');
    expect(await stateOf('obx_1')).toBe('unknown');
    expect(await stateOf('obx_2')).toBe('handed_over');
  });

  it('pauses longer from crash to crash', async () => {
    await accept(['obx_1'], A);
    const at: number[] = [];
    const { drivers } = await start({
      send: () => {
        at.push(clock.monotonic());
        throw new Error('The driver crashed.');
      },
      find: () => ({ state: 'not_started' }),
    });
    await until(() => at.length === 4, 'four starts');
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(200 * 2 ** index);
    expect(drivers.length).toBeGreaterThanOrEqual(4);
  });

  it('hands back what it had claimed when it is stopped', async () => {
    await accept(['obx_1', 'obx_2', 'obx_3'], A);
    const open = Promise.withResolvers<Disposition>();
    const { handedOver, stop } = await start({ send: () => open.promise });
    await until(() => handedOver.length === 1, 'a hand-over');
    const stopping = stop();
    await clock.advance(100);
    open.resolve(ACCEPTED);
    await passUntil(clock, isDone(stopping), 'the line to stop');
    expect(await stateOf('obx_1')).toBe('handed_over');
    expect(await stage.item('obx_2')).toMatchObject({ state: 'pending', attempts: 0 });
    expect(await stage.item('obx_3')).toMatchObject({ state: 'pending', attempts: 0 });
  });

  it('hands nothing over any more once its lease is another’s', async () => {
    const { handedOver, drivers } = await start({ send: () => ACCEPTED });
    await until(() => drivers.length === 1, 'the driver');
    await clock.advance(100);
    await stage.takeLine('another process');
    await accept(['obx_1'], A);
    await clock.advance(3_000);
    expect(handedOver).toHaveLength(0);
    expect(await stage.item('obx_1')).toMatchObject({ state: 'pending', attempts: 0 });
  });
});

describe.each(ENGINES)('the pace of a line on %s', (engine) => {
  it('keeps two hand-overs apart, whichever their chats', async () => {
    const stage = await openStage(engine, { paceMs: 1_000 });
    const clock = createFakeClock(STARTED_AT);
    const at: number[] = [];
    const send = () => {
      at.push(clock.monotonic());
      return ACCEPTED;
    };
    for (const [index, to] of [A, B, A, B].entries()) await stage.accept({ id: `obx_${index}`, to });
    const line = await startScriptedLine(stage, { clock, script: { send } });
    await passUntil(clock, () => at.length === 4, 'all hand-overs', 10);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(1_000);
      expect(gap).toBeLessThan(2_000);
    }
    expect(line.handedOver.map((command) => command.reference)).toEqual(['obx_0', 'obx_1', 'obx_2', 'obx_3']);
    await line.stop();
    await stage.close();
  });
});

function isDone(work: Promise<unknown>): () => boolean {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  return () => done;
}
