/** The columns of new rows in `message`. Letters refer to the transport dossier. */
import { randomUUID } from 'node:crypto';
import type { MadeRow, WhereAndWhen } from './acts.ts';
import { toAppleTime } from './apple-time.ts';
import { encodeBody, type Part, textOfParts } from './bodies.ts';
import { accountOf, type ChatRow, type Owner, type Row, uuidOf } from './chat-db.ts';
import type { World } from './world.ts';

export function newGuid(): string {
  return randomUUID().toUpperCase();
}

/** What every ordinary row has (a.4). */
function plainRow(owner: Owner, guid: string, service: string, date: number): Row {
  return {
    guid,
    service,
    account: accountOf(owner.handle),
    account_guid: uuidOf(owner.accountId),
    destination_caller_id: owner.handle,
    date: toAppleTime(date),
    date_read: 0,
    date_delivered: 0,
    is_finished: 1,
    version: 10,
    part_count: 1,
  };
}

/** An inbound message has its text in both columns, as a rule (b.1). */
export function inboundRow(
  world: World,
  made: { readonly guid: string; readonly handle: number; readonly service: string; readonly date: number },
  parts: readonly Part[],
): Row {
  return {
    ...plainRow(world.db.owner, made.guid, made.service, made.date),
    handle_id: made.handle,
    is_delivered: 1,
    text: textOfParts(parts),
    attributedBody: encodeBody(parts),
    part_count: parts.length,
  };
}

/** An own message has no `text` since Ventura, and its peer's handle in a direct chat alone (a.4, b.1). */
export function ownRow(
  world: World,
  made: { readonly guid: string; readonly chat: ChatRow; readonly date: number },
  parts: readonly Part[],
): Row {
  const { chat } = made;
  return {
    ...plainRow(world.db.owner, made.guid, chat.service, made.date),
    handle_id: chat.isGroup ? 0 : world.db.handle(chat.identifier, chat.service),
    is_from_me: 1,
    attributedBody: encodeBody(parts),
    part_count: parts.length,
  };
}

/** Inserts the row and links it to its chats in a later transaction; `then` is done once it is linked. */
export function insertAndJoin(
  world: World,
  row: Row,
  chats: readonly [ChatRow, ...ChatRow[]],
  joinAfterMs: WhereAndWhen['joinAfterMs'],
  then: () => void = () => undefined,
): MadeRow {
  const guid = String(row['guid']);
  world.db.insert('message', row);
  if (joinAfterMs !== null) {
    world.schedule.after(joinAfterMs ?? 0, () => {
      // By then the row may be gone, or stand in another database under another ROWID.
      const there = world.db.message(guid);
      if (there === null) return;
      world.db.together(() => {
        for (const chat of chats) world.db.join(chat.rowid, Number(there['ROWID']));
      });
      then();
    });
  }
  return { guid, chat: chats[0].identifier };
}

/** By the sender's clock. */
export function dateOf(world: World, { date, agoMs = 0 }: WhereAndWhen): number {
  return date ?? world.now() - agoMs;
}

/** The chat that an inbound row stands in. */
export function chatOf(world: World, from: string, { group, service }: WhereAndWhen): ChatRow {
  if (group === undefined) return world.db.directChat(from, service);
  const chat = world.db.chat(group);
  if (chat === null) throw new Error(`There is no group ${group}.`);
  return { ...chat, service: service ?? chat.service };
}
