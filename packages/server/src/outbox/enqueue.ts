/** Where a send is accepted: durable when this resolves, and the only way into the outbox for every dialect. */
import type { Clock } from '../clock.ts';
import { ApiError, type ErrorCode } from '../domain/errors.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import type { Line } from '../domain/line.ts';
import type { OutboxKind } from '../domain/outbox.ts';
import { nextDayOf } from '../domain/sandbox.ts';
import { type Accepted, acceptItems, type Recipient, type Requirement } from '../store/outbox.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import type { Details } from './command.ts';

export interface EnqueueDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly failpoint: ReachFailpoint;
  /** Recipients of the simulator that mean an outcome and need not have written first. */
  readonly mayBeCold: (line: Line, to: Recipient) => boolean;
}

export interface SendRequest {
  /** The item's id: known before it is accepted, so that the answer can be kept with it. */
  readonly id: string;
  readonly ticket: Ticket;
  readonly accountRef: number;
  readonly line: Line;
  readonly to: Recipient;
  /** The request as accepted, with its `kind`. */
  readonly payload: { readonly kind: OutboxKind } & Readonly<Record<string, unknown>>;
  /** What the hand-over needs beyond the request. */
  readonly details?: Details;
  /** When it was accepted, where the answer says so. Unix milliseconds. */
  readonly now?: number;
}

const REFUSALS: Readonly<Record<Exclude<Accepted, 'accepted'>, { code: ErrorCode; param?: string }>> = {
  line_not_found: { code: 'line_not_found', param: 'from' },
  chat_not_found: { code: 'chat_not_found', param: 'to' },
  contact_has_not_messaged: { code: 'contact_has_not_messaged', param: 'to' },
  recipient_opted_out: { code: 'recipient_opted_out', param: 'to' },
  sandbox_not_activated: { code: 'sandbox_not_activated', param: 'from' },
  sandbox_contact_mismatch: { code: 'sandbox_contact_mismatch', param: 'to' },
  sandbox_quota_exceeded: { code: 'sandbox_quota_exceeded' },
};

/** Throws the refusal that applies. */
export async function enqueue(deps: EnqueueDeps, request: SendRequest): Promise<void> {
  const { id, line, to } = request;
  await deps.failpoint('accept.before_commit');
  const { fetch, ...details } = request.details ?? {};
  const item = {
    id,
    accountRef: request.accountRef,
    lineRef: line.ref,
    to,
    requires: requirementOf(deps, request),
    kind: request.payload.kind,
    payload: JSON.stringify(request.payload),
    details: Object.keys(details).length === 0 ? null : JSON.stringify(details),
    fetchUrl: fetch?.url ?? null,
    now: request.now ?? deps.clock.now(),
    isOnSandbox: line.isSandbox,
    isFollowed: request.details?.callback !== undefined,
  };
  const result = await deps.writer.write(acceptItems, item, request.ticket);
  if (result !== 'accepted') {
    const { code, ...detail } = REFUSALS[result];
    const isForTheDay = result === 'sandbox_quota_exceeded';
    throw new ApiError(code, isForTheDay ? { retryAfter: secondsToNextDay(item.now) } : detail);
  }
  await deps.failpoint('accept.committed');
}

/** Whoever reacts, types or reads does so in a chat that is there. */
function requirementOf(deps: EnqueueDeps, { line, to, payload }: SendRequest): Requirement {
  if (payload.kind !== 'message' && payload.kind !== 'audio_message') return 'chat';
  // A phone that was paired has texted the line.
  if (line.isSandbox) return 'nothing';
  return line.contactFirst && !deps.mayBeCold(line, to) ? 'contact' : 'nothing';
}

function secondsToNextDay(now: number): number {
  return Math.ceil((nextDayOf(now) - now) / 1_000);
}
