import { describe, expect, it } from 'vitest';
import { direct, echoOf, message } from './sending.ts';
import { LINE, OTHER_PEER, PEER } from './simulator-harness.ts';
import type { SimulatorStage } from './simulator-stage.ts';

export function describeSimulatedLine(stage: () => SimulatorStage): void {
  describe('a line on the simulated network', () => {
    it('puts a second message on the phone when the same reference is handed over again', async () => {
      const { server, query } = stage();
      const { driver } = await server.start();
      await driver.send(message(direct(PEER), 'obx_1', 'Hello', 1));
      await driver.send(message(direct(PEER), 'obx_1', 'Hello', 2));
      await driver.send(message(direct(PEER), 'obx_1', 'Hello', 2));
      expect(await query('select reference, attempt from messages order by seq')).toEqual([
        { reference: 'obx_1', attempt: 1 },
        { reference: 'obx_1', attempt: 2 },
        { reference: 'obx_1', attempt: 2 },
      ]);
    });

    it('reports what was on the network before its first start', async () => {
      const { server, network } = stage();
      const greeting = { from: PEER, to: LINE, text: 'Welcome', guid: 'GREETING' };
      const first = await network.text(greeting);
      expect(await network.text(greeting)).toEqual(first);
      await server.start();
      await server.message('GREETING');
      expect(server.messages()).toHaveLength(1);
    });

    it('says that a delivered message is delivered, and that it is read once its phone writes', async () => {
      const { server, far, network } = stage();
      const { driver } = await server.start();
      await driver.send(message(direct(PEER), 'obx_1', 'Hello'));
      const { guid, deliveredAt, sentAt } = await echoOf(server, 'obx_1');
      expect(deliveredAt).toBe(sentAt);
      await far.text(OTHER_PEER, 'Not about that');
      await server.message(await far.text(PEER, 'Hi'));
      const receipts = server.events.filter((event) => event.kind === 'receipt');
      expect(receipts).toEqual([expect.objectContaining({ receipt: 'read', guid })]);
      const page = await network.phoneMessages({ phone: PEER });
      expect(page?.messages.map(({ state, fromMe }) => [state, fromMe])).toEqual([
        ['read', false],
        ['received', true],
      ]);
    });

    it('refuses a group that it is not in', async () => {
      const { server, network } = stage();
      const { driver } = await server.start();
      const { identifier } = await network.createGroup({ line: '+15550100002', participants: [PEER] });
      const disposition = await driver.send(message({ identifier, isGroup: true }, 'obx_1', 'Hello'));
      expect(disposition.state).toBe('failed');
    });

    it('starts from the beginning when the network is younger than its cursor, and refuses a foreign cursor', async () => {
      const { server, far } = stage();
      const guid = await far.text(PEER, 'Hello');
      server.cursor = '900';
      await server.start();
      await server.message(guid);
      server.cursor = 'rowid:7';
      await expect(server.start()).rejects.toThrow('rowid:7');
    });
  });
}
