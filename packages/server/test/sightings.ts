/** What a driver may report, with defaults for what a test does not care about. */
import type { ChatSeen, LineEvent, MessageSeen, ObservedChat, ReceiptSeen } from '@trunkline/drivers';
import { LINE, PHONE } from './harness.ts';
import { STARTED_AT } from './stage.ts';

let cursors = 0;

/** Grows with every event that is made, as a driver's own order does. */
function nextCursor(): string {
  cursors++;
  return String(cursors);
}

export function direct(peer: string): ObservedChat {
  return { identifier: peer, isGroup: false, name: null, participants: [peer], service: 'imessage' };
}

export function group(identifier: string, participants: readonly string[], name: string | null = null): ObservedChat {
  return { identifier, isGroup: true, name, participants, service: 'imessage' };
}

/** A phone's text to the line. */
export function inbound(guid: string, given: Partial<Omit<MessageSeen, 'kind'>> = {}): MessageSeen {
  const sender = given.sender ?? PHONE;
  return {
    kind: 'message',
    cursor: nextCursor(),
    guid,
    chat: direct(sender),
    isFromMe: false,
    sender,
    text: `Text of ${guid}`,
    service: 'imessage',
    sentAt: STARTED_AT,
    replyToGuid: null,
    reference: null,
    deliveredAt: null,
    readAt: null,
    awaits: null,
    ...given,
  };
}

/** A message that the line was seen sending. */
export function own(guid: string, given: Partial<Omit<MessageSeen, 'kind'>> = {}): MessageSeen {
  return inbound(guid, { chat: direct(PHONE), isFromMe: true, sender: LINE, ...given });
}

export function receipt(guid: string, kind: ReceiptSeen['receipt'], at = STARTED_AT): ReceiptSeen {
  return { kind: 'receipt', cursor: nextCursor(), receipt: kind, guid, at };
}

export function chatSeen(chat: ObservedChat): ChatSeen {
  return { kind: 'chat', cursor: nextCursor(), chat };
}

export function part(partOf: string): LineEvent {
  return { kind: 'part', cursor: nextCursor(), guid: `part of ${partOf}`, partOf };
}

export function failure(reference: string, reason: string): LineEvent {
  return { kind: 'failure', cursor: nextCursor(), reference, reason };
}
