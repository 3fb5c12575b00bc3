/** Takes a file from disk or from stdin to the server, once however often it has to be asked for. */
import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { makeIdempotencyKey } from './accepted-item.ts';
import { usageFailure } from './failure.ts';
import type { Fields } from './fields.ts';
import { typeOfFile } from './file-types.ts';
import { postPatiently } from './patient-call.ts';
import type { Session } from './surroundings.ts';
import type { Terminal } from './terminal.ts';

/** A large file on a slow connection. */
const UPLOAD_WITHIN_MS = 15 * 60_000;

export interface UploadOptions {
  /** By default the file's own; what comes from stdin has none. */
  readonly name?: string | undefined;
  /** By default what the name's ending stands for. */
  readonly type?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** `path`: `-` is stdin. Gives the API's file. */
export async function uploadFile(session: Session, path: string, options: UploadOptions = {}): Promise<Fields> {
  const { api, terminal, wait } = session;
  const name = options.name ?? (path === '-' ? null : basename(path));
  const type = options.type ?? typeOfFile(name ?? '');
  const bytes = await openBytes(terminal, path);
  const request = {
    bytes,
    headers: {
      'content-type': type,
      // A header carries no letters beyond Latin-1; the server reads this encoding too.
      ...(name === null ? {} : { 'x-filename': encodeURIComponent(name.toWellFormed()) }),
    },
    withinMs: UPLOAD_WITHIN_MS,
    idempotencyKey: options.idempotencyKey ?? makeIdempotencyKey(),
  };
  return postPatiently(api, '/v1/files', request, { wait, note: terminal.note });
}

/** Bytes that can be read again for another try. A file is read as it is sent; what flows only once is held in memory. */
async function openBytes(terminal: Terminal, path: string): Promise<Blob> {
  if (path === '-') return new Blob([await terminal.readInputBytes()]);
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) throw usageFailure(`${path} is a folder, not a file.`);
    return facts.isFile() ? await openAsBlob(path) : new Blob([await readFile(path)]);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw usageFailure(`${path} cannot be read: ${error.message}`);
  }
}
