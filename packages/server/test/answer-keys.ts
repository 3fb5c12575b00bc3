/** The keys of every resource, as the contract lists them: a resource has all of them, and no other. */
export const LIST_KEYS = ['data', 'has_more', 'next_cursor'];
export const LINE_KEYS = ['id', 'handle', 'label', 'service', 'is_active'];
export const CHAT_KEYS = [
  'id',
  'line_id',
  'identifier',
  'service',
  'name',
  'is_group',
  'participants',
  'has_received_inbound',
  'last_message_at',
];
export const MESSAGE_KEYS = [
  'id',
  'line_id',
  'chat_id',
  'guid',
  'sender',
  'text',
  'attachments',
  'service',
  'is_from_me',
  'is_audio_message',
  'sent_at',
  'synced_at',
  'outbox_id',
  'reply_to_guid',
  'send_style',
];
export const REACTION_KEYS = ['id', 'message_id', 'type', 'sender', 'is_from_me', 'added', 'sent_at', 'synced_at'];
export const OUTBOX_KEYS = [
  'id',
  'line_id',
  'status',
  'payload',
  'completed_at',
  'error',
  'attempts',
  'max_attempts',
  'created_at',
];
export const FILE_KEYS = ['id', 'url', 'filename', 'mime_type', 'size'];
export const WEBHOOK_KEYS = ['id', 'line_ids', 'url', 'events', 'is_active'];
export const ADMIN_WEBHOOK_KEYS = [
  ...WEBHOOK_KEYS,
  'line_handle',
  'disabled_reason',
  'failing_since',
  'previous_secret_ends_at',
  'newest_delivery',
  'created_at',
];
export const DELIVERY_KEYS = [
  'id',
  'webhook_id',
  'event',
  'event_id',
  'state',
  'attempts',
  'next_attempt_at',
  'last_attempt_at',
  'last_duration_ms',
  'last_status',
  'last_error',
  'resent_at',
  'created_at',
];
export const ATTEMPT_KEYS = ['attempt', 'started_at', 'duration_ms', 'status', 'error', 'answer'];
export const API_KEY_KEYS = [
  'id',
  'name',
  'prefix',
  'scopes',
  'line_ids',
  'rate_limit_per_hour',
  'expires_at',
  'last_used_at',
  'revoked_at',
  'created_at',
];
export const ADMIN_LINE_KEYS = [...LINE_KEYS, 'driver', 'is_sandbox', 'settings', 'health', 'created_at', 'removed_at'];
export const PHONE_MESSAGE_KEYS = [
  'guid',
  'chat_id',
  'line',
  'from_me',
  'sender',
  'text',
  'attachments',
  'is_audio_message',
  'reply_to_guid',
  'effect',
  'reactions',
  'state',
  'edited',
  'unsent',
  'sent_at',
];
