/**
 * Runs each active line in exactly one process: takes the line's lease, starts its driver, lets the outbox learn what
 * became of lost hand-overs, keeps both going, and starts again with a growing pause when the driver fails. Stops a line
 * that was switched off or removed.
 */
import type { DriverContext, DriverFiles, LineDriver, LineEvent } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import { isReachedFromAfar, type Line, lineLane } from '../domain/line.ts';
import { type HeldLease, type LeaseDeps, takeLease } from '../leases/held-lease.ts';
import type { Log } from '../log.ts';
import { type Engine, StorageUnavailableError } from '../store/database.ts';
import { readLineCursor } from '../store/lines.ts';
import { startHealthNotes } from './health-notes.ts';
import { type IngestDeps, ingest } from './ingest.ts';
import type { LineRegistry } from './registry.ts';

/** How often a line whose lease another process holds is tried again. */
const TAKE_EVERY_MS = 1_000;
const RESTART_FIRST_MS = 200;
const RESTART_MAX_MS = 30_000;
/** While it is the database that fails, the pause does not grow: the line runs again soon after the database does. */
const STORAGE_RESTART_MS = 1_000;

/** What is told of a line that is reached from afar while nobody reaches it. */
const NO_AGENT = 'No agent is connected.';

/** What the outbox does for a running line, handed in so that lines know nothing of the outbox. */
export interface LineOutbox {
  /** Settles what a predecessor left without an outcome. Gives how many items. */
  reconcile(line: Line, lease: HeldLease, driver: LineDriver): Promise<number>;
  start(line: Line, lease: HeldLease, driver: LineDriver): LineWorker;
}

export interface LineWorker {
  /** The driver can take commands, or cannot. */
  setOnline(online: boolean): void;
  /** The least time between two hand-overs from now on, in milliseconds. */
  setPace(paceMs: number): void;
  /** When the item was handed over, in Unix milliseconds, where this worker did it and its echo is still awaited. */
  handedOverAt(outboxId: string): number | null;
  /** The echoes of these items were committed. */
  echoed(outboxIds: readonly string[]): void;
  /** Hands back what was claimed and not handed over, and waits for what is under way. */
  stop(): Promise<void>;
  /** Resolves when it has ended: with the error that the driver threw, or null. */
  readonly ended: Promise<Error | null>;
}

export interface SupervisorDeps extends IngestDeps, LeaseDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly registry: LineRegistry;
  readonly outbox: LineOutbox;
  readonly filesOf: (line: Line) => DriverFiles;
  readonly createDriver: (line: Line, context: DriverContext) => LineDriver;
}

/** An agent that has dialled in for a line: who it is, and the driver whose far side it is. */
export interface Attached {
  /** Names the agent over its restarts: it takes the line from its own former connection at once, and from nobody else. */
  readonly instance: string;
  readonly createDriver: (context: DriverContext) => LineDriver;
  /** Aborted when the agent may not stay. */
  readonly signal: AbortSignal;
}

/** `held` where another agent has the line, `stopping` where this process takes nobody any more. */
export type AttachEnd = 'ended' | 'held' | 'no_line' | 'stopping';

export interface Supervisor {
  /** Runs a line that is reached from afar. Resolves when that has ended. */
  attach(lineRef: number, attached: Attached): Promise<AttachEnd>;
  /** Resolves when every line that this process owns has stopped and given its lease up. */
  stop(): Promise<void>;
}

export function startSupervisor(deps: SupervisorDeps): Supervisor {
  const running = new Map<number, RunningLine>();
  let isStopping = false;

  function start(line: Line): void {
    const stopping = new AbortController();
    const ended = runLine(deps, line, stopping.signal).finally(() => {
      running.delete(line.ref);
      // It may have been switched on again while it was stopping.
      followLines();
    });
    running.set(line.ref, { ended, stopping });
  }

  function followLines(): void {
    if (isStopping) return;
    const active = deps.registry.all().filter((line) => line.isActive);
    const refs = new Set(active.map((line) => line.ref));
    for (const [ref, { stopping }] of running) if (!refs.has(ref)) stopping.abort();
    for (const line of active) if (!running.has(line.ref) && !isReachedFromAfar(line)) start(line);
  }

  async function attach(lineRef: number, attached: Attached): Promise<AttachEnd> {
    if (isStopping) return 'stopping';
    const line = deps.registry.byRef(lineRef);
    if (!line?.isActive || !isReachedFromAfar(line)) return 'no_line';
    const holder = `agent ${attached.instance}`;
    const lease = await takeLease({ ...deps, holder }, lineLane(line.ref));
    if (!lease) return 'held';
    if (isStopping) {
      await lease.release();
      return 'stopping';
    }
    const former = running.get(line.ref);
    const stopping = new AbortController();
    const stop = () => stopping.abort();
    attached.signal.addEventListener('abort', stop, { once: true });
    if (attached.signal.aborted) stop();
    const ended = takeOver(deps, line, lease, attached.createDriver, stopping.signal, former).finally(() => {
      attached.signal.removeEventListener('abort', stop);
      if (running.get(line.ref)?.ended === ended) running.delete(line.ref);
    });
    running.set(line.ref, { ended, stopping });
    await ended;
    return 'ended';
  }

  const stopListening = deps.registry.onChange(followLines);
  followLines();
  return {
    attach,
    async stop() {
      isStopping = true;
      stopListening();
      for (const { stopping } of running.values()) stopping.abort();
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

interface RunningLine {
  readonly ended: Promise<void>;
  readonly stopping: AbortController;
}

/** The agent's own former connection ends first: it writes nothing more, as its fence is an old one. */
async function takeOver(
  deps: SupervisorDeps,
  line: Line,
  lease: HeldLease,
  createDriver: Attached['createDriver'],
  stopping: AbortSignal,
  former: RunningLine | undefined,
): Promise<void> {
  former?.stopping.abort();
  await former?.ended;
  try {
    const driven = { ...deps, createDriver: (_line: Line, context: DriverContext) => createDriver(context) };
    const failure = await ownLine(driven, line, lease, stopping);
    deps.log.info({ line: line.id, reason: failure?.message ?? null }, 'an agent left its line');
  } catch (error) {
    deps.log.error({ line: line.id, err: error }, 'a line could not be run for its agent');
  }
}

async function runLine(deps: SupervisorDeps, line: Line, stopping: AbortSignal): Promise<void> {
  let pauseMs = RESTART_FIRST_MS;
  while (!stopping.aborted) {
    try {
      const lease = await takeLease(deps, lineLane(line.ref));
      if (!lease) {
        await pause(deps.clock, TAKE_EVERY_MS, stopping);
        continue;
      }
      const failure = await ownLine(deps, line, lease, stopping);
      if (!failure) {
        pauseMs = RESTART_FIRST_MS;
        continue;
      }
      deps.log.warn({ line: line.id, reason: failure.message }, 'a line stopped and will be started again');
      if (failure instanceof StorageUnavailableError) pauseMs = STORAGE_RESTART_MS;
    } catch (error) {
      if (error instanceof StorageUnavailableError) pauseMs = STORAGE_RESTART_MS;
      deps.log.error({ line: line.id, err: error }, 'a line could not be run and will be tried again');
    }
    await pause(deps.clock, pauseMs, stopping);
    pauseMs = Math.min(pauseMs * 2, RESTART_MAX_MS);
  }
}

/** Owns the line until something ends it. Gives the failure, or null when it was stopped or taken over. */
async function ownLine(
  deps: SupervisorDeps,
  line: Line,
  lease: HeldLease,
  stopping: AbortSignal,
): Promise<Error | null> {
  const ending = new AbortController();
  const end = () => ending.abort();
  stopping.addEventListener('abort', end, { once: true });
  // The order to stop may have come while the lease was being taken.
  if (stopping.aborted) end();
  void lease.ended.then(end);
  try {
    return await runDriver(deps, line, lease, ending.signal);
  } finally {
    stopping.removeEventListener('abort', end);
    end();
    await lease.release();
  }
}

async function runDriver(
  deps: SupervisorDeps,
  line: Line,
  lease: HeldLease,
  ending: AbortSignal,
): Promise<Error | null> {
  let worker: LineWorker | null = null;
  let isOnline = true;
  const health = startHealthNotes(deps, line, lease);
  let running: LineDriver | null = null;
  const driver = deps.createDriver(line, {
    now: deps.clock.now,
    random: deps.random,
    files: deps.filesOf(line),
    signal: ending,
    log: (level, message, fields) => deps.log[level]({ line: line.id, ...fields }, message),
    report: async (events: readonly LineEvent[]) => {
      const echoed = await ingest(deps, line, lease, events, (id) => worker?.handedOverAt(id) ?? null);
      worker?.echoed(echoed);
    },
    health: (state, reason) => {
      isOnline = state !== 'offline';
      worker?.setOnline(isOnline);
      health.note(state, reason, running?.capabilities() ?? null);
      deps.log.info({ line: line.id, state, reason }, 'line health');
    },
  });
  running = driver;
  const followPace = () => worker?.setPace((deps.registry.byRef(line.ref) ?? line).paceMs);
  const stopFollowing = deps.registry.onChange(followPace);
  try {
    await driver.start(await readLineCursor(deps.engine, line.ref));
    const asked = await deps.outbox.reconcile(line, lease, driver);
    if (asked > 0) deps.log.info({ line: line.id, asked }, 'asked the line about hand-overs that were cut short');
    worker = deps.outbox.start(line, lease, driver);
    worker.setOnline(isOnline);
    followPace();
    const failures = await Promise.race([driver.stopped, worker.ended, aborted(ending).then(() => null)]);
    await worker.stop();
    return failures;
  } finally {
    stopFollowing();
    await driver.stop();
    await health.stop(isReachedFromAfar(line) ? NO_AGENT : null);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  let cancel: () => void = () => undefined;
  const slept = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([slept, aborted(signal)]);
  cancel();
}
