/** One realistic request of every operation that takes something. A test holds them against the rows. */
import { EXAMPLE_IDS as ID } from '../../wire/examples.ts';

export interface RequestExample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Under either path of the account's webhooks. */
const ADDED_WEBHOOKS = { body: { webhooks: [ID.url], type: 'receive' } };
const REPLACED_WEBHOOKS = {
  body: { webhooks: { receive: [ID.url], outbound: [{ url: ID.url, secret: 'a secret' }] } },
};
const DELETED_WEBHOOKS = { body: { webhooks: [ID.url] } };

/** By the operation's name. */
export const REQUEST_EXAMPLES: Readonly<Record<string, RequestExample>> = {
  listChats: { query: { from: ID.line, limit: '50' } },
  sendMessage: { body: { from: ID.line, to: ID.phone, text: 'It is: it arrives tomorrow.' } },
  listMessages: { query: { from: ID.line, to: ID.phone, limit: '50' } },
  sendAudioMessage: { body: { from: ID.line, to: ID.phone, audio_message: ID.file } },
  getChat: { params: { id: ID.chat } },
  sendReaction: { body: { from: ID.line, to: ID.phone, message_id: ID.message, type: 'love' } },
  listReactions: { query: { message_id: ID.message } },
  sendTyping: { body: { from: ID.line, to: ID.phone, state: 'on' } },
  listTypingIndicators: { query: { from: ID.line, to: ID.phone } },
  sendReadReceipt: { body: { from: ID.line, to: ID.phone } },
  listReadReceipts: { query: { from: ID.line, to: ID.phone } },
  getMessage: { params: { id: ID.message } },
  getOutboxItem: { query: { id: ID.outbox } },
  downloadFile: { query: { id: ID.file } },
  getFile: { params: { id: ID.file } },
  createWebhook: { body: { from: ID.line, url: ID.url, events: ['message.received', 'message.sent'] } },
  activateSandbox: { body: {} },
  deactivateSandbox: { body: {} },
  listWebhooks: { query: { from: ID.line } },
  deleteWebhook: { body: { id: ID.webhook } },
  streamEvents: { query: { events: 'message.received,message.sent' } },
  sendblueSendMessage: { body: { number: ID.phone, from_number: ID.line, content: 'It is: it arrives tomorrow.' } },
  sendblueListMessages: { query: { number: ID.phone, limit: '50' } },
  sendblueGetMessage: { params: { message_handle: ID.handle } },
  sendblueGetStatus: { query: { handle: ID.handle } },
  sendblueSendGroupMessage: { body: { group_id: ID.chat, from_number: ID.line, content: 'It arrives tomorrow.' } },
  sendblueSendTyping: { body: { number: ID.phone, from_number: ID.line, state: 'start' } },
  sendblueMarkRead: { body: { number: ID.phone, from_number: ID.line } },
  sendblueSendReaction: { body: { from_number: ID.line, message_handle: ID.handle, reaction: 'love' } },
  sendblueLookUpNumber: { query: { number: ID.phone } },
  sendblueOptOut: { body: { number: ID.phone, opted_out: true } },
  sendblueUploadMediaObject: { body: { media_url: 'https://files.example.com/photo.jpg' } },
  sendblueAddWebhooks: ADDED_WEBHOOKS,
  sendblueAddWebhooksAlias: ADDED_WEBHOOKS,
  sendblueReplaceWebhooks: REPLACED_WEBHOOKS,
  sendblueReplaceWebhooksAlias: REPLACED_WEBHOOKS,
  sendblueDeleteWebhooks: DELETED_WEBHOOKS,
  sendblueDeleteWebhooksAlias: DELETED_WEBHOOKS,
  listKeys: { query: { limit: '50' } },
  createKey: {
    body: { name: 'Support bot', scopes: ['messages:read', 'messages:write'], line_ids: [ID.lineId] },
  },
  getKey: { params: { id: ID.key } },
  revokeKey: { params: { id: ID.key } },
  listDevices: { query: { limit: '50' } },
  createDevice: { body: { name: 'Office Mac', lines: [ID.lineId] } },
  getDevice: { params: { id: ID.device } },
  revokeDevice: { params: { id: ID.device } },
  listAdminLines: { query: { removed: 'true' } },
  addLine: { body: { handle: ID.line, driver: 'simulator', label: 'Support' } },
  getAdminLine: { params: { id: ID.lineId } },
  setLine: { params: { id: ID.lineId }, body: { label: 'Support', settings: { pace_ms: 1_000 } } },
  removeLine: { params: { id: ID.lineId } },
  listAdminWebhooks: { query: { line: ID.line } },
  getAdminWebhook: { params: { id: ID.webhook } },
  setWebhook: { params: { id: ID.webhook }, body: { is_active: true } },
  rotateWebhookSecret: { params: { id: ID.webhook }, body: { overlap_hours: 24 } },
  resendDeliveries: { params: { id: ID.webhook }, body: { since: 1_750_000_000_000, state: 'failed' } },
  listDeliveries: { query: { webhook: ID.webhook, state: 'failed', limit: '50' } },
  getDelivery: { params: { id: ID.delivery } },
  listDeliveryAttempts: { params: { id: ID.delivery } },
  resendDelivery: { params: { id: ID.delivery }, body: {} },
  getOutboxWalk: { params: { id: ID.outbox } },
  getMessageWalk: { params: { id: ID.message } },
  textFromPhone: { body: { from: ID.phone, to: ID.line, text: 'Is my order on its way?' } },
  reactFromPhone: { body: { from: ID.phone, message_id: ID.message, type: 'love' } },
  editFromPhone: { body: { from: ID.phone, message_id: ID.message, text: 'Is my order on its way yet?' } },
  unsendFromPhone: { body: { from: ID.phone, message_id: ID.message } },
  typeFromPhone: { body: { from: ID.phone, to: ID.line, state: 'on' } },
  readFromPhone: { body: { from: ID.phone, to: ID.line } },
  listPhoneTyping: { params: { handle: ID.phone } },
  createPhoneGroup: { body: { line: ID.line, participants: [ID.phone, '+15550109998'], name: 'Weekend' } },
  listPhoneMessages: { params: { handle: ID.phone } },
  setFaults: { body: { line: ID.line, latency_ms: 2_000, fail_rate: 0.1 } },
  clearFaults: { body: { line: ID.line } },
  setAutoreply: { body: { phone: ID.phone, text: 'On my way' } },
};
