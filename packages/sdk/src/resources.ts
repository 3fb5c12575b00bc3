/** What the API gives, as the client gives it. Times are Unix milliseconds; `null` says that there is no value. */

export type LineService = 'imessage' | 'sms' | 'auto';
/** The network that carried a message. */
export type Service = 'imessage' | 'sms' | 'rcs';
export type OutboxStatus = 'pending' | 'claimed' | 'sent' | 'failed';
export type ReactionType = 'love' | 'like' | 'dislike' | 'laugh' | 'emphasize' | 'question';

/** One iMessage identity that you send from and receive on. */
export interface Line {
  /** `ln_…` */
  id: string;
  /** The phone number in E.164, or the Apple ID. */
  handle: string;
  /** The name that you gave the line. */
  label: string | null;
  /** How the line sends. */
  service: LineService;
  /** Whether the line takes messages now. */
  isActive: boolean;
}

/** A conversation on a line, with one contact or with a group. */
export interface Chat {
  /** `cht_…` */
  id: string;
  /** The line that it is on. */
  lineId: string;
  /** The contact's handle; of a group, the group's own identifier. */
  identifier: string;
  /** The service that carries it. */
  service: Service;
  /** The group's name. */
  name: string | null;
  /** Whether it is a group. */
  isGroup: boolean;
  /** The other parties' handles, never the line's own. */
  participants: string[];
  /** Whether somebody there has written: before that, nothing can be sent. */
  hasReceivedInbound: boolean;
  /** When its newest message was sent. */
  lastMessageAt: number | null;
  /** Of the request, where the chat was asked for alone. */
  requestId?: string | undefined;
}

/** A file that came with a message. */
export interface Attachment {
  /** Its name. */
  filename: string | null;
  /** What it was said to be. A voice memo that came in is `audio/x-caf`. */
  mimeType: string | null;
  /** Its bytes. */
  size: number | null;
  /** Where it can be had without a key, for 30 days. */
  url: string | null;
  /** What was said in a voice memo; null until the line has made it out. */
  transcription: string | null;
}

/** Something said in a chat, by either side. */
export interface Message {
  /** `msg_…` */
  id: string;
  /** The line that it was seen on. */
  lineId: string;
  /** The chat that it belongs to. */
  chatId: string;
  /** iMessage's own name for it, unique on its line. */
  guid: string;
  /** Who said it; of an own message, the line's handle. */
  sender: string;
  /** Its text; null where it has none. */
  text: string | null;
  /** The files that came with it. */
  attachments: Attachment[];
  /** The service that carried it. */
  service: Service | null;
  /** Whether the line said it. */
  isFromMe: boolean;
  /** Whether it is a voice memo. */
  isAudioMessage: boolean | null;
  /** When it was said. */
  sentAt: number;
  /** When the server stored it. */
  syncedAt: number;
  /** The outbox item that it was sent by; null where a person typed it. */
  outboxId: string | null;
  /** The message that it replies to. */
  replyToGuid: string | null;
  /** Of the request, where the message was asked for alone. */
  requestId?: string | undefined;
}

/** A tapback on a message. */
export interface Reaction {
  /** `rxn_…` */
  id: string;
  /** The message that it is on. */
  messageId: string;
  /** Which one it is. */
  type: ReactionType;
  /** Whose it is. */
  sender: string;
  /** Whether it is the line's. */
  isFromMe: boolean;
  /** False once it was taken away. */
  added: boolean;
  /** When it was made. */
  sentAt: number;
  /** When the server stored it. */
  syncedAt: number;
}

/** Whether somebody is typing. */
export interface TypingIndicator {
  /** `ind_…` */
  id: string;
  /** The chat. */
  chatId: string;
  /** Who types. */
  handle: string;
  /** Whether they do just now. */
  isTyping: boolean;
  /** When that was last heard. */
  updatedAt: number;
}

/** How far somebody has read. */
export interface ReadReceipt {
  /** `rcp_…` */
  id: string;
  /** The chat. */
  chatId: string;
  /** Who has read. */
  handle: string;
  /** When they last did. */
  lastReadAt: number;
  /** When the server stored it. */
  syncedAt: number;
}

/** What was accepted and is to be sent, sent or failed. The answer to a send has `id`, `status` and `requestId` alone. */
export interface OutboxItem {
  /** `obx_…` */
  id: string;
  /** `pending` and `claimed` go on; `sent` and `failed` are the end. */
  status: OutboxStatus;
  /** The line that sends it. */
  lineId?: string | undefined;
  /** The request as it was accepted, with its `kind`. */
  payload?: OutboxPayload | undefined;
  /** When it ended. */
  completedAt?: number | null | undefined;
  /** Why it failed, in a sentence. */
  error?: string | null | undefined;
  /** How often it was handed over. */
  attempts?: number | undefined;
  /** How often it can be. */
  maxAttempts?: number | undefined;
  /** When it was accepted. */
  createdAt?: number | undefined;
  /** Of the request. */
  requestId?: string | undefined;
}

/** An outbox item as `getOutboxItem` and `waitForOutbox` give it: whole. */
export type StoredOutboxItem = { [Key in keyof OutboxItem]-?: Exclude<OutboxItem[Key], undefined> };

/** The request behind an outbox item; `kind` says which of the fields it has. */
export interface OutboxPayload {
  kind: 'message' | 'audio_message' | 'reaction' | 'typing' | 'receipt';
  from: string;
  to: string;
  text?: string | undefined;
  attachments?: string[] | undefined;
  replyTo?: string | undefined;
  audioMessage?: string | undefined;
  messageId?: string | undefined;
  type?: string | undefined;
  state?: 'on' | 'off' | undefined;
}

/** A file that was uploaded. Its id can be sent as often as you like. */
export interface File {
  /** `file_…` */
  id: string;
  /** Where it can be had without a key, for 30 days. */
  url: string | null;
  /** Its name. */
  filename: string | null;
  /** What it was said to be. */
  mimeType: string;
  /** Its bytes. */
  size: number;
  /** Of the request. */
  requestId?: string | undefined;
}

/** An address of yours that is told of a line's events. */
export interface Webhook {
  /** `wh_…` */
  id: string;
  /** The lines whose events it gets. */
  lineIds: string[];
  /** The address. */
  url: string;
  /** The names of those events. */
  events: string[];
  /** Whether it gets them now. */
  isActive: boolean;
  /** What its deliveries are signed with; given once, when it is made. */
  secret?: string | undefined;
  /** Of the request, where it was made. */
  requestId?: string | undefined;
}

/** What was removed. */
export interface DeletedResponse {
  id: string;
  deleted: true;
  /** Of the request. */
  requestId?: string | undefined;
}

/** The sandbox line as your account has it. */
export interface SandboxState {
  /** `pending` while a phone may be paired by the code. */
  status: 'missing' | 'pending' | 'active';
  /** What to text to the sandbox line; null where there is no code now. */
  activationCode: string | null;
  /** The sandbox line's handle. */
  sandboxLineHandle: string;
  /** The phone that is paired. */
  contactIdentifier: string | null;
  /** When it was. */
  activatedAt: number | null;
  /** The messages of the day. */
  usage: { used: number; limit: number; remaining: number; resetsAt: number };
  /** Of the request. */
  requestId?: string | undefined;
}
