/** Runs a program of macOS by its absolute path, within limits. Tests put programs of their own in the place of these. */
import { spawn } from 'node:child_process';

/** Of either stream; what comes after it is read and dropped. */
const OUTPUT_MAX_CHARACTERS = 100_000;

export interface ProgramLimits {
  readonly timeoutMs: number;
  /** What it finds on its stdin; nothing by default. */
  readonly input?: string;
}

export interface ProgramRun {
  /** `missing`: there is no such program here. */
  readonly end: 'exited' | 'timed_out' | 'missing';
  /** Null where it did not exit by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `command` is an absolute path: launchd's PATH has little in it. */
export type RunProgram = (command: string, args: readonly string[], limits: ProgramLimits) => Promise<ProgramRun>;

export const runProgram: RunProgram = (command, args, { timeoutMs, input = '' }) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(0, OUTPUT_MAX_CHARACTERS);
      });
    }
    // A program that ends before it has read everything says so by its exit code.
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ end: 'missing', code: null, stdout: '', stderr: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ end: isTimedOut ? 'timed_out' : 'exited', code: isTimedOut ? null : code, ...output });
    });
  });

/** Why a run tells nothing: for the sentences of findings. */
export function faultOf(command: string, { end, code, stderr }: ProgramRun): string {
  if (end === 'missing') return `${command} cannot be started here.`;
  if (end === 'timed_out') return `${command} did not end in time.`;
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return `${command} ended with ${code}${line === '' ? '.' : `: ${line}`}`;
}
