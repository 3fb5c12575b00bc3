/** An open loop: texts from simulated phones at a fixed rate, each stamped with the moment at which it was due. */
import { Worker } from 'node:worker_threads';
import { Pool } from 'undici';
import { monotonicMs } from '../monotonic.ts';
import { createLatencies, type Percentiles } from '../percentiles.ts';
import { postText } from './post-text.ts';
import { stampText } from './stamp.ts';

const CONNECTIONS = 128;
const START_IN_MS = 200;
const TICKER = `${import.meta.dirname}/ticker.ts`;

export interface OpenLoop {
  readonly origin: string;
  readonly key: string;
  readonly line: string;
  readonly phones: readonly string[];
  readonly perSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface OpenLoaded {
  /** How many stamped texts the server took. */
  readonly texts: number;
  /** How late the texts left: part of what is measured, though not of the server's making. */
  readonly lateness: Percentiles;
}

export async function runOpenLoop(loop: OpenLoop): Promise<OpenLoaded> {
  const everyMs = 1_000 / loop.perSecond;
  const count = Math.round((loop.warmUpSeconds + loop.seconds) * loop.perSecond);
  const firstAt = monotonicMs() + START_IN_MS;
  const measureFrom = firstAt + loop.warmUpSeconds * 1_000;
  const pool = new Pool(loop.origin, { connections: CONNECTIONS, pipelining: 1 });
  const lateness = createLatencies(count);
  const sending: Promise<void>[] = [];
  const send = async (dueAt: number, from: string): Promise<void> => {
    const isStamped = dueAt >= measureFrom;
    const text = isStamped ? stampText(dueAt) : 'A text to warm up with.';
    if (isStamped) lateness.add(monotonicMs() - dueAt);
    await postText(pool, loop, from, text);
  };
  const { promise: ticked, resolve, reject } = Promise.withResolvers<void>();
  const ticker = new Worker(TICKER, { workerData: { firstAt, everyMs, count } });
  ticker.on('message', (dueAt: number) => {
    const from = loop.phones[sending.length % loop.phones.length] ?? '';
    sending.push(send(dueAt, from));
  });
  ticker.once('error', reject);
  ticker.once('exit', () => resolve());
  try {
    await ticked;
    await Promise.all(sending);
  } finally {
    await pool.close();
  }
  const percentiles = lateness.percentiles();
  return { texts: percentiles.count, lateness: percentiles };
}
