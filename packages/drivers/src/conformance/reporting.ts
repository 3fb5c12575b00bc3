import { describe, expect, it } from 'vitest';
import type { Feature } from './line-harness.ts';
import { message } from './sending.ts';
import { eventually } from './server-side.ts';
import type { Stage } from './stage.ts';

const TEXTS = 12;

export function describeReporting(stage: () => Stage, can: (feature: Feature) => boolean): void {
  describe('reporting', () => {
    it('tells what a phone wrote, in order, one report at a time', async () => {
      const { server, far, line } = stage();
      await server.start();
      const guids: string[] = [];
      for (let index = 0; index < TEXTS; index += 1) guids.push(await far.text(far.peer, `Text ${index}`));
      await eventually(() => expect(server.guids(false)).toEqual(guids));
      expect(await server.message(guids[3] ?? '')).toMatchObject({ sender: far.peer, text: 'Text 3', reference: null });
      expect(server.messages().every((seen) => seen.sender !== line && seen.cursor.length > 0)).toBe(true);
      expect(server.reportsAtOnceMax).toBe(1);
    });

    it('reports again, from the same place, what the server refused', async () => {
      const { server, far } = stage();
      await server.start();
      server.refusals = 2;
      const guid = await far.text(far.peer, 'Hello');
      await server.message(guid);
      const [first, second, third] = server.reports;
      expect(server.refusals).toBe(0);
      for (const report of [first, second, third]) {
        expect(report?.[0]).toMatchObject({ kind: 'message', guid, cursor: first?.[0]?.cursor });
      }
    });

    it('does not move on before the server has committed', async () => {
      const { server, far } = stage();
      await server.start();
      const gate = Promise.withResolvers<void>();
      server.gate = gate.promise;
      const held = await far.text(far.peer, 'Held');
      await eventually(() => expect(server.reports).toHaveLength(1));
      const next = await far.text(far.peer, 'Next');
      expect(server.events).toEqual([]);
      gate.resolve();
      await server.message(next);
      expect(server.guids(false)).toEqual([held, next]);
      expect(server.reportsAtOnceMax).toBe(1);
    });

    if (can('parts')) {
      it('tells at once of a message that is not complete, and then of its missing piece', async () => {
        const { server, far } = stage();
        await server.start();
        const guid = await far.textInParts(far.peer);
        const { awaits, sentAt } = await server.message(guid);
        expect(awaits?.until).toBeGreaterThan(sentAt);
        await eventually(() =>
          expect(server.events).toContainEqual(expect.objectContaining({ kind: 'part', partOf: guid })),
        );
        expect(server.guids(false)).toEqual([guid]);
      });
    }

    describeRestarts(stage);
  });
}

/** A driver may be ended after any report, committed or refused; its successor loses nothing. */
function describeRestarts(stage: () => Stage): void {
  it.each([0, 1, 2, 3, 4, 5])('loses nothing when it is restarted again and again (start %i)', async (start) => {
    const { server, far } = stage();
    const chat = { identifier: far.peer, isGroup: false };
    const texts: string[] = [];
    let running = await server.start();
    for (let index = 0; index < TEXTS; index += 1) {
      texts.push(await far.text(far.peer, `Text ${index}`));
      await running.driver.send(message(chat, `obx_${index}`, `Answer ${index}`));
      if ((start + index) % 3 === 0) server.refusals = 1;
      if ((start + index) % 2 !== 0) continue;
      // Neither way of ending says at which point of its work it meets the driver.
      if (index % 4 === 0) running.abort();
      await running.driver.stop();
      running = await server.start();
    }
    await eventually(() => expect(server.guids(false)).toEqual(texts));
    await eventually(async () => expect(await far.received(chat)).toHaveLength(TEXTS));
    const onPhone = (await far.received(chat)).map(({ guid }) => guid);
    await eventually(() => expect(server.guids(true)).toEqual(onPhone));
    const sightings = server.messages().map(({ guid, text }) => `${guid} ${text}`);
    expect(new Set(sightings).size).toBe(2 * TEXTS);
  });

  it('tells what was written while no driver ran', async () => {
    const { server, far } = stage();
    const { driver } = await server.start();
    const before = await far.text(far.peer, 'Before');
    await server.message(before);
    await driver.stop();
    const meanwhile = await far.text(far.peer, 'Meanwhile');
    await server.start();
    await server.message(meanwhile);
    expect(server.guids(false)).toEqual([before, meanwhile]);
  });
}
