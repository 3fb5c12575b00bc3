/** The processes that a run starts. Each is ended by its id when it is done with, or when the run ends for any reason. */
import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { monotonicMs } from './monotonic.ts';

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 30_000;
const ERRORS_KEPT_CHARACTERS = 4_000;

const running = new Set<ChildProcess>();
const cleanUps: (() => Promise<void>)[] = [];

/** A server that has said where it listens. */
export interface Program {
  readonly pid: number;
  readonly origin: string;
  /** From its start to its first line of output. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Starts a server in Node and waits for the first line of its output, which names its address. */
export async function startProgram(
  nodeArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const startedAt = monotonicMs();
  const child = track(spawn(process.execPath, nodeArguments, spawnOptions(environment)));
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-ERRORS_KEPT_CHARACTERS);
  });
  const line = await firstLine(child, () => errors);
  const readyMs = monotonicMs() - startedAt;
  const origin = /http:\/\/[\w.:[\]-]+/.exec(line)?.[0];
  if (origin === undefined || child.pid === undefined) throw new Error(`A server began with this line: ${line}`);
  return { pid: child.pid, origin, readyMs, stop: () => stopChild(child) };
}

/** Runs Node to its end and gives how long that took. */
export async function timeNode(nodeArguments: readonly string[]): Promise<number> {
  const startedAt = monotonicMs();
  await once(track(spawn(process.execPath, nodeArguments, spawnOptions({}))), 'exit');
  return monotonicMs() - startedAt;
}

/** Starts a script that answers calls (`calls.ts`). */
export function forkProgram(script: string): { readonly child: ChildProcess; stop(): Promise<void> } {
  const child = track(fork(script, [], { serialization: 'advanced' }));
  return { child, stop: () => stopChild(child) };
}

/** Registers what must happen when the run ends, also when it is interrupted. The last one registered comes first. */
export function whenEnded(cleanUp: () => Promise<void>): void {
  cleanUps.unshift(cleanUp);
}

/**
 * Does the work of a run. However it ends, by itself, by an error or by an interrupt, every process that still runs is
 * ended first and what was registered is done after that.
 */
export async function runToEnd(work: () => Promise<void>): Promise<void> {
  let ending: Promise<void> | null = null;
  let isInterrupted = false;
  const end = () => {
    ending ??= endAll();
    return ending;
  };
  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const, ['SIGHUP', 129] as const]) {
    process.once(signal, () => {
      isInterrupted = true;
      const exit = () => process.exit(code);
      end().then(exit, exit);
    });
  }
  // The last resort, where nothing can be waited for.
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  try {
    await work();
  } catch (error) {
    // What was interrupted fails because its processes are gone.
    if (!isInterrupted) throw error;
  } finally {
    await end();
  }
}

async function endAll(): Promise<void> {
  await Promise.all([...running].map(stopChild));
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
}

/** Settings of the product that happen to be in the environment must not reach what is measured. */
function spawnOptions(environment: Readonly<Record<string, string>>): SpawnOptions {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TRUNKLINE_'));
  return {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  };
}

function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function firstLine(child: ChildProcess, errors: () => string): Promise<string> {
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`A server was not ready in time. ${errors()}`)), READY_WITHIN_MS);
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    const end = text.indexOf('\n');
    if (end >= 0) resolve(text.slice(0, end));
  });
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`A server ended with code ${code}. ${errors()}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}
