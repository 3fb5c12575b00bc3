/** The TypeScript client of Trunkline. It depends on nothing, and runs wherever there are `fetch` and WebCrypto. */

export {
  type BuildWebhookDeliveryOptions,
  buildWebhookDelivery,
  signWebhook,
  type WebhookDelivery,
} from './build-delivery.ts';
export { createClient } from './client.ts';
export type { CallOptions, ClientConfig } from './client-config.ts';
export {
  AuthenticationError,
  AuthorizationError,
  ConnectionError,
  type ErrorDetail,
  InvalidRequestError,
  MessagesError,
  NotFoundError,
  RateLimitError,
  SignatureVerificationError,
  TimeoutError,
} from './errors.ts';
export type { LineStatusEventData, MessageEventData, MessageFailedEventData, ReactionEventData } from './event-data.ts';
export type { EventIterator } from './event-stream.ts';
export type { CamelCaseKeys } from './key-case.ts';
export type { MessagesClient } from './messages-client.ts';
export type { PagePromise, PaginatedResponse } from './page.ts';
export type {
  ContactAddress,
  ContactCard,
  ContactEmail,
  ContactPhone,
  EventsParams,
  IdParams,
  SendContactCardParams,
  TypingParams,
  UploadFileParams,
  UploadSource,
  WaitForOutboxOptions,
} from './params.ts';
export type {
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
export type {
  Attachment,
  Chat,
  DeletedResponse,
  File,
  Line,
  LineService,
  Message,
  OutboxItem,
  OutboxPayload,
  OutboxStatus,
  Reaction,
  ReactionType,
  ReadReceipt,
  SandboxState,
  SendStyle,
  Service,
  TypingIndicator,
  Webhook,
} from './resources.ts';
export type { StoredOutboxItem } from './stored-outbox-item.ts';
export {
  type HeadersLike,
  type RawBody,
  type ReceivedDelivery,
  type SignatureHeader,
  type UnreadRequest,
  type VerifyWebhookOptions,
  verifyWebhook,
} from './verify-webhook.ts';
export {
  type AnyWebhookEvent,
  EXTENDED_WEBHOOK_EVENT_NAMES,
  type ExtendedWebhookEventDataMap,
  type ExtendedWebhookEventName,
  type MessageReceivedEvent,
  type MessageSentEvent,
  type ReactionAddedEvent,
  type ReactionRemovedEvent,
  type StreamedEvent,
  type StreamedEventName,
  type StreamOnlyEventDataMap,
  WEBHOOK_EVENT_NAMES,
  type WebhookEvent,
  type WebhookEventDataFor,
  type WebhookEventDataMap,
  type WebhookEventName,
} from './webhook-events.ts';
