/** What a driver may report, with defaults for what a test does not care about. */
import type {
  ChatSeen,
  LineEvent,
  MessageSeen,
  ObservedChat,
  ReceiptSeen,
  SeenAttachment,
  Tapback,
} from '@trunkline/drivers';
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
    attachments: [],
    isAudioMessage: false,
    service: 'imessage',
    sentAt: STARTED_AT,
    replyToGuid: null,
    effect: null,
    reference: null,
    deliveredAt: null,
    readAt: null,
    itemPart: 0,
    isWholeItem: true,
    isOld: false,
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

export const PICTURE: SeenAttachment = {
  file: 'file_1',
  filename: 'hike.jpg',
  mimeType: 'image/jpeg',
  size: 1_234,
  transcription: null,
};

export function reaction(target: string, type: Tapback, sender: string, added = true): LineEvent {
  const rest = { isFromMe: sender === LINE, sender, at: STARTED_AT, reference: null };
  return { kind: 'reaction', cursor: nextCursor(), target, type, added, ...rest };
}

export function typing(handle: string, isTyping = true): LineEvent {
  return { kind: 'typing', cursor: nextCursor(), chat: direct(handle), handle, isTyping, at: STARTED_AT };
}

export function read(handle: string, at = STARTED_AT): LineEvent {
  return { kind: 'read', cursor: nextCursor(), chat: direct(handle), handle, at };
}

export function edited(guid: string, text = 'Changed', at = STARTED_AT): LineEvent {
  return { kind: 'edited', cursor: nextCursor(), guid, text, at };
}

export function unsent(guid: string, at = STARTED_AT): LineEvent {
  return { kind: 'unsent', cursor: nextCursor(), guid, at };
}

export function transcribed(guid: string, transcription = 'See you at noon'): LineEvent {
  return { kind: 'transcription', cursor: nextCursor(), guid, transcription };
}
