/** Groups on the simulated network: made by a phone, always with one line in them. */
import type { ObservedChat } from '../line-events.ts';
import { writeFeed } from './feed.ts';
import { numberOf, statement, textOf, textOrNull, type Wire } from './wire.ts';
import type { WireRow, WireStatement } from './wire-database.ts';

const IDENTIFIER_DIGITS = 18;
const IDENTIFIER = /^chat\d{18}$/;

export interface NewGroup {
  readonly line: string;
  readonly participants: readonly string[];
  readonly name?: string | null;
}

export interface GroupChat {
  readonly line: string;
  readonly chat: ObservedChat;
}

const INSERT_GROUP = statement(
  { identifier: 'text', line: 'text', name: 'text' },
  'insert into group_chats (identifier, line, name) select i.identifier, i.line, i.name {from items}',
);
const INSERT_MEMBERS = statement(
  { identifier: 'text', phone: 'text', place: 'int' },
  'insert into group_members (identifier, phone, ord) select i.identifier, i.phone, i.place {from items}',
);
const SELECT_GROUPS = statement(
  { identifier: 'text' },
  `select g.identifier, g.line, g.name, m.phone, m.ord as place
   from group_chats g, group_members m {, items}
   where g.identifier = i.identifier and m.identifier = i.identifier`,
);

export function isGroupIdentifier(identifier: string): boolean {
  return IDENTIFIER.test(identifier);
}

/** Makes a group and tells its line. The line is never among the participants, nor is anybody twice. */
export async function createGroup(wire: Wire, group: NewGroup): Promise<{ identifier: string; seq: number }> {
  const { line } = group;
  const name = group.name ?? null;
  const participants = [...new Set(group.participants)].filter((phone) => phone !== line);
  const identifier = newIdentifier(wire);
  const seq = await writeFeed(wire, [line], async (tx, feed) => {
    await tx.each(INSERT_GROUP, [{ identifier, line, name }]);
    await tx.each(
      INSERT_MEMBERS,
      participants.map((phone, place) => ({ identifier, phone, place })),
    );
    const chat: ObservedChat = { identifier, isGroup: true, name, participants, service: 'imessage' };
    return feed.append({ line, chat: identifier, visible: true, body: { kind: 'chat', chat } });
  });
  return { identifier, seq };
}

function newIdentifier(wire: Wire): string {
  let digits = '';
  while (digits.length < IDENTIFIER_DIGITS) digits += Math.floor(wire.random() * 10);
  return `chat${digits}`;
}

/** The groups that exist among these identifiers. */
export async function readGroups(
  each: (statement: WireStatement, items: readonly WireRow[]) => Promise<WireRow[]>,
  identifiers: Iterable<string>,
): Promise<Map<string, GroupChat>> {
  const items = [...new Set(identifiers)].map((identifier) => ({ identifier }));
  const rows = items.length === 0 ? [] : await each(SELECT_GROUPS, items);
  const ordered = [...rows].sort((a, b) => numberOf(a, 'place') - numberOf(b, 'place'));
  const groups = new Map<string, GroupChat>();
  for (const [identifier, members] of Map.groupBy(ordered, (row) => textOf(row, 'identifier'))) {
    const [first] = members;
    if (first === undefined) continue;
    const participants = members.map((row) => textOf(row, 'phone'));
    const name = textOrNull(first, 'name');
    const chat: ObservedChat = { identifier, isGroup: true, name, participants, service: 'imessage' };
    groups.set(identifier, { line: textOf(first, 'line'), chat });
  }
  return groups;
}

/** A one-to-one chat needs no row: it is its peer. */
export function directChat(peer: string): ObservedChat {
  return { identifier: peer, isGroup: false, name: null, participants: [peer], service: 'imessage' };
}
