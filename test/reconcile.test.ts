/** What was on the air when the process was killed: the line is asked about it, and it is not sent again meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { dieAt } from './die-at.ts';
import { airCounts, ledger } from './oracle.ts';
import { openScene, type Scene } from './scene.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { createWorld } from './world.ts';

/** Enough hand-overs that some are on the air and some are not. */
const DIES_AT = 5;
/** Of the first forty sends one goes to the phone that refuses it, and is handed over without being on the air. */
const REFUSED = 1;
const ASKED_WITHIN_MS = 20_000;
const POLL_MS = 20;

describe.each(['sqlite', 'postgres'] as const)('after a crash between hand-over and echo on %s', (engine) => {
  let scene: Scene | null = null;

  afterEach(async () => {
    await scene?.end();
    scene = null;
  });

  it('the line is asked, and nothing on the air is sent again, however late its echo is', async () => {
    scene = await openScene(await createWorld(engine), { processes: 1 });
    scene.load.start();
    await dieAt(scene, 'hand_over.after', DIES_AT + REFUSED);
    await scene.load.stop();
    await scene.bury();
    const onAirAtDeath = await airCounts(scene.world.oracle.wire);
    expect(onAirAtDeath.size).toBeGreaterThanOrEqual(DIES_AT);

    // From its start on, the next process hears no echo.
    await scene.raise(1, { kind: 'stay_at', failpoint: 'echo.before_commit' });
    const states = await whenAsked(scene);
    const onAir = await airCounts(scene.world.oracle.wire);
    expect([...onAir].filter(([, times]) => times !== 1)).toEqual([]);
    const waiting = [...states].filter(([, { state }]) => state === 'handed_over');
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.filter(([id]) => !onAir.has(id))).toEqual([]);

    for (const one of scene.alive()) one.order({ kind: 'go_on' });
    const verdict = await scene.judge();
    console.log(figures(`${engine}, ${onAirAtDeath.size} on the air at the kill`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
  });
});

/** Every item, once each of them has either ended or waits for its echo. */
async function whenAsked(scene: Scene): ReturnType<typeof ledger> {
  const deadline = performance.now() + ASKED_WITHIN_MS;
  for (;;) {
    const items = await ledger(scene.world.oracle.store);
    const open = [...items.values()].filter(({ state }) => state === 'pending' || state === 'sending');
    if (open.length === 0) return items;
    if (performance.now() > deadline) throw new Error(`${open.length} items have not been asked about or sent.`);
    await sleep(POLL_MS);
  }
}
