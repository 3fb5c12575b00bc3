/** Between the outbox's rows and the driver's words: what is handed over, and what its answer means. */
import { type Command, type Disposition, type OutgoingFile, type SendStyle, TAPBACKS } from '@trunkline/drivers';
import type { ClaimedItem, Outcome } from '../store/outbox-lane.ts';

/** What a hand-over needs beyond the request, settled when the request was accepted. */
export interface Details {
  /** Where a file comes from that is to be fetched first; then it is in `files`. */
  readonly fetch?: { readonly url: string };
  /** The files that go out; of a voice memo the one that the phone can play. */
  readonly files?: readonly OutgoingFile[];
  /** The GUID of the message that is answered, or reacted to. */
  readonly guid?: string;
  /** Where each change of its status is told. */
  readonly callback?: string;
  /** The effect that the message goes with. */
  readonly effect?: SendStyle;
}

export function commandOf(item: ClaimedItem): Command {
  const payload = JSON.parse(item.payload) as Readonly<Record<string, unknown>>;
  const details = item.details === null ? {} : (JSON.parse(item.details) as Details);
  const handOver = {
    reference: item.id,
    attempt: item.handOver,
    chat: { identifier: item.recipient, isGroup: item.isGroup },
  };
  const files = details.files ?? [];
  const replyToGuid = details.guid ?? null;
  switch (item.kind) {
    case 'message': {
      const text = typeof payload['text'] === 'string' ? payload['text'] : null;
      return { kind: 'message', ...handOver, text, attachments: files, replyToGuid, effect: details.effect ?? null };
    }
    case 'audio_message': {
      const [audio] = files;
      if (!audio) throw new Error(`The voice memo ${item.id} was accepted without its file.`);
      return { kind: 'audio_message', ...handOver, audio, replyToGuid };
    }
    case 'reaction': {
      const type = TAPBACKS.find((known) => known === payload['type']);
      if (!type || replyToGuid === null) throw new Error(`The reaction ${item.id} was accepted without its message.`);
      return { kind: 'reaction', ...handOver, target: replyToGuid, type };
    }
    case 'typing':
      return { kind: 'typing', ...handOver, isTyping: payload['state'] !== 'off' };
    case 'receipt':
      return { kind: 'receipt', ...handOver };
  }
}

export function outcomeOf(disposition: Exclude<Disposition, { state: 'sent' | 'accepted' }>): Outcome {
  if (disposition.state === 'done') return { state: 'done' };
  return { state: disposition.state, reason: disposition.reason };
}
