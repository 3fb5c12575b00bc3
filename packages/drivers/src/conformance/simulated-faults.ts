import { describe, expect, it } from 'vitest';
import type { LineDriver } from '../line-driver.ts';
import type { Faults } from '../simulator/faults.ts';
import { direct, echoOf, message } from './sending.ts';
import { eventually } from './server-side.ts';
import { LINE, PEER } from './simulator-harness.ts';
import type { SimulatorStage } from './simulator-stage.ts';

export function describeFaults(stage: () => SimulatorStage): void {
  describe('the faults of a line', () => {
    async function startWith(faults: Partial<Faults>): Promise<LineDriver> {
      const { server, network } = stage();
      await network.setFaults(LINE, faults);
      return (await server.start()).driver;
    }

    it('latency delays the answer and the delivery, not the order', async () => {
      const { server, far } = stage();
      const driver = await startWith({ latencyMs: 40, jitterMs: 20 });
      const started = performance.now();
      const sends = [1, 2, 3].map((number) => driver.send(message(direct(PEER), `obx_${number}`, `Text ${number}`)));
      const { guid, deliveredAt } = await echoOf(server, 'obx_1');
      expect(deliveredAt).toBeNull();
      await Promise.all(sends);
      expect(performance.now() - started).toBeGreaterThanOrEqual(35);
      await eventually(() =>
        expect(server.events).toContainEqual(expect.objectContaining({ receipt: 'delivered', guid })),
      );
      expect((await far.received(direct(PEER))).map(({ text }) => text)).toEqual(['Text 1', 'Text 2', 'Text 3']);
    });

    it('a fail rate of 1 fails every send, with a sentence', async () => {
      const { far } = stage();
      const driver = await startWith({ failRate: 1 });
      const disposition = await driver.send(message(direct(PEER), 'obx_1', 'Hello'));
      expect(disposition).toMatchObject({ state: 'failed', reason: expect.stringMatching(/\.$/) });
      expect(await far.received(direct(PEER))).toEqual([]);
    });

    it('a dropped echo leaves a message on the phone that the line never shows', async () => {
      const { server, far } = stage();
      const driver = await startWith({ dropEchoRate: 1 });
      expect(await driver.send(message(direct(PEER), 'obx_1', 'Hello'))).toEqual({ state: 'accepted' });
      const [onPhone] = await far.received(direct(PEER));
      await server.message(await far.text(PEER, 'Hi'));
      expect(server.guids(true)).toEqual([]);
      const answers = await driver.find([{ reference: 'obx_1', attempt: 1 }]);
      expect(answers.get('obx_1')).toEqual({ state: 'found', guid: onPhone?.guid });
    });

    it('duplicates are the same message again', async () => {
      const { server, far } = stage();
      await startWith({ duplicateRate: 1 });
      const guid = await far.text(PEER, 'Hello');
      await server.message(guid);
      expect(server.messages().map((seen) => seen.guid)).toEqual([guid, guid]);
    });

    it('are felt by a driver that runs already, and end when they are cleared', async () => {
      const { server, network } = stage();
      const { driver } = await server.start();
      await network.setFaults(LINE, { failRate: 1 });
      let attempt = 0;
      const send = () => {
        attempt += 1;
        return driver.send(message(direct(PEER), 'obx_1', 'Hello', attempt));
      };
      await eventually(async () => expect((await send()).state).toBe('failed'));
      await network.clearFaults(LINE);
      await eventually(async () => expect((await send()).state).toBe('sent'));
    });
  });
}
