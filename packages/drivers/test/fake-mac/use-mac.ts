/** Fake Macs for a test file: each test starts what it needs, and all is put away after it. */
import { execFile } from 'node:child_process';
import Database from 'better-sqlite3';
import { afterEach } from 'vitest';
import type { Row } from './chat-db.ts';
import type { Generation } from './generations.ts';
import { type FakeMac, startFakeMac } from './mac.ts';

export interface Macs {
  start(generation?: Generation): Promise<FakeMac>;
  /** Stays open until the test ends, as a driver's does: in another process than the writer's, able to read only. */
  openReader(mac: FakeMac): Database.Database;
  /** Looks once, at the file that is there now. */
  read(mac: FakeMac, sql: string, ...values: readonly string[]): Row[];
}

export interface Ran {
  /** The exit code; `ABORT_ERR` where it was killed. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a reader waits for a lock. */
const BUSY_MS = 50;

export function useMacs(): Macs {
  const macs: FakeMac[] = [];
  const readers: Database.Database[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    for (const mac of macs.splice(0)) await mac.close();
  });
  const openReader = (mac: FakeMac): Database.Database => {
    const reader = new Database(mac.chatDb, { readonly: true, timeout: BUSY_MS });
    readers.push(reader);
    return reader;
  };
  return {
    start: async (generation = 'golden') => {
      const mac = await startFakeMac({ generation });
      macs.push(mac);
      return mac;
    },
    openReader,
    read: (mac, sql, ...values) => {
      const reader = openReader(mac);
      try {
        return reader.prepare<string[], Row>(sql).all(...values);
      } finally {
        reader.close();
      }
    },
  };
}

export function runProgram(command: readonly string[], input = '', killed?: AbortSignal): Promise<Ran> {
  const [file = '', ...argv] = command;
  return new Promise((resolve) => {
    const options = { ...(killed && { signal: killed }), killSignal: 'SIGKILL' } as const;
    const child = execFile(file, argv, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
