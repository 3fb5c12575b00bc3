/** Every resource by the name that routes' rows and the OpenAPI document use. A document shows those that something names. */
import { adminLineSchema, apiKeySchema, apiKeyWithSecretSchema, walkSchema } from './admin-schemas.ts';
import {
  autoreplySchema,
  faultsClearedSchema,
  faultsSchema,
  phoneGroupSchema,
  phoneMessageSchema,
  phoneTextSchema,
} from './simulator-schemas.ts';
import {
  attachmentSchema,
  chatSchema,
  deletedSchema,
  fileSchema,
  lineSchema,
  messageSchema,
  outboxItemSchema,
  outboxReceiptSchema,
  reactionSchema,
  readReceiptSchema,
  sandboxStateSchema,
  typingIndicatorSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from './v1-schemas.ts';

export const RESOURCES = {
  Line: lineSchema,
  Chat: chatSchema,
  Message: messageSchema,
  Attachment: attachmentSchema,
  Reaction: reactionSchema,
  TypingIndicator: typingIndicatorSchema,
  ReadReceipt: readReceiptSchema,
  OutboxReceipt: outboxReceiptSchema,
  OutboxItem: outboxItemSchema,
  File: fileSchema,
  Webhook: webhookSchema,
  WebhookWithSecret: webhookWithSecretSchema,
  SandboxState: sandboxStateSchema,
  DeletedResponse: deletedSchema,
  ApiKey: apiKeySchema,
  ApiKeyWithSecret: apiKeyWithSecretSchema,
  AdminLine: adminLineSchema,
  Walk: walkSchema,
  PhoneMessage: phoneMessageSchema,
  PhoneText: phoneTextSchema,
  PhoneGroup: phoneGroupSchema,
  Faults: faultsSchema,
  FaultsCleared: faultsClearedSchema,
  Autoreply: autoreplySchema,
} as const;
export type ResourceName = keyof typeof RESOURCES;
