import { describe, expect, it } from 'vitest';
import { direct, echoOf, message } from './sending.ts';
import { PEER } from './simulator-harness.ts';
import type { SimulatorStage } from './simulator-stage.ts';

export function describeHandlesWithMeaning(stage: () => SimulatorStage): void {
  describe('the handles with a meaning', () => {
    it('+15550100408 never echoes: the message is on the phone, and nobody can say so', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const disposition = await driver.send(message(direct('+15550100408'), 'obx_1', 'Hello'));
      expect(disposition.state).toBe('unknown');
      expect(await far.received(direct('+15550100408'))).toHaveLength(1);
      expect((await driver.find([{ reference: 'obx_1', attempt: 1 }])).get('obx_1')).toEqual({ state: 'unknown' });
      await server.message(await far.text('+15550100408', 'I got it'));
      expect(server.guids(true)).toEqual([]);
      expect(server.events.some((event) => event.kind === 'receipt')).toBe(false);
    });

    it('+15550100410 is never delivered', async () => {
      const { server, network } = stage();
      const { driver } = await server.start();
      const disposition = await driver.send(message(direct('+15550100410'), 'obx_1', 'Hello'));
      expect(disposition.state).toBe('sent');
      expect((await echoOf(server, 'obx_1')).deliveredAt).toBeNull();
      const page = await network.phoneMessages({ phone: '+15550100410' });
      expect(page?.messages.map(({ state }) => state)).toEqual(['sent']);
    });

    it('+15550100429 is slow, and holds nobody else up', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const started = performance.now();
      const slow = driver.send(message(direct('+15550100429'), 'obx_1', 'Slow'));
      await driver.send(message(direct(PEER), 'obx_2', 'Fast'));
      expect(await far.received(direct('+15550100429'))).toEqual([]);
      expect((await slow).state).toBe('sent');
      expect(performance.now() - started).toBeGreaterThanOrEqual(75);
    });

    it('+15550100500 crashes the driver once for each reference', async () => {
      const { server } = stage();
      const chat = direct('+15550100500');
      const first = await server.start();
      await expect(first.driver.send(message(chat, 'obx_1', 'Hello'))).rejects.toThrow('crashed');
      const second = await server.start();
      expect((await second.driver.send(message(chat, 'obx_1', 'Hello', 2))).state).toBe('sent');
      await expect(second.driver.send(message(chat, 'obx_2', 'Hello'))).rejects.toThrow('crashed');
    });

    it('+15550100503 starts at the third attempt', async () => {
      const { server } = stage();
      const { driver } = await server.start();
      const states: string[] = [];
      for (const attempt of [1, 2, 3]) {
        states.push((await driver.send(message(direct('+15550100503'), 'obx_1', 'Hello', attempt))).state);
      }
      expect(states).toEqual(['not_started', 'not_started', 'sent']);
    });

    it('mean nothing in a group', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const identifier = await far.createGroup(['+15550100400', '+15550100500', '+15550100408', PEER], 'All');
      const disposition = await driver.send(message({ identifier, isGroup: true }, 'obx_1', 'Hello'));
      expect(disposition.state).toBe('sent');
      expect((await echoOf(server, 'obx_1')).deliveredAt).not.toBeNull();
    });
  });
}
