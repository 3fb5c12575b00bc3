/** The server's API over HTTP. Every way in which a call can fail becomes a `Refusal` or an `Unreachable`. */
import { EXIT, Failure, Refusal, Unreachable } from './failure.ts';
import { asFields, type Fields, listOf, parseFields, textOf } from './fields.ts';
import type { SignIn } from './sign-in.ts';

const ANSWER_WITHIN_MS = 30_000;
const PAGE_MAX = 100;
const PAGES_MAX = 1_000_000;

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
/** Undefined and null values are left out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  readonly body?: Fields;
  /** The body as it is, with its own type, instead of `body`. */
  readonly bytes?: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the whole call may take; by default half a minute. */
  readonly withinMs?: number;
}

export interface Api {
  readonly url: string;
  /** The answer's JSON. */
  call(method: Method, path: string, options?: CallOptions): Promise<Fields>;
  /** The pages of a list, until it ends or `rowsMax` rows came. */
  pages(path: string, query: Query, rowsMax: number): AsyncGenerator<readonly Fields[]>;
  /** An answer that goes on; the caller reads it and bounds its waiting. */
  open(path: string, options: CallOptions, signal: AbortSignal): Promise<Response>;
}

export function createApi({ url, key }: SignIn): Api {
  const request = async (method: Method, path: string, options: CallOptions, signal: AbortSignal) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'user-agent': 'trunkline-cli',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    };
    const body = options.body === undefined ? (options.bytes ?? null) : JSON.stringify(options.body);
    const target = `${url}${path}${queryText(options.query ?? {})}`;
    // A redirect would carry the key somewhere that nobody named.
    const init = { method, headers: asHeaders(headers), body, signal, redirect: 'manual' } as const;
    const response = await reach(url, () => fetch(target, init));
    if (response.ok) return response;
    throw await refusalOf(url, response);
  };
  const call: Api['call'] = async (method, path, options = {}) => {
    const response = await request(method, path, options, AbortSignal.timeout(options.withinMs ?? ANSWER_WITHIN_MS));
    const fields = parseFields(await reach(url, () => response.text()));
    if (fields === null) throw new Failure(EXIT.refused, `What answers at ${url} does not speak Trunkline's API.`);
    return fields;
  };
  return {
    url,
    call,
    async *pages(path, query, rowsMax) {
      let left = rowsMax;
      let cursor: string | null = null;
      for (let page = 0; page < PAGES_MAX && left > 0; page++) {
        const answer: Fields = await call('GET', path, {
          query: { ...query, limit: Math.min(left, PAGE_MAX), cursor },
        });
        const rows = listOf(answer, 'data').map(asFields).slice(0, left);
        left -= rows.length;
        yield rows;
        cursor = textOf(answer, 'next_cursor');
        if (cursor === null) return;
      }
    },
    open: (path, options, signal) => request('GET', path, options, signal),
  };
}

/** Turns what `fetch` throws into one kind of failure. */
export async function reach<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Unreachable(`Cannot reach ${url}: ${reasonOf(error)}.`, error);
  }
}

/** `fetch` hides the reason in the cause, and a host with two addresses hides it one deeper. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer came in time';
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return 'code' in error && error.message === '' ? String(error.code) : error.message;
}

function asHeaders(headers: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(headers);
  } catch (error) {
    throw new Failure(EXIT.usage, 'The key or another header has characters that HTTP cannot carry.', { cause: error });
  }
}

/** What an answer that is none of success means. */
export async function refusalOf(url: string, response: Response): Promise<Failure> {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    const target = headers.get('location') ?? 'elsewhere';
    return new Failure(EXIT.refused, `${url} answers with a redirect to ${target}. Use that address if it is yours.`);
  }
  const body = parseFields(await reach(url, () => response.text())) ?? {};
  const error = asFields(body['error']);
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new Refusal({
    status,
    code: textOf(error, 'code') ?? `http_${status}`,
    message: textOf(error, 'message') ?? `${url} answered ${status}.`,
    param: textOf(error, 'param'),
    requestId: textOf(body, 'request_id') ?? headers.get('x-request-id'),
    retryAfter: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
  });
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) params.append(name, String(value));
  }
  return params.size === 0 ? '' : `?${params}`;
}
