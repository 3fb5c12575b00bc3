/** What a message on the air consists of. */
import type { SendStyle } from '../effect.ts';
import type { SeenAttachment } from '../line-events.ts';

export interface Content {
  /** Empty where there are attachments alone. */
  readonly text: string;
  readonly attachments: readonly SeenAttachment[];
  readonly isAudio: boolean;
  /** The GUID of the message that this one answers. */
  readonly replyToGuid: string | null;
  readonly effect: SendStyle | null;
}

export function plainText(text: string): Content {
  return { text, attachments: [], isAudio: false, replyToGuid: null, effect: null };
}

export function isPlain({ attachments, isAudio, replyToGuid, effect }: Content): boolean {
  return attachments.length === 0 && !isAudio && replyToGuid === null && effect === null;
}

/** The attachments of a stored message: written here alone, so their form is known. */
export function parseAttachments(json: string): readonly SeenAttachment[] {
  return JSON.parse(json) as SeenAttachment[];
}

/** What an event says of a message's content. */
export function seenContent(content: Content) {
  return {
    text: content.text === '' ? null : content.text,
    attachments: content.attachments,
    isAudioMessage: content.isAudio,
    replyToGuid: content.replyToGuid,
    effect: content.effect,
  };
}
