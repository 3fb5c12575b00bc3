/** What a phone sees of lines that type to it. */
import { numberOf, statement, textOf, type Wire } from './wire.ts';

export interface LineTyping {
  readonly line: string;
  /** The phone's own handle in a one-to-one chat, or the group's identifier. */
  readonly chatIdentifier: string;
  /** Unix milliseconds: it ends then, where nothing ends it before. */
  readonly until: number;
}

const SELECT_TYPING = statement(
  { phone: 'text', now: 'int' },
  `select t.line, t.chat, t.until_at from line_typing t {, items}
   where t.until_at > i.now
     and (t.chat = i.phone or t.chat in (select g.identifier from group_members g where g.phone = i.phone))`,
);

export async function readLineTyping(wire: Wire, phone: string): Promise<readonly LineTyping[]> {
  const rows = await wire.database.read(SELECT_TYPING, [{ phone, now: wire.now() }]);
  return rows.map((row) => ({
    line: textOf(row, 'line'),
    chatIdentifier: textOf(row, 'chat'),
    until: numberOf(row, 'until_at'),
  }));
}
