/** What resources look like in the v1 API: `spec` names, snake_case, every key present. Pure. */
import type { Chat } from '../domain/chat.ts';
import type { ApiError, ErrorKind } from '../domain/errors.ts';
import type { StoredFile } from '../domain/file.ts';
import type { Line } from '../domain/line.ts';
import type { Attachment, Message } from '../domain/message.ts';
import type { OutboxStatus } from '../domain/outbox.ts';
import type { ReadReceipt, TypingIndicator } from '../domain/presence.ts';
import type { Reaction } from '../domain/reaction.ts';
import type { Webhook } from '../domain/webhook.ts';

export function lineBody(line: Pick<Line, 'id' | 'handle' | 'label' | 'service' | 'isActive'>) {
  const { id, handle, label, service } = line;
  return { id, handle, label, service, is_active: line.isActive };
}

export function chatBody(chat: Chat) {
  return {
    id: chat.id,
    line_id: chat.lineId,
    identifier: chat.identifier,
    service: chat.service,
    name: chat.name,
    is_group: chat.isGroup,
    participants: chat.participants,
    has_received_inbound: chat.hasReceivedInbound,
    last_message_at: chat.lastMessageAt,
  };
}

/** Makes the link under which anybody may fetch a file. */
export type LinkFile = (file: { readonly id: string; readonly filename: string | null }) => string;

export function attachmentBody({ file, filename, mimeType, size, transcription }: Attachment, link: LinkFile) {
  return { filename, mime_type: mimeType, size, url: file === null ? null : link(file), transcription };
}

export function messageBody(message: Message, link: LinkFile) {
  return {
    id: message.id,
    line_id: message.lineId,
    chat_id: message.chatId,
    guid: message.guid,
    sender: message.sender,
    text: message.text,
    attachments: message.attachments.map((one) => attachmentBody(one, link)),
    service: message.service,
    is_from_me: message.isFromMe,
    is_audio_message: message.isAudioMessage,
    sent_at: message.sentAt,
    synced_at: message.syncedAt,
    outbox_id: message.outboxId,
    reply_to_guid: message.replyToGuid,
    send_style: message.effect,
  };
}

/** The data of a message's events; `times` are those concerned, such as `delivered_at`. */
export function messageEventData(
  message: Message,
  lineHandle: string,
  link: LinkFile,
  times: Readonly<Record<string, number>> = {},
) {
  return { ...messageBody(message, link), line_handle: lineHandle, ...times };
}

export function reactionBody(reaction: Reaction) {
  return {
    id: reaction.id,
    message_id: reaction.messageId,
    type: reaction.type,
    sender: reaction.sender,
    is_from_me: reaction.isFromMe,
    added: reaction.added,
    sent_at: reaction.sentAt,
    synced_at: reaction.syncedAt,
  };
}

export function reactionEventData(reaction: Reaction, chatId: string, lineHandle: string) {
  return { ...reactionBody(reaction), chat_id: chatId, line_handle: lineHandle };
}

export function typingBody(typing: TypingIndicator) {
  return {
    id: typing.id,
    chat_id: typing.chatId,
    handle: typing.handle,
    is_typing: typing.isTyping,
    updated_at: typing.updatedAt,
  };
}

export function readReceiptBody(receipt: ReadReceipt) {
  return {
    id: receipt.id,
    chat_id: receipt.chatId,
    handle: receipt.handle,
    last_read_at: receipt.lastReadAt,
    synced_at: receipt.syncedAt,
  };
}

/** The data of `line.status`. */
export function lineStatusData(
  line: Parameters<typeof lineBody>[0],
  health: { readonly state: string; readonly reason: string | null; readonly since: number },
) {
  return { ...lineBody(line), health };
}

export function outboxItemBody(item: {
  readonly id: string;
  readonly lineId: string;
  readonly status: OutboxStatus;
  readonly payload: unknown;
  readonly completedAt: number | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly createdAt: number;
}) {
  return {
    id: item.id,
    line_id: item.lineId,
    status: item.status,
    payload: item.payload,
    completed_at: item.completedAt,
    error: item.error,
    attempts: item.attempts,
    max_attempts: item.attemptsMax,
    created_at: item.createdAt,
  };
}

/** The data of `message.failed`: a message that was not seen on the line has none, and a handle may have no chat yet. */
export function failedEventData(item: Parameters<typeof outboxItemBody>[0], lineHandle: string, chatId: string | null) {
  return { ...outboxItemBody(item), line_handle: lineHandle, chat_id: chatId, message: null };
}

export function webhookBody(webhook: Webhook) {
  return {
    id: webhook.id,
    line_ids: webhook.lineId === null ? [] : [webhook.lineId],
    url: webhook.url,
    events: webhook.events,
    is_active: webhook.isActive,
  };
}

export function fileBody(file: Pick<StoredFile, 'id' | 'filename' | 'mimeType' | 'size'>, url: string) {
  return { id: file.id, url, filename: file.filename, mime_type: file.mimeType, size: file.size };
}

export function sandboxBody(sandbox: {
  readonly status: 'missing' | 'pending' | 'active';
  readonly code: string | null;
  readonly lineHandle: string;
  readonly phone: string | null;
  readonly pairedAt: number | null;
  readonly sent: number;
  readonly sentMax: number;
  readonly resetsAt: number;
}) {
  const { sent, sentMax } = sandbox;
  return {
    status: sandbox.status,
    activation_code: sandbox.code,
    sandbox_line_handle: sandbox.lineHandle,
    contact_identifier: sandbox.phone,
    activated_at: sandbox.pairedAt,
    usage: { used: sent, limit: sentMax, remaining: Math.max(sentMax - sent, 0), resets_at: sandbox.resetsAt },
  };
}

/** The body of a delivery, and without an id of a delivery that of a streamed event. `data` is JSON already. */
export function eventBody(type: string, data: string, timestamp: number, deliveryId: string | null): string {
  const tail = deliveryId === null ? '' : `,"delivery_id":${JSON.stringify(deliveryId)}`;
  return `{"event":${JSON.stringify(type)},"data":${data},"timestamp":${timestamp}${tail}}`;
}

interface ErrorShape {
  readonly type: string;
  readonly status: number;
}

const ERROR_SHAPES: Readonly<Record<ErrorKind, ErrorShape>> = {
  unauthenticated: { type: 'authentication_error', status: 401 },
  forbidden: { type: 'authorization_error', status: 403 },
  invalid: { type: 'invalid_request_error', status: 400 },
  not_allowed_yet: { type: 'invalid_request_error', status: 403 },
  not_found: { type: 'not_found_error', status: 404 },
  method_not_allowed: { type: 'invalid_request_error', status: 405 },
  too_large: { type: 'invalid_request_error', status: 413 },
  head_too_large: { type: 'invalid_request_error', status: 431 },
  uri_too_long: { type: 'invalid_request_error', status: 414 },
  too_slow: { type: 'invalid_request_error', status: 408 },
  unsupported_media_type: { type: 'invalid_request_error', status: 415 },
  conflict: { type: 'invalid_request_error', status: 409 },
  rate_limited: { type: 'rate_limit_error', status: 429 },
  unavailable: { type: 'api_error', status: 503 },
  not_implemented: { type: 'api_error', status: 501 },
  internal: { type: 'api_error', status: 500 },
};

export function errorStatus(error: ApiError): number {
  return ERROR_SHAPES[error.kind].status;
}

export function errorBody(error: ApiError, requestId: string) {
  const { type } = ERROR_SHAPES[error.kind];
  const param = error.param === undefined ? {} : { param: error.param };
  return { error: { type, code: error.code, message: error.message, ...param }, request_id: requestId };
}
