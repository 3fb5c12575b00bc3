/** `createClient`: each method is one request, and what it gives is one resource or one list. */
import { type CallOptions, type ClientConfig, type Connection, connectionOf, requireKey } from './client-config.ts';
import { followEvents } from './event-stream.ts';
import { toSnakeCase, toSnakeCaseKeys } from './key-case.ts';
import type { MessagesClient } from './messages-client.ts';
import { waitUntilSettled } from './outbox-wait.ts';
import { type PagePromise, pages, resource } from './page.ts';
import { sendContactCard } from './send-contact-card.ts';
import { call, type Method, type RequestDetail } from './transport.ts';
import { uploadRequest } from './upload.ts';

/** Makes a client. Throws where there is no API key. */
export function createClient(config: ClientConfig = {}): MessagesClient {
  const key = requireKey(config.apiKey, 'MESSAGES_API_KEY', 'TRUNKLINE_API_KEY');
  return clientOf(connectionOf(config, { authorization: `Bearer ${key}` }, key));
}

/** The same over whatever connection there is. */
export function clientOf(connection: Connection): MessagesClient {
  return { ...sends(connection), ...lists(connection), ...singles(connection), ...subscriptions(connection) };
}

type Query = NonNullable<RequestDetail['query']>;

function sends(connection: Connection) {
  const post = poster(connection);
  const send: Pick<MessagesClient, 'uploadFile' | 'sendMessage'> = {
    sendMessage: (params, options) => post('/v1/messages', params, options),
    uploadFile: async (params, options) =>
      resource(await call(connection, await uploadRequest(params, connection.timeoutMs), options)),
  };
  return {
    ...send,
    sendAudioMessage: (params, options) => post('/v1/audio-messages', params, options),
    sendReaction: (params, options) => post('/v1/reactions', params, options),
    startTyping: (params, options) => post('/v1/typing', { ...params, state: 'on' }, options),
    stopTyping: (params, options) => post('/v1/typing', { ...params, state: 'off' }, options),
    sendReadReceipt: (params, options) => post('/v1/receipts', params, options),
    sendContactCard: (params, options) =>
      sendContactCard({ ...send, ...singles(connection), ...connection }, params, options),
  } satisfies Partial<MessagesClient>;
}

function lists(connection: Connection) {
  const list = <T>(path: string, params: object, isPaged: boolean, options?: CallOptions): PagePromise<T> =>
    pages((cursor) => {
      const query = queryOf(cursor === null ? params : { ...params, cursor });
      return call(connection, { method: 'GET', path, query }, options);
    }, isPaged);
  return {
    listLines: (options) => list('/v1/lines', {}, false, options),
    listChats: (params, options) => list('/v1/chats', params, true, options),
    listMessages: (params, options) => list('/v1/messages', params, true, options),
    listReactions: (params, options) => list('/v1/reactions', params, false, options),
    listTypingIndicators: (params, options) => list('/v1/typing', params, false, options),
    listReadReceipts: (params, options) => list('/v1/receipts', params, false, options),
    listWebhooks: (params, options) => list('/v1/webhooks', params, false, options),
  } satisfies Partial<MessagesClient>;
}

function singles(connection: Connection) {
  const get = async <T>(path: string, query: object = {}, options?: CallOptions): Promise<T> =>
    resource<T>(await call(connection, { method: 'GET', path, query: queryOf(query) }, options));
  const getOutboxItem: MessagesClient['getOutboxItem'] = ({ id }, options) => get('/v1/outbox', { id }, options);
  return {
    getOutboxItem,
    getMessage: ({ id, from }, options) => get(`/v1/messages/${encodeURIComponent(id)}`, { from }, options),
    getChat: ({ id }, options) => get(`/v1/chats/${encodeURIComponent(id)}`, {}, options),
    async getFileUrl({ id }, options) {
      const { url } = await get<{ url: string }>(`/v1/files/${encodeURIComponent(id)}`, {}, options);
      return { url };
    },
    waitForOutbox: (id, options = {}) => waitUntilSettled((signal) => getOutboxItem({ id }, { signal }), options),
    getSandbox: (options) => get('/v1/sandbox', {}, options),
  } satisfies Partial<MessagesClient>;
}

function subscriptions(connection: Connection) {
  const post = poster(connection);
  const send = async <T>(method: Method, path: string, json: unknown, options?: CallOptions): Promise<T> =>
    resource<T>(await call(connection, { method, path, json }, options));
  return {
    createWebhook: (params, options) => post('/v1/webhooks', params, options),
    async deleteWebhook({ id }, options) {
      const goneAnswer = { id, deleted: true };
      return resource(
        await call(connection, { method: 'DELETE', path: '/v1/webhooks', json: { id }, goneAnswer }, options),
      );
    },
    events: (params = {}) => followEvents(connection, params),
    activateSandbox: (options) => send('POST', '/v1/sandbox', {}, options),
    deactivateSandbox: (options) => send('DELETE', '/v1/sandbox', {}, options),
  } satisfies Partial<MessagesClient>;
}

function poster(connection: Connection) {
  return async <T>(path: string, params: object, options?: CallOptions): Promise<T> =>
    resource<T>(await call(connection, { method: 'POST', path, json: toSnakeCaseKeys(params) }, options));
}

/** What a query can carry, with the wire's keys. */
function queryOf(params: object): Query {
  return Object.fromEntries(
    Object.entries(params).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string' || typeof value === 'number' ? [[toSnakeCase(key), value]] : [],
    ),
  );
}
