/** Reactions on the air: one of each sender on a message, so that a new one takes the place of the old. */
import { TAPBACKS, type Tapback } from '../tapback.ts';
import type { Feed } from './feed.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';

export interface Reacting {
  readonly line: string;
  readonly chat: string;
  /** The GUID of the message. */
  readonly target: string;
  readonly sender: string;
  readonly isFromLine: boolean;
  readonly type: Tapback;
  readonly added: boolean;
  /** The hand-over that it came from; null for a phone's. */
  readonly reference: string | null;
}

/** A reaction as a phone shows it. */
export interface PhoneReaction {
  readonly type: Tapback;
  readonly sender: string;
  /** Unix milliseconds. */
  readonly at: number;
}

const SELECT_REACTION = statement(
  { target: 'text', sender: 'text' },
  'select r.type from reactions r {, items} where r.target = i.target and r.sender = i.sender',
);
const UPSERT_REACTION = statement(
  { target: 'text', sender: 'text', type: 'text', at: 'int' },
  `insert into reactions (target, sender, type, at) select i.target, i.sender, i.type, i.at {from items} where true
   on conflict (target, sender) do update set type = excluded.type, at = excluded.at`,
);
const DELETE_REACTION = statement(
  { target: 'text', sender: 'text' },
  `delete from reactions where (target, sender) in (select i.target, i.sender {from items})`,
);
const SELECT_REACTIONS = statement(
  { target: 'text' },
  'select r.target, r.type, r.sender, r.at from reactions r {, items} where r.target = i.target',
);

/** Returns the position of the entry that tells of it, or null where nothing changed and nobody is to be told. */
export async function putReaction(tx: WireTransaction, feed: Feed, one: Reacting): Promise<number | null> {
  const { target, sender } = one;
  const [row] = await tx.each(SELECT_REACTION, [{ target, sender }]);
  const current = row === undefined ? null : toTapback(textOf(row, 'type'));
  if (!one.added) {
    if (current !== one.type) return null;
    await tx.each(DELETE_REACTION, [{ target, sender }]);
    return appendReaction(feed, one, one.type, false);
  }
  // Whoever waits for the echo of a reaction that was there already is told all the same.
  if (current === one.type) return one.reference === null ? null : appendReaction(feed, one, one.type, true);
  if (current !== null) appendReaction(feed, { ...one, reference: null }, current, false);
  await tx.each(UPSERT_REACTION, [{ target, sender, type: one.type, at: feed.at }]);
  return appendReaction(feed, one, one.type, true);
}

function appendReaction(feed: Feed, one: Reacting, type: Tapback, added: boolean): number {
  const { line, chat, target, sender, isFromLine, reference } = one;
  return feed.append({
    line,
    chat,
    visible: true,
    body: { kind: 'reaction', target, type, added, isFromMe: isFromLine, sender, at: feed.at, reference },
  });
}

/** The reactions on these messages, by GUID, oldest first. */
export async function readReactions(wire: Wire, guids: readonly string[]): Promise<Map<string, PhoneReaction[]>> {
  const targets = guids.map((target) => ({ target }));
  const rows = targets.length === 0 ? [] : await wire.database.read(SELECT_REACTIONS, targets);
  const ordered = rows.toSorted((a, b) => numberOf(a, 'at') - numberOf(b, 'at'));
  const reactions = new Map<string, PhoneReaction[]>();
  for (const row of ordered) {
    const target = textOf(row, 'target');
    const known = reactions.get(target) ?? [];
    known.push({ type: toTapback(textOf(row, 'type')), sender: textOf(row, 'sender'), at: numberOf(row, 'at') });
    reactions.set(target, known);
  }
  return reactions;
}

function toTapback(text: string): Tapback {
  const type = TAPBACKS.find((known) => known === text);
  if (type === undefined) throw new TypeError('The wire holds a reaction that this version does not know.');
  return type;
}
