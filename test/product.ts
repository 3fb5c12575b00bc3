/** The product as an operator starts it: `main.ts` as a process of its own, with its signals, its words and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../packages/server/src/main.ts');
/** A load is no client that the limit is for. */
const UNLIMITED = '1000000';
const LISTENS_WITHIN_MS = 30_000;
const LISTENS = /Trunkline listens on (\S+)/;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the start of the process. */
  readonly afterMs: number;
}

export interface Product {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Resolves with the address when it listens; rejects when it ends instead. */
  readonly listens: Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** What it wrote to standard error. */
  errors(): string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function startProduct(environment: Readonly<Record<string, string>>): Product {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'],
      TRUNKLINE_PORT: '0',
      TRUNKLINE_LOG_LEVEL: 'silent',
      TRUNKLINE_RATE_LIMIT_PER_HOUR: UNLIMITED,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let words = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, afterMs: performance.now() - startedAt });
    });
  });
  const listens = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`It did not listen: ${errors}`)), LISTENS_WITHIN_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      words += chunk.toString('utf8');
      const address = LISTENS.exec(words)?.[1];
      if (address !== undefined) resolve(address);
    });
    void ended.then(({ code }) => reject(new Error(`It ended with ${code} before it listened: ${errors}`)));
    void ended.finally(() => clearTimeout(timer));
  });
  // Whoever waits for the end alone does not ask for the address.
  listens.catch(() => undefined);
  return { pid: child.pid ?? 0, ended, listens, kill: (signal) => void child.kill(signal), errors: () => errors };
}
