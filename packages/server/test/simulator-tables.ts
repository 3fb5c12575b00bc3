/** The simulated network's tables, as a server makes them when it starts. */
import { createSimulatorNetwork } from '@trunkline/drivers';
import type { Engine } from '../src/store/database.ts';
import { asWireDatabase } from '../src/store/wire-database.ts';

export async function makeSimulatorTables(simulator: Engine): Promise<void> {
  const database = asWireDatabase(simulator);
  await createSimulatorNetwork({ database, now: Date.now, random: Math.random, newGuid: () => '' }).open();
}
