import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;

/** Rejects when it has not come to this within the time. */
export async function until(check: () => Promise<boolean> | boolean, ms: number, what: string): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Not within ${ms / 1000} s: ${what}.`);
    await sleep(POLL_MS);
  }
}
