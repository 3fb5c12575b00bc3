/** The agent as a program: what `trunkline bridge` runs. It has a state folder of its own and one line. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverContext, LineDriver } from './line-driver.ts';
import { takeAgentLock } from './macos/doctor/agent-lock.ts';
import { serveDoctorSocket } from './macos/doctor/doctor-socket.ts';
import { openMac } from './macos/mac.ts';
import { AgentRefusedError, type AgentState, runAgent } from './remote/agent.ts';
import type { SessionLine } from './remote/agent-session.ts';
import { createFileTransfer } from './remote/file-transfer.ts';

export { AgentRefusedError } from './remote/agent.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Where the programs and files of macOS are, where they are not where macOS has them. */
export interface MacPlaces {
  readonly chatDb?: string;
  readonly osascript?: readonly string[];
  readonly open?: readonly string[];
}

export interface BridgeOptions {
  readonly server: URL;
  readonly token: string;
  readonly line: string | null;
  readonly driver: 'macos' | 'simulator';
  readonly stateFolder: string;
  /** The home folder of the user whose Messages it is. */
  readonly home: string;
  readonly places: MacPlaces;
  readonly version: string;
  /** What the server shows of this computer: `macOS 15.5`. */
  readonly platform: string;
  /** What it finds when it examines this computer, with its own grants. */
  readonly examine: (clockOffsetMs: number | null) => Promise<unknown>;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: DriverContext['log'];
  readonly signal: AbortSignal;
}

interface Far {
  createDriver(line: SessionLine, context: DriverContext): LineDriver;
  diagnostics(): object;
  close(): Promise<void>;
}

/** Resolves when the signal says so. Throws `AgentRefusedError`. */
export async function runBridge(options: BridgeOptions): Promise<void> {
  const { stateFolder, server, token, now, random, log, signal } = options;
  mkdirSync(stateFolder, { recursive: true, mode: FOLDER_MODE });
  const lock = takeAgentLock(stateFolder);
  if (lock === null) throw new AgentRefusedError(`Another agent runs on ${stateFolder}.`);
  let state: AgentState = { state: 'connecting' };
  let clockOffsetMs: number | null = null;
  const instance = readInstance(stateFolder, existsSync(memoryOf(options)));
  const far = await openFar(options);
  const socket = await serveDoctorSocket(stateFolder, {
    doctor: () => options.examine(clockOffsetMs),
    status: async () => ({
      server: server.origin,
      driver: options.driver,
      version: options.version,
      ...state,
      ...far.diagnostics(),
    }),
  });
  try {
    await runAgent({
      server,
      token,
      line: options.line,
      instance,
      agent: { version: options.version, platform: options.platform, driver: options.driver },
      createDriver: (line, context) => far.createDriver(line, context),
      filesOf: ({ handle }) => createFileTransfer({ server, token, line: handle, signal }),
      now,
      random,
      log,
      signal,
      onClock: (offsetMs) => {
        clockOffsetMs = offsetMs;
      },
      onState: (next) => {
        state = next;
      },
    });
  } finally {
    await socket.close();
    await far.close();
    lock.release();
  }
}

async function openFar(options: BridgeOptions): Promise<Far> {
  const { driver } = options;
  if (driver === 'simulator') {
    // An agent on a Mac has no use for it.
    const { openSimulatedMac } = await import('./remote/simulated-mac.ts');
    const simulated = await openSimulatedMac(memoryOf(options), options);
    return { ...simulated, diagnostics: () => ({}) };
  }
  return openMac({ ...options, ...options.places, journal: memoryOf(options) });
}

/** Where this agent remembers what was handed to it. */
function memoryOf({ stateFolder, driver }: BridgeOptions): string {
  return join(stateFolder, driver === 'simulator' ? 'simulator.sqlite' : 'journal.sqlite');
}

/**
 * By this name the server knows the agent again, so that it takes its line over from its own former connection, and believes
 * it that a message was never begun. One that has lost its memory is another one.
 */
function readInstance(stateFolder: string, remembers: boolean): string {
  const path = join(stateFolder, 'instance');
  if (remembers && existsSync(path)) return readFileSync(path, 'utf8').trim();
  const instance = randomUUID();
  const draft = `${path}.new`;
  writeFileSync(draft, `${instance}\n`, { mode: FILE_MODE });
  renameSync(draft, path);
  return instance;
}
