/**
 * Fetches files from addresses that others chose: bounded in time and size, streamed into the blobs, and looked at there.
 * The bytes are safe when it resolves, and nobody knows of them yet.
 */
import type { Clock } from '../clock.ts';
import type { Ids } from '../domain/ids.ts';
import type { Log } from '../log.ts';
import type { NetworkGuard } from '../network/guard.ts';
import { type Blobs, BlobsUnavailableError, BlobTooLargeError, BrokenUploadError } from './blobs.ts';
import { CONTACT_CARD_TYPE, isContactCard, PLAIN_TEXT, sniffContentType } from './content-type.ts';
import { endsAs, filenameFrom } from './filename.ts';
import { FetchError, failureOf, type OpenedUrl, openUrl } from './open-url.ts';
import { pause } from './pause.ts';
import { type FileFacts, holdFile, mimeTypeOf, type ReceivedFile } from './received-file.ts';

/** More than this is not fetched, however much may be uploaded. */
const FETCH_LIMIT_MB = 100;
const BYTES_PER_MB = 1024 * 1024;
/** A connection that failed is tried once more after this; an answer is taken as it is. */
const REPEAT_AFTER_MS = 1_000;
const UNKNOWN_TYPE = 'application/octet-stream';

export interface FetcherDeps {
  readonly guard: NetworkGuard;
  readonly blobs: Blobs;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly fileLimitMb: number;
}

export interface FetchOptions {
  /** From the call to the last byte, a repeat included. */
  readonly maxMs: number;
  readonly signal?: AbortSignal;
}

export interface Fetcher {
  /** Throws `FetchError`, `FetchStoppedError`, or `BlobsUnavailableError`; then nothing of it is left. */
  fetch(url: string, options: FetchOptions): Promise<FetchedFile>;
  /** Ends whatever is under way, and refuses what comes later. */
  close(): void;
}

export interface FetchedFile extends ReceivedFile {
  /** Whether its address, as given or as found, or its name has that ending: `.caf`. */
  endsIn(extension: string): boolean;
}

/** Not the file's fault: whoever wanted it stopped, or the server does. */
export class FetchStoppedError extends Error {
  constructor() {
    super('The fetch was stopped.');
    this.name = 'FetchStoppedError';
  }
}

export function createFetcher(deps: FetcherDeps): Fetcher {
  const closing = new AbortController();
  return {
    async fetch(url, { maxMs, signal }) {
      const stops = signal ? [closing.signal, signal] : [closing.signal];
      const isStopped = () => stops.some(({ aborted }) => aborted);
      if (isStopped()) throw new FetchStoppedError();
      const ending = new AbortController();
      const end = () => ending.abort();
      for (const stop of stops) stop.addEventListener('abort', end);
      const cancel = deps.clock.after(maxMs, end);
      try {
        return await fetchAgain(deps, url, ending.signal);
      } catch (error) {
        if (isStopped()) throw new FetchStoppedError();
        if (error instanceof BlobsUnavailableError || !ending.signal.aborted) throw error;
        throw new FetchError(`its server did not send it within ${maxMs / 1_000} s`);
      } finally {
        cancel();
        for (const stop of stops) stop.removeEventListener('abort', end);
      }
    },
    close: () => closing.abort(),
  };
}

async function fetchAgain(deps: FetcherDeps, url: string, signal: AbortSignal): Promise<FetchedFile> {
  try {
    return await fetchOnce(deps, url, signal);
  } catch (error) {
    if (!(error instanceof FetchError && error.mayPass)) throw error;
    await pause(deps.clock, REPEAT_AFTER_MS, signal);
    return await fetchOnce(deps, url, signal);
  }
}

async function fetchOnce(deps: FetcherDeps, address: string, signal: AbortSignal): Promise<FetchedFile> {
  const { guard, blobs, ids, log } = deps;
  const limitMb = Math.min(FETCH_LIMIT_MB, deps.fileLimitMb);
  const tooLarge = () => new FetchError(`it has more than ${limitMb} MB`);
  signal.throwIfAborted();
  const opened = await openUrl(guard, address, signal);
  try {
    // What is said to be too long is not waited for.
    if ((opened.length ?? 0) > limitMb * BYTES_PER_MB) throw tooLarge();
    const id = ids.make('file');
    const { head, ...received } = await blobs.put(id, opened.body, limitMb * BYTES_PER_MB).catch((error: unknown) => {
      if (error instanceof BlobTooLargeError) throw tooLarge();
      if (error instanceof BrokenUploadError) throw failureOf(error.cause);
      throw error;
    });
    const facts = { id, ...received, ...(await describe(opened, address, head)) };
    const file = holdFile({ blobs, log }, facts);
    if (file.size > 0) return file;
    await file.release();
    throw new FetchError('it is empty');
  } finally {
    await opened.close();
  }
}

type Description = Pick<FileFacts, 'filename' | 'mimeType' | 'contentType'> & Pick<FetchedFile, 'endsIn'>;

async function describe(opened: OpenedUrl, address: string, head: Uint8Array): Promise<Description> {
  const { pathname } = opened.url;
  const filename = dispositionName(opened.contentDisposition) ?? filenameFrom(pathname.split('/').at(-1));
  const endsIn = endsAs([URL.parse(address)?.pathname, pathname, filename]);
  const contentType = await sniffContentType(head);
  const mimeType = isContactCard(contentType, endsIn) ? CONTACT_CARD_TYPE : typeOf(contentType, opened);
  return { filename, contentType, mimeType, endsIn };
}

/** By the content; what reads as any text is what its server says that it is. */
function typeOf(contentType: string | null, { contentType: claimed }: OpenedUrl): string {
  if (contentType !== null && contentType !== PLAIN_TEXT) return contentType;
  const type = mimeTypeOf(claimed);
  return type === UNKNOWN_TYPE && contentType !== null ? contentType : type;
}

/** The extended form, which says how it is written, goes before the plain one. */
function dispositionName(header: string | undefined): string | null {
  const extended = /;\s*filename\*\s*=\s*"?([^";\s]+)/i.exec(header ?? '')?.[1];
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";\s]+))/i.exec(header ?? '');
  return filenameFrom(extended) ?? filenameFrom(plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]);
}
