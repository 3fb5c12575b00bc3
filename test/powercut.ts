/** Builds `powercut.c`, the model of a power cut, and says how a process is started under it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LeftOut, recordLeftOut } from './left-out.ts';

const COMPILERS = ['cc', 'gcc', 'clang'];
const COMPILE_TIMEOUT_MS = 60_000;

export interface WatchedFiles {
  /** The absolute path with which every watched file begins. */
  readonly prefix: string;
  /** An existing, empty folder: after a kill it holds what a power cut would have left. */
  readonly mirror: string;
  /** How many in a hundred writes reach the disk before anybody asks for it; 0 unless said. */
  readonly earlyPercent?: number;
  /** While this file exists, the disk is full. */
  readonly full?: string;
  /** When this file exists, the next sync fails, once. */
  readonly unsynced?: string;
}

export interface PowerCut {
  /** To be added to the environment of the process under test. */
  environment(files: WatchedFiles): Record<string, string>;
  remove(): void;
}

/** Null where nothing can be compiled or preloaded; `npm test` then says at its end that `part` was left out. */
export function buildPowerCut(part: string, compilers: readonly string[] = COMPILERS): PowerCut | null {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-powercut-'));
  const library = join(folder, 'powercut.so');
  const built = compile(library, compilers);
  if (built !== true) {
    rmSync(folder, { recursive: true });
    recordLeftOut(part, built.reason);
    return null;
  }
  return {
    environment: ({ prefix, mirror, earlyPercent = 0, full, unsynced }) => ({
      LD_PRELOAD: library,
      PL_PREFIX: prefix,
      PL_MIRROR: mirror,
      PL_EARLY: String(earlyPercent),
      ...(full === undefined ? {} : { PL_FULL: full }),
      ...(unsynced === undefined ? {} : { PL_UNSYNCED: unsynced }),
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function compile(library: string, compilers: readonly string[]): true | Pick<LeftOut, 'reason'> {
  if (process.platform !== 'linux') return { reason: 'it needs Linux' };
  const source = join(import.meta.dirname, 'powercut.c');
  for (const compiler of compilers) {
    const arguments_ = ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl'];
    const result = spawnSync(compiler, arguments_, { encoding: 'utf8', timeout: COMPILE_TIMEOUT_MS });
    if (result.error !== undefined && 'code' in result.error && result.error.code === 'ENOENT') continue;
    if (result.status === 0) return true;
    // A compiler without the C library's headers is a machine without a compiler; anything else is our mistake.
    if (/stdio\.h|dlfcn\.h|cannot find/.test(result.stderr)) continue;
    throw new Error(`${compiler} refused powercut.c:\n${result.stderr}${result.error ?? ''}`);
  }
  return { reason: 'no C compiler: install gcc and libc6-dev' };
}
