/** Everything that a call throws on purpose. `error instanceof MessagesError` catches all of it. */

export interface ErrorDetail {
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** The family, such as `invalid_request_error`. */
  readonly type: string;
  /** What programs branch on, such as `contact_has_not_messaged`. */
  readonly code: string;
  /** The parameter that is to blame, where one is. */
  readonly param?: string | undefined;
  /** Quote it when you report a problem. */
  readonly requestId?: string | undefined;
  readonly message: string;
  /** The answer's headers, where there was an answer. */
  readonly headers?: Headers | undefined;
  readonly cause?: unknown;
}

/** A call that was refused or could not be made. Its children tell the usual reasons apart. */
export class MessagesError extends Error {
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** The family, such as `invalid_request_error`. */
  readonly type: string;
  /** What programs branch on, such as `contact_has_not_messaged`. */
  readonly code: string;
  /** The parameter that is to blame, where one is. */
  readonly param: string | undefined;
  /** Quote it when you report a problem. */
  readonly requestId: string | undefined;
  /** The answer's headers, where there was an answer. */
  readonly headers: Headers | undefined;

  constructor(detail: ErrorDetail, name = 'MessagesError') {
    super(detail.message, detail.cause === undefined ? {} : { cause: detail.cause });
    // Said by each class, and not read from it: bundlers give classes other names.
    this.name = name;
    this.status = detail.status;
    this.type = detail.type;
    this.code = detail.code;
    this.param = detail.param;
    this.requestId = detail.requestId;
    // Not listed: whoever prints an error wants its reason and not its headers.
    Object.defineProperty(this, 'headers', { value: detail.headers, enumerable: false });
  }
}

/** 401: the API key is missing, malformed, unknown, revoked or expired. */
export class AuthenticationError extends MessagesError {
  constructor(detail: ErrorDetail) {
    super(detail, 'AuthenticationError');
  }
}

/** 403: the key lacks a scope, may not use that line, or the contact has not written first; `code` says which. */
export class AuthorizationError extends MessagesError {
  constructor(detail: ErrorDetail) {
    super(detail, 'AuthorizationError');
  }
}

/** 404: there is no such thing for this account. */
export class NotFoundError extends MessagesError {
  constructor(detail: ErrorDetail) {
    super(detail, 'NotFoundError');
  }
}

/** Any other 4xx; `status` says which. */
export class InvalidRequestError extends MessagesError {
  constructor(detail: ErrorDetail) {
    super(detail, 'InvalidRequestError');
  }
}

/** 429: too many requests, or the sandbox's day is used up. */
export class RateLimitError extends MessagesError {
  /** How many milliseconds the server asks to wait; undefined where it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(detail: ErrorDetail & { readonly retryAfterMs?: number | undefined }) {
    super(detail, 'RateLimitError');
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** The server could not be reached, or the connection broke. Whether the request arrived is not known. */
export class ConnectionError extends MessagesError {
  constructor(detail: ErrorDetail, name = 'ConnectionError') {
    super(detail, name);
  }
}

/** No answer came in time, or an outbox item was not settled in time. */
export class TimeoutError extends ConnectionError {
  constructor(detail: ErrorDetail) {
    super(detail, 'TimeoutError');
  }
}

/** The delivery is not from your server, is too old, or was changed on the way. Answer it with a 400. */
export class SignatureVerificationError extends MessagesError {
  constructor(message: string) {
    super(
      { status: 0, type: 'signature_verification_error', code: 'invalid_signature', message },
      'SignatureVerificationError',
    );
  }
}
