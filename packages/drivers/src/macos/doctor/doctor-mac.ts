/** The Mac as the checks see it. Everything that they touch is handed in, so that a test can be any Mac. */
import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, rm, statfs, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Finding } from './finding.ts';
import { type RunProgram, runProgram } from './run-program.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** The agent does nothing else meanwhile. */
const BUSY_WAIT_MS = 1_000;

export interface DoctorMac {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Where the agent keeps its journal, its lock and its socket. */
  readonly stateFolder: string;
  readonly uid: number;
  /** The program that runs this: to it the grants belong, where launchd started it. */
  readonly node: string;
  /** Whether the checks run inside the agent; a terminal has grants of its own. */
  readonly isAgent: boolean;
  /** This clock minus the server's; null where no connection has told. */
  readonly clockOffsetMs: number | null;
  readonly run: RunProgram;
  readonly files: DoctorFiles;
}

/** Each throws the error of the system or of SQLite where it may not. */
export interface DoctorFiles {
  /** Opens a file for reading, and closes it. */
  open(path: string): Promise<void>;
  list(folder: string): Promise<readonly string[]>;
  /** Makes the folder where it alone is missing, writes a file into it, and removes that file. */
  tryWriting(folder: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
  /** Where the links of a path lead. */
  realPath(path: string): Promise<string>;
  /** Opens it as a database as the reader does, and reads a row. */
  readDatabase(path: string): Promise<void>;
}

export type Check = (mac: DoctorMac) => Promise<Finding>;

export interface DoctorMacOptions {
  readonly home: string;
  readonly stateFolder: string;
  readonly isAgent: boolean;
  readonly clockOffsetMs: number | null;
}

/** The computer that this runs on. */
export function createDoctorMac(options: DoctorMacOptions): DoctorMac {
  const { platform, execPath } = process;
  return { ...options, platform, uid: userInfo().uid, node: execPath, run: runProgram, files: DOCTOR_FILES };
}

export const DOCTOR_FILES: DoctorFiles = {
  open: async (path) => {
    const file = await open(path, constants.O_RDONLY);
    await file.close();
  },
  list: (folder) => readdir(folder),
  tryWriting: async (folder) => {
    await makeFolder(folder);
    const probe = join(folder, `.doctor-${process.pid}`);
    await writeFile(probe, '', { mode: FILE_MODE });
    await rm(probe);
  },
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  realPath: (path) => realpath(path),
  readDatabase: async (path) => {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS });
    try {
      database.prepare('SELECT max(ROWID) FROM message').get();
    } finally {
      database.close();
    }
  },
};

/** Not those above it: they are Messages' own. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
