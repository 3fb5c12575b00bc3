import type { SendStyle, Service } from '@trunkline/drivers';

export type MessageState = 'received' | 'sent' | 'delivered' | 'read';

/** A file that came with a message. */
export interface Attachment {
  /** The file's id and name, where its bytes are here. */
  readonly file: { readonly id: string; readonly filename: string | null } | null;
  readonly filename: string | null;
  readonly mimeType: string | null;
  /** Bytes. */
  readonly size: number | null;
  /** What the line made out of a voice memo. */
  readonly transcription: string | null;
}

/** The type of a voice memo, whatever the line's database says. */
export const AUDIO_MESSAGE_TYPE = 'audio/x-caf';

/** A message seen on a line, inbound or our own. */
export interface Message {
  readonly id: string;
  readonly lineId: string;
  readonly chatId: string;
  readonly guid: string;
  readonly sender: string;
  readonly text: string | null;
  readonly attachments: readonly Attachment[];
  readonly isAudioMessage: boolean;
  readonly service: Service;
  readonly isFromMe: boolean;
  /** Unix milliseconds, by the sender's clock. */
  readonly sentAt: number;
  /** Unix milliseconds: when it was stored here. */
  readonly syncedAt: number;
  readonly outboxId: string | null;
  readonly replyToGuid: string | null;
  readonly effect: SendStyle | null;
}
