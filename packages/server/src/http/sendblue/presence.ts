/** Typing and read receipts in the manner of Sendblue: to one number at a time, whose chat must be there. */
import type { Capability } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Ids } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { type EnqueueDeps, enqueue } from '../../outbox/enqueue.ts';
import type { Engine } from '../../store/database.ts';
import type { Recipient } from '../../store/outbox.ts';
import { requireChatFor } from '../chat-for.ts';
import { type Route, route } from '../route.ts';
import { fromNumberField, handleOf, numberField } from './fields.ts';

export interface SendbluePresenceDeps extends EnqueueDeps {
  readonly engine: Engine;
  readonly ids: Ids;
  readonly registry: LineRegistry;
}

const inChat = { number: numberField, from_number: fromNumberField };
const REFUSALS = [
  'line_not_found',
  'line_not_accessible',
  'sandbox_not_activated',
  'advanced_features_required',
  'sandbox_contact_mismatch',
  'chat_not_found',
] as const;

export function sendbluePresenceRoutes(deps: SendbluePresenceDeps): Route[] {
  return [typingRoute(deps), readRoute(deps)];
}

function typingRoute(deps: SendbluePresenceDeps): Route {
  return route({
    name: 'sendblueSendTyping',
    summary: 'Shows that the line is typing, or no longer.',
    description:
      '`SENT` means that it is on disk and will be handed over in the order of its line. Typing that nobody ends is over after a minute, and with the next message.',
    answer: 'SendblueTyping',
    refusals: REFUSALS,
    method: 'POST',
    path: '/api/send-typing-indicator',
    scope: 'typing:write',
    body: z.object({
      ...inChat,
      state: z.enum(['start', 'stop']).default('start').describe('Left out: `start`.'),
      max_duration_ms: z.coerce
        .number()
        .int()
        .min(0)
        .optional()
        .describe('Taken and ignored: send `stop` for typing that is to end within the minute.'),
    }),
    async handle({ caller, body, ticket }) {
      const chat = await resolveNumber(deps, caller, 'typing', body);
      const answer = { number: chat.handle, status: 'SENT', error_message: null };
      const state = body.state === 'stop' ? 'off' : 'on';
      const payload = { kind: 'typing' as const, from: body.from_number, to: body.number, state };
      const { line, to } = chat;
      const id = deps.ids.make('outbox');
      await enqueue(deps, { id, accountRef: caller.accountRef, line, to, payload, ticket: ticket(answer) });
      return answer;
    },
  });
}

function readRoute(deps: SendbluePresenceDeps): Route {
  return route({
    name: 'sendblueMarkRead',
    summary: 'Marks the chat with a number as read.',
    answer: 'SendblueMarkedRead',
    refusals: REFUSALS,
    method: 'POST',
    path: '/api/mark-read',
    scope: 'receipts:write',
    body: z.object(inChat),
    async handle({ caller, body, ticket }) {
      const { handle, line, to } = await resolveNumber(deps, caller, 'receipts', body);
      const answer = { status: 'OK', message: 'The read receipt is on its way.', number: handle };
      const payload = { kind: 'receipt' as const, from: body.from_number, to: body.number };
      const id = deps.ids.make('outbox');
      await enqueue(deps, { id, accountRef: caller.accountRef, line, to, payload, ticket: ticket(answer) });
      return answer;
    },
  });
}

interface NumberOnLine {
  readonly handle: string;
  readonly line: Line;
  readonly to: Recipient;
}

async function resolveNumber(
  deps: SendbluePresenceDeps,
  caller: Caller,
  feature: Capability,
  named: { readonly number: string; readonly from_number: string },
): Promise<NumberOnLine> {
  const handle = handleOf(named.number, 'number');
  const line = await resolveLine(deps.registry, caller, named.from_number, 'from_number');
  const to: Recipient = { kind: 'handle', handle };
  await requireChatFor(feature, deps, { accountRef: caller.accountRef, line, to });
  return { handle, line, to };
}
