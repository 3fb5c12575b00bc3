/** One realistic value of every resource and event, for the documents. A test holds them against their schemas. */
import type { EVENT_DATA } from './event-schemas.ts';
import type { ResourceName } from './resources.ts';

const LINE_ID = 'ln_01k0q3v5x8f9q2t7m4n6p8r0sb';
const CHAT_ID = 'cht_01k0q3v5x8f9q2t7m4n6p8r0sc';
const MESSAGE_ID = 'msg_01k0q3v5x8f9q2t7m4n6p8r0sa';
const OUTBOX_ID = 'obx_01k0q3v5x8f9q2t7m4n6p8r0sd';
const FILE_ID = 'file_01k0q3v5x8f9q2t7m4n6p8r0sf';
const DEVICE_ID = 'dev_01k0q3v5x8f9q2t7m4n6p8r0sd';
const KEY_ID = 'key_01k0q3v5x8f9q2t7m4n6p8r0sg';
const WEBHOOK_ID = 'wh_01k0q3v5x8f9q2t7m4n6p8r0sh';
const DELIVERY_ID = 'dlv_01k0q3v5x8f9q2t7m4n6p8r0sq';
const REACTION_ID = 'rxn_01k0q3v5x8f9q2t7m4n6p8r0sj';
const HANDLE = '019800D8-F497-4A7C-8A0A-F4550D6C0163';
const GUID = '8F3C0A52-7C1E-4B0E-9D57-0B7F5D6E2A11';
const LINE = '+15550100001';
const PHONE = '+15550109999';
const HOOK = 'https://example.com/hooks/trunkline';
const FILE_URL = `https://trunkline.example.com/files/${FILE_ID}/photo.jpg?expires=1752592000000&signature=k3Jd9sQ`;

/** A moment of the examples' morning, in Unix milliseconds. */
const at = (ms: number) => 1_750_000_000_000 + ms;

/** The names that the examples of requests use too. */
export const EXAMPLE_IDS = {
  line: LINE,
  lineId: LINE_ID,
  phone: PHONE,
  chat: CHAT_ID,
  message: MESSAGE_ID,
  guid: GUID,
  handle: HANDLE,
  outbox: OUTBOX_ID,
  file: FILE_ID,
  key: KEY_ID,
  device: DEVICE_ID,
  webhook: WEBHOOK_ID,
  delivery: DELIVERY_ID,
  url: HOOK,
} as const;

const line = { id: LINE_ID, handle: LINE, label: 'Support', service: 'imessage', is_active: true };

const health = { state: 'online', reason: null, since: at(-3_600_000) };

const message = {
  id: MESSAGE_ID,
  line_id: LINE_ID,
  chat_id: CHAT_ID,
  guid: GUID,
  sender: PHONE,
  text: 'Is my order on its way?',
  attachments: [],
  service: 'imessage',
  is_from_me: false,
  is_audio_message: false,
  sent_at: at(0),
  synced_at: at(12),
  outbox_id: null,
  reply_to_guid: null,
  send_style: null,
};

const sent = {
  ...message,
  id: 'msg_01k0q3v5x8f9q2t7m4n6p8r0sk',
  guid: 'C2B1F6D0-3A75-4E0B-8A55-6F0E1D2C3B4A',
  sender: LINE,
  text: 'It is: it arrives tomorrow.',
  is_from_me: true,
  sent_at: at(4_180),
  synced_at: at(4_200),
  outbox_id: OUTBOX_ID,
};

const reaction = {
  id: REACTION_ID,
  message_id: sent.id,
  type: 'love',
  sender: PHONE,
  is_from_me: false,
  added: true,
  sent_at: at(9_000),
  synced_at: at(9_011),
};

const typing = {
  id: 'ind_01k0q3v5x8f9q2t7m4n6p8r0sm',
  chat_id: CHAT_ID,
  handle: PHONE,
  is_typing: true,
  updated_at: at(8_000),
};

const receipt = {
  id: 'rcp_01k0q3v5x8f9q2t7m4n6p8r0sn',
  chat_id: CHAT_ID,
  handle: PHONE,
  last_read_at: at(6_000),
  synced_at: at(6_020),
};

const outboxItem = {
  id: OUTBOX_ID,
  line_id: LINE_ID,
  status: 'sent',
  payload: { kind: 'message', from: LINE, to: PHONE, text: 'It is: it arrives tomorrow.' },
  completed_at: at(4_200),
  error: null,
  attempts: 1,
  max_attempts: 3,
  created_at: at(4_000),
};

const webhook = {
  id: WEBHOOK_ID,
  line_ids: [LINE_ID],
  url: HOOK,
  events: ['message.received', 'message.sent'],
  is_active: true,
};

const adminWebhook = {
  ...webhook,
  kind: 'v1',
  line_handle: LINE,
  disabled_reason: null,
  failing_since: null,
  previous_secret_ends_at: at(86_400_000),
  newest_delivery: { id: DELIVERY_ID, state: 'delivered', last_attempt_at: at(15), last_status: 200, last_error: null },
  created_at: at(-86_400_000),
};

const delivery = {
  id: DELIVERY_ID,
  webhook_id: WEBHOOK_ID,
  kind: 'v1',
  url: HOOK,
  event: 'message.received',
  event_id: 'evt_01k0q3v5x8f9q2t7m4n6p8r0sr',
  state: 'delivered',
  attempts: 2,
  next_attempt_at: null,
  last_attempt_at: at(15),
  last_duration_ms: 38,
  last_status: 200,
  last_error: null,
  resent_at: null,
  created_at: at(12),
};

const apiKey = {
  id: KEY_ID,
  name: 'Support bot',
  prefix: 'sk_live_9fK2',
  scopes: ['messages:read', 'messages:write'],
  line_ids: [LINE_ID],
  rate_limit_per_hour: 1_000,
  expires_at: null,
  last_used_at: at(4_000),
  revoked_at: null,
  created_at: at(-86_400_000),
};

const device = {
  id: DEVICE_ID,
  name: 'Office Mac',
  prefix: 'dtk_9fK2',
  line_ids: [LINE_ID],
  agent: { version: '0.1.0', platform: 'macOS 15.5' },
  clock_offset_ms: 12,
  is_connected: true,
  connected_at: at(-3_600_000),
  disconnected_at: null,
  revoked_at: null,
  created_at: at(-86_400_000),
};

const sendblueMessage = {
  accountEmail: 'owner@example.com',
  account_email: 'owner@example.com',
  content: 'Is my order on its way?',
  date_created: '2025-06-15T15:06:40.000Z',
  date_sent: '2025-06-15T15:06:40.000Z',
  date_updated: '2025-06-15T15:06:40.012Z',
  error_code: null,
  error_detail: null,
  error_message: null,
  error_reason: null,
  from_number: PHONE,
  group_display_name: null,
  group_id: '',
  is_outbound: false,
  media_url: '',
  message_handle: HANDLE,
  message_type: 'message',
  number: PHONE,
  opted_out: false,
  participants: [],
  plan: 'self-hosted',
  send_style: '',
  sendblue_number: LINE,
  service: 'iMessage',
  status: 'RECEIVED',
  to_number: LINE,
  was_downgraded: null,
};

const sendblueWebhooks = { receive: [HOOK, { url: HOOK, secret: 'a secret', sendblue_numbers: [LINE] }], outbound: [] };

export const RESOURCE_EXAMPLES: Readonly<Record<ResourceName, unknown>> = {
  Line: line,
  SendblueMessage: sendblueMessage,
  SendblueMessageAnswer: { status: 'OK', data: sendblueMessage },
  SendblueMessagePage: {
    status: 'OK',
    data: [sendblueMessage],
    pagination: { hasMore: false, limit: 100, offset: 0, total: 1 },
  },
  SendblueTyping: { number: PHONE, status: 'SENT', error_message: null },
  SendblueMarkedRead: { status: 'OK', message: 'The read receipt is on its way.', number: PHONE },
  SendblueReaction: { status: 'OK', message: 'The reaction is on its way.', message_handle: HANDLE, reaction: 'love' },
  SendblueLines: { numbers: [LINE] },
  SendblueOptOut: { status: 'OK', number: PHONE, opted_out: true },
  SendblueService: { number: PHONE, service: 'iMessage' },
  SendblueWebhooks: { status: 'OK', webhooks: sendblueWebhooks },
  SendblueWebhooksSet: { status: 'OK', message: 'The webhooks were added.', webhooks: sendblueWebhooks },
  SendblueDone: { status: 'OK', message: 'One webhook was deleted.' },
  SendblueMediaObject: { status: 'OK', message: 'The file is here.', mediaObjectId: FILE_ID, media_url: FILE_URL },
  Chat: {
    id: CHAT_ID,
    line_id: LINE_ID,
    identifier: PHONE,
    service: 'imessage',
    name: null,
    is_group: false,
    participants: [PHONE],
    has_received_inbound: true,
    last_message_at: at(4_180),
  },
  Message: message,
  Attachment: { filename: 'photo.jpg', mime_type: 'image/jpeg', size: 184_320, url: FILE_URL, transcription: null },
  Reaction: reaction,
  TypingIndicator: typing,
  ReadReceipt: receipt,
  OutboxReceipt: { id: OUTBOX_ID, status: 'pending' },
  OutboxItem: outboxItem,
  File: { id: FILE_ID, url: FILE_URL, filename: 'photo.jpg', mime_type: 'image/jpeg', size: 184_320 },
  Webhook: webhook,
  WebhookWithSecret: { ...webhook, secret: 'whsec_cGxlYXNlIGRvIG5vdCB1c2UgdGhpcyBvbmUgYW55d2hlcmU=' },
  SandboxState: {
    status: 'active',
    activation_code: null,
    sandbox_line_handle: '+15550100000',
    contact_identifier: PHONE,
    activated_at: at(-3_600_000),
    usage: { used: 3, limit: 50, remaining: 47, resets_at: at(31_600_000) },
  },
  DeletedResponse: { id: WEBHOOK_ID, deleted: true },
  ApiKey: apiKey,
  ApiKeyWithSecret: { ...apiKey, last_used_at: null, key: 'sk_live_thisIsOnlyAnExampleAndOpensNothingAtAll1' },
  Device: device,
  DeviceWithToken: {
    ...device,
    agent: null,
    clock_offset_ms: null,
    connected_at: null,
    token: 'dtk_thisIsOnlyAnExampleAndOpensNothingAtAllHere',
  },
  AdminLine: {
    ...line,
    driver: 'simulator',
    is_sandbox: false,
    settings: { contact_first: true, opt_out_keywords: false, pace_ms: 0 },
    health,
    created_at: at(-86_400_000),
    removed_at: null,
  },
  AdminWebhook: adminWebhook,
  AdminWebhookWithSecret: { ...adminWebhook, secret: 'whsec_cGxlYXNlIGRvIG5vdCB1c2UgdGhpcyBvbmUgYW55d2hlcmU=' },
  Delivery: delivery,
  DeliveryWithBody: {
    ...delivery,
    body: {
      event: 'message.received',
      data: { ...message, line_handle: LINE },
      timestamp: at(15),
      delivery_id: DELIVERY_ID,
    },
  },
  DeliveryAttempt: {
    attempt: 1,
    started_at: at(13),
    duration_ms: 4,
    status: 500,
    error: 'The receiver answered 500.',
    answer: 'Out of memory',
  },
  Resent: { webhook_id: WEBHOOK_ID, resent: 3 },
  Walk: {
    outbox_item: outboxItem,
    message: sent,
    walk: [
      { step: 'accepted', at: at(4_000), took_ms: null, detail: null },
      { step: 'claimed', at: at(4_004), took_ms: 4, detail: null },
      { step: 'handed_over', at: at(4_020), took_ms: 16, detail: null },
      { step: 'sent', at: at(4_180), took_ms: 160, detail: null },
      { step: 'stored', at: at(4_200), took_ms: 20, detail: null },
    ],
  },
  PhoneMessage: {
    guid: GUID,
    chat_id: CHAT_ID,
    line: LINE,
    from_me: true,
    sender: PHONE,
    text: 'Is my order on its way?',
    attachments: [],
    is_audio_message: false,
    reply_to_guid: null,
    effect: null,
    reactions: [],
    state: 'received',
    edited: false,
    unsent: false,
    sent_at: at(0),
  },
  PhoneText: { guid: GUID, chat_id: CHAT_ID },
  PhoneGroup: { chat_id: CHAT_ID },
  PhoneTyping: { line: LINE, chat_id: CHAT_ID, until: at(60_000) },
  Faults: { line: LINE, latency_ms: 2_000, fail_rate: 0.1 },
  FaultsCleared: { line: LINE, cleared: true },
  Autoreply: { phone: PHONE, text: 'On my way', echo: false },
};

const lineHandle = { line_handle: LINE };

export const EVENT_EXAMPLES: Readonly<Record<keyof typeof EVENT_DATA, Readonly<Record<string, unknown>>>> = {
  'message.received': { ...message, ...lineHandle },
  'message.sent': { ...sent, ...lineHandle },
  'message.delivered': { ...sent, ...lineHandle, delivered_at: at(4_900) },
  'message.read': { ...sent, ...lineHandle, read_at: at(6_000) },
  'message.failed': {
    ...outboxItem,
    status: 'failed',
    error: 'It could not be handed over, and nothing was sent. Last reason: the line is offline',
    attempts: 3,
    chat_id: CHAT_ID,
    message: null,
    ...lineHandle,
  },
  'message.edited': { ...message, text: 'Is my order on its way yet?', ...lineHandle, edited_at: at(3_000) },
  'message.unsent': { ...message, text: null, ...lineHandle, unsent_at: at(3_500) },
  'reaction.added': { ...reaction, chat_id: CHAT_ID, ...lineHandle },
  'reaction.removed': { ...reaction, added: false, chat_id: CHAT_ID, ...lineHandle },
  'typing.started': { ...typing, ...lineHandle },
  'typing.stopped': { ...typing, is_typing: false, ...lineHandle },
  'receipt.read': { ...receipt, ...lineHandle },
  'line.status': { ...line, health },
};

export const EXAMPLE_REQUEST_ID = 'req_01k0q3v5x8f9q2t7m4n6p8r0sp';
export const EXAMPLE_DELIVERY = { timestamp: at(15), delivery_id: DELIVERY_ID } as const;
