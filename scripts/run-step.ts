/** Runs one program of the repository for `check.ts`, `test.ts` and `soak.ts`. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

export interface StepResult {
  readonly ok: boolean;
  /** What the program wrote, stdout and stderr in the order they came; empty where it wrote to the terminal. */
  readonly output: string;
}

export interface StepOptions {
  /** The program writes to the terminal itself, as it goes. */
  readonly live?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a script with this very Node, whatever other one the PATH has, and puts it first for what the script starts. */
export function runNode(arguments_: readonly string[], options: StepOptions = {}): Promise<StepResult> {
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(process.execPath, arguments_, {
    cwd: ROOT,
    env: { ...process.env, PATH: path, ...options.environment },
    stdio: options.live === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ ok: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** The script behind a command that a package installs: `binOf('typescript', 'tsc')`. */
export function binOf(packageName: string, command: string): string {
  const manifest = findPackageJSON(packageName, import.meta.url);
  if (manifest === undefined) throw new Error(`The package ${packageName} is not installed. Run npm ci.`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]);
}

export function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
