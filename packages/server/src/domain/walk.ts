/** The walk of an outbox item or a message through the server, step by step, for whoever asks where the time went. */

export type StepName =
  | 'accepted'
  | 'claimed'
  | 'handed_over'
  | 'sent'
  | 'received'
  | 'stored'
  | 'failed'
  | 'event'
  | 'attempt'
  | 'delivered'
  | 'read';

export interface Step {
  readonly step: StepName;
  /** Unix milliseconds. */
  readonly at: number;
  /** Since the step before; null for the first. */
  readonly tookMs: number | null;
  readonly detail: string | null;
}

/** What is known of an item's times, in Unix milliseconds. */
export interface ItemTimes {
  readonly createdAt: number;
  /** The last time, where there were several. */
  readonly claimedAt: number | null;
  readonly handedOverAt: number | null;
  readonly failedAt: number | null;
  readonly attempts: number;
  readonly error: string | null;
}

export interface MessageTimes {
  readonly isFromMe: boolean;
  /** By the sender's clock. */
  readonly sentAt: number;
  readonly syncedAt: number;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
}

export interface EventTime {
  readonly id: string;
  readonly type: string;
  readonly at: number;
}

export interface AttemptTime {
  readonly webhookId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
}

export interface Times {
  readonly item: ItemTimes | null;
  readonly message: MessageTimes | null;
  readonly events: readonly EventTime[];
  readonly attempts: readonly AttemptTime[];
}

type Bare = Omit<Step, 'tookMs'>;

/** The steps that happened, in time order; those of one moment in the order in which they follow from one another. */
export function walkSteps(times: Times): readonly Step[] {
  const steps = [
    ...itemSteps(times.item),
    ...messageSteps(times.message, times.item),
    ...failure(times.item),
    ...times.events.map((event): Bare => ({ step: 'event', at: event.at, detail: `${event.type} ${event.id}` })),
    ...times.attempts.map(attemptStep),
  ].sort((a, b) => a.at - b.at);
  return steps.map((one, place) => {
    const before = steps[place - 1];
    return { ...one, tookMs: before ? one.at - before.at : null };
  });
}

function itemSteps(item: ItemTimes | null): Bare[] {
  if (!item) return [];
  const claim = item.attempts > 1 ? `attempt ${item.attempts}` : null;
  return [
    { step: 'accepted', at: item.createdAt, detail: null },
    ...(item.claimedAt === null ? [] : [{ step: 'claimed' as const, at: item.claimedAt, detail: claim }]),
    ...(item.handedOverAt === null ? [] : [{ step: 'handed_over' as const, at: item.handedOverAt, detail: null }]),
  ];
}

/**
 * The line's clock and a phone's are not ours: what they say is kept within what is known here, after the hand-over and
 * before the row, so that no step comes before the one that it follows from.
 */
function messageSteps(message: MessageTimes | null, item: ItemTimes | null): Bare[] {
  if (!message) return [];
  const earliest = item ? (item.handedOverAt ?? item.claimedAt ?? item.createdAt) : Number.NEGATIVE_INFINITY;
  const seenAt = Math.min(Math.max(message.sentAt, earliest), message.syncedAt);
  const deliveredAt = Math.max(message.deliveredAt ?? seenAt, seenAt);
  return [
    { step: message.isFromMe ? 'sent' : 'received', at: seenAt, detail: null },
    { step: 'stored', at: message.syncedAt, detail: null },
    ...(message.deliveredAt === null ? [] : [{ step: 'delivered' as const, at: deliveredAt, detail: null }]),
    ...(message.readAt === null
      ? []
      : [{ step: 'read' as const, at: Math.max(message.readAt, deliveredAt), detail: null }]),
  ];
}

function failure(item: ItemTimes | null): Bare[] {
  return item === null || item.failedAt === null ? [] : [{ step: 'failed', at: item.failedAt, detail: item.error }];
}

function attemptStep(one: AttemptTime): Bare {
  const outcome = one.status === null ? (one.error ?? 'no answer') : String(one.status);
  const detail = `${one.webhookId} attempt ${one.attempt}: ${outcome}, ${one.durationMs} ms`;
  return { step: 'attempt', at: one.startedAt, detail };
}
