/** What `/admin/v1` and `/simulator/v1` give and take, as the admin client does. Times are Unix milliseconds. */
import type { Attachment, LineService, Message, ReactionType, SendStyle } from './resources.ts';
import type { StoredOutboxItem } from './stored-outbox-item.ts';

/** An API key. What opens the door is given once, when it is made. */
export interface ApiKey {
  /** `key_…` */
  id: string;
  name: string;
  /** The beginning of the key, to recognise it by. */
  prefix: string;
  scopes: string[];
  /** Null: all lines of the account. */
  lineIds: string[] | null;
  rateLimitPerHour: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
  createdAt: number;
}

export interface CreateKeyParams {
  name: string;
  /** By default those of the API that the maker has. */
  scopes?: readonly string[] | undefined;
  /** Ids or handles; by default all lines. */
  lineIds?: readonly string[] | undefined;
  expiresAt?: number | undefined;
  rateLimitPerHour?: number | undefined;
}

/** A computer whose agent may dial in. Its token is given once, when it is made. */
export interface Device {
  /** `dev_…` */
  id: string;
  name: string;
  /** The beginning of the token, to recognise it by. */
  prefix: string;
  /** The lines that it may serve, without those that were removed. */
  lineIds: string[];
  /** What its agent last said of itself; null before its first connection. */
  agent: { version: string; platform: string } | null;
  /** How far its clock is ahead of the server's; null before it was measured. */
  clockOffsetMs: number | null;
  /** Whether its agent is connected now. */
  isConnected: boolean;
  /** When its newest connection began. */
  connectedAt: number | null;
  /** When that connection ended; null while it is there, and where its server was ended without a word. */
  disconnectedAt: number | null;
  revokedAt: number | null;
  createdAt: number;
}

export interface CreateDeviceParams {
  name: string;
  /** Ids or handles of lines that an agent reaches; at least one. */
  lines: readonly string[];
}

/** A line, with what only an operator sees of it. */
export interface AdminLine {
  /** `ln_…` */
  id: string;
  handle: string;
  label: string | null;
  service: LineService;
  isActive: boolean;
  /** What connects it, such as `simulator`. */
  driver: string;
  isSandbox: boolean;
  settings: { contactFirst: boolean; optOutKeywords: boolean; paceMs: number };
  /** How the line is, as its driver says. */
  health: { state: 'online' | 'degraded' | 'offline' | 'unknown'; reason: string | null; since: number | null };
  createdAt: number;
  removedAt: number | null;
}

export interface LineSettingsParams {
  /** Refuses sends to whoever has not written first. */
  contactFirst?: boolean | undefined;
  /** Lets a phone opt out by texting STOP, and in again by START. */
  optOutKeywords?: boolean | undefined;
  /** The least time between two hand-overs. */
  paceMs?: number | undefined;
}

export interface AddLineParams {
  handle: string;
  driver: string;
  label?: string | undefined;
  service?: LineService | undefined;
  settings?: LineSettingsParams | undefined;
}

export interface UpdateLineParams {
  /** An `ln_` id or a handle. */
  id: string;
  label?: string | undefined;
  isActive?: boolean | undefined;
  settings?: LineSettingsParams | undefined;
}

/** One thing that happened to a message. */
export interface WalkStep {
  step: string;
  at: number;
  /** Since the step before. */
  tookMs: number;
  detail: string | null;
}

/** What happened to one item or message, and when. */
export interface Walk {
  outboxItem: Omit<StoredOutboxItem, 'requestId'> | null;
  message: Message | null;
  walk: WalkStep[];
}

export interface SimulateTextParams {
  /** The phone that writes. */
  from: string;
  /** The line, or a group's `cht_` id. */
  to: string;
  /** Required unless there is a file. */
  text?: string | undefined;
  /** Ids of uploaded files. */
  attachments?: readonly string[] | undefined;
  /** The id of an uploaded file that is a voice memo. */
  audio?: string | undefined;
  /** What is said in the memo. */
  transcription?: string | undefined;
  /** How much later the line makes that out. */
  transcriptionAfterMs?: number | undefined;
  /** A message in the same chat. */
  replyTo?: string | undefined;
  effect?: SendStyle | undefined;
}

/** What a phone does about a message that it shows. */
export interface PhoneMessageParams {
  /** The phone. */
  from: string;
  /** The id or GUID of the message. */
  messageId: string;
}

/** What a phone does in a chat. */
export interface PhoneChatParams {
  /** The phone. */
  from: string;
  /** The line, or a group's `cht_` id. */
  to: string;
}

/** A line that a phone sees typing. */
export interface PhoneTyping {
  line: string;
  chatId: string | null;
  /** When it is over without another word. */
  until: number;
}

export interface SimulatedText {
  guid: string;
  chatId: string | null;
}

export interface CreateGroupParams {
  line: string;
  participants: readonly string[];
  name?: string | undefined;
}

export interface ListPhoneMessagesParams {
  phone: string;
  /** Only the chats with this line. */
  line?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** A message as a simulated phone has it. */
export interface PhoneMessage {
  guid: string;
  chatId: string | null;
  line: string;
  /** Whether the phone itself wrote it. */
  fromMe: boolean;
  sender: string;
  text: string | null;
  attachments: Attachment[];
  isAudioMessage: boolean;
  replyToGuid: string | null;
  effect: SendStyle | null;
  reactions: { type: ReactionType; sender: string; sentAt: number }[];
  /** How far it came. */
  state: 'received' | 'sent' | 'delivered' | 'read';
  edited: boolean;
  unsent: boolean;
  sentAt: number;
}

/** What a simulated line does wrong. What is left out is as on a good day. */
export interface FaultParams {
  line: string;
  latencyMs?: number | undefined;
  jitterMs?: number | undefined;
  /** 0 to 1, and so are the other rates. */
  failRate?: number | undefined;
  dropEchoRate?: number | undefined;
  duplicateRate?: number | undefined;
  reorder?: boolean | undefined;
  offline?: boolean | undefined;
}

export interface AutoreplyParams {
  phone: string;
  /** What the phone answers; with neither this nor `echo` it stops answering. */
  text?: string | undefined;
  /** Answers with what it was sent. */
  echo?: boolean | undefined;
}
