/**
 * The suite that every driver must pass, against a fake of its other side.
 *
 * A driver's test file brings a harness and names the features that the driver cannot show; those tests are not made.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import { describeDeeds } from './conformance/deeds.ts';
import { describeEnding } from './conformance/ending.ts';
import { describeFinding } from './conformance/finding.ts';
import type { Feature, LineHarness } from './conformance/line-harness.ts';
import { describeReporting } from './conformance/reporting.ts';
import { describeSending } from './conformance/sending.ts';
import { ServerSide } from './conformance/server-side.ts';
import { describeFaults } from './conformance/simulated-faults.ts';
import { describeHandlesWithMeaning } from './conformance/simulated-handles.ts';
import { describeSimulatedLine } from './conformance/simulated-line.ts';
import { describePhones } from './conformance/simulated-phones.ts';
import { makeSimulatorHarness, type OpenWireDatabase } from './conformance/simulator-harness.ts';
import { useSimulatorStage } from './conformance/simulator-stage.ts';
import type { Stage } from './conformance/stage.ts';

export {
  type ArrangedOutcome,
  type FarSide,
  FEATURES,
  type Feature,
  type LineHarness,
} from './conformance/line-harness.ts';

export type { OpenWireDatabase } from './conformance/simulator-harness.ts';

/** `cannot` names the features that are out of this driver's, or its fake's, reach. */
export function describeLineDriver(
  name: string,
  makeHarness: () => Promise<LineHarness>,
  cannot: readonly Feature[] = [],
): void {
  describe(`${name}, as a line driver`, () => {
    let current: Stage | null = null;
    const stage = (): Stage => {
      if (current === null) throw new Error('The stage is set before each test.');
      return current;
    };
    const can = (feature: Feature): boolean => !cannot.includes(feature);

    beforeEach(async () => {
      const harness = await makeHarness();
      current = { server: new ServerSide(harness), far: harness.far, line: harness.line };
    });
    afterEach(async () => {
      await stage().server.close();
    });

    describeSending(stage, can);
    describeFinding(stage, can);
    describeReporting(stage, can);
    describeEnding(stage, can);
    describeDeeds(stage, can);
  });
}

/** Everything that the simulator promises, for each database that it may run on. */
export function describeSimulator(name: string, open: OpenWireDatabase): void {
  describeLineDriver(name, () => makeSimulatorHarness(open));
  describe(name, () => {
    const stage = useSimulatorStage(open);
    describeSimulatedLine(stage);
    describeHandlesWithMeaning(stage);
    describeFaults(stage);
    describePhones(stage);
  });
}
