/** The rows of the event log and of its deliveries, as both engines append them. */
import { type Column, insertInto } from './database.ts';

export const EVENT_COLUMNS = {
  id: 'text',
  account_ref: 'int',
  line_ref: 'int',
  chat_ref: 'int',
  message_ref: 'int',
  type: 'text',
  data: 'text',
  created_at: 'int',
} as const satisfies Record<string, Column>;

export const DELIVERY_COLUMNS = {
  id: 'text',
  account_ref: 'int',
  webhook_ref: 'int',
  chat_ref: 'int',
  state: 'text',
  due_at: 'int',
  created_at: 'int',
  url: 'text',
  event_seq: 'int',
} as const satisfies Record<string, Column>;

export const insertEvent = insertInto('events', EVENT_COLUMNS);
export const insertDeliveries = insertInto('deliveries', DELIVERY_COLUMNS);
