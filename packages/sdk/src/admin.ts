/**
 * The client of an operator: keys, devices, lines, webhooks, deliveries, walks, and the phones of the simulator. With an API key it runs anywhere;
 * without one it is for a page of the server's own origin, signed in by a session cookie.
 */

import { caller } from './admin-caller.ts';
import type {
  AddLineParams,
  AdminLine,
  ApiKey,
  AutoreplyParams,
  CreateDeviceParams,
  CreateGroupParams,
  CreateKeyParams,
  Device,
  FaultParams,
  ListPhoneMessagesParams,
  PhoneChatParams,
  PhoneMessage,
  PhoneMessageParams,
  PhoneTyping,
  SimulatedText,
  SimulateTextParams,
  UpdateLineParams,
  Walk,
} from './admin-resources.ts';
import { type WebhookAdministration, webhookAdministration } from './admin-webhooks.ts';
import { clientOf } from './client.ts';
import { type CallOptions, type ClientConfig, type Connection, connectionOf, requireKey } from './client-config.ts';
import type { MessagesClient } from './messages-client.ts';
import { type PagePromise, resource } from './page.ts';
import type { IdParams } from './params.ts';
import type { DeletedResponse, ReactionType } from './resources.ts';
import { call } from './transport.ts';

export type * from './admin-resources.ts';
export type * from './admin-webhook-resources.ts';
export type { WebhookAdministration } from './admin-webhooks.ts';
export type { CallOptions } from './client-config.ts';
export type { PagePromise, PaginatedResponse } from './page.ts';

export interface AdminConfig extends ClientConfig {
  /** Where the server is. A page of the server itself gives `location.origin`. */
  readonly baseUrl: string;
  /** Left out, the session cookie of the page says who asks. */
  readonly apiKey?: string | undefined;
  /** What the session's `X-CSRF-Token` is, asked for at every change. */
  readonly csrfToken?: (() => string) | undefined;
}

export interface AdminClient extends WebhookAdministration {
  /** The account's keys, the newest first, revoked ones too. */
  listKeys(params?: { limit?: number; cursor?: string }, options?: CallOptions): PagePromise<ApiKey>;
  /** Makes a key, no wider than the maker's own. `key` is given this once. */
  createKey(params: CreateKeyParams, options?: CallOptions): Promise<ApiKey & { key: string }>;
  getKey(params: IdParams, options?: CallOptions): Promise<ApiKey>;
  /** In force in every process within a second. */
  revokeKey(params: IdParams, options?: CallOptions): Promise<DeletedResponse>;

  /** The account's devices, the newest first, revoked ones too. */
  listDevices(params?: { limit?: number; cursor?: string }, options?: CallOptions): PagePromise<Device>;
  /** Makes a device, whose agent may dial in for these lines. `token` is given this once. */
  createDevice(params: CreateDeviceParams, options?: CallOptions): Promise<Device & { token: string }>;
  getDevice(params: IdParams, options?: CallOptions): Promise<Device>;
  /** Its token opens nothing any more. */
  revokeDevice(params: IdParams, options?: CallOptions): Promise<DeletedResponse>;

  /** The account's lines; with `removed` also those that were removed. */
  listLines(params?: { removed?: boolean }, options?: CallOptions): PagePromise<AdminLine>;
  addLine(params: AddLineParams, options?: CallOptions): Promise<AdminLine>;
  getLine(params: IdParams, options?: CallOptions): Promise<AdminLine>;
  /** What is not named stays as it is. */
  updateLine(params: UpdateLineParams, options?: CallOptions): Promise<AdminLine>;
  /** `purge` also deletes the line's chats, messages and events, and answers when they are gone. */
  removeLine(params: IdParams & { purge?: boolean }, options?: CallOptions): Promise<DeletedResponse>;

  /** What happened to a send, by its `obx_` id. */
  getOutboxWalk(params: IdParams, options?: CallOptions): Promise<Walk>;
  /** What happened to a message, by its `msg_` id. */
  getMessageWalk(params: IdParams, options?: CallOptions): Promise<Walk>;

  /** The API's own client with the same credentials. */
  readonly v1: MessagesClient;
  readonly simulator: SimulatorClient;
}

/** The phones' side of simulated lines. */
export interface SimulatorClient {
  /** Lets a phone write to a line. Resolves when the line has heard it. */
  sendText(params: SimulateTextParams, options?: CallOptions): Promise<SimulatedText>;
  /** Puts a tapback on a message, or with `added: false` takes it off. */
  sendReaction(
    params: PhoneMessageParams & { type: ReactionType; added?: boolean },
    options?: CallOptions,
  ): Promise<SimulatedText>;
  editMessage(params: PhoneMessageParams & { text: string }, options?: CallOptions): Promise<SimulatedText>;
  unsendMessage(params: PhoneMessageParams, options?: CallOptions): Promise<SimulatedText>;
  startTyping(params: PhoneChatParams, options?: CallOptions): Promise<{ chatId: string | null }>;
  stopTyping(params: PhoneChatParams, options?: CallOptions): Promise<{ chatId: string | null }>;
  markRead(params: PhoneChatParams, options?: CallOptions): Promise<{ chatId: string | null }>;
  /** The lines that a phone sees typing. */
  listPhoneTyping(params: { phone: string }, options?: CallOptions): PagePromise<PhoneTyping>;
  createGroup(params: CreateGroupParams, options?: CallOptions): Promise<{ chatId: string | null }>;
  /** What a phone sees. */
  listPhoneMessages(params: ListPhoneMessagesParams, options?: CallOptions): PagePromise<PhoneMessage>;
  setFaults(params: FaultParams, options?: CallOptions): Promise<FaultParams>;
  clearFaults(params: { line: string }, options?: CallOptions): Promise<{ line: string; cleared: boolean }>;
  setAutoreply(params: AutoreplyParams, options?: CallOptions): Promise<AutoreplyParams>;
}

/** Makes an operator's client. */
export function createAdminClient(config: AdminConfig): AdminClient {
  const connection = config.apiKey === undefined ? sessionConnection(config) : keyConnection(config, config.apiKey);
  return {
    ...keys(connection),
    ...devices(connection),
    ...lines(connection),
    ...webhookAdministration(connection),
    ...walks(connection),
    v1: clientOf(connection),
    simulator: simulator(connection),
  };
}

function keyConnection(config: AdminConfig, apiKey: string): Connection {
  const key = requireKey(apiKey);
  return connectionOf(config, { authorization: `Bearer ${key}` }, key);
}

/** The cookie goes to the page's own origin alone, and a change needs what other origins cannot read. */
function sessionConnection(config: AdminConfig): Connection {
  const connection = connectionOf(config, {}, undefined);
  const send: typeof fetch = (input, init = {}) => {
    const headers = new Headers(init.headers);
    if (init.method !== 'GET' && config.csrfToken) headers.set('x-csrf-token', config.csrfToken());
    return connection.fetch(input, { ...init, headers, credentials: 'same-origin' });
  };
  return { ...connection, fetch: send };
}

function keys(connection: Connection) {
  const { list, send } = caller(connection);
  return {
    listKeys: (params = {}, options) => list('/admin/v1/keys', params, options),
    createKey: (params, options) => send('POST', '/admin/v1/keys', params, options),
    getKey: ({ id }, options) => send('GET', `/admin/v1/keys/${encodeURIComponent(id)}`, undefined, options),
    revokeKey: ({ id }, options) => send('DELETE', `/admin/v1/keys/${encodeURIComponent(id)}`, undefined, options),
  } satisfies Partial<AdminClient>;
}

function devices(connection: Connection) {
  const { list, send } = caller(connection);
  const pathOf = (id: string) => `/admin/v1/devices/${encodeURIComponent(id)}`;
  return {
    listDevices: (params = {}, options) => list('/admin/v1/devices', params, options),
    createDevice: (params, options) => send('POST', '/admin/v1/devices', params, options),
    getDevice: ({ id }, options) => send('GET', pathOf(id), undefined, options),
    revokeDevice: ({ id }, options) => send('DELETE', pathOf(id), undefined, options),
  } satisfies Partial<AdminClient>;
}

function lines(connection: Connection) {
  const { list, send } = caller(connection);
  const pathOf = (id: string) => `/admin/v1/lines/${encodeURIComponent(id)}`;
  return {
    listLines: (params = {}, options) => list('/admin/v1/lines', params, options),
    addLine: (params, options) => send('POST', '/admin/v1/lines', params, options),
    getLine: ({ id }, options) => send('GET', pathOf(id), undefined, options),
    updateLine: ({ id, ...changes }, options) => send('PATCH', pathOf(id), changes, options),
    async removeLine({ id, purge }, options) {
      const request = { method: 'DELETE', path: pathOf(id), query: { purge } } as const;
      return resource(await call(connection, request, options));
    },
  } satisfies Partial<AdminClient>;
}

function walks(connection: Connection) {
  const { send } = caller(connection);
  return {
    getOutboxWalk: ({ id }, options) => send('GET', `/admin/v1/outbox/${encodeURIComponent(id)}`, undefined, options),
    getMessageWalk: ({ id }, options) =>
      send('GET', `/admin/v1/messages/${encodeURIComponent(id)}`, undefined, options),
  } satisfies Partial<AdminClient>;
}

function simulator(connection: Connection): SimulatorClient {
  const { list, send } = caller(connection);
  return {
    sendText: (params, options) => send('POST', '/simulator/v1/messages', params, options),
    sendReaction: (params, options) => send('POST', '/simulator/v1/reactions', params, options),
    editMessage: (params, options) => send('POST', '/simulator/v1/edits', params, options),
    unsendMessage: (params, options) => send('POST', '/simulator/v1/unsends', params, options),
    startTyping: (params, options) => send('POST', '/simulator/v1/typing', { ...params, state: 'on' }, options),
    stopTyping: (params, options) => send('POST', '/simulator/v1/typing', { ...params, state: 'off' }, options),
    markRead: (params, options) => send('POST', '/simulator/v1/reads', params, options),
    listPhoneTyping: ({ phone }, options) =>
      list(`/simulator/v1/phones/${encodeURIComponent(phone)}/typing`, {}, options),
    createGroup: (params, options) => send('POST', '/simulator/v1/groups', params, options),
    listPhoneMessages: ({ phone, ...params }, options) =>
      list(`/simulator/v1/phones/${encodeURIComponent(phone)}/messages`, params, options),
    setFaults: (params, options) => send('POST', '/simulator/v1/faults', params, options),
    clearFaults: (params, options) => send('DELETE', '/simulator/v1/faults', params, options),
    setAutoreply: (params, options) => send('POST', '/simulator/v1/autoreply', params, options),
  };
}
