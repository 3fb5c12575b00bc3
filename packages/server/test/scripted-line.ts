/** A line whose driver does what a test says, run by the server's own supervisor and outbox. */
import {
  CAPABILITIES,
  type Capabilities,
  type Command,
  type Disposition,
  type DriverContext,
  type HandOver,
  type LineDriver,
  type LineEvent,
  type LookUp,
} from '@trunkline/drivers';
import type { Clock } from '../src/clock.ts';
import { noFailpoints, type ReachFailpoint } from '../src/domain/failpoint.ts';
import { lineLane } from '../src/domain/line.ts';
import { createLineRegistry } from '../src/lines/registry.ts';
import { startSupervisor } from '../src/lines/supervisor.ts';
import { createLog } from '../src/log.ts';
import { reconcile } from '../src/outbox/reconcile.ts';
import { startOutboxWorker } from '../src/outbox/worker.ts';
import type { FakeClock } from './fake-clock.ts';
import { expireLease, type Process } from './stage.ts';

export interface Script {
  /** What becomes of a hand-over. What it throws, `send` rejects with, as no driver should. */
  readonly send: (command: Command, driver: ScriptedDriver) => Disposition | Promise<Disposition>;
  readonly find?: (lost: HandOver) => LookUp;
  readonly inFlight?: number;
}

export class ScriptedDriver implements LineDriver {
  readonly inFlight: number;
  readonly stopped: Promise<Error | null>;
  readonly asked: HandOver[] = [];
  startedAt: string | null = null;
  readonly #script: Script;
  readonly #handedOver: Command[];
  readonly #context: DriverContext;
  readonly #ended = Promise.withResolvers<Error | null>();

  constructor(script: Script, handedOver: Command[], context: DriverContext) {
    this.#script = script;
    this.#handedOver = handedOver;
    this.#context = context;
    this.inFlight = script.inFlight ?? 64;
    this.stopped = this.#ended.promise;
  }

  capabilities(): Capabilities {
    return Object.fromEntries(CAPABILITIES.map((name) => [name, true])) as Record<keyof Capabilities, boolean>;
  }

  async start(cursor: string | null): Promise<void> {
    this.startedAt = cursor;
  }

  async send(command: Command): Promise<Disposition> {
    this.#handedOver.push(command);
    return this.#script.send(command, this);
  }

  async find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>> {
    this.asked.push(...lost);
    const { find = () => ({ state: 'unknown' }) } = this.#script;
    return new Map(lost.map((one) => [one.reference, find(one)]));
  }

  report(events: readonly LineEvent[]): Promise<void> {
    return this.#context.report(events);
  }

  health(state: 'online' | 'offline'): void {
    this.#context.health(state, null);
  }

  crash(): void {
    this.#ended.resolve(new Error('The driver crashed.'));
  }

  async stop(): Promise<void> {
    this.#ended.resolve(null);
  }
}

export interface ScriptedLine {
  /** Everything that was handed over, in order, by every driver that was started. */
  readonly handedOver: readonly Command[];
  /** The drivers that were started, the running one last. */
  readonly drivers: readonly ScriptedDriver[];
  stop(): Promise<void>;
}

const NO_FILES = {
  read: () => Promise.reject(new Error('A scripted line reads no bytes.')),
  write: () => Promise.reject(new Error('A scripted line brings no bytes.')),
};

export interface ScriptedLineOptions {
  readonly clock: Clock;
  readonly script: Script;
  readonly failpoint?: ReachFailpoint;
  readonly holder?: string;
}

export async function startScriptedLine(process: Process, options: ScriptedLineOptions): Promise<ScriptedLine> {
  const { engine, writer } = process;
  const { clock, script, failpoint = noFailpoints, holder = 'a process' } = options;
  const deps = { engine, writer, clock, failpoint };
  const registry = await createLineRegistry(engine, () => true);
  for (const line of registry.all()) await expireLease(engine, lineLane(line.ref));
  const handedOver: Command[] = [];
  const drivers: ScriptedDriver[] = [];
  const supervisor = startSupervisor({
    ...deps,
    log: createLog('silent', false),
    random: () => 0.5,
    holder,
    registry,
    outbox: {
      reconcile: (line, lease, driver) => reconcile(deps, line.ref, lease, driver),
      start: (line, lease, driver) => startOutboxWorker(deps, line, lease, driver),
    },
    filesOf: () => NO_FILES,
    createDriver: (_line, context) => {
      const driver = new ScriptedDriver(script, handedOver, context);
      drivers.push(driver);
      return driver;
    },
  });
  return {
    handedOver,
    drivers,
    async stop() {
      await supervisor.stop();
      registry.close();
    },
  };
}

const PASS_WITHIN_MS = 5_000;

/** Moves fake time on, a step for each millisecond or two of real time, until the check holds. */
export async function passUntil(
  clock: FakeClock,
  check: () => Promise<boolean> | boolean,
  what: string,
  stepMs = 25,
): Promise<void> {
  const deadline = performance.now() + PASS_WITHIN_MS;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Waited ${PASS_WITHIN_MS / 1000} s for ${what}.`);
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
