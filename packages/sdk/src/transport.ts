/** One call over HTTP: its attempts, its waiting, and the error that it ends with. Nothing of it knows a resource. */
import { type Fields, readBody, readError } from './answer.ts';
import type { CallOptions, Connection } from './client-config.ts';
import { ConnectionError, MessagesError, NotFoundError, TimeoutError } from './errors.ts';
import { backOffMs, isPassing, RETRY_AFTER_MAX_MS, readRetryAfterMs, waitFor } from './retry.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface RequestDetail {
  readonly method: Method;
  /** Begins with a slash. */
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, instead of `json`. */
  readonly body?: NonNullable<RequestInit['body']>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What can be sent once only is not tried again. */
  readonly isOnce?: boolean;
  /** The time that an attempt has, where the call does not say. */
  readonly timeoutMs?: number;
  /** The answer where an attempt that was lost has removed the thing, so that the next finds nothing. */
  readonly goneAnswer?: Fields;
}

/** Gives the answer's JSON object. */
export async function call(connection: Connection, request: RequestDetail, options: CallOptions = {}): Promise<Fields> {
  const init = requestInit(connection, request, options);
  const retriesMax = request.isOnce === true ? 0 : connection.retriesMax;
  let wasLost = false;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await tryOnce(connection, request, init, options);
    if (!(outcome instanceof MessagesError)) return outcome;
    if (wasLost && request.goneAnswer && outcome instanceof NotFoundError) {
      return { ...request.goneAnswer, request_id: outcome.requestId };
    }
    const waitMs = attempt < retriesMax ? waitBeforeRetry(outcome, attempt) : null;
    if (waitMs === null) throw outcome;
    wasLost ||= outcome.status === 0 || outcome.status >= 500;
    await waitFor(waitMs, options.signal);
  }
}

export function urlOf({ baseUrl }: Connection, path: string, query: RequestDetail['query'] = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`],
  );
  return `${baseUrl}${path}${parts.length === 0 ? '' : `?${parts.join('&')}`}`;
}

/**
 * Runs `work` under a signal of its own, which a time limit and the caller's signal end. Rejects with the caller's own
 * reason, with a `TimeoutError`, or with a `ConnectionError` whose cause is what the runtime threw.
 */
export async function withinTime<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const cut = new AbortController();
  const onAbort = () => cut.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const isTooLate = new Error(`no answer within ${ms} ms`);
  const timer = setTimeout(() => cut.abort(isTooLate), ms);
  try {
    return await work(cut.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MessagesError) throw error;
    if (cut.signal.aborted) throw lost(TimeoutError, 'timeout', `There was ${isTooLate.message}.`, error);
    throw lost(ConnectionError, 'connection_failed', `The server could not be reached: ${reasonOf(error)}.`, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** A refusal is an outcome here; what is thrown ends the call. */
async function tryOnce(
  connection: Connection,
  request: RequestDetail,
  init: RequestInit,
  options: CallOptions,
): Promise<Fields | MessagesError> {
  const url = urlOf(connection, request.path, request.query);
  const ms = options.timeout ?? request.timeoutMs ?? connection.timeoutMs;
  try {
    return await withinTime(ms, options.signal, async (signal) => {
      const response = await connection.fetch(url, { ...init, signal });
      const text = await response.text();
      return response.ok ? readBody(response, text, connection.secret) : readError(response, text, connection.secret);
    });
  } catch (error) {
    if (error instanceof MessagesError) return error;
    throw error;
  }
}

function requestInit(connection: Connection, request: RequestDetail, options: CallOptions): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json', ...connection.headers, ...request.headers };
  // The same over all attempts: a message whose answer was lost is not sent a second time.
  if (request.method === 'POST') headers['idempotency-key'] = idempotencyKeyOf(options);
  // A redirect would turn a POST into a GET; none of the API's own calls is redirected.
  const init: RequestInit = { method: request.method, headers, redirect: 'manual' };
  if (request.body !== undefined) return { ...init, body: request.body, ...(request.isOnce && { duplex: 'half' }) };
  if (request.json === undefined) return init;
  headers['content-type'] = 'application/json';
  return { ...init, body: JSON.stringify(request.json) };
}

function idempotencyKeyOf({ idempotencyKey }: CallOptions): string {
  if (idempotencyKey === undefined) return randomUuid();
  if (/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) return idempotencyKey;
  const message = 'An idempotency key has 1 to 255 visible ASCII characters.';
  throw new MessagesError({ status: 0, type: 'configuration_error', code: 'invalid_idempotency_key', message });
}

/** `crypto.randomUUID` is not there for pages that came over plain HTTP. */
function randomUuid(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}

/** Null where another try is of no use, or would have to wait longer than a call does. */
function waitBeforeRetry(error: MessagesError, attempt: number): number | null {
  const isLost = error instanceof ConnectionError;
  if (!isLost && !isPassing(error.status, error.code)) return null;
  if (error.headers?.get('x-should-retry') === 'false') return null;
  const asked = error.headers && readRetryAfterMs(error.headers);
  if (asked === undefined) return backOffMs(attempt);
  return asked > RETRY_AFTER_MAX_MS ? null : asked;
}

function lost(Kind: typeof ConnectionError, code: string, message: string, cause: unknown): ConnectionError {
  return new Kind({ status: 0, type: 'connection_error', code, message, cause });
}

/** The runtime's own words; Node hides the reason one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
