/** Runs one fixed script, with its data as arguments, and says how far it came. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { RESOLVE_ERROR } from './scripts.ts';

export type ScriptOutcome =
  | { readonly state: 'done'; readonly output: string }
  /** Nothing was sent: no script ran, or its look-up failed. */
  | { readonly state: 'not_sent'; readonly error: number | null; readonly message: string }
  /** It failed at `send`, or nobody knows where. */
  | { readonly state: 'broken'; readonly error: number | null }
  /** It was ended by force. */
  | { readonly state: 'killed' };

export interface Script {
  readonly source: string;
  readonly argv: readonly string[];
  /** When it is ended by force. */
  readonly limitMs: number;
}

/** Runs scripts by the command it was made with. */
export type RunScript = (script: Script) => Promise<ScriptOutcome>;

/** What a script prints beyond it is not read. Bytes. */
const OUTPUT_MAX = 65_536;

/** Errors of the compiler: the script never ran. */
const COMPILE_ERRORS: readonly number[] = [-2740, -2741];
/** osascript itself found nothing to run scripts with. */
const NO_COMPONENT = /default scripting component/i;

/** `command` stands for `/usr/bin/osascript`. */
export function createScriptRunner(command: readonly string[]): RunScript {
  const [file = '', ...before] = command;
  return ({ source, argv, limitMs }) => {
    // An argument ends at a NUL, and nothing may be sent that is not the whole.
    if (argv.some((one) => one.includes('\0'))) {
      return Promise.resolve({ state: 'not_sent', error: null, message: 'A NUL character cannot be sent.' });
    }
    return new Promise((resolve) => {
      const child = spawn(file, [...before, '-', ...argv], { stdio: 'pipe' });
      const printed = { stdout: '', stderr: '' };
      const state = { isKilled: false, hasStarted: false };
      const timer = setTimeout(() => {
        state.isKilled = true;
        child.kill('SIGKILL');
      }, limitMs);
      child.on('spawn', () => {
        state.hasStarted = true;
      });
      // One that could not be started tells it here, and never closes.
      child.on('error', (error) => {
        if (state.hasStarted) return;
        clearTimeout(timer);
        resolve({ state: 'not_sent', error: null, message: `osascript could not be started: ${error.message}` });
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        if (!state.hasStarted) return;
        resolve(state.isKilled ? { state: 'killed' } : readOutcome(code, printed));
      });
      readAndTell(child, source, printed);
    });
  };
}

/** A process that the system had no room for has no streams, whatever their type says. */
function readAndTell(
  { stdin, stdout, stderr }: Partial<Pick<ChildProcessWithoutNullStreams, 'stdin' | 'stdout' | 'stderr'>>,
  source: string,
  printed: { stdout: string; stderr: string },
): void {
  const streams = { stdout, stderr };
  for (const name of ['stdout', 'stderr'] as const) {
    streams[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      printed[name] = (printed[name] + chunk).slice(0, OUTPUT_MAX);
    });
  }
  // A script that has ended before it was read through: its outcome says why.
  stdin?.on('error', () => stdin.destroy());
  stdin?.end(source);
}

/** The words of an error are localised; what counts are the number at its end and our own mark. */
export function readOutcome(
  code: number | null,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): ScriptOutcome {
  if (code === 0) return { state: 'done', output: stdout.replace(/\r?\n$/, '') };
  const number = lastNumber(stderr);
  if (number === RESOLVE_ERROR) {
    const [, inner] = /RESOLVE (-?\d+): /.exec(stderr) ?? [];
    return notSent(inner === undefined ? null : Number(inner));
  }
  if (number !== null && COMPILE_ERRORS.includes(number)) return notSent(number);
  if (number === null && NO_COMPONENT.test(stderr)) {
    return {
      state: 'not_sent',
      error: null,
      message: 'osascript cannot run scripts here: it needs a logged-in session of the user.',
    };
  }
  return { state: 'broken', error: number };
}

function notSent(error: number | null): ScriptOutcome {
  return { state: 'not_sent', error, message: `Messages reported error ${error ?? 'without a number'}.` };
}

function lastNumber(stderr: string): number | null {
  const [, number] = /\((-?\d+)\)\s*$/.exec(stderr) ?? [];
  return number === undefined ? null : Number(number);
}
