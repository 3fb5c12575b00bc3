/** The benchmark's hold on the webhook receiver. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callChild } from './calls.ts';
import { forkProgram } from './programs.ts';
import type { ReceiverCalls, ReceiverReport } from './receiver-process.ts';

const POLL_MS = 20;
/** Nothing at all for this long: what is missing will not come. */
const STALLED_AFTER_MS = 30_000;

export interface Receiver {
  readonly origin: string;
  readonly webhookUrl: string;
  useSecret(secret: string): Promise<void>;
  clear(): Promise<void>;
  report(): Promise<ReceiverReport>;
  /** Waits until so many different messages were announced. Throws when they stop coming before that. */
  waitFor(what: 'sent' | 'received', count: number): Promise<ReceiverReport>;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const { child, stop } = forkProgram(`${import.meta.dirname}/receiver-process.ts`);
  const { call } = callChild<ReceiverCalls>(child);
  const origin = await call('listen', null);
  const report = () => call('report', null);
  return {
    origin,
    webhookUrl: `${origin}/webhook`,
    useSecret: (secret) => call('useSecret', secret),
    clear: () => call('clear', null),
    report,
    async waitFor(what, count) {
      let last = -1;
      for (let stalledMs = 0; stalledMs < STALLED_AFTER_MS; stalledMs += POLL_MS) {
        const seen = await report();
        if (seen[what] >= count) return seen;
        if (seen[what] !== last) stalledMs = 0;
        last = seen[what];
        await sleep(POLL_MS);
      }
      throw new Error(`Of ${count} webhooks of messages ${what}, ${last} came.`);
    },
    stop,
  };
}
