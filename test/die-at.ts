/** A kill at a named place instead of a random moment. */
import type { Failpoint } from '../packages/server/src/index.ts';
import type { Scene } from './scene.ts';

const REACHED_WITHIN_MS = 20_000;

/** Which process gets there `nth` times is for the load to decide: the first one dies, and the others go on. */
export async function dieAt(scene: Scene, failpoint: Failpoint, nth: number): Promise<void> {
  const running = scene.alive();
  for (const one of running) one.order({ kind: 'die_at', failpoint, nth });
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new Error(`Nothing got to ${failpoint} ${nth} times.`));
  const timer = setTimeout(giveUp, REACHED_WITHIN_MS);
  await Promise.race([...running.map((one) => one.ended), tooLate]).finally(() => clearTimeout(timer));
  for (const one of scene.alive()) one.order({ kind: 'go_on' });
}
