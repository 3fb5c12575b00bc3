/** Starts `kill-target.ts` and holds the handles by which a test kills, freezes and commands it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Order, Said } from './kill-target.ts';

/** The same in every process of a test's installation. */
const SECRET_KEY = 'c2VjcmV0IGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU=';
const UNLIMITED = '1000000000';

const TARGET = join(import.meta.dirname, 'kill-target.ts');
const READY_WITHIN_MS = 30_000;
const STAYS_WITHIN_MS = 10_000;
const LAST_WORDS_MAX = 4_000;

export interface ServerProcess {
  readonly address: string;
  /** The name under which it holds its leases. */
  readonly holder: string;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  isAlive(): boolean;
  order(order: Order): void;
  /** Resolves when something stays where the order `stay_at` said. */
  stays(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** The end of what it wrote, for the message of a test that fails. */
  lastWords(): string;
}

export interface ServerProcessOptions {
  /** The settings, and whatever else the process is to find in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Modules that Node loads before the server. */
  readonly imports?: readonly string[];
  /** The order that holds from the start. */
  readonly firstOrder?: Order;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Resolves when the server answers requests. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const settings = {
    TRUNKLINE_PORT: '0',
    TRUNKLINE_LOG_LEVEL: 'warn',
    TRUNKLINE_SECRET_KEY: SECRET_KEY,
    TRUNKLINE_RATE_LIMIT_PER_HOUR: UNLIMITED,
    ...options.environment,
  };
  const order = options.firstOrder === undefined ? {} : { FIRST_ORDER: JSON.stringify(options.firstOrder) };
  const child = fork(TARGET, [], {
    env: { PATH: process.env['PATH'], ...order, ...settings },
    execArgv: (options.imports ?? []).map((file) => `--import=${file}`),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  let words = '';
  const listen = (chunk: Buffer): void => {
    words = (words + chunk.toString('utf8')).slice(-LAST_WORDS_MAX);
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => running.delete(child));
  const isAlive = () => child.exitCode === null && child.signalCode === null;

  const ready = await saidWithin(child, ended, 'ready', READY_WITHIN_MS).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`The server did not start. Its last words:\n${words}`, { cause: error });
  });
  return {
    address: ready.address,
    holder: ready.holder,
    ended,
    isAlive,
    // One that is just dying takes no orders.
    order: (order) => void child.send(order, () => undefined),
    stays: async () => void (await saidWithin(child, ended, 'stays', STAYS_WITHIN_MS)),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    lastWords: () => words,
  };
}

function saidWithin<Kind extends Said['kind']>(
  child: ChildProcess,
  ended: Promise<void>,
  kind: Kind,
  ms: number,
): Promise<Extract<Said, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`It did not say "${kind}" within ${ms / 1000} s.`)), ms);
    const onMessage = (said: Said): void => {
      if (!isKind(said, kind)) return;
      clearTimeout(timer);
      child.off('message', onMessage);
      resolve(said);
    };
    child.on('message', onMessage);
    void ended.then(() => {
      clearTimeout(timer);
      reject(new Error(`The process ended before it said "${kind}".`));
    });
  });
}

function isKind<Kind extends Said['kind']>(said: Said, kind: Kind): said is Extract<Said, { kind: Kind }> {
  return said.kind === kind;
}
