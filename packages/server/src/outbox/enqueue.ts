/** Where a send is accepted: durable when this resolves, and the only way into the outbox for every dialect. */
import type { Clock } from '../clock.ts';
import { ApiError, type ErrorCode } from '../domain/errors.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import type { Line } from '../domain/line.ts';
import { type Accepted, acceptItems, type Recipient } from '../store/outbox.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';

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
  readonly payload: { readonly kind: 'message' } & Readonly<Record<string, unknown>>;
}

const REFUSALS: Readonly<Record<Exclude<Accepted, 'accepted'>, { code: ErrorCode; param: string }>> = {
  line_not_found: { code: 'line_not_found', param: 'from' },
  chat_not_found: { code: 'chat_not_found', param: 'to' },
  contact_has_not_messaged: { code: 'contact_has_not_messaged', param: 'to' },
};

/** Throws the refusal that applies. */
export async function enqueue(deps: EnqueueDeps, request: SendRequest): Promise<void> {
  const { id, line, to } = request;
  await deps.failpoint('accept.before_commit');
  const item = {
    id,
    accountRef: request.accountRef,
    lineRef: line.ref,
    to,
    contactFirst: line.contactFirst && !deps.mayBeCold(line, to),
    payload: JSON.stringify(request.payload),
    now: deps.clock.now(),
  };
  const result = await deps.writer.write(acceptItems, item, request.ticket);
  if (result !== 'accepted') {
    const refusal = REFUSALS[result];
    throw new ApiError(refusal.code, { param: refusal.param });
  }
  await deps.failpoint('accept.committed');
}
