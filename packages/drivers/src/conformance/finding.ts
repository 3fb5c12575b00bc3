import { describe, expect, it } from 'vitest';
import type { Feature } from './line-harness.ts';
import { message } from './sending.ts';
import { eventually } from './server-side.ts';
import type { Stage } from './stage.ts';

/** The contract of `find`: what a successor may believe about its predecessor's hand-overs. */
export function describeFinding(stage: () => Stage, can: (feature: Feature) => boolean): void {
  describe('looking for a lost hand-over', () => {
    if (!can('arbiter')) {
      it('never says that it did not start', async () => {
        const { driver } = await stage().server.start();
        const answers = await driver.find([{ reference: 'obx_1', attempt: 1 }]);
        expect(answers.get('obx_1')).toEqual({ state: 'unknown' });
      });
      return;
    }

    it('finds what went out, whichever attempt it was', async () => {
      const { server, far } = stage();
      const first = await server.start();
      const chat = { identifier: far.peer, isGroup: false };
      await first.driver.send(message(chat, 'obx_1', 'Hello'));
      await first.driver.stop();
      const second = await server.start();
      const onPhone = await eventually(async () => {
        const [first] = await far.received(chat);
        if (first === undefined) throw new Error('Nothing has reached the phone.');
        return first;
      });
      for (const attempt of [1, 2]) {
        const answers = await second.driver.find([{ reference: 'obx_1', attempt }]);
        expect(answers.get('obx_1')).toEqual({ state: 'found', guid: onPhone.guid });
      }
    });

    it('refuses an attempt that it has called not started, however late it comes, and takes the next', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const chat = { identifier: far.peer, isGroup: false };
      const answers = await driver.find([{ reference: 'obx_1', attempt: 1 }]);
      expect(answers.get('obx_1')).toEqual({ state: 'not_started' });
      const late = await driver.send(message(chat, 'obx_1', 'Too late', 1));
      expect(late.state).toBe('not_started');
      expect(await far.received(chat)).toEqual([]);
      const next = await driver.send(message(chat, 'obx_1', 'In time', 2));
      expect(['sent', 'accepted']).toContain(next.state);
      await eventually(async () => expect((await far.received(chat)).map(({ text }) => text)).toEqual(['In time']));
    });

    it('agrees with what happens to a send that is under way', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const successor = await server.start();
      const chat = { identifier: far.peer, isGroup: false };
      const references = Array.from({ length: driver.inFlight }, (_, index) => `obx_${index}`);
      const sends = references.map((reference) => driver.send(message(chat, reference, reference)));
      const answers = await successor.driver.find(references.map((reference) => ({ reference, attempt: 1 })));
      await Promise.all(sends);
      const found = references.filter((reference) => answers.get(reference)?.state === 'found');
      for (const reference of references.filter((one) => !found.includes(one))) {
        expect(answers.get(reference)?.state).toBe('not_started');
      }
      await eventually(async () => expect((await far.received(chat)).map(({ text }) => text)).toEqual(found));
    });

    it('answers for every hand-over that it is asked about', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      await driver.send(message({ identifier: far.peer, isGroup: false }, 'obx_0', 'Hello'));
      const lost = Array.from({ length: 450 }, (_, index) => ({ reference: `obx_${index}`, attempt: 1 }));
      const answers = await driver.find(lost);
      expect([...answers.keys()].sort()).toEqual(lost.map(({ reference }) => reference).sort());
      expect(answers.get('obx_0')?.state).toBe('found');
      expect(answers.get('obx_449')?.state).toBe('not_started');
      expect(await driver.find([])).toEqual(new Map());
    });
  });
}
