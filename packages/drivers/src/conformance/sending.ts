import { describe, expect, it } from 'vitest';
import type { ChatAddress, SendMessage } from '../line-driver.ts';
import type { Feature } from './line-harness.ts';
import { eventually, type ServerSide } from './server-side.ts';
import type { Stage } from './stage.ts';

export function direct(identifier: string): ChatAddress {
  return { identifier, isGroup: false };
}

export function message(chat: ChatAddress, reference: string, text: string, attempt = 1): SendMessage {
  return { kind: 'message', reference, attempt, chat, text, attachments: [], replyToGuid: null, effect: null };
}

export function describeSending(stage: () => Stage, can: (feature: Feature) => boolean): void {
  describe('sending', () => {
    it('puts a text on the phone and reports the echo under its reference', async () => {
      const { server, far, line } = stage();
      const { driver } = await server.start();
      const chat = { identifier: far.peer, isGroup: false };
      const disposition = await driver.send(message(chat, 'obx_1', 'Hello'));
      expect(['sent', 'accepted']).toContain(disposition.state);
      const echo = await echoOf(server, 'obx_1');
      expect(echo).toMatchObject({ isFromMe: true, sender: line, text: 'Hello' });
      expect(echo.chat).toMatchObject({ ...chat, participants: [far.peer] });
      if (disposition.state === 'sent') expect(echo.guid).toBe(disposition.guid);
      await eventually(async () => expect((await far.received(chat)).map(({ text }) => text)).toEqual(['Hello']));
    });

    it('keeps the order of as many sends as it takes at once', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const chat = { identifier: far.peer, isGroup: false };
      const texts = Array.from({ length: driver.inFlight }, (_, index) => `Text ${index}`);
      const dispositions = await Promise.all(texts.map((text) => driver.send(message(chat, `obx_${text}`, text))));
      expect(dispositions.every(({ state }) => state === 'sent' || state === 'accepted')).toBe(true);
      await eventually(async () => expect((await far.received(chat)).map(({ text }) => text)).toEqual(texts));
      await eventually(() => expect(server.guids(true)).toHaveLength(texts.length));
      expect(server.messages().map(({ text }) => text)).toEqual(texts);
    });

    if (can('groups')) {
      it('reports a new group and reaches everybody in it', async () => {
        const { server, far } = stage();
        const { driver } = await server.start();
        const identifier = await far.createGroup([far.peer, far.otherPeer], 'Hikers');
        const described = { identifier, isGroup: true, name: 'Hikers', participants: [far.peer, far.otherPeer] };
        await eventually(() =>
          expect(server.events).toContainEqual(
            expect.objectContaining({ kind: 'chat', chat: expect.objectContaining(described) }),
          ),
        );
        await driver.send(message({ identifier, isGroup: true }, 'obx_1', 'Who is in?'));
        expect((await echoOf(server, 'obx_1')).chat).toMatchObject(described);
        await eventually(async () =>
          expect((await far.received({ identifier, isGroup: true })).map(({ text }) => text)).toEqual(['Who is in?']),
        );
      });
    }

    describeOutcomes(stage, can);
  });
}

function describeOutcomes(stage: () => Stage, can: (feature: Feature) => boolean): void {
  for (const outcome of ['failed', 'not_started'] as const) {
    if (!can(outcome)) continue;
    it(`answers ${outcome} with a reason, and nothing goes out`, async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const chat = await far.arrange(outcome);
      const disposition = await driver.send(message(chat, 'obx_1', 'Hello'));
      expect(disposition).toEqual({ state: outcome, reason: expect.stringMatching(/\w+ .*\.$/) });
      expect(await far.received(chat)).toEqual([]);
    });
  }

  if (can('unknown')) {
    it('answers unknown when a message may have gone out, and never that it did not start', async () => {
      const { server, far } = stage();
      const { driver } = await server.start();
      const chat = await far.arrange('unknown');
      const disposition = await driver.send(message(chat, 'obx_1', 'Hello'));
      expect(disposition).toEqual({ state: 'unknown', reason: expect.stringMatching(/\w+ .*\.$/) });
      const answers = await driver.find([{ reference: 'obx_1', attempt: 1 }]);
      if ((await far.received(chat)).length > 0) expect(answers.get('obx_1')?.state).not.toBe('not_started');
    });
  }
}

export function echoOf(server: ServerSide, reference: string) {
  return eventually(() => {
    const echo = server.messages().find((seen) => seen.reference === reference);
    if (echo === undefined) throw new Error(`The echo of ${reference} was not reported.`);
    return echo;
  });
}
