/** What a phone does besides texting: it reacts, types, reads, and changes or takes back what it wrote. */
import { TAPBACKS } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Heard } from '../../lines/heard.ts';
import { invalidValue, messageField, TEXT_MAX, textField } from '../input.ts';
import { list, type Route, route } from '../route.ts';
import {
  addressed,
  addressedField,
  chatIdOf,
  guidOf,
  handleOf,
  phoneField,
  type SimulatorDeps,
  shownLines,
} from './named.ts';

/** How long a 201 waits. A line that is offline hears of it later. */
const HEARD_WITHIN_MS = 5_000;

const inChat = { from: phoneField, to: addressedField };
const onMessage = { from: phoneField, message_id: messageField };

export function actRoutes(deps: SimulatorDeps, heard: Heard): Route[] {
  return [...messageRoutes(deps, heard), ...chatRoutes(deps, heard), typingRoute(deps)];
}

/** What a phone does about a message that it shows. */
function messageRoutes(deps: SimulatorDeps, heard: Heard): Route[] {
  const { network } = deps;
  const settle = (caller: Caller, happened: Happened | null) => answer(deps, heard, caller, happened, 'message_id');
  return [
    route({
      name: 'reactFromPhone',
      summary: 'Lets a phone react to a message.',
      description: 'With `added: false` it takes its reaction off.',
      answer: 'PhoneText',
      refusals: ['message_not_found'],
      method: 'POST',
      path: '/simulator/v1/reactions',
      scope: 'simulator:write',
      status: 201,
      body: z.object({
        ...onMessage,
        type: z.enum(TAPBACKS, `must be one of ${TAPBACKS.join(', ')}`).describe('Which tapback.'),
        added: z.boolean().default(true).describe('`false` takes it off.'),
      }),
      async handle({ caller, body }) {
        const from = handleOf('from', body.from);
        const guid = await guidOf(deps, caller, body.message_id);
        const { type, added } = body;
        return { guid, ...(await settle(caller, await network.react({ from, guid, type, added }))) };
      },
    }),
    route({
      name: 'editFromPhone',
      summary: 'Lets a phone change a message that it wrote.',
      answer: 'PhoneText',
      refusals: ['message_not_found'],
      method: 'POST',
      path: '/simulator/v1/edits',
      scope: 'simulator:write',
      status: 201,
      body: z.object({ ...onMessage, text: textField(TEXT_MAX).min(1).describe('What it says now.') }),
      async handle({ caller, body }) {
        const from = handleOf('from', body.from);
        const guid = await guidOf(deps, caller, body.message_id);
        return { guid, ...(await settle(caller, await network.edit({ from, guid, text: body.text }))) };
      },
    }),
    route({
      name: 'unsendFromPhone',
      summary: 'Lets a phone take back a message that it wrote.',
      answer: 'PhoneText',
      refusals: ['message_not_found'],
      method: 'POST',
      path: '/simulator/v1/unsends',
      scope: 'simulator:write',
      status: 201,
      body: z.object(onMessage),
      async handle({ caller, body }) {
        const from = handleOf('from', body.from);
        const guid = await guidOf(deps, caller, body.message_id);
        return { guid, ...(await settle(caller, await network.unsend({ from, guid }))) };
      },
    }),
  ];
}

/** What a phone does in a chat. */
function chatRoutes(deps: SimulatorDeps, heard: Heard): Route[] {
  const { network } = deps;
  const settle = (caller: Caller, happened: Happened | null) => answer(deps, heard, caller, happened, 'from');
  return [
    route({
      name: 'typeFromPhone',
      summary: 'Lets a phone begin or cease to type.',
      answer: 'PhoneGroup',
      refusals: ['line_not_found', 'chat_not_found'],
      method: 'POST',
      path: '/simulator/v1/typing',
      scope: 'simulator:write',
      status: 201,
      body: z.object({
        ...inChat,
        state: z.enum(['on', 'off'], 'must be on or off').default('on').describe('Left out: `on`.'),
      }),
      async handle({ caller, body }) {
        const from = handleOf('from', body.from);
        const { line, group } = await addressed(deps, caller, { from, to: body.to });
        const typing = { from, to: group ?? line.handle, isTyping: body.state === 'on' };
        return settle(caller, await network.showTyping(typing));
      },
    }),
    route({
      name: 'readFromPhone',
      summary: 'Lets a phone read its chat with a line.',
      answer: 'PhoneGroup',
      refusals: ['line_not_found', 'chat_not_found'],
      method: 'POST',
      path: '/simulator/v1/reads',
      scope: 'simulator:write',
      status: 201,
      body: z.object(inChat),
      async handle({ caller, body }) {
        const from = handleOf('from', body.from);
        const { line, group } = await addressed(deps, caller, { from, to: body.to });
        return settle(caller, await network.markRead({ from, to: group ?? line.handle }));
      },
    }),
  ];
}

type Happened = NonNullable<Awaited<ReturnType<SimulatorDeps['network']['markRead']>>>;

/** What a phone cannot do was asked of the wrong phone, or of a message that it does not show. */
async function answer(
  deps: SimulatorDeps,
  heard: Heard,
  caller: Caller,
  happened: Happened | null,
  param: 'from' | 'message_id',
): Promise<{ readonly chat_id: string | null }> {
  if (!happened) {
    if (param === 'from') throw invalidValue('from', 'must be one of the group');
    throw new ApiError('message_not_found', { param });
  }
  const line = await deps.registry.find(happened.line);
  if (!line) return { chat_id: null };
  if (happened.seq !== null) await heard.wait(line.ref, happened.seq, HEARD_WITHIN_MS);
  return { chat_id: await chatIdOf(deps, caller, line, happened.chatIdentifier) };
}

/** Where the phone sees a line typing just now. */
function typingRoute(deps: SimulatorDeps): Route {
  return route({
    name: 'listPhoneTyping',
    summary: 'Lists the chats in which a phone sees a line typing.',
    answer: 'PhoneTyping[]',
    refusals: ['invalid_parameter_value'],
    method: 'GET',
    path: '/simulator/v1/phones/:handle/typing',
    params: { handle: "The phone's handle." },
    scope: 'simulator:write',
    async handle({ caller, params }) {
      const phone = handleOf('handle', params['handle'] ?? '');
      const lines = new Map((await shownLines(deps, caller, phone, undefined)).map((line) => [line.handle, line]));
      const typing = (await deps.network.lineTyping(phone)).flatMap((one) => {
        const line = lines.get(one.line);
        return line ? [{ ...one, line }] : [];
      });
      const bodies = typing.map(async ({ line, chatIdentifier, until }) => {
        return { line: line.handle, chat_id: await chatIdOf(deps, caller, line, chatIdentifier), until };
      });
      return list(await Promise.all(bodies));
    },
  });
}
