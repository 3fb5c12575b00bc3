import { makeSimulatorHarness } from '../src/conformance/simulator-harness.ts';
import { describeLineDriver } from '../src/conformance.ts';
import { openMemoryWireDatabase } from '../src/simulator/memory-wire-database.test-support.ts';
import { makeRemoteHarness } from './remote-harness.ts';

describeLineDriver('A remote line with the simulator at its end', async () =>
  makeRemoteHarness(await makeSimulatorHarness(openMemoryWireDatabase)),
);
