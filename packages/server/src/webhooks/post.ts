/** One POST to a receiver, bounded in every direction: time to connect, time in all, bytes of the answer read. */
import type { Clock } from '../clock.ts';
import type { NetworkGuard } from '../network/guard.ts';
import { parseRetryAfter } from './retry-schedule.ts';

const TOTAL_MS = 15_000;
const CONNECT_MS = 5_000;
const ANSWER_READ_MAX = 64 * 1024;
const ANSWER_KEPT_MAX = 4 * 1024;
const KEEP_ALIVE_MS = 4_000;

export interface Answer {
  readonly status: number | null;
  /** Null exactly for a 2xx in time. */
  readonly error: string | null;
  readonly timedOut: boolean;
  readonly retryAfterMs: number | null;
  /** The beginning of the answer's body, for failures. */
  readonly answer: string | null;
  readonly durationMs: number;
}

/** The sockets to one webhook, shared with no other, so that a receiver that hangs holds up only itself. */
export interface Receiver {
  /** To the URL, which is of the receiver's origin; without one to the receiver's own. */
  post(headers: Readonly<Record<string, string>>, body: string, url?: string | null): Promise<Answer>;
  close(): Promise<void>;
}

export interface ReceiverDeps {
  readonly guard: NetworkGuard;
  readonly clock: Clock;
}

export function createReceiver(url: string, connections: number, { guard, clock }: ReceiverDeps): Receiver {
  const own = new URL(url);
  const pool = guard.openPool(own.origin, {
    connections,
    pipelining: 1,
    connectTimeoutMs: CONNECT_MS,
    headersTimeout: TOTAL_MS,
    bodyTimeout: TOTAL_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  return {
    async post(headers, body, given = null) {
      const startedAt = clock.monotonic();
      const timeout = new AbortController();
      const cancel = clock.after(TOTAL_MS, () => timeout.abort());
      const took = () => Math.round(clock.monotonic() - startedAt);
      try {
        const { pathname, search } = given === null ? own : new URL(given);
        const path = `${pathname}${search}`;
        const response = await pool.request({ path, method: 'POST', headers, body, signal: timeout.signal });
        const isSuccess = response.statusCode >= 200 && response.statusCode < 300;
        const text = await readSome(response.body, isSuccess);
        if (isSuccess) return success(response.statusCode, took());
        const retryAfter = firstOf(response.headers['retry-after']);
        return failure(`The receiver answered ${response.statusCode}.`, took(), {
          status: response.statusCode,
          retryAfterMs: parseRetryAfter(retryAfter, clock.now()),
          answer: text,
        });
      } catch (error) {
        const timedOut = timeout.signal.aborted || isTimeout(error);
        return failure(timedOut ? `No answer within ${TOTAL_MS / 1000} s.` : sentenceFor(error), took(), { timedOut });
      } finally {
        cancel();
      }
    },
    close: () => pool.destroy(),
  };
}

function success(status: number, durationMs: number): Answer {
  return { status, error: null, timedOut: false, retryAfterMs: null, answer: null, durationMs };
}

function failure(error: string, durationMs: number, more: Partial<Answer>): Answer {
  return { status: null, timedOut: false, retryAfterMs: null, answer: null, ...more, error, durationMs };
}

interface AnswerBody {
  dump(options: { limit: number }): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Buffer>;
}

/** A success's body is read and dropped, to keep the socket; of a failure's the beginning is kept. */
async function readSome(body: AnswerBody, drop: boolean): Promise<string | null> {
  if (drop) {
    // The status has decided; a body that breaks off, drips or never ends changes nothing.
    await body.dump({ limit: ANSWER_READ_MAX }).catch(() => undefined);
    return null;
  }
  const kept: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() }) {
      size += chunk.length;
      if (size <= ANSWER_READ_MAX) kept.push(chunk);
      if (size >= ANSWER_KEPT_MAX) break;
    }
  } catch (error) {
    if (kept.length === 0) return `(the body could not be read: ${error instanceof Error ? error.message : 'unknown'})`;
  }
  return Buffer.concat(kept).subarray(0, ANSWER_KEPT_MAX).toString('utf8').replaceAll('\0', '');
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isTimeout(error: unknown): boolean {
  return /TIMEOUT|ETIMEDOUT/.test(codeOf(error));
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The receiver refused the connection.',
  ECONNRESET: 'The receiver closed the connection before it answered.',
  UND_ERR_SOCKET: 'The receiver closed the connection before it answered.',
  EPIPE: 'The receiver closed the connection before it answered.',
  ENOTFOUND: "The receiver's host name does not resolve.",
  blocked_address: 'The address of the receiver is not allowed (blocked_address).',
  EAI_AGAIN: "The receiver's host name does not resolve.",
};

function sentenceFor(error: unknown): string {
  const code = codeOf(error);
  const known = SENTENCES[code];
  if (known) return known;
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return `The receiver's certificate was not accepted (${code}).`;
  return `The request failed (${code || (error instanceof Error ? error.name : 'unknown error')}).`;
}
