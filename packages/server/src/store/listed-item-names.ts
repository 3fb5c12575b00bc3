/** Which listed items a name means: a handle, or the GUID that the line gave to the message. */
import { readHandle, refOfMessage, refOfOutbox } from '../domain/listed-item.ts';
import { type Engine, type Row, statement } from './database.ts';

const outboxById = statement(
  { account_ref: 'int', id: 'text' },
  'select outbox.ref from outbox where outbox.id = i.id and outbox.account_ref = i.account_ref',
);

const messageById = statement(
  { account_ref: 'int', id: 'text' },
  'select ref, outbox_ref from messages where id = i.id and account_ref = i.account_ref and outbox_ref is null',
);

/** A GUID is looked up line by line, of which there are few. */
const messagesByGuid = statement(
  { account_ref: 'int', guid: 'text' },
  `select messages.ref, messages.outbox_ref from lines cross join messages
   where messages.line_ref = lines.ref and messages.account_ref = i.account_ref and messages.guid = i.guid
   order by messages.ref desc`,
);

/** The refs of what may be meant, the newest first; a ref may have no row. */
export async function findNamedItems(engine: Engine, accountRef: number, name: string): Promise<readonly number[]> {
  // No database can look for a NUL, and nothing has one in its name.
  if (name.includes('\0')) return [];
  const named = readHandle(name);
  if (named) {
    const id = named.outboxId;
    const [asked] = id === null ? [] : await engine.read(outboxById, { account_ref: accountRef, id });
    if (asked) return [refOfOutbox(Number(asked['ref']))];
    for (const messageId of named.messageIds) {
      const [row] = await engine.read(messageById, { account_ref: accountRef, id: messageId });
      if (row) return [refOfMessage(Number(row['ref']), named.place)];
    }
  }
  return (await engine.read(messagesByGuid, { account_ref: accountRef, guid: name })).map(refOfRow);
}

function refOfRow(row: Row): number {
  const outboxRef = row['outbox_ref'];
  return typeof outboxRef === 'number' ? refOfOutbox(outboxRef) : refOfMessage(Number(row['ref']));
}
