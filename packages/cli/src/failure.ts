/** Why a command ends without having done what it was asked, with the exit code that scripts rely on. */

export const EXIT = {
  ok: 0,
  refused: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  invalid: 5,
  unreachable: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const INVALID_STATUSES: ReadonlySet<number> = new Set([400, 413, 415, 422]);

export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}

export interface RefusalDetail {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly requestId: string | null;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | null;
}

/** The server answered, and the answer was no. */
export class Refusal extends Failure {
  readonly detail: RefusalDetail;

  constructor(detail: RefusalDetail) {
    super(exitCodeOf(detail.status), detail.message);
    this.name = 'Refusal';
    this.detail = detail;
  }
}

/** No answer came. */
export class Unreachable extends Failure {
  constructor(message: string, cause: unknown) {
    super(EXIT.unreachable, message, { cause });
    this.name = 'Unreachable';
  }
}

export function usageFailure(message: string): Failure {
  return new Failure(EXIT.usage, message);
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401) return EXIT.notSignedIn;
  if (status === 404) return EXIT.notFound;
  return INVALID_STATUSES.has(status) ? EXIT.invalid : EXIT.refused;
}
