/** Writes down what a line's driver says of its health, the newest word only, for every process to read. */
import type { Capabilities, HealthState } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { Line } from '../domain/line.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import type { Log } from '../log.ts';
import { recordHealth } from '../store/line-health.ts';
import type { Writer } from '../store/writer.ts';

/** After this long a note that could not be written is tried again. */
const AGAIN_MS = 1_000;

export interface HealthNotes {
  note(state: HealthState, reason: string | null, capabilities: Capabilities | null): void;
  /** Writes nothing more, and waits for what is under way. Given a reason, the line is offline for it from now on. */
  stop(offline: string | null): Promise<void>;
}

export interface HealthDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

interface Word {
  readonly state: HealthState;
  readonly reason: string | null;
  readonly capabilities: readonly string[] | null;
  readonly now: number;
}

export function startHealthNotes(deps: HealthDeps, line: Line, lease: HeldLease): HealthNotes {
  let newest: Word | null = null;
  let isStopped = false;
  let writing: Promise<void> | null = null;
  let cancel: () => void = () => undefined;

  async function writeNewest(): Promise<void> {
    while (newest !== null && !isStopped && lease.isHeld()) {
      const word = newest;
      const result = await deps.writer.write(recordHealth, { claim: lease.claim, lineRef: line.ref, ...word });
      if (result === 'fenced') return lease.lose();
      if (newest === word) newest = null;
    }
  }

  function writeSoon(): void {
    if (isStopped || writing !== null) return;
    writing = writeNewest().then(
      () => {
        writing = null;
        // A word that came after the last look.
        if (newest !== null && lease.isHeld()) writeSoon();
      },
      (error: unknown) => {
        writing = null;
        deps.log.warn({ line: line.id, err: error }, 'the health of a line could not be written and is tried again');
        if (!isStopped) cancel = deps.clock.after(AGAIN_MS, writeSoon);
      },
    );
  }

  return {
    note(state, reason, capabilities) {
      newest = { state, reason, capabilities: capabilities && namesOf(capabilities), now: deps.clock.now() };
      writeSoon();
    },
    async stop(offline) {
      isStopped = true;
      cancel();
      await writing;
      if (offline === null || !lease.isHeld()) return;
      const word = { state: 'offline', reason: offline, capabilities: null, now: deps.clock.now() } as const;
      // Where it cannot be written, the next word of the line says what is so then.
      await deps.writer
        .write(recordHealth, { claim: lease.claim, lineRef: line.ref, ...word })
        .catch((error: unknown) => deps.log.warn({ line: line.id, err: error }, 'a line could not be called offline'));
    },
  };
}

function namesOf(capabilities: Capabilities): string[] {
  return Object.entries(capabilities).flatMap(([name, can]) => (can ? [name] : []));
}
