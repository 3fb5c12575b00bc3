/** A write that may be tried again, because every try carries the same Idempotency-Key. */
import type { Api, CallOptions } from './api.ts';
import { Refusal, Unreachable } from './failure.ts';
import type { Fields } from './fields.ts';

const ATTEMPTS_MAX = 4;
const BACK_OFF_FIRST_MS = 500;
/** A server that asks for more patience than this is not waited for. */
const WAIT_MAX_MS = 60_000;

export interface Patience {
  readonly wait: (ms: number) => Promise<void>;
  readonly note: (line: string) => void;
}

export interface PatientRequest extends CallOptions {
  readonly idempotencyKey: string;
}

export async function postPatiently(
  api: Api,
  path: string,
  { idempotencyKey, ...request }: PatientRequest,
  { wait, note }: Patience,
): Promise<Fields> {
  const headers = { ...request.headers, 'idempotency-key': idempotencyKey };
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.call('POST', path, { ...request, headers });
    } catch (error) {
      const waitMs = waitAfter(error, BACK_OFF_FIRST_MS * 2 ** (attempt - 1));
      if (waitMs === null || waitMs > WAIT_MAX_MS || attempt === ATTEMPTS_MAX) throw error;
      note(`${error instanceof Error ? error.message : String(error)} Trying again in ${waitMs / 1_000} s.`);
      await wait(waitMs);
    }
  }
}

/** Null: another try would end the same way. */
function waitAfter(error: unknown, backOffMs: number): number | null {
  if (error instanceof Unreachable) return backOffMs;
  if (!(error instanceof Refusal)) return null;
  const { status, code, retryAfter } = error.detail;
  const isPassing = status === 429 || status >= 500 || code === 'idempotency_key_in_progress';
  if (!isPassing) return null;
  return retryAfter === null ? backOffMs : retryAfter * 1_000;
}
