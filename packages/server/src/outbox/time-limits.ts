/** What only time can end: the wait of an item for its echo, of a message for its later piece, and typing. */
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { announceDue } from '../store/announcements.ts';
import type { Engine } from '../store/database.ts';
import { anyEchoOverdue, expireItems } from '../store/echo-limits.ts';
import { anyHeld } from '../store/held-messages.ts';
import { anyTypingExpired, endTyping } from '../store/presence.ts';
import type { Writer } from '../store/writer.ts';

const EVERY_MS = 250;

export interface TimeLimitDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TimeLimits {
  stop(): Promise<void>;
}

export function startTimeLimits(deps: TimeLimitDeps): TimeLimits {
  let stopped = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();

  function again(): void {
    if (stopped) return;
    cancel = deps.clock.after(EVERY_MS, () => {
      running = endWaitsOnce(deps)
        .catch((error: unknown) => deps.log.error({ err: error }, 'time limits could not be kept and are tried again'))
        .then(again);
    });
  }

  again();
  return {
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** Looks first and writes only where something is due, so that an idle server commits nothing. */
async function endWaitsOnce(deps: TimeLimitDeps): Promise<void> {
  const now = deps.clock.now();
  if (await anyHeld(deps.engine, now)) await deps.writer.write(announceDue, { now });
  if (await anyTypingExpired(deps.engine, now)) await deps.writer.write(endTyping, { now });
  if (await anyEchoOverdue(deps.engine, now)) await deps.writer.write(expireItems, { now });
}
