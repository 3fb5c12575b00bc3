import { afterEach, beforeEach } from 'vitest';
import { ServerSide } from './server-side.ts';
import { makeSimulatorHarness, type OpenWireDatabase, type SimulatorHarness } from './simulator-harness.ts';
import type { Stage } from './stage.ts';

/** A stage on the simulator, whose phones, faults and tables can be reached as well. */
export interface SimulatorStage extends Stage {
  readonly network: SimulatorHarness['network'];
  readonly query: SimulatorHarness['query'];
  readonly holdClock: SimulatorHarness['holdClock'];
}

/** Sets a fresh stage before each test of the suite that it is called in. */
export function useSimulatorStage(open: OpenWireDatabase): () => SimulatorStage {
  let current: SimulatorStage | null = null;
  const stage = (): SimulatorStage => {
    if (current === null) throw new Error('The stage is set before each test.');
    return current;
  };
  beforeEach(async () => {
    const harness = await makeSimulatorHarness(open);
    const { far, line, network, query, holdClock } = harness;
    current = { server: new ServerSide(harness), far, line, network, query, holdClock };
  });
  afterEach(() => stage().server.close());
  return stage;
}
