import { describe, expect, it } from 'vitest';
import type { Feature } from './line-harness.ts';
import { echoOf, message } from './sending.ts';
import { eventually } from './server-side.ts';
import type { Stage } from './stage.ts';

export function describeEnding(stage: () => Stage, can: (feature: Feature) => boolean): void {
  describe('ending', () => {
    it('stops without an error once what is under way is done, and says no more', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const gate = Promise.withResolvers<void>();
      server.gate = gate.promise;
      const held = await far.text(far.peer, 'Held');
      await eventually(() => expect(server.reports).toHaveLength(1));
      const stopping = driver.stop();
      gate.resolve();
      await stopping;
      expect(await driver.stopped).toBeNull();
      expect(server.guids(false)).toEqual([held]);
      await far.text(far.peer, 'Nobody listens');
      expect(server.reports).toHaveLength(1);
      await driver.stop();
    });

    it('stops when its context says so', async () => {
      const { driver, abort } = await stage().server.start();
      abort();
      expect(await driver.stopped).toBeNull();
    });

    it('hands nothing over after it has stopped', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      await driver.stop();
      const chat = { identifier: far.peer, isGroup: false };
      expect((await driver.send(message(chat, 'obx_1', 'Hello'))).state).toBe('not_started');
      expect(await far.received(chat)).toEqual([]);
    });

    it('says that it is online when it has started', async () => {
      const { server } = stage();
      await server.start();
      await eventually(() => expect(server.health.at(-1)).toBe('online'));
    });

    if (can('offline')) describeOffline(stage);
    if (can('crash')) describeCrash(stage);
  });
}

function describeOffline(stage: () => Stage): void {
  it('says that it is offline, starts nothing, and catches up when it is back', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const chat = { identifier: far.peer, isGroup: false };
    await far.setOffline(true);
    await eventually(() => expect(server.health.at(-1)).toBe('offline'));
    expect((await driver.send(message(chat, 'obx_1', 'Hello', 1))).state).toBe('not_started');
    const missed = await far.text(far.peer, 'Are you there?');
    expect(server.guids(false)).toEqual([]);
    await far.setOffline(false);
    await server.message(missed);
    expect(server.health.at(-1)).toBe('online');
    await driver.send(message(chat, 'obx_1', 'Hello', 2));
    await echoOf(server, 'obx_1');
  });
}

function describeCrash(stage: () => Stage): void {
  it('ends with the error when it crashes, and its successor finds what it left', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const chat = await far.arrange('crash');
    const [lost] = await Promise.allSettled([driver.send(message(chat, 'obx_1', 'Hello'))]);
    expect(lost.status === 'rejected' || lost.value.state === 'unknown').toBe(true);
    expect(await driver.stopped).toBeInstanceOf(Error);
    const [onPhone] = await far.received(chat);
    const successor = await server.start();
    const answers = await successor.driver.find([{ reference: 'obx_1', attempt: 1 }]);
    expect(answers.get('obx_1')).toEqual({ state: 'found', guid: onPhone?.guid });
    expect((await echoOf(server, 'obx_1')).guid).toBe(onPhone?.guid);
    expect(await far.received(chat)).toHaveLength(1);
  });
}
