/** What requests ask of URLs that name files: whether one may be used, and the file behind it, at once. */
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { NetworkGuard } from '../network/guard.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import { type Fetcher, FetchStoppedError } from './fetcher.ts';
import { keepUpload } from './keep-upload.ts';
import { FetchError } from './open-url.ts';
import type { FileFacts } from './received-file.ts';

/** A request is to be answered within 20 seconds. */
const AT_ONCE_MS = 15_000;
const URL_MAX = 4_096;
const TRY_AGAIN_SECONDS = 5;

/**
 * Gives the URL as it is to be stored. Throws `invalid_parameter_value` where it is none, or where the server may not
 * call it as far as can be told now: a name that does not resolve just now is taken, and checked when it is called.
 */
export async function checkMediaUrl(guard: NetworkGuard, url: string, param: string): Promise<string> {
  if (url.length > URL_MAX) throw invalid(param, `must have at most ${URL_MAX} characters`);
  const refusal = await guard.refuseUrl(url);
  if (refusal !== null) throw invalid(param, refusal);
  return new URL(url).href;
}

export interface FetchFileDeps {
  readonly guard: NetworkGuard;
  readonly fetcher: Fetcher;
  readonly writer: Writer;
  readonly clock: Clock;
}

export interface FetchFileRequest {
  readonly accountRef: number;
  readonly url: string;
  /** The request's field that names the URL. */
  readonly param: string;
}

/**
 * A new file of the account, committed when this resolves. `ticketFor` is given what the answer says of it. Throws
 * `invalid_parameter_value` where there is no such file, and `overloaded` where the server stops.
 */
export async function fetchFile(
  deps: FetchFileDeps,
  { accountRef, url, param }: FetchFileRequest,
  ticketFor?: (file: FileFacts) => Ticket,
): Promise<FileFacts> {
  const address = await checkMediaUrl(deps.guard, url, param);
  const file = await deps.fetcher.fetch(address, { maxMs: AT_ONCE_MS }).catch((error: unknown) => {
    if (error instanceof FetchError) throw invalid(param, `names a file that could not be fetched: ${error.why}`);
    if (error instanceof FetchStoppedError) throw new ApiError('overloaded', { retryAfter: TRY_AGAIN_SECONDS });
    throw error;
  });
  try {
    await keepUpload(deps, accountRef, file, ticketFor?.(file));
    return file;
  } finally {
    await file.release();
  }
}

function invalid(param: string, why: string): ApiError {
  return new ApiError('invalid_parameter_value', { param, message: `The '${param}' field ${why}.` });
}
