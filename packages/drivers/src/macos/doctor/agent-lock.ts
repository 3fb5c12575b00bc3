/**
 * One agent for each state folder. The lock is the system's own on an SQLite file, so that it ends with the process that
 * holds it, however that ends.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const LOCK = 'agent.lock';
/** A connection that nothing refers to would be closed, and its lock would go, as soon as memory is cleared up. */
const HELD = new Set<Database.Database>();

export interface AgentLock {
  release(): void;
}

/** Null where another agent has it. The folder must exist. */
export function takeAgentLock(stateFolder: string): AgentLock | null {
  const database = new Database(join(stateFolder, LOCK), { timeout: 0 });
  try {
    database.pragma('locking_mode = exclusive');
    database.exec('begin exclusive');
    HELD.add(database);
    return { release: () => release(database) };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
}

function release(database: Database.Database): void {
  HELD.delete(database);
  database.close();
}

/** Whether some process is the agent of this folder. */
export function isLockHeld(stateFolder: string): boolean {
  if (!existsSync(join(stateFolder, LOCK))) return false;
  const lock = takeAgentLock(stateFolder);
  lock?.release();
  return lock === null;
}
