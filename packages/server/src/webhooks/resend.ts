/** Sends a webhook's deliveries of some time again, in bounded steps from the newest to the oldest. */
import type { Clock } from '../clock.ts';
import { type Resendable, resendDeliveries } from '../store/resends.ts';
import type { Writer } from '../store/writer.ts';

/** Deliveries that one step looks at, so that others need not wait for long. */
const STEP_ROWS = 500;

export interface ResendDeps {
  readonly writer: Writer;
  readonly clock: Clock;
}

export interface Resend {
  readonly webhookRef: number;
  /** Unix milliseconds. */
  readonly since: number;
  readonly states: readonly Resendable[];
}

/** How many are due again: `isWhole` is false where the webhook was disabled before or meanwhile. */
export interface Resent {
  readonly count: number;
  readonly isWhole: boolean;
}

export async function resendSince({ writer, clock }: ResendDeps, resend: Resend): Promise<Resent> {
  const now = clock.now();
  let before = Number.MAX_SAFE_INTEGER;
  let count = 0;
  for (;;) {
    const step = await writer.write(resendDeliveries, { ...resend, before, now, max: STEP_ROWS });
    if (step === 'inactive') return { count, isWhole: false };
    count += step.count;
    if (step.next === null) return { count, isWhole: true };
    before = step.next;
  }
}
