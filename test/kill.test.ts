/** The server is killed under load, again and again, and nobody loses or doubles a message by it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { countFrom } from './counts.ts';
import { openScene, type Scene } from './scene.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { createWorld } from './world.ts';

const KILLS = countFrom('SOAK_KILLS');
/** A process is killed at most this long after all were up and a send and a text were answered, in milliseconds. */
const LATEST_MS = 220;
/** On PostgreSQL two processes with all roles share the work, and either is killed; the other works on meanwhile. */
const SCENES = { sqlite: { processes: 1 }, postgres: { processes: 2, pauseMs: 80 } } as const;

describe.each(['sqlite', 'postgres'] as const)('SIGKILL at any moment on %s', (engine) => {
  let scene: Scene | null = null;

  afterEach(async () => {
    await scene?.end();
    scene = null;
  });

  it('loses nothing that was acknowledged and sends nothing twice', async () => {
    scene = await openScene(await createWorld(engine), SCENES[engine]);
    scene.load.start();
    for (let kill = 0; kill < KILLS; kill++) {
      await scene.raise();
      await scene.load.progress();
      await sleep(Math.random() * LATEST_MS);
      const running = scene.alive();
      await running[Math.floor(Math.random() * running.length)]?.kill();
      await scene.bury();
    }
    await scene.raise(1);
    await scene.load.progress();
    const verdict = await scene.judge();
    console.log(figures(`${engine}, ${KILLS} kills`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(verdict.accepted).toBeGreaterThan(KILLS);
    expect(verdict.heard).toBeGreaterThan(KILLS);
  });
});
