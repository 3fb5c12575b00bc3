/** What a client can do. Every method takes its parameters and, last, the options of the call. */
import type { CallOptions } from './client-config.ts';
import type { EventIterator } from './event-stream.ts';
import type { PagePromise } from './page.ts';
import type {
  EventsParams,
  IdParams,
  SendContactCardParams,
  TypingParams,
  UploadFileParams,
  WaitForOutboxOptions,
} from './params.ts';
import type {
  CreateWebhookParams,
  GetMessageParams,
  ListChatsParams,
  ListMessagesParams,
  ListReactionsParams,
  ListReadReceiptsParams,
  ListTypingIndicatorsParams,
  ListWebhooksParams,
  SendAudioMessageParams,
  SendMessageParams,
  SendReactionParams,
  SendReadReceiptParams,
} from './requests.ts';
import type {
  Chat,
  DeletedResponse,
  File,
  Line,
  Message,
  OutboxItem,
  Reaction,
  ReadReceipt,
  SandboxState,
  TypingIndicator,
  Webhook,
} from './resources.ts';
import type { StoredOutboxItem } from './stored-outbox-item.ts';

export interface MessagesClient {
  /** Sends a text, a file or both. Resolves when the message is on the server's disk: `pending`, not yet sent. */
  sendMessage(params: SendMessageParams, options?: CallOptions): Promise<OutboxItem>;
  /** Sends an uploaded audio file as a voice memo. */
  sendAudioMessage(params: SendAudioMessageParams, options?: CallOptions): Promise<OutboxItem>;
  /** Puts a tapback on a message. */
  sendReaction(params: SendReactionParams, options?: CallOptions): Promise<OutboxItem>;
  /** Shows that you are typing. */
  startTyping(params: TypingParams, options?: CallOptions): Promise<OutboxItem>;
  /** Shows that you no longer are. */
  stopTyping(params: TypingParams, options?: CallOptions): Promise<OutboxItem>;
  /** Marks the chat as read. */
  sendReadReceipt(params: SendReadReceiptParams, options?: CallOptions): Promise<OutboxItem>;
  /** Uploads a file, to be sent by its id. */
  uploadFile(params: UploadFileParams, options?: CallOptions): Promise<File>;
  /** Makes a vCard, uploads it, and sends it. */
  sendContactCard(params: SendContactCardParams, options?: CallOptions): Promise<OutboxItem>;

  /** Your lines. */
  listLines(options?: CallOptions): PagePromise<Line>;
  /** A line's chats, the latest activity first. */
  listChats(params: ListChatsParams, options?: CallOptions): PagePromise<Chat>;
  /** A chat's messages, the newest first. */
  listMessages(params: ListMessagesParams, options?: CallOptions): PagePromise<Message>;
  /** The tapbacks on a message. */
  listReactions(params: ListReactionsParams, options?: CallOptions): PagePromise<Reaction>;
  /** Who types in a chat. */
  listTypingIndicators(params: ListTypingIndicatorsParams, options?: CallOptions): PagePromise<TypingIndicator>;
  /** Who has read a chat, and when. */
  listReadReceipts(params: ListReadReceiptsParams, options?: CallOptions): PagePromise<ReadReceipt>;
  /** A line's webhooks, without their secrets. */
  listWebhooks(params: ListWebhooksParams, options?: CallOptions): PagePromise<Webhook>;

  /** One message, by its id or GUID. */
  getMessage(params: GetMessageParams, options?: CallOptions): Promise<Message>;
  /** One chat, by its id. */
  getChat(params: IdParams, options?: CallOptions): Promise<Chat>;
  /** What became of a send. */
  getOutboxItem(params: IdParams, options?: CallOptions): Promise<StoredOutboxItem>;
  /** Resolves when the item is sent or has failed. Its second argument is the wait's own, not a call's. */
  waitForOutbox(id: string, options?: WaitForOutboxOptions): Promise<StoredOutboxItem>;
  /** Where a file can be had without a key, for 30 days. */
  getFileUrl(params: IdParams, options?: CallOptions): Promise<{ url: string }>;

  /** Has a line's events posted to you. The answer has the secret, this once. */
  createWebhook(params: CreateWebhookParams, options?: CallOptions): Promise<Webhook & { secret: string }>;
  /** Ends that. */
  deleteWebhook(params: IdParams, options?: CallOptions): Promise<DeletedResponse>;
  /** The events as they happen, through lost connections, without a webhook. */
  events(params?: EventsParams): EventIterator;

  /** How the sandbox line is paired. */
  getSandbox(options?: CallOptions): Promise<SandboxState>;
  /** Gives the code to text to the sandbox line. */
  activateSandbox(options?: CallOptions): Promise<SandboxState>;
  /** Un-pairs the phone; gives a new code. */
  deactivateSandbox(options?: CallOptions): Promise<SandboxState>;
}
