/**
 * What a list of messages in Sendblue's manner shows: an own message from its acceptance on, an inbound message, and each
 * further attachment of one. Sections 1 and 2 of the dialect's contract.
 */
import type { Service } from '@trunkline/drivers';
import { idOfUuid, uuidOfId } from './ids.ts';
import type { OutboxState } from './outbox.ts';

/** Every status that a list may be asked for. */
export const ITEM_STATUSES = [
  'REGISTERED',
  'PENDING',
  'QUEUED',
  'ACCEPTED',
  'SENT',
  'DELIVERED',
  'DECLINED',
  'ERROR',
  'RECEIVED',
  'SUCCESS',
] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

/** Those that an item has here. `ACCEPTED` is not stored: the outbox says that its item is under way. */
export type StoredStatus = 'QUEUED' | 'SENT' | 'DELIVERED' | 'ERROR' | 'RECEIVED';

/** The states of an outbox item that is in a driver's hands. */
export const UNDER_WAY: readonly OutboxState[] = ['sending', 'handed_over', 'unknown'];

/** An item's row is found by arithmetic: so many rows belong to one outbox item, and half of them to one message. */
const PLACES = 512;
const MESSAGE_PLACE = 256;
export const ATTACHMENTS_MAX = PLACES - MESSAGE_PLACE;

/** The first and last row of what belongs together. */
export interface ItemRefs {
  readonly first: number;
  readonly last: number;
}

/** The one row of what the API was asked to send. */
export function refOfOutbox(outboxRef: number): number {
  return outboxRef * PLACES;
}

/** The row of a message that the API did not send, or of a further attachment of it. */
export function refOfMessage(messageRef: number, place = 0): number {
  return messageRef * PLACES + MESSAGE_PLACE + place;
}

export function refsOf(messageRef: number, outboxRef: number | null): ItemRefs {
  if (outboxRef !== null) return { first: refOfOutbox(outboxRef), last: refOfOutbox(outboxRef) };
  return { first: refOfMessage(messageRef), last: refOfMessage(messageRef, ATTACHMENTS_MAX - 1) };
}

/** An attachment as an item has it. */
export interface ItemMedia {
  readonly file: { readonly id: string; readonly filename: string | null } | null;
}

export interface ListedItem {
  readonly ref: number;
  readonly handle: string;
  readonly accountRef: number;
  readonly accountEmail: string;
  readonly lineRef: number;
  readonly lineHandle: string;
  readonly isOutbound: boolean;
  readonly status: StoredStatus | 'ACCEPTED';
  readonly service: Service;
  /** Whether it went by another service than the line's; null until that is known. */
  readonly wasDowngraded: boolean | null;
  /** The other party; empty for what goes to a group. */
  readonly peer: string;
  readonly hasOptedOut: boolean;
  readonly group: {
    readonly id: string;
    readonly name: string | null;
    readonly participants: readonly string[];
  } | null;
  readonly chatRef: number | null;
  readonly outboxRef: number | null;
  readonly messageRef: number | null;
  /** The `msg_` id, once it was seen. */
  readonly messageId: string | null;
  readonly text: string | null;
  /** What was to be fetched, or what has come; null for none. */
  readonly media: { readonly url: string } | ItemMedia | null;
  readonly sendStyle: string | null;
  /** The handle of the message that it answers. */
  readonly repliesTo: { readonly handle: string; readonly part: number } | null;
  readonly error: string | null;
  /** Is told of each change of the status. */
  readonly callbackUrl: string | null;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * The UUID of a public id in upper case. Of a further attachment it has version 8, and its first byte is the place. An id
 * that was not made here stands for itself.
 */
export function handleOf(id: string, place = 0): string {
  const uuid = uuidOfId(id);
  if (uuid === null) return id;
  const derived = place === 0 ? uuid : `${place.toString(16).padStart(2, '0')}${uuid.slice(2, 14)}8${uuid.slice(15)}`;
  return derived.toUpperCase();
}

/** What a handle may name: the ids that it may be made of, and the place of the attachment. */
export interface NamedByHandle {
  readonly outboxId: string | null;
  readonly messageIds: readonly string[];
  readonly place: number;
}

/** The first byte of a UUIDv7 is one of these from 2004 to 2109. */
const FIRST_BYTES = ['01', '02', '03'];
const VERSION_AT = 14;

/** Null for what has not the form of a handle. */
export function readHandle(handle: string): NamedByHandle | null {
  const outboxId = idOfUuid('outbox', handle);
  const messageId = idOfUuid('message', handle);
  if (outboxId === null || messageId === null) return null;
  if (handle[VERSION_AT] !== '8') return { outboxId, messageIds: [messageId], place: 0 };
  const rest = `${handle.slice(2, VERSION_AT)}7${handle.slice(VERSION_AT + 1)}`;
  const messageIds = FIRST_BYTES.flatMap((byte) => idOfUuid('message', `${byte}${rest}`) ?? []);
  return { outboxId: null, messageIds, place: Number.parseInt(handle.slice(0, 2), 16) };
}
