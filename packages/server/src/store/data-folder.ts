/** The data folder: private to its owner, and used by one process at a time. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const PRIVATE = 0o700;

export interface DataFolder {
  readonly path: string;
  file(name: string): string;
}

/** Throws a sentence where the folder cannot be made or is not ours. */
export function openDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE });
    chmodSync(path, PRIVATE);
  } catch (error) {
    throw new Error(`The data folder ${path} cannot be used. Set TRUNKLINE_DATA_DIR to a folder you may write to.`, {
      cause: error,
    });
  }
  return { path, file: (name) => join(path, name) };
}
