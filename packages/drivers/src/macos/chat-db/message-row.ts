/** A row of the message database, with what belongs to it, as the rest of the driver reads it. Times are Unix milliseconds. */
import type { Service } from '../../service.ts';

/** 0 of the message database, its null, and what lies beyond reason are null here. */
type Moment = number | null;

export interface MessageRow {
  /** The order of arrival on this Mac. */
  readonly rowid: number;
  readonly guid: string;
  /** The decoded text without the places of attachments; null where there is none. */
  readonly text: string | null;
  readonly service: Service;
  readonly date: number;
  readonly isFromMe: boolean;
  readonly isSent: boolean;
  readonly isDelivered: boolean;
  readonly deliveredAt: Moment;
  readonly readAt: Moment;
  /** 0: none. */
  readonly error: number;
  readonly wasDowngraded: boolean;
  readonly isAudioMessage: boolean;
  /** 0 is an ordinary message; 1 to 6 say something about the chat. */
  readonly itemType: number;
  readonly groupActionType: number;
  readonly groupTitle: string | null;
  /** 0, or what it does to the message that it is associated with: a tapback, a sticker, a vote. */
  readonly associatedType: number;
  readonly associatedGuid: string | null;
  readonly threadOriginatorGuid: string | null;
  readonly balloonBundleId: string | null;
  readonly effectId: string | null;
  readonly isEmpty: boolean;
  readonly hasAttachments: boolean;
  /** Sends that are planned for later are 1 while they wait. */
  readonly scheduleType: number;
  readonly scheduleState: number;
  /** The other party's handle; null for most own messages. */
  readonly sender: string | null;
  /** The own address that it went from, or came to. */
  readonly destinationCallerId: string | null;
  /** Null while no chat is joined. Of several the one with the lowest number. */
  readonly chat: ChatRow | null;
  readonly attachments: readonly AttachmentRow[];
}

export interface ChatRow {
  readonly rowid: number;
  /** `any;-;+1555...`; its first part says nothing of the service. */
  readonly guid: string;
  readonly identifier: string;
  readonly isGroup: boolean;
  readonly service: Service;
  readonly displayName: string | null;
  /** `E:...` or `P:...`: the account that it belongs to. */
  readonly accountLogin: string | null;
  /** Normalised handles; never the line's own. */
  readonly participants: readonly string[];
}

export interface AttachmentRow {
  readonly guid: string;
  /** Where its bytes lie, with the home folder in place of `~`; null until that is known. */
  readonly path: string | null;
  /** What people see. */
  readonly name: string | null;
  readonly mimeType: string | null;
  /** 5 is finished, 6 failed. */
  readonly transferState: number;
  readonly totalBytes: number;
  /** Parts of a link preview are not shown. */
  readonly isHidden: boolean;
}
