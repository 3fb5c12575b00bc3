/** Why items of the outbox were not accepted, as it is found out after the statement that would have inserted them. */
import { CollidedError, statement, type Tx } from './database.ts';
import type { Accepted, AcceptItem } from './outbox.ts';
import type { SandboxRefusal } from './sandbox-sends.ts';

const outboxById = statement({ id: 'text' }, 'select outbox.id from outbox{, items} where outbox.id = i.id');

/** A chat of a removed line is answered as the line is: it is gone. */
const lineIsThere = statement(
  { line_ref: 'int' },
  'select lines.ref from lines{, items} where lines.ref = i.line_ref and lines.removed_at is null',
);

/** How the recipients of refused items stand with the sender now, both in one look. */
const standing = statement(
  { id: 'text', account_ref: 'int', line_ref: 'int', recipient: 'text' },
  `select i.id as id,
     case when exists (select 1 from chats where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref
       and chats.identifier = i.recipient and chats.has_received_inbound = 1) then 1 else 0 end as has_written,
     case when exists (select 1 from opt_outs where opt_outs.account_ref = i.account_ref
       and opt_outs.handle = i.recipient) then 1 else 0 end as has_opted_out
   {from items}`,
);

/** What the line calls the recipient. */
export interface Target {
  readonly recipient: string;
  readonly isGroup: number;
}

/** Of the items that were not inserted, by their ids. */
export async function findRefusals(
  tx: Tx,
  items: readonly AcceptItem[],
  targets: readonly (Target | null)[],
  refused: ReadonlyMap<string, SandboxRefusal>,
): Promise<ReadonlyMap<string, Accepted>> {
  const rows = await tx.each(
    outboxById,
    items.map(({ id }) => ({ id })),
  );
  const accepted = new Set(rows.map((row) => row['id']));
  const lines = await findLines(tx, items);
  const refusals = new Map<string, Accepted>(refused);
  const withTarget: Refused[] = [];
  items.forEach((item, index) => {
    if (accepted.has(item.id) || refused.has(item.id)) return;
    const target = targets[index];
    if (!lines.has(item.lineRef)) refusals.set(item.id, 'line_not_found');
    else if (!target || item.requires === 'chat') refusals.set(item.id, 'chat_not_found');
    else withTarget.push({ item, target });
  });
  for (const [id, refusal] of await refusalsOfContacts(tx, withTarget)) refusals.set(id, refusal);
  return refusals;
}

interface Refused {
  readonly item: AcceptItem;
  readonly target: Target;
}

/**
 * Whoever has written has done so for good, and opting out can be taken back. So it may be that neither is the reason
 * any more: then the batch came in the way of what changed, and is run again.
 */
async function refusalsOfContacts(tx: Tx, refused: readonly Refused[]): Promise<ReadonlyMap<string, Accepted>> {
  const rows = await tx.each(
    standing,
    refused.map(({ item, target }) => {
      const { id, accountRef, lineRef } = item;
      return { id, account_ref: accountRef, line_ref: lineRef, recipient: target.recipient };
    }),
  );
  const standings = new Map(rows.map((row) => [row['id'], row]));
  return new Map(
    refused.map(({ item, target }): [string, Accepted] => {
      const now = standings.get(item.id);
      const isTooEarly = item.requires === 'contact' && now?.['has_written'] !== 1;
      if (isTooEarly || !mindsOptOut(item, target)) return [item.id, 'contact_has_not_messaged'];
      if (item.requires !== 'contact' || now?.['has_opted_out'] === 1) return [item.id, 'recipient_opted_out'];
      throw new CollidedError(new Error('What an item was refused for was over a moment later.'));
    }),
  );
}

/** Those of the items' lines that were not removed. */
async function findLines(tx: Tx, items: readonly AcceptItem[]): Promise<ReadonlySet<number>> {
  const refs = [...new Set(items.map((item) => item.lineRef))];
  const rows = await tx.each(
    lineIsThere,
    refs.map((ref) => ({ line_ref: ref })),
  );
  return new Set(rows.map((row) => Number(row['ref'])));
}

export function isMessage({ kind }: AcceptItem): boolean {
  return kind === 'message' || kind === 'audio_message';
}

/** A group opts out of nothing; on the sandbox line it was looked at when the item was admitted. */
export function mindsOptOut(item: AcceptItem, { isGroup }: Target): boolean {
  return isMessage(item) && isGroup === 0 && !item.isOnSandbox;
}
