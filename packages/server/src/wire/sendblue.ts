/** What the Sendblue dialect's answers look like. Sections 1 and 2 of its contract. */
import { type ApiError, ERRORS, type ErrorCode, type ErrorKind } from '../domain/errors.ts';
import type { ListedItem } from '../domain/listed-item.ts';
import type { LinkFile } from './v1.ts';

const SERVICES = { imessage: 'iMessage', sms: 'SMS', rcs: 'RCS' } as const;
const PLAN = 'self-hosted';
/** The code of a message that failed, whatever the reason. */
const FAILED_CODE = 10_001;

/** A service as this dialect writes it. */
export function serviceName(service: keyof typeof SERVICES): (typeof SERVICES)[keyof typeof SERVICES] {
  return SERVICES[service];
}

/** A message: the union of the names that clients use for the same things. */
export function itemBody(item: ListedItem, linkFile: LinkFile) {
  const { isOutbound, lineHandle, peer, group, error } = item;
  const createdAt = new Date(item.createdAt).toISOString();
  const replied = item.repliesTo && { message_handle: item.repliesTo.handle };
  return {
    accountEmail: item.accountEmail,
    account_email: item.accountEmail,
    content: item.text ?? '',
    date_created: createdAt,
    date_sent: createdAt,
    date_updated: new Date(item.updatedAt).toISOString(),
    error_code: error === null ? null : FAILED_CODE,
    error_detail: error,
    error_message: error,
    error_reason: null,
    from_number: isOutbound ? lineHandle : peer,
    group_display_name: group?.name ?? null,
    group_id: group?.id ?? '',
    is_outbound: isOutbound,
    media_url: mediaUrl(item, linkFile),
    message_handle: item.handle,
    message_type: group ? 'group' : 'message',
    number: peer,
    opted_out: item.hasOptedOut,
    participants: group ? [lineHandle, ...group.participants] : [],
    plan: PLAN,
    send_style: item.sendStyle ?? '',
    sendblue_number: lineHandle,
    service: SERVICES[item.service],
    status: item.status,
    to_number: isOutbound ? peer : lineHandle,
    was_downgraded: item.wasDowngraded,
    ...(replied && {
      reply_to: { ...replied, part_index: item.repliesTo?.part ?? 0 },
      thread_originator: replied,
    }),
  };
}

/** As the answers of a send and of `/api/status` have it: they know no status between queued and sent. */
export function sentBody(item: ListedItem, linkFile: LinkFile) {
  const body = itemBody(item, linkFile);
  return item.status === 'ACCEPTED' ? { ...body, status: 'QUEUED' } : body;
}

function mediaUrl({ media }: ListedItem, linkFile: LinkFile): string {
  if (media === null) return '';
  if ('url' in media) return media.url;
  return media.file === null ? '' : linkFile(media.file);
}

/** A file that was taken in, by the address under which it may be sent. */
export function mediaObjectBody(file: { readonly id: string; readonly filename: string | null }, linkFile: LinkFile) {
  return { status: 'OK', message: 'The file is here.', mediaObjectId: file.id, media_url: linkFile(file) };
}

const STATUSES: Readonly<Record<ErrorKind, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  invalid: 400,
  not_allowed_yet: 400,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  head_too_large: 431,
  uri_too_long: 414,
  too_slow: 408,
  unsupported_media_type: 415,
  conflict: 409,
  rate_limited: 429,
  unavailable: 503,
  not_implemented: 501,
  internal: 500,
};

const INVALID_CODE = 4_000;
const RATE_CODE = 4_001;
const INTERNAL_CODE = 5_000;

/** Lines and chats are named in fields, so naming one that is not there is a mistake in that field. */
const NAMED_IN_FIELDS: readonly ErrorCode[] = ['line_not_found', 'chat_not_found'];

export function sendblueStatus(error: ApiError): number {
  return NAMED_IN_FIELDS.includes(error.code) ? STATUSES.invalid : STATUSES[error.kind];
}

/** Clients look for these words, and go on without what they asked for. */
const SENTENCES: Readonly<Partial<Record<ErrorCode, string>>> = {
  chat_not_found: 'No route mapping found: there is no such chat on this line.',
};

function sentenceOf({ code, message }: ApiError): string {
  return message === ERRORS[code].message ? (SENTENCES[code] ?? message) : message;
}

/** Clients make their error's text of `message`. `error_reason` names the refusal for programs. */
export function sendblueErrorBody(error: ApiError) {
  const status = sendblueStatus(error);
  const code = status >= 500 ? INTERNAL_CODE : INVALID_CODE;
  const message = sentenceOf(error);
  return {
    status: 'ERROR',
    message,
    error_message: message,
    error_code: status === STATUSES.rate_limited ? RATE_CODE : code,
    error_reason: error.code,
  };
}
