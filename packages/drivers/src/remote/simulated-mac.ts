/** A simulator for an agent that has no Mac: a phone that answers whatever it is sent, over restarts too. */
import { randomUUID } from 'node:crypto';
import type { DriverContext, LineDriver } from '../line-driver.ts';
import { createSimulatorDriver } from '../simulator/driver.ts';
import { createSimulatorNetwork } from '../simulator/network.ts';
import { openSqliteWireDatabase } from '../simulator/sqlite-wire-database.ts';
import type { SessionLine } from './agent-session.ts';

/** The phone that answers, as the one of a server's own simulated line. */
const PHONE = '+15550109999';

export interface SimulatedMac {
  createDriver(line: SessionLine, context: DriverContext): LineDriver;
  close(): Promise<void>;
}

export async function openSimulatedMac(
  path: string,
  { now, random }: Pick<DriverContext, 'now' | 'random'>,
): Promise<SimulatedMac> {
  const { database, close } = await openSqliteWireDatabase(path);
  const newGuid = () => randomUUID().toUpperCase();
  const network = createSimulatorNetwork({ database, now, random, newGuid });
  await network.open();
  await network.setAutoreply(PHONE, { echo: true });
  return {
    createDriver: ({ handle, service }, context) => createSimulatorDriver({ network, line: handle, service, context }),
    close,
  };
}
