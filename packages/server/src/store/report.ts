/** The terms in which sightings are written: a driver's report, an event of it, and a message born of one. */
import type { LineEvent, MessageSeen } from '@trunkline/drivers';
import type { Line } from '../domain/line.ts';
import type { Attachment } from '../domain/message.ts';
import type { ChatRow } from './chats.ts';
import type { NewEvent } from './events.ts';
import type { Claim } from './leases.ts';

/** What one driver reports at once, in its order. */
export interface Report {
  readonly claim: Claim;
  readonly line: Line;
  readonly events: readonly LineEvent[];
  /** When the items that it echoes were handed over, by id, in Unix milliseconds; later than its own time for none. */
  readonly handedOver?: ReadonlyMap<string, number>;
  readonly now: number;
}

/** An event with the report that it came in. */
export interface Seen<E extends LineEvent = LineEvent> {
  readonly report: Report;
  readonly event: E;
  /** Whose the chat, and what is new in it, is. An event about a message that is here already is that message's. */
  readonly accountRef: number;
}

/** A message that this transaction brought into the world. */
export interface Born {
  readonly seen: Seen<MessageSeen>;
  readonly ref: number;
  readonly id: string;
  readonly chat: ChatRow;
  readonly outboxId: string | null;
  readonly attachments: readonly Attachment[];
}

/** None is null, whatever a driver calls it; a voice memo has none. */
export function textOf(seen: MessageSeen): string | null {
  return seen.text === '' || seen.isAudioMessage ? null : seen.text;
}

/** Whether all of the item has been seen with this sighting. */
export function isWhole({ event }: Seen): boolean {
  return event.kind !== 'message' || event.isWholeItem;
}

/** A GUID is unique on its line only. */
export function guidKey(report: Report, guid: string): string {
  return `${report.line.ref} ${guid}`;
}

/** What a sighting gives cause to tell, and the sighting's place in the report, which orders what is told. */
export interface Told {
  readonly place: number;
  readonly event: NewEvent;
}
