/** What no server can go below: one write that is flushed to the disk, and one POST, one after the other, alone. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { Pool } from 'undici';
import { monotonicMs } from '../monotonic.ts';
import { createLatencies, type Percentiles } from '../percentiles.ts';

const BLOCK_BYTES = 4_096;
/** About what a delivery weighs. */
const BODY = JSON.stringify({ event: 'alone', data: { text: 'x'.repeat(560) } });

export interface FsyncAndPost {
  readonly file: string;
  readonly origin: string;
  readonly path: string;
  readonly times: number;
}

export async function runFsyncAndPost({ file, origin, path, times }: FsyncAndPost): Promise<Percentiles> {
  const latencies = createLatencies(times);
  const block = Buffer.alloc(BLOCK_BYTES, 'x');
  const handle = openSync(file, 'a');
  const pool = new Pool(origin, { connections: 1, pipelining: 1 });
  try {
    for (let index = 0; index < times; index++) {
      const startedAt = monotonicMs();
      writeSync(handle, block);
      fdatasyncSync(handle);
      const headers = { 'content-type': 'application/json' };
      const answer = await pool.request({ method: 'POST', path, headers, body: BODY });
      await answer.body.dump();
      latencies.add(monotonicMs() - startedAt);
    }
  } finally {
    closeSync(handle);
    await pool.close();
  }
  return latencies.percentiles();
}
