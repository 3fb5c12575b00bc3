/** Starts the product in an empty place and counts the files that it has loaded when it is ready. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
const MAIN = join(ROOT, 'packages/server/src/main.ts');
const PROBE = join(import.meta.dirname, 'module-probe.ts');

export interface LoadedModules {
  /** Paths below the repository. */
  readonly own: readonly string[];
  readonly ofPackages: readonly string[];
}

export async function countLoadedModules(): Promise<LoadedModules> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const child = fork(MAIN, [], {
    execArgv: [`--import=${PROBE}`],
    env: { ...withoutSettings(), TRUNKLINE_DATA_DIR: folder, TRUNKLINE_PORT: '0', TRUNKLINE_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  try {
    if (!child.stdout) throw new Error('The server has no output to read.');
    // Its first line says where it listens.
    await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(failEarly)]);
    child.send('loaded');
    const [urls]: unknown[] = await once(child, 'message');
    const paths = Array.isArray(urls) ? urls.map((url) => fileURLToPath(String(url)).slice(ROOT.length + 1)) : [];
    const files = paths.filter((path) => path !== 'test/module-probe.ts');
    return {
      own: files.filter((path) => !path.startsWith('node_modules/')),
      ofPackages: files.filter((path) => path.startsWith('node_modules/')),
    };
  } finally {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Counts by package, and of our own files by folder. */
export function countByPlace({ own, ofPackages }: LoadedModules): Map<string, number> {
  const places = [
    ...own.map((path) => path.split('/').slice(0, -1).join('/')),
    ...ofPackages.map((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path),
  ];
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}

function withoutSettings(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(TRUNKLINE_|NODE_OPTIONS$|VITEST)/.test(name) ? [] : [[name, value]],
    ),
  );
}

function failEarly(): never {
  throw new Error('The server ended before it was ready.');
}
