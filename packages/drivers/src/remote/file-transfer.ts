/** Files between the agent and the server, over HTTP: in ranges, so that what broke off goes on where it was. */
import { open } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverFiles, OutgoingFile, ReceivedFile } from '../line-driver.ts';
import { FILES_PATH, UPLOADS_PATH } from './frames.ts';

/** Bytes of one piece of an upload. */
const PIECE_BYTES = 1024 * 1024;
const TRIES_MAX = 6;
const AGAIN_FIRST_MS = 250;
/** A transfer on which nothing moves for so long is broken. */
const SILENT_MS = 30_000;
const ANSWER_MAX_BYTES = 64 * 1024;

export interface TransferOptions {
  readonly server: URL;
  readonly token: string;
  readonly line: string;
  readonly signal: AbortSignal;
  /** Before the first repetition; it doubles. Default: a quarter of a second. */
  readonly pauseMs?: number;
}

interface Answer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The server said no, and would again. */
class TransferRefusedError extends Error {
  constructor(status: number, what: string) {
    super(`The server answered ${status} for ${what}.`);
    this.name = 'TransferRefusedError';
  }
}

export function createFileTransfer(options: TransferOptions): DriverFiles {
  return {
    read: async (file) => download(options, file),
    write: (file) => upload(options, file),
  };
}

async function* download(options: TransferOptions, { file, size }: OutgoingFile): AsyncIterable<Uint8Array> {
  let at = 0;
  for (let tries = 1; at < size; tries += 1) {
    try {
      const range = { range: `bytes=${at}-${size - 1}` };
      const answer = await call(options, 'GET', `${FILES_PATH}/${encodeURIComponent(file)}`, range, null);
      if (answer.status !== 206 && answer.status !== 200) throw statusError(answer.status, file);
      for await (const piece of answer.body) {
        yield piece;
        at += piece.byteLength;
        // Whatever moves is worth going on with.
        tries = 1;
      }
      if (at < size) throw new Error(`The bytes of ${file} ended at ${at} of ${size}.`);
    } catch (error) {
      await pauseOrThrow(options, error, tries);
    }
  }
}

async function upload(options: TransferOptions, file: ReceivedFile): Promise<string> {
  const path = `${UPLOADS_PATH}/${encodeURIComponent(file.name)}`;
  for (let tries = 1; ; tries += 1) {
    try {
      let state = await askUpload(options, path, file);
      while (state.file === null) {
        const before = state.received;
        state = await sendPiece(options, path, file, before);
        if (state.file === null && state.received <= before) throw new Error('The server took nothing of the file.');
        tries = 1;
      }
      return state.file;
    } catch (error) {
      await pauseOrThrow(options, error, tries);
    }
  }
}

interface UploadState {
  /** Bytes that the server has. */
  readonly received: number;
  /** The file's id, once it is whole. */
  readonly file: string | null;
}

async function askUpload(options: TransferOptions, path: string, file: ReceivedFile): Promise<UploadState> {
  const answer = await call(options, 'GET', path, {}, null);
  return readState(answer, file);
}

async function sendPiece(
  options: TransferOptions,
  path: string,
  file: ReceivedFile,
  from: number,
): Promise<UploadState> {
  // Of an empty file, and where all is there and was not made one yet, there is nothing to send.
  const piece = await readPiece(file.path, from, Math.min(PIECE_BYTES, file.size - from));
  const headers = {
    'content-type': file.mimeType ?? 'application/octet-stream',
    'content-range': `bytes ${piece.byteLength === 0 ? '*' : `${from}-${from + piece.byteLength - 1}`}/${file.size}`,
    'content-length': String(piece.byteLength),
    ...(file.filename === null ? {} : { 'x-filename': encodeURIComponent(file.filename) }),
  };
  return readState(await call(options, 'PUT', path, headers, piece), file);
}

async function readPiece(path: string, from: number, length: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const piece = Buffer.alloc(length);
    const { bytesRead } = await handle.read(piece, 0, length, from);
    if (bytesRead < length) throw new Error('The file became shorter while it was sent.');
    return piece;
  } finally {
    await handle.close();
  }
}

async function readState(answer: Answer, { name }: ReceivedFile): Promise<UploadState> {
  const text = await textOf(answer.body);
  if (answer.status !== 200) throw statusError(answer.status, name);
  const state: unknown = JSON.parse(text);
  if (typeof state !== 'object' || state === null || !('received' in state) || !('file' in state)) {
    throw new Error('The server said nothing of the upload.');
  }
  return { received: Number(state.received), file: typeof state.file === 'string' ? state.file : null };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > ANSWER_MAX_BYTES) throw new Error('The answer is too long.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function statusError(status: number, what: string): Error {
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;
  return isFinal ? new TransferRefusedError(status, what) : new Error(`The server answered ${status} for ${what}.`);
}

async function pauseOrThrow(
  { signal, pauseMs = AGAIN_FIRST_MS }: TransferOptions,
  error: unknown,
  tries: number,
): Promise<void> {
  if (error instanceof TransferRefusedError || signal.aborted || tries >= TRIES_MAX) throw error;
  await sleep(pauseMs * 2 ** (tries - 1), undefined, { signal });
}

function call(
  { server, token, line, signal }: TransferOptions,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | null,
): Promise<Answer> {
  const url = new URL(path, server);
  url.searchParams.set('line', line);
  const send = server.protocol === 'https:' ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers: { ...headers, authorization: `Bearer ${token}` }, signal });
    request.setTimeout(SILENT_MS, () => request.destroy(new Error('The server did not answer.')));
    request.once('response', (response) => resolve({ status: response.statusCode ?? 0, body: response }));
    request.once('error', reject);
    request.end(body ?? undefined);
  });
}
