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
export type { EventIterator } from './event-stream.ts';
export type { CamelCaseKeys } from './key-case.ts';
export type { MessagesClient } from './messages-client.ts';
export type { PagePromise, PaginatedResponse } from './page.ts';
export type {
  ContactAddress,
  ContactCard,
  ContactEmail,
  ContactPhone,
  CreateWebhookParams,
  EventsParams,
  GetMessageParams,
  IdParams,
  ListChatsParams,
  ListMessagesParams,
  ListReactionsParams,
  ListReadReceiptsParams,
  ListTypingIndicatorsParams,
  ListWebhooksParams,
  SendAudioMessageParams,
  SendContactCardParams,
  SendMessageParams,
  SendReactionParams,
  SendReadReceiptParams,
  TypingParams,
  UploadFileParams,
  UploadSource,
  WaitForOutboxOptions,
} from './params.ts';
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
  Service,
  StoredOutboxItem,
  TypingIndicator,
  Webhook,
} from './resources.ts';
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
  type LineStatusEventData,
  type MessageEventData,
  type MessageFailedEventData,
  type MessageReceivedEvent,
  type MessageSentEvent,
  type ReactionAddedEvent,
  type ReactionEventData,
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
