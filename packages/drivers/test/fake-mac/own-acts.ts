/** The line's own messages: what the owner writes on other devices, and what becomes of any own row. */
import type { MacActs, MadeRow, OwnTextAct } from './acts.ts';
import { toAppleTime } from './apple-time.ts';
import type { Part } from './bodies.ts';
import { accountOf, type ChatRow, type Row } from './chat-db.ts';
import { RELEASES } from './generations.ts';
import { dateOf, inboundRow, insertAndJoin, newGuid, ownRow } from './message-rows.ts';
import type { ExpectedMessage } from './oracle.ts';
import type { World } from './world.ts';

/** The first release with `schedule_type` (a.3). */
const SEND_LATER_SINCE = 15;

export function createOwnActs(
  world: World,
): Pick<
  MacActs,
  'ownText' | 'delivered' | 'read' | 'fail' | 'downgrade' | 'readAll' | 'selfChat' | 'sendLater' | 'ghost'
> {
  return {
    ownText: (act) => writeElsewhere(world, act),
    delivered: ({ guid }) => nothing(markDelivered(world, guid)),
    read: ({ guid }) => nothing(markRead(world, guid)),
    fail: ({ guid, error }) => nothing(markFailed(world, guid, error)),
    downgrade: ({ guid }) => nothing(downgrade(world, guid)),
    readAll: ({ peer }) => {
      const unread = world.db.all(
        `SELECT m.guid FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID
           JOIN chat c ON c.ROWID = j.chat_id
          WHERE c.chat_identifier = ? AND m.is_from_me = 1 AND m.is_sent = 1 AND m.is_read = 0 ORDER BY m.ROWID`,
        peer,
      );
      for (const row of unread) markRead(world, String(row['guid']));
      return null;
    },
    selfChat: (act) => writeToOneself(world, act),
    sendLater: ({ to, text, inMs }) => {
      const chat = ownChat(world, { to });
      const guid = newGuid();
      const date = world.now() + inMs;
      const row: Row = { ...ownRow(world, { guid, chat, date }, [{ text }]), schedule_type: 2, schedule_state: 1 };
      world.oracle.expect({ what: 'silence', guid, why: 'scheduled' });
      // A release that knows no Send Later hears of it when it is sent.
      if (RELEASES[world.db.generation] < SEND_LATER_SINCE) return { guid, chat: chat.identifier };
      return insertAndJoin(world, row, [chat], 0);
    },
    ghost: ({ identifier }) => insertGhost(world, identifier),
  };
}

function nothing(_: undefined): null {
  return null;
}

function ownChat(world: World, { to, service }: { readonly to: string; readonly service?: string }): ChatRow {
  const direct = service === undefined ? world.db.chat(to) : null;
  return direct ?? world.db.directChat(to, service);
}

/** Several rows for one message where Messages split it; the later ones follow in rows of their own (a.5). */
function writeElsewhere(world: World, act: OwnTextAct): MadeRow {
  const chat = ownChat(world, act);
  const date = dateOf(world, act);
  const [first = act.text, ...others] = act.pieces ?? [act.text];
  const made = insertOwn(world, chat, [{ text: first }], { date, joinAfterMs: act.joinAfterMs, whole: null });
  for (const piece of others) {
    insertOwn(world, chat, [{ text: piece }], { date, joinAfterMs: act.joinAfterMs, whole: made.guid });
  }
  const { schedule } = world;
  const { sentAfterMs = 0, deliveredAfterMs = null, readAfterMs = null } = act;
  if (sentAfterMs !== null) schedule.after(sentAfterMs, () => markSent(world, made.guid));
  if (deliveredAfterMs !== null) schedule.after(deliveredAfterMs, () => markDelivered(world, made.guid));
  if (readAfterMs !== null) schedule.after(readAfterMs, () => markRead(world, made.guid));
  if (act.downgradesAfterMs !== undefined) schedule.after(act.downgradesAfterMs, () => downgrade(world, made.guid));
  const { fails } = act;
  if (fails !== undefined) schedule.after(fails.afterMs, () => markFailed(world, made.guid, fails.error));
  return made;
}

/** `whole` is the message that the row is a further piece of. */
export function insertOwn(
  world: World,
  chat: ChatRow,
  parts: readonly Part[],
  how: {
    readonly date: number;
    readonly joinAfterMs: number | null | undefined;
    readonly whole: string | null;
    readonly columns?: Row;
    readonly attachments?: ExpectedMessage['attachments'];
  },
): MadeRow {
  const guid = newGuid();
  world.bodies.set(guid, { parts, versions: new Map(), retracted: [] });
  const texts = parts.flatMap((part) => ('text' in part ? [part.text] : []));
  if (how.joinAfterMs === null) world.oracle.expect({ what: 'silence', guid, why: 'orphan' });
  else if (how.whole !== null) world.oracle.addRow(how.whole, guid);
  else {
    world.oracle.expect({
      what: 'message',
      guid,
      rows: [guid],
      chat: chat.identifier,
      isGroup: chat.isGroup,
      isFromMe: true,
      sender: null,
      service: chat.service,
      text: texts.length === 0 ? null : texts.join(''),
      attachments: how.attachments ?? [],
      isAudio: false,
      replyTo: null,
      effect: null,
      date: how.date,
      completeAt: null,
      isOld: false,
      later: [],
    });
  }
  const row: Row = { ...ownRow(world, { guid, chat, date: how.date }, parts), ...how.columns };
  return insertAndJoin(world, row, [chat], how.joinAfterMs, () => world.oracle.complete(guid, world.now()));
}

/** Handed to Apple's service, and from now on with the peer (a.4). */
export function markSent(world: World, guid: string): void {
  world.db.updateMessage(guid, { is_sent: 1, is_prepared: 1 });
}

export function markDelivered(world: World, guid: string): undefined {
  const at = world.now();
  world.db.updateMessage(guid, {
    is_sent: 1,
    is_delivered: 1,
    date_delivered: toAppleTime(at),
    date_updated: toAppleTime(at),
  });
  world.oracle.addLater(guid, { what: 'delivered', at });
}

function markRead(world: World, guid: string): undefined {
  const at = world.now();
  world.db.updateMessage(guid, {
    is_read: 1,
    date_read: toAppleTime(at),
    date_updated: toAppleTime(at),
  });
  world.oracle.addLater(guid, { what: 'read', at });
}

export function markFailed(world: World, guid: string, error: number): undefined {
  world.db.updateMessage(guid, { error, is_sent: 0 });
  world.oracle.addLater(guid, { what: 'failed', error, at: world.now() });
}

/** a.5 */
function downgrade(world: World, guid: string): undefined {
  world.db.updateMessage(guid, { service: 'SMS', was_downgraded: 1 });
  world.oracle.addLater(guid, { what: 'downgraded', at: world.now() });
}

/** An own row and an inbound one with another GUID, in the chat with oneself (h.2). */
function writeToOneself(
  world: World,
  { text, gapMs }: { readonly text: string; readonly gapMs: number },
): MadeRow & { readonly twin: string } {
  const { handle } = world.db.owner;
  const chat = world.db.directChat(handle);
  const date = world.now();
  const made = insertOwn(world, chat, [{ text }], { date, joinAfterMs: 0, whole: null });
  markSent(world, made.guid);
  const twin = newGuid();
  world.oracle.addRow(made.guid, twin);
  world.schedule.after(gapMs, () => insertTwin(world, chat, { guid: twin, text, date }));
  return { ...made, twin };
}

/** The inbound row of what the line has written to itself. */
export function insertTwin(
  world: World,
  chat: ChatRow,
  { guid, text, date }: { readonly guid: string; readonly text: string; readonly date: number },
): void {
  const handle = world.db.handle(world.db.owner.handle, chat.service);
  const row = inboundRow(world, { guid, handle, service: chat.service, date }, [{ text }]);
  insertAndJoin(world, row, [chat], 0);
}

/** d.4: an own SMS row, empty, whose handle is the chat's identifier, in no chat. */
export function insertGhost(world: World, identifier: string): MadeRow {
  const guid = newGuid();
  world.oracle.expect({ what: 'silence', guid, why: 'ghost' });
  world.db.insert('message', {
    guid,
    service: 'SMS',
    account: accountOf(world.db.owner.handle),
    handle_id: world.db.handle(identifier, 'SMS'),
    is_from_me: 1,
    is_finished: 1,
    is_sent: 1,
    date: toAppleTime(world.now()),
  });
  return { guid, chat: identifier };
}
