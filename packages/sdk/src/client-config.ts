/** What a client is made with, checked once. */

import { readVariable } from './environment.ts';
import { MessagesError } from './errors.ts';

const DEFAULT_BASE_URL = 'http://127.0.0.1:8080';
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_RETRIES = 2;

export interface ClientConfig {
  /** An API key, `sk_live_…`; by default `MESSAGES_API_KEY` or `TRUNKLINE_API_KEY` of the environment. */
  readonly apiKey?: string | undefined;
  /** Where the server is, with or without a path; by default `TRUNKLINE_URL` of the environment, else this machine. */
  readonly baseUrl?: string | undefined;
  /** Milliseconds that one attempt may take, until its answer is read; 30,000 by default. */
  readonly timeout?: number | undefined;
  /** How often a call is repeated after its first attempt; 2 by default. */
  readonly maxRetries?: number | undefined;
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** What every call takes as its last argument. */
export interface CallOptions {
  /** Ends the call at once, between attempts too; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that one attempt of this call may take. */
  readonly timeout?: number | undefined;
  /** Names this call of a POST: the same key with the same request is done once, from any process, for 24 hours. */
  readonly idempotencyKey?: string | undefined;
}

export interface Connection {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** What may stand in no error's text. */
  readonly secret: string | undefined;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly fetch: typeof fetch;
}

/** Throws where there is no key, or something that cannot be one. */
export function requireKey(given: string | undefined, ...variables: readonly string[]): string {
  const key = given?.trim() || readVariable(...variables);
  if (key === undefined) {
    const where = variables.length === 0 ? '' : ` or set ${variables.join(' or ')}`;
    throw configError('missing_api_key', `There is no API key: pass one${where}.`);
  }
  // A header could not carry it, and the runtime's own error would quote it.
  if (!/^[\x21-\x7e]+$/.test(key)) throw configError('invalid_api_key', 'The API key has characters that no key has.');
  return key;
}

export function connectionOf(
  config: Omit<ClientConfig, 'apiKey'>,
  headers: Readonly<Record<string, string>>,
  secret: string | undefined,
): Connection {
  const { timeout = DEFAULT_TIMEOUT_MS, maxRetries = DEFAULT_MAX_RETRIES } = config;
  if (!(timeout > 0)) throw configError('invalid_timeout', 'The timeout must be a number of milliseconds above 0.');
  if (!(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    throw configError('invalid_max_retries', 'maxRetries must be a whole number from 0.');
  }
  // Looked up at each call, so that a `fetch` that is put in its place later is used.
  const send = config.fetch ?? ((input, init) => globalThis.fetch(input, init));
  return {
    baseUrl: readBaseUrl(config.baseUrl?.trim() || readVariable('TRUNKLINE_URL') || DEFAULT_BASE_URL),
    headers,
    secret,
    timeoutMs: timeout,
    retriesMax: maxRetries,
    // Called without a `this`: a browser's own `fetch` takes no other.
    fetch: (input, init) => send(input, init),
  };
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw configError('invalid_base_url', 'The base URL must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw configError('invalid_base_url', 'The base URL must not hold a name or a password.');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function configError(code: string, message: string): MessagesError {
  return new MessagesError({ status: 0, type: 'configuration_error', code, message });
}
