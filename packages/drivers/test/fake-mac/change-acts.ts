/** What peers do to messages and groups that are there. Letters refer to the transport dossier. */
import type { MacActs, MadeRow, ReactAct } from './acts.ts';
import { fromAppleTime, toAppleSeconds, toAppleTime } from './apple-time.ts';
import { encodeBinaryPlist, type PlistValue, Real } from './binary-plist.ts';
import { ATTACHMENT_SLOT, encodeBody, type Part, textOfParts } from './bodies.ts';
import type { ChatRow, Row } from './chat-db.ts';
import { inboundRow, insertAndJoin, newGuid, ownRow } from './message-rows.ts';
import type { Body, World } from './world.ts';

/** `item_type` and `group_action_type` (a.4). */
const PARTICIPANT_CHANGE = 1;
const RENAMED = 2;
const REMOVED = 1;
/** The words a tapback's own row says, by type from 2000 on (c.1); nobody may read them. */
const VERBS = ['Loved', 'Liked', 'Disliked', 'Laughed at', 'Emphasized', 'Questioned', 'Reacted to', 'Reacted to'];

export function createChangeActs(
  world: World,
): Pick<MacActs, 'react' | 'edit' | 'unsend' | 'renameGroup' | 'changeMember'> {
  return {
    react: (act) => react(world, act),
    edit: ({ guid, text, part = 0 }) => {
      edit(world, guid, part, text);
      return null;
    },
    unsend: ({ guid, part }) => {
      if (part === undefined) unsendAll(world, guid);
      else unsendPart(world, guid, part);
      return null;
    },
    renameGroup: ({ group, by, name, agoMs = 0 }) => {
      const chat = groupOf(world, group);
      const made = groupRow(world, chat, by, { item_type: RENAMED, group_title: name }, agoMs);
      if (agoMs === 0) world.db.update('chat', chat.rowid, { display_name: name });
      expectChange(world, chat, made.guid);
      return made;
    },
    changeMember: ({ group, by, who, added }) => {
      const chat = groupOf(world, group);
      const handle = world.db.handle(who, chat.service);
      const columns = { item_type: PARTICIPANT_CHANGE, group_action_type: added ? 0 : REMOVED, other_handle: handle };
      const made = groupRow(world, chat, by, columns);
      if (added) world.db.run('INSERT OR IGNORE INTO chat_handle_join VALUES (?, ?)', chat.rowid, handle);
      else world.db.run('DELETE FROM chat_handle_join WHERE chat_id = ? AND handle_id = ?', chat.rowid, handle);
      expectChange(world, chat, made.guid);
      return made;
    },
  };
}

function groupOf(world: World, identifier: string): ChatRow {
  const chat = world.db.chat(identifier);
  if (chat === null) throw new Error(`There is no group ${identifier}.`);
  return chat;
}

/** A row that tells of the group itself has no text (a.4). */
function groupRow(world: World, chat: ChatRow, by: string, columns: Row, agoMs = 0): MadeRow {
  const handle = world.db.handle(by, chat.service);
  const row = inboundRow(world, { guid: newGuid(), handle, service: chat.service, date: world.now() - agoMs }, []);
  return insertAndJoin(world, { ...row, text: null, attributedBody: null, ...columns }, [chat], 0);
}

function expectChange(world: World, chat: ChatRow, guid: string): void {
  const name = world.db.one('SELECT display_name FROM chat WHERE ROWID = ?', chat.rowid)?.['display_name'];
  world.oracle.expect({
    what: 'chat',
    guid,
    chat: chat.identifier,
    name: typeof name === 'string' ? name : null,
    participants: world.db.participants(chat),
    completeAt: world.now(),
  });
}

/** c.1: a row of its own that points to its target; a removal is another one, and often deletes the first. */
function react(world: World, act: ReactAct): MadeRow {
  const { from, type, part = 0, emoji = null } = act;
  const target = world.db.message(act.guid);
  if (target === null) throw new Error(`There is no message ${act.guid}.`);
  const chat = world.db.chat(chatGuidOfMessage(world, act.guid));
  if (chat === null) throw new Error('A message in no chat takes no reaction.');
  const guid = newGuid();
  const parts: Part[] = [{ text: `${VERBS[type - 2000] ?? 'Reacted to'} “${textOf(world, act.guid)}”` }];
  const date = world.now();
  const plain =
    from === null
      ? { ...ownRow(world, { guid, chat, date }, parts), is_sent: 1 }
      : inboundRow(world, { guid, handle: world.db.handle(from, chat.service), service: chat.service, date }, parts);
  const association: Row = {
    associated_message_guid: `p:${part}/${act.guid}`,
    associated_message_type: act.added ? type : type + 1000,
    associated_message_emoji: emoji,
    associated_message_range_length: textOf(world, act.guid).length,
    message_summary_info: encodeBinaryPlist({ amc: 1, ams: textOf(world, act.guid) }),
  };
  const made = insertAndJoin(world, { ...plain, ...association }, [chat], 0);
  if (!act.added && act.deletesAddedRow !== false) deleteAddedRow(world, act, world.db.rowidOf(made.guid));
  world.oracle.expect({
    what: 'reaction',
    guid,
    target: act.guid,
    part,
    type,
    emoji,
    added: act.added,
    isFromMe: from === null,
    sender: from,
    completeAt: world.now(),
  });
  return made;
}

function deleteAddedRow(world: World, { guid, part = 0, type, from }: ReactAct, removal: number): void {
  world.db.run(
    `DELETE FROM message WHERE associated_message_guid = ? AND associated_message_type = ? AND ROWID < ?
        AND is_from_me = ? AND (is_from_me = 1 OR handle_id IN (SELECT ROWID FROM handle WHERE id = ?))`,
    `p:${part}/${guid}`,
    type,
    removal,
    from === null ? 1 : 0,
    from,
  );
}

function chatGuidOfMessage(world: World, guid: string): string {
  const row = world.db.one(
    `SELECT c.guid FROM chat c JOIN chat_message_join j ON j.chat_id = c.ROWID
       JOIN message m ON m.ROWID = j.message_id WHERE m.guid = ? ORDER BY c.ROWID LIMIT 1`,
    guid,
  );
  return String(row?.['guid']);
}

function textOf(world: World, guid: string): string {
  return textOfParts(world.bodies.get(guid)?.parts ?? []);
}

function bodyOf(world: World, guid: string): Body {
  const body = world.bodies.get(guid);
  if (body === undefined) throw new Error(`Nothing is known of the body of ${guid}.`);
  return body;
}

/** b.5: the same row with a new body, and the history in its summary. */
function edit(world: World, guid: string, place: number, text: string): void {
  const body = bodyOf(world, guid);
  const former = body.parts[place];
  if (former === undefined || !('text' in former)) throw new Error('Only a text can be edited.');
  const at = world.now();
  const sent = world.db.one('SELECT CAST(date AS TEXT) AS date FROM message WHERE guid = ?', guid);
  const sentAt = fromAppleTime(String(sent?.['date']));
  const versions = body.versions.get(place) ?? [{ text: former.text, at: sentAt }];
  const changed: Body = {
    ...body,
    parts: body.parts.map((part, index) => (index === place ? { text } : part)),
    versions: new Map(body.versions).set(place, [...versions, { text, at }]),
  };
  world.bodies.set(guid, changed);
  writeBody(world, guid, changed, at);
  world.oracle.addLater(guid, { what: 'edited', text: plainText(changed), at });
}

function unsendPart(world: World, guid: string, place: number): void {
  const body = bodyOf(world, guid);
  const changed: Body = { ...body, retracted: [...body.retracted, place] };
  if (remaining(changed).length === 0) {
    unsendAll(world, guid);
    return;
  }
  world.bodies.set(guid, changed);
  const at = world.now();
  writeBody(world, guid, changed, at);
  world.oracle.addLater(guid, { what: 'part_unsent', part: place, text: plainText(changed), at });
}

/** b.1, b.5: nothing remains of the body; from 26 on the row says that it is empty. */
function unsendAll(world: World, guid: string): void {
  const body = bodyOf(world, guid);
  const changed: Body = { ...body, retracted: body.parts.map((_, place) => place) };
  world.bodies.set(guid, changed);
  const at = world.now();
  writeBody(world, guid, changed, at);
  world.oracle.addLater(guid, { what: 'unsent', at });
}

function remaining(body: Body): Part[] {
  return body.parts.filter((_, place) => !body.retracted.includes(place));
}

function plainText(body: Body): string {
  return textOfParts(remaining(body)).replaceAll(ATTACHMENT_SLOT, '');
}

function writeBody(world: World, guid: string, body: Body, at: number): void {
  const parts = remaining(body);
  const places = [...body.parts.keys()].filter((place) => !body.retracted.includes(place));
  const isGone = parts.length === 0;
  world.db.updateMessage(guid, {
    text: isGone ? null : textOfParts(parts),
    attributedBody: isGone ? null : encodeBody(parts, places),
    date_edited: toAppleTime(at),
    part_count: parts.length,
    message_summary_info: encodeBinaryPlist(summaryOf(body)),
    ...(isGone && world.db.generation === 'golden' ? { is_empty: 1 } : {}),
  });
}

function summaryOf(body: Body): Record<string, PlistValue> {
  const versions = [...body.versions];
  let start = 0;
  const ranges = body.parts.map((part, place): [string, PlistValue] => {
    const length = textOfParts([part]).length;
    start += length;
    return [String(place), { lo: start - length, le: length }];
  });
  return {
    otr: Object.fromEntries(ranges),
    ...(versions.length === 0
      ? {}
      : {
          ec: Object.fromEntries(
            versions.map(([place, texts]) => [
              String(place),
              texts.map(({ text, at }) => ({
                t: encodeBody([{ text }]),
                d: new Real(toAppleSeconds(at)),
                bcg: newGuid(),
              })),
            ]),
          ),
          ep: versions.map(([place]) => place),
        }),
    ...(body.retracted.length === 0 ? {} : { rp: [...body.retracted], ust: true }),
  };
}
