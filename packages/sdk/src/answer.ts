/** Makes of an HTTP answer what the client gives or throws. */
import {
  AuthenticationError,
  AuthorizationError,
  type ErrorDetail,
  InvalidRequestError,
  MessagesError,
  NotFoundError,
  RateLimitError,
} from './errors.ts';
import { readRetryAfterMs } from './retry.ts';

const EXCERPT_MAX_CHARS = 200;
/** The families that a dialect without them has by its statuses. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'authorization_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]);

export type Fields = Readonly<Record<string, unknown>>;

/** An answer of success, as JSON. `secret` is what may stand in no error's text. */
export function readBody(response: Response, text: string, secret: string | undefined): Fields {
  const body = parseObject(text);
  if (body) return body;
  throw new MessagesError(unexpected(response, text, secret));
}

/** The error that an answer of refusal stands for, in the envelope of `/v1` or of the Sendblue dialect. */
export function readError(response: Response, text: string, secret: string | undefined): MessagesError {
  const body = parseObject(text);
  const detail = (body && (envelopeDetail(response, body) ?? flatDetail(response, body))) || null;
  return errorOf(detail ?? unexpected(response, text, secret));
}

export function asFields(value: unknown): Fields | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return value as Fields;
}

function parseObject(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function errorOf(detail: ErrorDetail): MessagesError {
  const { status } = detail;
  if (status === 401) return new AuthenticationError(detail);
  if (status === 404) return new NotFoundError(detail);
  if (status === 429) {
    const retryAfterMs = detail.headers && readRetryAfterMs(detail.headers);
    return new RateLimitError({ ...detail, retryAfterMs });
  }
  if (status === 403) return new AuthorizationError(detail);
  if (status >= 400 && status < 500) return new InvalidRequestError(detail);
  return new MessagesError(detail);
}

function envelopeDetail(response: Response, body: Fields): ErrorDetail | null {
  const error = asFields(body['error']);
  if (!error || typeof error['code'] !== 'string') return null;
  return {
    status: response.status,
    type: textOf(error['type']) ?? 'api_error',
    code: error['code'],
    param: textOf(error['param']),
    requestId: textOf(body['request_id']) ?? requestIdOf(response),
    message: textOf(error['message']) ?? error['code'],
    headers: response.headers,
  };
}

function flatDetail(response: Response, body: Fields): ErrorDetail | null {
  const message = textOf(body['error_message']) ?? textOf(body['message']);
  if (message === undefined) return null;
  const code = body['error_code'];
  return {
    status: response.status,
    type: TYPES.get(response.status) ?? (response.status >= 500 ? 'api_error' : 'invalid_request_error'),
    code: typeof code === 'number' || typeof code === 'string' ? String(code) : 'unknown',
    requestId: requestIdOf(response),
    message,
    headers: response.headers,
  };
}

/** What came is not of this API: a proxy's page, or another server. A redirect that was not followed comes here too. */
function unexpected(response: Response, text: string, secret: string | undefined): ErrorDetail {
  const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
  const whole = secret === undefined ? text : text.replaceAll(secret, '…');
  const excerpt = whole.replaceAll(/\s+/g, ' ').trim().slice(0, EXCERPT_MAX_CHARS);
  const what = isRedirect ? 'a redirect; check the base URL' : 'something that is no JSON object';
  return {
    status: response.status,
    type: 'api_error',
    code: isRedirect ? 'unexpected_redirect' : 'unexpected_answer',
    requestId: requestIdOf(response),
    message: `The server answered ${response.status} with ${what}${excerpt === '' ? '.' : `: ${excerpt}`}`,
    headers: response.headers,
  };
}

function requestIdOf(response: Response): string | undefined {
  return response.headers.get('x-request-id') ?? undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
