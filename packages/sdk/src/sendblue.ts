/**
 * A client for the Sendblue dialect, shaped as code written for Sendblue expects: `client.messages.send(…)`. Names are
 * the dialect's own, in both directions.
 */
import { type CallOptions, type ClientConfig, type Connection, connectionOf, requireKey } from './client-config.ts';
import type { SendStyle } from './resources.ts';
import { call, type RequestDetail } from './transport.ts';

export type { CallOptions } from './client-config.ts';
export type { SendStyle } from './resources.ts';

export interface SendblueConfig extends Omit<ClientConfig, 'apiKey'> {
  /** The API key's public id, `key_…`; by default `TRUNKLINE_API_KEY_ID` of the environment. */
  readonly apiKey?: string | undefined;
  /** The API key itself, `sk_live_…`; by default `TRUNKLINE_API_KEY` of the environment. */
  readonly apiSecret?: string | undefined;
}

/** What a message of a list can be. */
export type MessageStatus =
  | 'REGISTERED'
  | 'PENDING'
  | 'SENT'
  | 'DELIVERED'
  | 'RECEIVED'
  | 'QUEUED'
  | 'ERROR'
  | 'DECLINED'
  | 'ACCEPTED'
  | 'SUCCESS';

export interface MessageSendParams {
  /** The recipient, in E.164 or as an Apple ID. */
  number: string;
  /** The line. */
  from_number: string;
  /** The text. Required unless there is a `media_url`. */
  content?: string | undefined;
  /** A file that the server fetches and sends. */
  media_url?: string | undefined;
  send_style?: SendStyle | undefined;
  /** An address that is told of every change of status. */
  status_callback?: string | undefined;
  reply_to?: { message_handle: string; part_index?: number | undefined } | undefined;
}

/** A message of either side, as lists have it: with every name that clients know for the same things. */
export interface MessageContent {
  /** The address of the account's owner. */
  accountEmail: string;
  account_email: string;
  /** The text; empty where there is media alone. */
  content: string;
  /** When it was accepted, or sent by the clock of the line: ISO 8601, in UTC. */
  date_created: string;
  date_sent: string;
  date_updated: string;
  /** 10001 for a message that failed. */
  error_code: number | null;
  error_detail: string | null;
  /** Why it failed, in a sentence. */
  error_message: string | null;
  error_reason: string | null;
  from_number: string;
  group_display_name: string | null;
  /** The `cht_` id of a group's chat; empty otherwise. */
  group_id: string;
  is_outbound: boolean;
  /** Where its file is; empty where it has none. */
  media_url: string;
  /** Names the message from its acceptance on. */
  message_handle: string;
  message_type: 'message' | 'group';
  /** The other party; empty for what goes to a group. */
  number: string;
  /** Whether the other party wants no more messages. */
  opted_out: boolean;
  /** Of a group: the line and all the others. */
  participants: string[];
  plan: 'self-hosted';
  /** The message that it answers, where it answers one. */
  reply_to?: { message_handle: string; part_index: number } | undefined;
  /** Empty where it goes without one. */
  send_style: SendStyle | '';
  /** The line. */
  sendblue_number: string;
  service: 'iMessage' | 'SMS' | 'RCS';
  status: MessageStatus;
  thread_originator?: { message_handle: string } | undefined;
  /** Empty for what goes to a group. */
  to_number: string;
  /** Null until that is known, and for what came in. */
  was_downgraded: boolean | null;
}

/** What `send` and `getStatus` give: the message, of which nothing is told between `QUEUED` and `SENT`. */
export interface MessageResponse extends MessageContent {
  status: 'QUEUED' | 'SENT' | 'DELIVERED' | 'ERROR' | 'RECEIVED';
}

/** All are optional; those that are given all hold. Times are ISO 8601, both ends included. */
export interface MessageListParams {
  account_email?: string | undefined;
  created_at_gte?: string | undefined;
  created_at_lte?: string | undefined;
  sent_at_gte?: string | undefined;
  sent_at_lte?: string | undefined;
  updated_at_gte?: string | undefined;
  updated_at_lte?: string | undefined;
  from_number?: string | undefined;
  to_number?: string | undefined;
  /** Either side. */
  number?: string | undefined;
  /** The line. */
  sendblue_number?: string | undefined;
  group_id?: string | undefined;
  is_outbound?: boolean | undefined;
  message_type?: 'message' | 'group' | undefined;
  service?: 'iMessage' | 'SMS' | 'RCS' | undefined;
  status?: MessageStatus | undefined;
  order_by?: 'createdAt' | 'updatedAt' | 'sentAt' | 'created_at' | 'updated_at' | 'sent_at' | undefined;
  order_direction?: 'asc' | 'desc' | undefined;
  /** 1 to 100, which is the default. */
  limit?: number | undefined;
  offset?: number | undefined;
  worker_id?: string | undefined;
}

export interface MessageListResponse {
  status: 'OK';
  data: MessageContent[];
  /** `total` is exact up to 5,000. */
  pagination: { hasMore: boolean; limit: number; offset: number; total: number };
}

export interface MessageRetrieveResponse {
  status: 'OK';
  data: MessageContent;
}

export interface SendblueClient {
  readonly messages: {
    /** Messages of both sides, the newest first. */
    list(query?: MessageListParams, options?: CallOptions): Promise<MessageListResponse>;
    /** One message, by its handle. */
    retrieve(messageHandle: string, options?: CallOptions): Promise<MessageRetrieveResponse>;
    /** Accepts a message: it is on the server's disk, and `QUEUED`. */
    send(body: MessageSendParams, options?: CallOptions): Promise<MessageResponse>;
    /** What became of a send. */
    getStatus(query: { handle: string }, options?: CallOptions): Promise<MessageResponse>;
  };
}

/** Makes a client of the Sendblue dialect. Throws where there is no key, or half of one. */
export function createSendblueClient(config: SendblueConfig = {}): SendblueClient {
  const id = requireKey(config.apiKey, 'TRUNKLINE_API_KEY_ID');
  const secret = requireKey(config.apiSecret, 'TRUNKLINE_API_KEY');
  const headers = { 'sb-api-key-id': id, 'sb-api-secret-key': secret };
  return { messages: messagesOf(connectionOf(config, headers, secret)) };
}

function messagesOf(connection: Connection): SendblueClient['messages'] {
  return {
    list: (query = {}, options) =>
      ask(connection, { method: 'GET', path: '/api/v2/messages', query: { ...query } }, options),
    retrieve: (handle, options) =>
      ask(connection, { method: 'GET', path: `/api/v2/messages/${encodeURIComponent(handle)}` }, options),
    send: (body, options) => ask(connection, { method: 'POST', path: '/api/send-message', json: body }, options),
    getStatus: ({ handle }, options) =>
      ask(connection, { method: 'GET', path: '/api/status', query: { handle } }, options),
  };
}

/** What the answer has is the server's promise, as with every resource. */
async function ask<T>(connection: Connection, request: RequestDetail, options?: CallOptions): Promise<T> {
  return (await call(connection, request, options)) as T;
}
