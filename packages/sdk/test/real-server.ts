/** The real server in a process of its own, on the simulator, in an empty folder; it can be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export const KEY = 'sk_live_SdkTests0123456789abcdefghijklmnopqrstu';
export const LINE = '+15550100001';
/** The phone that has written to the line already. */
export const PHONE = '+15550109999';

const ONE_STREAM = /^trunkline_event_streams_open 1$/m;
const MAIN = join(import.meta.dirname, '../../server/src/main.ts');

export interface RealServer {
  readonly url: string;
  /** Resolves when one event stream is open: what happens from then on is told on it. */
  streamIsOpen(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  startAgain(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Resolves when the server answers requests. */
export async function startRealServer(settings: Readonly<Record<string, string>> = {}): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-sdk-'));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    TRUNKLINE_DATA_DIR: folder,
    TRUNKLINE_BOOTSTRAP_API_KEY: KEY,
    TRUNKLINE_LOG_LEVEL: 'warn',
    TRUNKLINE_RATE_LIMIT_PER_HOUR: '1000000000',
    TRUNKLINE_METRICS: 'on',
    ...settings,
  };
  let { child, url } = await start({ ...environment, TRUNKLINE_PORT: '0' });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url,
    async streamIsOpen() {
      while (!ONE_STREAM.test(await (await fetch(`${url}/metrics`)).text())) await sleep(10);
    },
    kill,
    async startAgain() {
      ({ child, url } = await start({ ...environment, TRUNKLINE_PORT: new URL(url).port }));
    },
    async remove() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(environment: Readonly<Record<string, string>>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-4_000);
  });
  for await (const line of createInterface(child.stdout)) {
    const url = /^Trunkline listens on (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return { child, url };
  }
  throw new Error(`The server did not start. Its last words:\n${words}`);
}
