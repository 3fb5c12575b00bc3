/** Every refusal that a client can be given. Each dialect maps the kind to its own status and envelope. */

export type ErrorKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'invalid'
  | 'not_allowed_yet'
  | 'not_found'
  | 'method_not_allowed'
  | 'too_large'
  | 'head_too_large'
  | 'uri_too_long'
  | 'too_slow'
  | 'unsupported_media_type'
  | 'conflict'
  | 'rate_limited'
  | 'unavailable'
  | 'not_implemented'
  | 'internal';

export const ERRORS = {
  missing_api_key: { kind: 'unauthenticated', message: 'Send your API key as "Authorization: Bearer sk_live_...".' },
  invalid_api_key: { kind: 'unauthenticated', message: 'This API key is malformed, unknown, revoked or expired.' },
  insufficient_scope: { kind: 'forbidden', message: 'This API key lacks the scope that the call needs.' },
  line_not_accessible: { kind: 'forbidden', message: 'This API key may not use that line.' },
  sandbox_not_activated: {
    kind: 'forbidden',
    message: 'The sandbox line is not paired with a phone of yours yet.',
  },
  sandbox_requires_owner: {
    kind: 'forbidden',
    message: 'The sandbox is for accounts that have an owner; this key belongs to none.',
  },
  missing_required_parameter: { kind: 'invalid', message: 'A required parameter is missing.' },
  invalid_parameter_value: { kind: 'invalid', message: 'A parameter has a value that cannot be used.' },
  invalid_json: { kind: 'invalid', message: 'The body must be a JSON object in UTF-8.' },
  empty_file: { kind: 'invalid', message: 'The file is empty: send its bytes as the body of the request.' },
  bad_request: { kind: 'invalid', message: 'This is not a request of HTTP/1.1 that the server can read.' },
  advanced_features_required: {
    kind: 'invalid',
    message: 'This line cannot do that: its bridge has no advanced features, or it is an SMS line.',
  },
  sandbox_contact_mismatch: {
    kind: 'invalid',
    message: 'On the sandbox line only the phone that is paired with the account can be written to.',
  },
  contact_has_not_messaged: {
    kind: 'not_allowed_yet',
    message: 'Cannot send to a contact or group that has not messaged this line first.',
  },
  recipient_opted_out: {
    kind: 'not_allowed_yet',
    message: 'The contact has opted out of messages, and is not written to until it opts in again.',
  },
  line_not_found: { kind: 'not_found', message: 'There is no such line.' },
  chat_not_found: { kind: 'not_found', message: 'There is no such chat on this line.' },
  message_not_found: { kind: 'not_found', message: 'There is no such message.' },
  outbox_item_not_found: { kind: 'not_found', message: 'There is no such outbox item.' },
  file_not_found: { kind: 'not_found', message: 'There is no such file.' },
  webhook_not_found: { kind: 'not_found', message: 'There is no such webhook.' },
  delivery_not_found: { kind: 'not_found', message: 'There is no such delivery, or none any more.' },
  webhook_inactive: {
    kind: 'conflict',
    message: 'The webhook is not active, and nothing can be sent to it. Make it active first, then send again.',
  },
  key_not_found: { kind: 'not_found', message: 'There is no such API key.' },
  device_not_found: { kind: 'not_found', message: 'There is no such device.' },
  route_not_found: { kind: 'not_found', message: 'There is no such route.' },
  method_not_allowed: { kind: 'method_not_allowed', message: 'This route does not take that method.' },
  payload_too_large: { kind: 'too_large', message: 'The body is larger than this route takes.' },
  file_too_large: { kind: 'too_large', message: 'The file is larger than this server takes.' },
  headers_too_large: { kind: 'head_too_large', message: 'The headers are larger than the server takes.' },
  uri_too_long: { kind: 'uri_too_long', message: 'The path and query are longer than the server takes.' },
  request_timeout: { kind: 'too_slow', message: 'The request did not arrive in time.' },
  unsupported_media_type: { kind: 'unsupported_media_type', message: 'Send the body as application/json.' },
  rate_limit_exceeded: { kind: 'rate_limited', message: 'Too many requests. Try again after Retry-After.' },
  sandbox_quota_exceeded: {
    kind: 'rate_limited',
    message: 'The account has sent as much on the sandbox line as a day takes. Try again after Retry-After.',
  },
  idempotency_key_reused: {
    kind: 'conflict',
    message: 'This Idempotency-Key was used with another request. Take a new key for a new request.',
  },
  idempotency_key_in_progress: {
    kind: 'conflict',
    message: 'The first request with this Idempotency-Key is still under way. Try again shortly.',
  },
  overloaded: { kind: 'unavailable', message: 'The server cannot take this now. Try again shortly.' },
  not_implemented: {
    kind: 'not_implemented',
    message: "This is a part of Sendblue's API that this server does not serve.",
  },
  internal_error: { kind: 'internal', message: 'Something went wrong here. Quote the request id when you report it.' },
} as const satisfies Record<string, { kind: ErrorKind; message: string }>;
export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  /** Replaces the code's own sentence with one that says more. */
  readonly message?: string;
  /** The request's field that is to blame. */
  readonly param?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
}

/** An expected refusal. Anything else that is thrown is a bug. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.message ?? ERRORS[code].message);
    this.name = 'ApiError';
    this.code = code;
    this.param = detail.param;
    this.retryAfter = detail.retryAfter;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }
}
