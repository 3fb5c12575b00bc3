/** A computer far away whose agent dials in: the agent's own code, and simulated phones that the server knows nothing of. */
import { createSimulatorDriver, createSimulatorNetwork, type SimulatorNetwork } from '@trunkline/drivers';
import { type AgentOptions, type AgentState, runAgent } from '../../drivers/src/remote/agent.ts';
import { createFileTransfer } from '../../drivers/src/remote/file-transfer.ts';
import { openMemoryWireDatabase } from '../../drivers/src/simulator/memory-wire-database.test-support.ts';
import { expectStatus, type TestServer, waitFor } from './harness.ts';

export const REMOTE_LINE = '+15550100077';
export const FAR_PHONE = '+15550109977';
const PAUSE_MS = 20;

export interface FarMac {
  readonly network: SimulatorNetwork;
  /** What its agents said of their connections, in order. */
  readonly states: AgentState[];
  /** Dials in, and again until it is told to stop. */
  start(options?: Partial<AgentOptions>): RunningAgent;
  close(): Promise<void>;
}

export interface RunningAgent {
  /** Rejects when the server refuses it for good. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

let guids = 0;

/** A line that is reached from afar, and the token of a device that may serve it. */
export async function addRemoteLine(
  test: TestServer,
  handle = REMOTE_LINE,
): Promise<{ token: string; device: string }> {
  const settings = { contact_first: false, pace_ms: 0 };
  expectStatus(201, await test.call('POST', '/admin/v1/lines', { handle, driver: 'remote', settings }));
  const { body } = expectStatus(201, await test.call('POST', '/admin/v1/devices', { name: 'Mac', lines: [handle] }));
  return { token: String(body['token']), device: String(body['id']) };
}

export async function openFarMac(origin: () => string, token: string): Promise<FarMac> {
  const { database, close } = await openMemoryWireDatabase();
  const newGuid = () => {
    guids += 1;
    return `FAR-${guids}`;
  };
  const timings = { pollMs: 10, reportRetryMs: 5, previewMs: 20 };
  const network = createSimulatorNetwork({ database, now: Date.now, random: Math.random, newGuid, timings });
  await network.open();
  const states: AgentState[] = [];
  const running = new Set<RunningAgent>();

  function start(options: Partial<AgentOptions> = {}): RunningAgent {
    const leaving = new AbortController();
    const server = options.server ?? new URL(origin());
    const ended = runAgent({
      server,
      token,
      line: null,
      instance: 'the Mac',
      agent: { version: '0.1.0', platform: 'test', driver: 'simulator' },
      createDriver: ({ handle }, context) => createSimulatorDriver({ network, line: handle, context }),
      filesOf: ({ handle }) => createFileTransfer({ server, token, line: handle, signal: leaving.signal }),
      now: Date.now,
      random: Math.random,
      log: () => undefined,
      signal: leaving.signal,
      pauseMs: PAUSE_MS,
      onState: (state) => states.push(state),
      ...options,
    });
    // Whoever cares awaits it.
    ended.catch(() => undefined);
    const agent = {
      ended,
      async stop() {
        leaving.abort();
        await ended.catch(() => undefined);
        running.delete(agent);
      },
    };
    running.add(agent);
    return agent;
  }

  return {
    network,
    states,
    start,
    async close() {
      for (const agent of running) await agent.stop();
      await close();
    },
  };
}

export function whenConnected({ states }: FarMac, times = 1): Promise<true> {
  const count = () => states.filter(({ state }) => state === 'connected').length >= times;
  return waitFor(() => count() || undefined, `connection ${times}`);
}
