/** The real command in a process of its own, with a home folder that is nobody's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BIN = join(import.meta.dirname, '../bin/trunkline.js');
const ENDS_WITHIN_MS = 30_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  stdout(): string;
  stderr(): string;
}

/** Where commands find their profiles, and what they find in their environment besides. */
export interface User {
  readonly folder: string;
  readonly configFile: string;
  readonly environment: Record<string, string>;
  remove(): Promise<void>;
}

export async function createUser(environment: Readonly<Record<string, string>> = {}): Promise<User> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-cli-'));
  return {
    folder,
    configFile: join(folder, '.config/trunkline/config.json'),
    environment: { HOME: folder, TZ: 'UTC', PATH: process.env['PATH'] ?? '', ...environment },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function startTrunkline(user: User, words: readonly string[], nodeWords: readonly string[] = []): Running {
  const child = spawn(process.execPath, [...nodeWords, BIN, ...words], { env: user.environment, cwd: user.folder });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS * 10);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, ...output });
    });
  });
  return { child, ended, stdout: () => output.stdout, stderr: () => output.stderr };
}

/** Runs the command to its end. */
export async function runTrunkline(user: User, words: readonly string[], input = ''): Promise<Ran> {
  const one = startTrunkline(user, words);
  const timer = setTimeout(() => one.child.kill('SIGKILL'), ENDS_WITHIN_MS);
  one.child.stdin?.on('error', () => undefined).end(input);
  return one.ended.finally(() => clearTimeout(timer));
}

/** The objects of an output with one on each line. */
export function linesOf(text: string): Record<string, unknown>[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
