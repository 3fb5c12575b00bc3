/**
 * What the API gives, as the client gives it. Times are Unix milliseconds, and null says that there is no value.
 * Made by `npm run generate` from `openapi/v1.json`: what stands here is changed in the server's schemas.
 */

/** Of `Line.service`: how it sends; `auto` decides by the recipient. */
export type LineService = 'imessage' | 'sms' | 'auto';

/** Of `Chat.service`: how its messages travel. */
export type Service = 'imessage' | 'sms' | 'rcs';

/** Of `OutboxItem.status`: `claimed` is under way; `sent` was seen going out on the line. */
export type OutboxStatus = 'pending' | 'claimed' | 'sent' | 'failed';

/** Of `Message.send_style`: the effect that it was sent with, an extension of this server. */
export type SendStyle =
  | 'celebration'
  | 'shooting_star'
  | 'fireworks'
  | 'lasers'
  | 'love'
  | 'confetti'
  | 'balloons'
  | 'spotlight'
  | 'echo'
  | 'invisible'
  | 'gentle'
  | 'loud'
  | 'slam';

/** Of `Reaction.type`: which tapback. */
export type ReactionType = 'love' | 'like' | 'dislike' | 'laugh' | 'emphasize' | 'question';

/** Of `OutboxItem.payload`: the request as it was accepted. */
export interface OutboxPayload {
  /** What was asked for. */
  kind: 'message' | 'audio_message' | 'reaction' | 'typing' | 'receipt';
  /** As the request named the line. */
  from: string;
  /** As the request named the recipient. */
  to: string;
  /** Of a message: its text. */
  text?: string | undefined;
  /** Of a message: the ids of its files. */
  attachments?: string[] | undefined;
  /** Of a voice memo: the id of its file. */
  audioMessage?: string | undefined;
  /** Of a message or a voice memo: what it replies to. */
  replyTo?: string | undefined;
  /** Of a message: the effect that was asked for. */
  sendStyle?: SendStyle | undefined;
  /** Of a reaction: the message that it is on. */
  messageId?: string | undefined;
  /** Of a reaction: which tapback. */
  type?: ReactionType | undefined;
  /** Of typing: whether it begins or ends. */
  state?: 'on' | 'off' | undefined;
}

/** One handle through which messages leave and arrive. */
export interface Line {
  /** The line's id (`ln_…`). */
  id: string;
  /** The handle that its messages come from: E.164 or a lower-case e-mail. */
  handle: string;
  /** What the operator calls it. Null: it has no name. */
  label: string | null;
  /** How it sends; `auto` decides by the recipient. */
  service: LineService;
  /** Whether it sends and receives. */
  isActive: boolean;
}

/** A conversation on a line, with one peer or with a group. */
export interface Chat {
  /** The chat's id (`cht_…`). */
  id: string;
  /** The line that it is on (`ln_…`). */
  lineId: string;
  /** The peer's handle; of a group its own identifier. */
  identifier: string;
  /** How its messages travel. */
  service: Service;
  /** The group's name. Null: it has none. */
  name: string | null;
  /** Whether it is a group. */
  isGroup: boolean;
  /** The other parties' handles, never the line's own. */
  participants: string[];
  /** Whether the contact, or somebody in the group, has written to the line. */
  hasReceivedInbound: boolean;
  /** When its newest message was sent. Null: it has none. Unix milliseconds. */
  lastMessageAt: number | null;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** A message seen on a line, inbound or own. */
export interface Message {
  /** The message's id (`msg_…`). */
  id: string;
  /** The line that it was seen on (`ln_…`). */
  lineId: string;
  /** The chat that it is in (`cht_…`). */
  chatId: string;
  /** The name that iMessage gave it, unique on its line. */
  guid: string;
  /** The sender's handle; of an own message the line's. */
  sender: string;
  /** What it says. Null: it has no text. */
  text: string | null;
  /** Its files; mostly none. */
  attachments: Attachment[];
  /** How it travelled. Null: unknown. */
  service: Service | null;
  /** Whether the line sent it, through the API or by hand. */
  isFromMe: boolean;
  /** Whether it is a voice memo. Null: unknown. */
  isAudioMessage: boolean | null;
  /** When it was sent, by the sender's clock. Unix milliseconds. */
  sentAt: number;
  /** When it was stored here. Unix milliseconds. */
  syncedAt: number;
  /** The outbox item that it came from (`obx_…`). Null: the API did not send it. */
  outboxId: string | null;
  /** The GUID of the message that it replies to. Null: it is no reply. */
  replyToGuid: string | null;
  /**
   * The effect that it was sent with, an extension of this server. Null: none. Events from before there were
   * effects leave it out.
   */
  sendStyle?: SendStyle | null | undefined;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** A file that came or went with a message. */
export interface Attachment {
  /** Its name. Null: it came without one. */
  filename: string | null;
  /** Its media type; `audio/x-caf` for a voice memo. Null: unknown. */
  mimeType: string | null;
  /** In bytes. Null: unknown. */
  size: number | null;
  /** Where to fetch it without a key, for 30 days. Null: it is not here yet. */
  url: string | null;
  /** The phone's own transcription of a voice memo. Null: there is none, or not yet. */
  transcription: string | null;
}

/** A tapback on a message. Taking it back is the same reaction with `added: false`. */
export interface Reaction {
  /** The reaction's id (`rxn_…`). */
  id: string;
  /** The message that it is about (`msg_…`). */
  messageId: string;
  /** Which tapback. */
  type: ReactionType;
  /** The handle of whoever reacted; of an own reaction the line's. */
  sender: string;
  /** Whether the line reacted. */
  isFromMe: boolean;
  /** False once it was taken back. */
  added: boolean;
  /** When it was made or taken back. Unix milliseconds. */
  sentAt: number;
  /** When that was stored here. Unix milliseconds. */
  syncedAt: number;
}

/** Whether somebody in a chat is typing. */
export interface TypingIndicator {
  /** The indicator's id (`ind_…`). */
  id: string;
  /** The chat that it is in (`cht_…`). */
  chatId: string;
  /** Who types. */
  handle: string;
  /** Whether they are typing now. */
  isTyping: boolean;
  /** When that was last heard. Unix milliseconds. */
  updatedAt: number;
}

/** How far somebody has read a chat. */
export interface ReadReceipt {
  /** The receipt's id (`rcp_…`). */
  id: string;
  /** The chat that was read (`cht_…`). */
  chatId: string;
  /** Who read it. */
  handle: string;
  /** How far it was read. Unix milliseconds. */
  lastReadAt: number;
  /** When that was stored here. Unix milliseconds. */
  syncedAt: number;
}

/**
 * Something that was accepted to be sent, and what became of it. The answer to a send has `id`, `status` and
 * `requestId` alone.
 */
export interface OutboxItem {
  /** The item's id (`obx_…`). */
  id: string;
  /** `claimed` is under way; `sent` was seen going out on the line. */
  status: OutboxStatus;
  /** The line that it goes through (`ln_…`). */
  lineId?: string | undefined;
  /** The request as it was accepted. */
  payload?: OutboxPayload | undefined;
  /** When it was sent or failed. Null: it is neither yet. Unix milliseconds. */
  completedAt?: number | null | undefined;
  /** Why it failed, in a sentence to act on. Null: it has not failed. */
  error?: string | null | undefined;
  /** How often it was handed over. */
  attempts?: number | undefined;
  /** How often it may be handed over where it is certain that nothing was sent. */
  maxAttempts?: number | undefined;
  /** When it was accepted. Unix milliseconds. */
  createdAt?: number | undefined;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** An uploaded file. */
export interface File {
  /** The file's id; messages name it by this, as often as they like (`file_…`). */
  id: string;
  /** Where to fetch it without a key, for 30 days. Null: it cannot be fetched. */
  url: string | null;
  /** Its name. Null: it has none. */
  filename: string | null;
  /** Its media type, as it was claimed when it was uploaded. */
  mimeType: string;
  /** In bytes. */
  size: number;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** A receiver of a line's events. Its secret is in the answer that made it, alone. */
export interface Webhook {
  /** The webhook's id (`wh_…`). */
  id: string;
  /** The lines whose events it gets. */
  lineIds: string[];
  /** Where deliveries are posted to. */
  url: string;
  /** The events that it asked for. */
  events: string[];
  /** Whether it is delivered to; one that kept failing is disabled. */
  isActive: boolean;
  /** Signs its deliveries (`whsec_…`). Shown this once. */
  secret?: string | undefined;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** The account's pairing with the sandbox line. */
export interface SandboxState {
  /** Whether a phone is paired, or may be by its code. */
  status: 'missing' | 'pending' | 'active';
  /** What to text to the sandbox line. Null: there is no code now. */
  activationCode: string | null;
  /** The sandbox line's handle. */
  sandboxLineHandle: string;
  /** The paired phone's handle. Null: none is paired. */
  contactIdentifier: string | null;
  /** When it was paired. Null: it is not. Unix milliseconds. */
  activatedAt: number | null;
  /** The account's day on the sandbox line. */
  usage: {
    /** How many messages were accepted today. */
    used: number;
    /** How many a day takes. */
    limit: number;
    /** How many are left. */
    remaining: number;
    /** When the next day begins. Unix milliseconds. */
    resetsAt: number;
  };
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}

/** It is gone. */
export interface DeletedResponse {
  /** What was deleted. */
  id: string;
  /** Always true. */
  deleted: true;
  /** Of the request, for whoever asks for help; only where this is an answer of its own. */
  requestId?: string | undefined;
}
