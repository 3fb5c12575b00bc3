import { describe, expect, it } from 'vitest';
import { echoOf, message } from './sending.ts';
import { eventually } from './server-side.ts';
import { LINE, OTHER_PEER, PEER } from './simulator-harness.ts';
import type { SimulatorStage } from './simulator-stage.ts';

export function describePhones(stage: () => SimulatorStage): void {
  describe('a simulated phone', () => {
    it('shows its one-to-one chats and its groups together, page by page, oldest first', async () => {
      const { server, far, network } = stage();
      const { driver } = await server.start();
      const group = await far.createGroup([PEER, OTHER_PEER], 'Hikers');
      await far.text(PEER, 'one');
      await driver.send(message({ identifier: PEER, isGroup: false }, 'obx_1', 'two'));
      await far.text(OTHER_PEER, 'three', group);
      await far.text(OTHER_PEER, 'not for this phone');
      await network.text({ from: PEER, to: '+15550100002', text: 'four' });
      await driver.send(message({ identifier: group, isGroup: true }, 'obx_2', 'five'));

      const texts: (string | null)[] = [];
      let cursor: string | undefined;
      do {
        const page = await network.phoneMessages({
          phone: PEER,
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        });
        texts.push(...(page?.messages ?? []).map(({ text }) => text));
        cursor = page?.nextCursor ?? undefined;
      } while (cursor !== undefined);
      // Within one millisecond the lines have no order among each other; each has its own.
      expect(texts.toSorted()).toEqual(['five', 'four', 'one', 'three', 'two']);

      const here = await network.phoneMessages({ phone: PEER, lines: [LINE] });
      expect(here?.nextCursor).toBeNull();
      expect(here?.messages.map(({ text, fromMe, sender }) => ({ text, fromMe, sender }))).toEqual([
        { text: 'one', fromMe: true, sender: PEER },
        { text: 'two', fromMe: false, sender: LINE },
        { text: 'three', fromMe: false, sender: OTHER_PEER },
        { text: 'five', fromMe: false, sender: LINE },
      ]);
    });

    it('is not shown a page for a cursor that is not ours', async () => {
      const { network } = stage();
      expect(await network.phoneMessages({ phone: PEER, cursor: 'msg_1' })).toBeNull();
    });

    it('cannot write into a group that does not exist or that it is not in', async () => {
      const { server, far, network } = stage();
      const group = await far.createGroup([PEER, PEER, LINE], 'Two of us');
      expect(await network.text({ from: OTHER_PEER, to: group, text: 'Hello' })).toBeNull();
      expect(await network.text({ from: PEER, to: 'chat000000000000000000', text: 'Hello' })).toBeNull();
      expect(await network.text({ from: PEER, to: group, text: 'Hello' })).toMatchObject({ line: LINE });
      await server.start();
      await eventually(() => expect(server.guids(false)).toHaveLength(1));
      expect(server.messages()[0]?.chat).toMatchObject({ identifier: group, isGroup: true, participants: [PEER] });
    });

    it('sends a text under one GUID once, however many ask at once', async () => {
      const { network, query } = stage();
      const text = { from: PEER, to: LINE, text: 'Hello', guid: 'NAMED' };
      const answers = await Promise.all([1, 2, 3].map(() => network.text(text)));
      expect(new Set(answers.map((answer) => answer?.seq)).size).toBe(1);
      expect(await query('select guid from messages')).toEqual([{ guid: 'NAMED' }]);
      expect(await query('select seq from entries')).toHaveLength(1);
    });

    describeAutoreplies(stage);
  });
}

function describeAutoreplies(stage: () => SimulatorStage): void {
  it('answers by itself, once, what a line sends it, and repeats it when it echoes', async () => {
    const { server, far, network } = stage();
    const { driver } = await server.start();
    const group = await far.createGroup([PEER, OTHER_PEER], 'Hikers');
    await network.setAutoreply(PEER, { text: 'On my way' });
    await network.setAutoreply(OTHER_PEER, { echo: true });
    await driver.send(message({ identifier: group, isGroup: true }, 'obx_1', 'Where are you?'));
    await driver.send(message({ identifier: PEER, isGroup: false }, 'obx_2', 'And you?'));
    const answers = () => server.messages().filter((seen) => !seen.isFromMe);
    await eventually(() => expect(answers()).toHaveLength(3));
    const told = answers().map(({ sender, text, chat }) => `${sender} ${text} ${chat.identifier}`);
    expect(told.sort()).toEqual(
      [`${PEER} On my way ${group}`, `${PEER} On my way ${PEER}`, `${OTHER_PEER} Where are you? ${group}`].sort(),
    );
    await network.setAutoreply(PEER, null);
    await driver.send(message({ identifier: PEER, isGroup: false }, 'obx_3', 'Still there?'));
    await echoOf(server, 'obx_3');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(answers()).toHaveLength(3);
  });

  it('answers what it was sent before a crash, once, although two drivers look after the line', async () => {
    const { server, network, query, holdClock } = stage();
    await network.setAutoreply(PEER, { text: 'Late but here' });
    const first = await server.start();
    const releaseClock = holdClock();
    await first.driver.send(message({ identifier: PEER, isGroup: false }, 'obx_1', 'Hello'));
    await first.driver.stop();
    expect(await query('select kind from futures')).toEqual([{ kind: 'reply' }]);
    releaseClock();
    await server.start();
    await server.start();
    await eventually(() => expect(server.guids(false)).toHaveLength(1));
    expect(await query('select kind from futures')).toEqual([]);
    expect(await query('select guid from messages where from_line = 0')).toHaveLength(1);
  });
}
