/**
 * Zod schemas of what is on the wire, with its snake_case keys: for whoever reads answers or deliveries without the
 * client. The client's own types are `CamelCaseKeys` of them. Keys that are not named here are dropped.
 */
import { z } from 'zod';

const requestId = z.string().optional();
const service = z.enum(['imessage', 'sms', 'rcs']);
const sendStyle = z.enum([
  'celebration',
  'shooting_star',
  'fireworks',
  'lasers',
  'love',
  'confetti',
  'balloons',
  'spotlight',
  'echo',
  'invisible',
  'gentle',
  'loud',
  'slam',
]);
const tapback = z.enum(['love', 'like', 'dislike', 'laugh', 'emphasize', 'question']);

export const LineSchema = z.object({
  id: z.string(),
  handle: z.string(),
  label: z.string().nullable(),
  service: z.enum(['imessage', 'sms', 'auto']),
  is_active: z.boolean(),
});

export const ChatSchema = z.object({
  id: z.string(),
  line_id: z.string(),
  identifier: z.string(),
  service,
  name: z.string().nullable(),
  is_group: z.boolean(),
  participants: z.array(z.string()),
  has_received_inbound: z.boolean(),
  last_message_at: z.number().nullable(),
  request_id: requestId,
});

export const AttachmentSchema = z.object({
  filename: z.string().nullable(),
  mime_type: z.string().nullable(),
  size: z.number().nullable(),
  url: z.string().nullable(),
  transcription: z.string().nullable(),
});

export const MessageSchema = z.object({
  id: z.string(),
  line_id: z.string(),
  chat_id: z.string(),
  guid: z.string(),
  sender: z.string(),
  text: z.string().nullable(),
  attachments: z.array(AttachmentSchema),
  service: service.nullable(),
  is_from_me: z.boolean(),
  is_audio_message: z.boolean().nullable(),
  sent_at: z.number(),
  synced_at: z.number(),
  outbox_id: z.string().nullable(),
  reply_to_guid: z.string().nullable(),
  send_style: sendStyle.nullable().optional(),
  request_id: requestId,
});

export const ReactionSchema = z.object({
  id: z.string(),
  message_id: z.string(),
  type: tapback,
  sender: z.string(),
  is_from_me: z.boolean(),
  added: z.boolean(),
  sent_at: z.number(),
  synced_at: z.number(),
});

export const TypingIndicatorSchema = z.object({
  id: z.string(),
  chat_id: z.string(),
  handle: z.string(),
  is_typing: z.boolean(),
  updated_at: z.number(),
});

export const ReadReceiptSchema = z.object({
  id: z.string(),
  chat_id: z.string(),
  handle: z.string(),
  last_read_at: z.number(),
  synced_at: z.number(),
});

export const WebhookSchema = z.object({
  id: z.string(),
  line_ids: z.array(z.string()),
  url: z.string(),
  events: z.array(z.string()),
  is_active: z.boolean(),
  secret: z.string().optional(),
  request_id: requestId,
});

const OutboxPayloadSchema = z.object({
  kind: z.enum(['message', 'audio_message', 'reaction', 'typing', 'receipt']),
  from: z.string(),
  to: z.string(),
  text: z.string().optional(),
  attachments: z.array(z.string()).optional(),
  reply_to: z.string().optional(),
  send_style: sendStyle.optional(),
  audio_message: z.string().optional(),
  message_id: z.string().optional(),
  type: tapback.optional(),
  state: z.enum(['on', 'off']).optional(),
});

/** An outbox item, and the receipt of a send, which is its beginning. */
export const OutboxItemSchema = z.object({
  id: z.string(),
  status: z.enum(['pending', 'claimed', 'sent', 'failed']),
  line_id: z.string().optional(),
  payload: OutboxPayloadSchema.optional(),
  completed_at: z.number().nullable().optional(),
  error: z.string().nullable().optional(),
  attempts: z.number().optional(),
  max_attempts: z.number().optional(),
  created_at: z.number().optional(),
  request_id: requestId,
});

export const FileSchema = z.object({
  id: z.string(),
  url: z.string().nullable(),
  filename: z.string().nullable(),
  mime_type: z.string(),
  size: z.number(),
  request_id: requestId,
});

/** One page of a list: `ListResponseSchema(MessageSchema)`. */
export function ListResponseSchema<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
    request_id: z.string(),
  });
}

export const ErrorResponseSchema = z.object({
  error: z.object({
    type: z.string(),
    code: z.string(),
    message: z.string(),
    param: z.string().optional(),
  }),
  request_id: z.string(),
});

export const DeletedResponseSchema = z.object({ id: z.string(), deleted: z.literal(true), request_id: requestId });

export const MessageEventDataSchema = MessageSchema.extend({ line_handle: z.string() });

export const ReactionEventDataSchema = ReactionSchema.extend({ chat_id: z.string(), line_handle: z.string() });

const delivered = { timestamp: z.number(), delivery_id: z.string() };

export const MessageReceivedEventSchema = z.object({
  event: z.literal('message.received'),
  data: MessageEventDataSchema,
  ...delivered,
});

export const MessageSentEventSchema = z.object({
  event: z.literal('message.sent'),
  data: MessageEventDataSchema,
  ...delivered,
});

export const ReactionAddedEventSchema = z.object({
  event: z.literal('reaction.added'),
  data: ReactionEventDataSchema,
  ...delivered,
});

export const ReactionRemovedEventSchema = z.object({
  event: z.literal('reaction.removed'),
  data: ReactionEventDataSchema,
  ...delivered,
});

/** The body of a delivery of one of the four events, told apart by `event`. */
export const WebhookEventSchema = z.discriminatedUnion('event', [
  MessageReceivedEventSchema,
  MessageSentEventSchema,
  ReactionAddedEventSchema,
  ReactionRemovedEventSchema,
]);
