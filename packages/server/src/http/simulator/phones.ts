/** `/simulator/v1`: the phones' side of simulated lines, for tests and for the browser. */
import { normaliseHandle, type PhoneMessage, type SimulatorNetwork } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import { createHeard, type Heard } from '../../lines/heard.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUse, resolveLine } from '../../lines/resolve.ts';
import { findChat, findChatById, findChatIds } from '../../store/chat-pages.ts';
import type { Engine } from '../../store/database.ts';
import { invalidValue, limitField, nameField, TEXT_MAX, textField } from '../input.ts';
import { openCursor, sealCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';

/** How long a 201 waits. A line that is offline hears of it later. */
const HEARD_WITHIN_MS = 5_000;
const PARTICIPANTS_MAX = 32;
const PHONE_PAGE_MAX = 1_000;

export interface SimulatorDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly registry: LineRegistry;
  readonly network: SimulatorNetwork;
}

const rate = z.number().min(0).max(1).optional();
const milliseconds = z.number().int().min(0).max(600_000).optional();

export function simulatorRoutes(deps: SimulatorDeps): Route[] {
  const heard = createHeard(deps.engine, deps.clock);
  return [
    textRoute(deps, heard),
    groupRoute(deps, heard),
    phoneMessagesRoute(deps),
    ...faultRoutes(deps),
    route({
      name: 'setAutoreply',
      summary: 'Lets a phone answer whoever writes to it.',
      description: 'With neither `text` nor `echo` it answers no more.',
      answer: 'Autoreply',
      method: 'POST',
      path: '/simulator/v1/autoreply',
      scope: 'simulator:write',
      status: 201,
      body: z.object({ phone: nameField, text: textField(TEXT_MAX).optional(), echo: z.boolean().optional() }),
      async handle({ body }) {
        const phone = handleOf('phone', body.phone);
        const isOn = body.text !== undefined || body.echo === true;
        const autoreply = { text: body.text ?? null, echo: body.echo ?? false };
        await deps.network.setAutoreply(phone, isOn ? autoreply : null);
        return { phone, text: body.text ?? null, echo: body.echo ?? false };
      },
    }),
  ];
}

function textRoute(deps: SimulatorDeps, heard: Heard): Route {
  return route({
    name: 'textFromPhone',
    summary: 'Lets a phone text a line or a group.',
    description: 'Answers when the line has heard of it, or after 5 seconds.',
    answer: 'PhoneText',
    refusals: ['line_not_found', 'chat_not_found'],
    method: 'POST',
    path: '/simulator/v1/messages',
    scope: 'simulator:write',
    status: 201,
    // A message without text and without attachments is none.
    body: z.object({ from: nameField, to: nameField, text: textField(TEXT_MAX).min(1) }),
    async handle({ caller, body }) {
      const from = handleOf('from', body.from);
      const { line, group } = await addressed(deps, caller, body.to);
      const texted = await deps.network.text({ from, to: group ?? line.handle, text: body.text });
      if (!texted) throw invalidValue('from', 'must be one of the group');
      await heard.wait(line.ref, texted.seq, HEARD_WITHIN_MS);
      const chat = await findChat(deps.engine, line.accountRef, line.ref, { identifier: group ?? from });
      return { guid: texted.guid, chat_id: chat?.id ?? null };
    },
  });
}

function groupRoute(deps: SimulatorDeps, heard: Heard): Route {
  return route({
    name: 'createPhoneGroup',
    summary: 'Lets a phone make a group with a line.',
    answer: 'PhoneGroup',
    refusals: ['line_not_found'],
    method: 'POST',
    path: '/simulator/v1/groups',
    scope: 'simulator:write',
    status: 201,
    body: z.object({
      line: nameField,
      participants: z.array(nameField).min(1).max(PARTICIPANTS_MAX),
      name: nameField.optional(),
    }),
    async handle({ caller, body }) {
      const line = await simulatedLine(deps, caller, body.line, 'line');
      const participants = [...new Set(body.participants.map((one) => handleOf('participants', one)))];
      if (participants.includes(line.handle)) throw invalidValue('participants', 'must not name the line itself');
      const group = await deps.network.createGroup({ line: line.handle, participants, name: body.name ?? null });
      await heard.wait(line.ref, group.seq, HEARD_WITHIN_MS);
      const by = { identifier: group.identifier };
      return { chat_id: (await findChat(deps.engine, line.accountRef, line.ref, by))?.id ?? null };
    },
  });
}

function phoneMessagesRoute(deps: SimulatorDeps): Route {
  return route({
    name: 'listPhoneMessages',
    summary: 'Shows what a phone shows, the oldest first.',
    answer: 'PhoneMessage[]',
    refusals: ['line_not_found'],
    method: 'GET',
    path: '/simulator/v1/phones/:handle/messages',
    scope: 'simulator:write',
    query: z.object({
      line: nameField.optional(),
      limit: limitField(PHONE_PAGE_MAX, PHONE_PAGE_MAX),
      cursor: textField(1_000).optional(),
    }),
    async handle({ caller, params, query }) {
      const phone = handleOf('handle', params['handle'] ?? '');
      const lines = await shownLines(deps, caller, query.line);
      const name = `phone ${caller.accountRef} ${phone} ${query.line === undefined ? '' : lines.map((line) => line.id)}`;
      const after = query.cursor === undefined ? {} : { cursor: openCursor(name, query.cursor) };
      const page = await deps.network.phoneMessages({
        phone,
        limit: query.limit,
        // A phone may talk with lines of other accounts: those are not shown.
        lines: lines.map((line) => line.handle),
        ...after,
      });
      if (!page) throw invalidValue('cursor', 'is not a cursor of this list');
      const chatIds = await findChatIds(deps.engine, lines, page.messages);
      return list(
        page.messages.map((message) => phoneMessageBody(message, chatIds.get(message.guid) ?? null)),
        page.nextCursor === null ? null : sealCursor(name, page.nextCursor),
      );
    },
  });
}

function faultRoutes(deps: SimulatorDeps): Route[] {
  const line = nameField;
  return [
    route({
      name: 'setFaults',
      summary: 'Makes a line slow, lossy or offline.',
      description: 'What is not named is no fault any more.',
      answer: 'Faults',
      refusals: ['line_not_found'],
      method: 'POST',
      path: '/simulator/v1/faults',
      scope: 'simulator:write',
      status: 201,
      body: z.object({
        line,
        latency_ms: milliseconds,
        jitter_ms: milliseconds,
        fail_rate: rate,
        drop_echo_rate: rate,
        duplicate_rate: rate,
        reorder: z.boolean().optional(),
        offline: z.boolean().optional(),
      }),
      async handle({ caller, body }) {
        const target = await simulatedLine(deps, caller, body.line, 'line');
        const { line: _line, ...faults } = body;
        await deps.network.setFaults(target.handle, {
          latencyMs: faults.latency_ms ?? 0,
          jitterMs: faults.jitter_ms ?? 0,
          failRate: faults.fail_rate ?? 0,
          dropEchoRate: faults.drop_echo_rate ?? 0,
          duplicateRate: faults.duplicate_rate ?? 0,
          reorder: faults.reorder ?? false,
          offline: faults.offline ?? false,
        });
        return { line: target.handle, ...faults };
      },
    }),
    route({
      name: 'clearFaults',
      summary: 'Takes all faults from a line.',
      answer: 'FaultsCleared',
      refusals: ['line_not_found'],
      method: 'DELETE',
      path: '/simulator/v1/faults',
      scope: 'simulator:write',
      body: z.object({ line }),
      async handle({ caller, body }) {
        const target = await simulatedLine(deps, caller, body.line, 'line');
        await deps.network.clearFaults(target.handle);
        return { line: target.handle, cleared: true };
      },
    }),
  ];
}

function handleOf(param: string, text: string): string {
  const handle = normaliseHandle(text);
  if (handle === null) throw invalidValue(param, 'must be a handle (E.164 or e-mail)');
  return handle;
}

/** A simulated line that the caller may use. Others, and the sandbox line while no phone is paired, are not there. */
async function simulatedLine(deps: SimulatorDeps, caller: Caller, name: string, param: string): Promise<Line> {
  const line = await resolveLine(deps.registry, { ...caller, lineRefs: null }, name, param);
  if (!isThere(caller, line)) throw new ApiError('line_not_found', { param });
  return line;
}

function isThere(caller: Caller, line: Line): boolean {
  const isOwn = line.accountRef === caller.accountRef && line.kind === 'simulator' && !line.isSandbox;
  return isOwn && mayUse(caller, line);
}

/** `to` names a line, or a group by its `cht_` id. */
async function addressed(
  deps: SimulatorDeps,
  caller: Caller,
  to: string,
): Promise<{ readonly line: Line; readonly group: string | null }> {
  if (!hasPrefix('chat', to)) return { line: await simulatedLine(deps, caller, to, 'to'), group: null };
  const chat = await findChatById(deps.engine, caller.accountRef, to);
  const line = chat?.isGroup ? await deps.registry.find(chat.lineId) : undefined;
  if (!chat || !line?.isActive || !isThere(caller, line)) throw new ApiError('chat_not_found', { param: 'to' });
  return { line, group: chat.identifier };
}

async function shownLines(deps: SimulatorDeps, caller: Caller, name: string | undefined): Promise<readonly Line[]> {
  if (name !== undefined) return [await simulatedLine(deps, caller, name, 'line')];
  return deps.registry.all().filter((line) => isThere(caller, line));
}

function phoneMessageBody(message: PhoneMessage, chatId: string | null) {
  return {
    guid: message.guid,
    chat_id: chatId,
    line: message.line,
    from_me: message.fromMe,
    sender: message.sender,
    text: message.text,
    attachments: message.attachments,
    is_audio_message: message.isAudioMessage,
    reply_to_guid: message.replyToGuid,
    effect: message.effect,
    reactions: message.reactions,
    state: message.state,
    edited: message.edited,
    unsent: message.unsent,
    sent_at: message.sentAt,
  };
}
