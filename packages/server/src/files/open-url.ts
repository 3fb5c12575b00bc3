/** One GET of an address that somebody else chose, through the guard at every hop: what is sent on is checked again. */
import type { Readable } from 'node:stream';
import type { NetworkGuard } from '../network/guard.ts';

const REDIRECTS_MAX = 5;
const CONNECT_MS = 5_000;
/** Behind the caller's own limit, which ends a fetch earlier. */
const SILENT_MS = 30_000;
const SENT_ON: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const NOT_ALLOWED = 'its address is not allowed (blocked_address)';
const BROKE_OFF = 'its server broke off the connection';

/** Why a file could not be fetched. `why` completes the sentence "The file could not be fetched: …". */
export class FetchError extends Error {
  readonly why: string;
  /** The connection failed, which may pass. */
  readonly mayPass: boolean;

  constructor(why: string, mayPass = false) {
    super(`The file could not be fetched: ${why}.`);
    this.name = 'FetchError';
    this.why = why;
    this.mayPass = mayPass;
  }
}

export interface OpenedUrl {
  /** Where it was found, after all that was sent on. */
  readonly url: URL;
  /** As the server says; null where it does not. */
  readonly length: number | null;
  readonly contentType: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly body: Readable;
  /** To be called in the end, whatever was read of the body. */
  close(): Promise<void>;
}

/** Throws `FetchError`, or what the signal was aborted with. */
export async function openUrl(guard: NetworkGuard, address: string, signal: AbortSignal): Promise<OpenedUrl> {
  let url = usableUrl(address, null);
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const answer = await get(guard, url, signal);
    if (answer.sentOnTo === null) return answer.opened;
    await answer.opened.close();
    url = usableUrl(answer.sentOnTo, url);
  }
  throw new FetchError(`its server sends on to another address more than ${REDIRECTS_MAX} times`);
}

function usableUrl(address: string, base: URL | null): URL {
  const url = URL.parse(address, base?.href);
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isWeb) throw new FetchError('its address is no URL of https');
  if (url.username !== '' || url.password !== '') throw new FetchError(NOT_ALLOWED);
  return url;
}

interface Hop {
  readonly opened: OpenedUrl;
  readonly sentOnTo: string | null;
}

async function get(guard: NetworkGuard, url: URL, signal: AbortSignal): Promise<Hop> {
  const timeouts = { connectTimeoutMs: CONNECT_MS, headersTimeout: SILENT_MS, bodyTimeout: SILENT_MS };
  const pool = guard.openPool(url.origin, { connections: 1, pipelining: 1, ...timeouts });
  // Nothing of it is used again, so what is still open may break off.
  const close = () => pool.destroy();
  try {
    const { statusCode, headers, body } = await pool.request({
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { 'user-agent': 'Trunkline/1', accept: '*/*', 'accept-encoding': 'identity' },
      signal,
    });
    // Whoever reads the body hears of its errors; one that nobody reads may end as it likes.
    body.on('error', () => undefined);
    const sentOnTo = SENT_ON.has(statusCode) ? (firstOf(headers['location']) ?? null) : null;
    const isFile = statusCode >= 200 && statusCode < 300;
    if (sentOnTo === null && !isFile) throw new FetchError(`its server answered ${statusCode}`);
    const encoding = firstOf(headers['content-encoding']) ?? 'identity';
    if (isFile && encoding !== 'identity')
      throw new FetchError('its server sent it compressed, which was not asked for');
    const opened = {
      url,
      length: lengthOf(firstOf(headers['content-length'])),
      contentType: firstOf(headers['content-type']),
      contentDisposition: firstOf(headers['content-disposition']),
      body,
      close,
    };
    return { opened, sentOnTo };
  } catch (error) {
    await close();
    throw error instanceof FetchError || signal.aborted ? error : failureOf(error);
  }
}

/** What the connection failed with, as a sentence's end. */
export function failureOf(error: unknown): FetchError {
  const code = codeOf(error);
  if (code === 'blocked_address') return new FetchError(NOT_ALLOWED);
  if (/^(?:ENOTFOUND|EAI_AGAIN)$/.test(code)) return new FetchError("its server's host name does not resolve", true);
  if (code === 'ECONNREFUSED') return new FetchError('its server refused the connection', true);
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return new FetchError(`its server's certificate was not accepted (${code})`);
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return new FetchError('its server did not answer in time', true);
  if (/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_ABORTED)$/.test(code)) return new FetchError(BROKE_OFF, true);
  return new FetchError(
    `the request failed (${code || (error instanceof Error ? error.name : 'unknown error')})`,
    true,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function lengthOf(header: string | undefined): number | null {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) : null;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
