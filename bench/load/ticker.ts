/** A thread that tells its parent when each request is due: timers of the event loop come up to two milliseconds late. */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../monotonic.ts';

/** When to send, by the monotonic clock. */
export interface Schedule {
  readonly firstAt: number;
  readonly everyMs: number;
  readonly count: number;
}

const schedule = workerData as Schedule;
const never = new Int32Array(new SharedArrayBuffer(4));
for (let index = 0; index < schedule.count; index++) {
  const dueAt = schedule.firstAt + index * schedule.everyMs;
  const wait = dueAt - monotonicMs();
  if (wait > 0) Atomics.wait(never, 0, 0, wait);
  parentPort?.postMessage(dueAt);
}
