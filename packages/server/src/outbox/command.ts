/** Between the outbox's rows and the driver's words: what is handed over, and what its answer means. */
import type { Disposition, SendMessage } from '@trunkline/drivers';
import type { ClaimedItem, Outcome } from '../store/outbox-lane.ts';

export function commandOf(item: ClaimedItem): SendMessage {
  const payload: unknown = JSON.parse(item.payload);
  const text = typeof payload === 'object' && payload !== null && 'text' in payload ? payload.text : '';
  return {
    kind: 'message',
    reference: item.id,
    attempt: item.handOver,
    chat: { identifier: item.recipient, isGroup: item.isGroup },
    text: typeof text === 'string' ? text : '',
  };
}

export function outcomeOf(disposition: Exclude<Disposition, { state: 'sent' | 'accepted' }>): Outcome {
  return { state: disposition.state, reason: disposition.reason };
}
