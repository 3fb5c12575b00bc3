/** The server is killed at every arrow of the two walks, and nobody loses or doubles a message by it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILPOINTS, type Failpoint } from '../packages/server/src/index.ts';
import { countFrom } from './counts.ts';
import { dieAt } from './die-at.ts';
import { openScene, type Scene } from './scene.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { createWorld } from './world.ts';

/** For each point, of the kills at random moments so many in a hundred. */
const SCENES = {
  sqlite: { processes: 1, share: 20 },
  postgres: { processes: 2, share: 10, pauseMs: 100 },
} as const;

/** What a kill there leaves behind, and the latest of the passages at which it is made. */
const KILL_POINTS: Readonly<Record<Failpoint, { readonly leaves: string; readonly nthMax: number }>> = {
  'accept.before_commit': { leaves: 'a send that nobody was told of', nthMax: 20 },
  'accept.committed': { leaves: 'an item whose client has no answer', nthMax: 20 },
  'fetch.before_commit': { leaves: 'a file in the spool whose item waits for it', nthMax: 5 },
  'fetch.committed': { leaves: 'a file in the spool that its item has', nthMax: 5 },
  'claim.committed': { leaves: 'items that are `sending` and were not handed over', nthMax: 10 },
  'hand_over.before': { leaves: 'an item that is `sending` beside others that went out', nthMax: 20 },
  'hand_over.after': { leaves: 'a message on the air whose item is `sending`', nthMax: 20 },
  'echo.before_commit': { leaves: 'echoes and texts that were seen and not stored', nthMax: 10 },
  'echo.committed': { leaves: "a report that is stored and that the driver's cursor may not know of", nthMax: 10 },
  'settle.before_commit': { leaves: 'an outcome that was learnt and not written', nthMax: 3 },
  'delivery.before_post': { leaves: 'an event that was not posted', nthMax: 20 },
  'delivery.answered': { leaves: 'an event that the receiver has and the server does not know of', nthMax: 20 },
  'delivery.recorded': { leaves: 'a delivery that is done', nthMax: 20 },
};

it('there is a kill at every failpoint', () => {
  expect(Object.keys(KILL_POINTS)).toEqual([...FAILPOINTS]);
});

describe.each(['sqlite', 'postgres'] as const)('SIGKILL at a failpoint on %s', (engine) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await openScene(await createWorld(engine), SCENES[engine]);
  });
  afterAll(() => scene.end());

  it.each(Object.entries(KILL_POINTS))('%s loses nothing and doubles nothing', async (name, { nthMax }) => {
    const kills = Math.ceil((countFrom('SOAK_KILLS') * SCENES[engine].share) / 100);
    scene.load.start();
    for (let kill = 0; kill < kills; kill++) {
      await scene.raise();
      await dieAt(scene, failpointNamed(name), 1 + Math.floor(Math.random() * nthMax));
      await scene.bury();
    }
    await scene.raise(1);
    const verdict = await scene.judge();
    console.log(figures(`${engine}, ${kills} at ${name}`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
  });
});

function failpointNamed(name: string): Failpoint {
  const found = FAILPOINTS.find((one) => one === name);
  if (found === undefined) throw new Error(`There is no failpoint ${name}.`);
  return found;
}
