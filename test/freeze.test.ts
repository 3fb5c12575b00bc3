/** Two processes share a PostgreSQL. One of them is frozen past its lease and continued, or killed outright. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEASE_MS } from '../packages/server/src/leases/held-lease.ts';
import { numberFrom } from './oracle.ts';
import { openScene, type Scene } from './scene.ts';
import type { ServerProcess } from './server-process.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { createWorld } from './world.ts';

/** Beyond the lease: how often a neighbour asks for the line, and starting its driver. */
const TAKEN_OVER_WITHIN_MS = LEASE_MS + 5_000;
const LOAD_BEFORE_MS = 500;
const LOAD_AFTER_MS = 1_500;
const POLL_MS = 50;

describe('two processes on one PostgreSQL', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene(await createWorld('postgres'), { processes: 2, pauseMs: 150 });
  });
  afterAll(() => scene.end());

  it('send nothing twice and lose nothing when the owner of the line is frozen past its lease and continued', async () => {
    const frozen = await ownerOf(scene);
    scene.load.start();
    await sleep(LOAD_BEFORE_MS);
    // It freezes with claimed items in hand, behind the commit that made them `sending` and before the last look.
    frozen.order({ kind: 'stay_at', failpoint: 'hand_over.before' });
    await frozen.stays();
    frozen.freeze();
    const acceptedBefore = scene.load.accepted.size;

    const tookMs = await takenOverFrom(scene, frozen);
    await sleep(LOAD_AFTER_MS);
    expect(scene.load.accepted.size).toBeGreaterThan(acceptedBefore);
    const sentByNeighbour = await sentItems(scene);

    frozen.thaw();
    frozen.order({ kind: 'go_on' });
    await sleep(LOAD_AFTER_MS);
    expect(frozen.isAlive(), frozen.lastWords()).toBe(true);
    expect(await scene.owner()).not.toBe(frozen);
    const verdict = await scene.judge();
    console.log(figures(`frozen past its lease, taken over after ${(tookMs / 1000).toFixed(1)} s`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(await sentItems(scene)).toBeGreaterThan(sentByNeighbour);
    expect(await scene.world.inspect()).toEqual([]);
  });

  it('do the work of one that was killed within its lease and five seconds', async () => {
    const killed = await ownerOf(scene);
    scene.load.start();
    await sleep(LOAD_BEFORE_MS);
    await killed.kill();
    const tookMs = await takenOverFrom(scene, killed);
    const verdict = await scene.judge();
    console.log(figures(`killed outright, taken over after ${(tookMs / 1000).toFixed(1)} s`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(await scene.world.inspect()).toEqual([]);
  });
});

async function ownerOf(scene: Scene): Promise<ServerProcess> {
  const owner = await scene.owner();
  if (owner === null) throw new Error('Nobody runs the line.');
  return owner;
}

/** Resolves when another process has the line and sends on it. Gives the milliseconds that it took. */
async function takenOverFrom(scene: Scene, former: ServerProcess): Promise<number> {
  const since = performance.now();
  const sentBefore = await sentItems(scene);
  for (;;) {
    const owner = await scene.owner();
    const tookMs = performance.now() - since;
    if (owner !== null && owner !== former && (await sentItems(scene)) > sentBefore) return tookMs;
    if (tookMs > TAKEN_OVER_WITHIN_MS) throw new Error(`Nobody took the line over within ${TAKEN_OVER_WITHIN_MS} ms.`);
    await sleep(POLL_MS);
  }
}

function sentItems(scene: Scene): Promise<number> {
  return numberFrom(scene.world.oracle.store, "select count(*) as n from outbox where state = 'sent'");
}
