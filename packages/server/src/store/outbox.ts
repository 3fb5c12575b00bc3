/** The outbox: accepting items, and reading them. What the line's lane does with them is in `outbox-lane.ts`. */
import { ATTEMPTS_MAX, OUTBOX_STATUS, type OutboxKind, type OutboxState, type OutboxStatus } from '../domain/outbox.ts';
import { type Engine, type Row, statement, type Tx } from './database.ts';
import { listAccepted } from './listed-items.ts';
import { findRefusals, isMessage, mindsOptOut, type Target } from './outbox-refusals.ts';
import { admitToSandbox, type SandboxRefusal, type SandboxSend } from './sandbox-sends.ts';
import type { Write } from './writer.ts';

/** To whom: a handle that may never have been seen, or a chat by its id. */
export type Recipient =
  | { readonly kind: 'handle'; readonly handle: string }
  | { readonly kind: 'chat'; readonly id: string };

const REQUIREMENTS = { nothing: 0, contact: 1, chat: 2 } as const;
export type Requirement = keyof typeof REQUIREMENTS;

export interface AcceptItem {
  readonly id: string;
  readonly accountRef: number;
  readonly lineRef: number;
  readonly to: Recipient;
  /** What must be there before: nothing, the chat, or something that the recipient wrote in it. */
  readonly requires: Requirement;
  readonly kind: OutboxKind;
  /** What the hand-over needs beyond the request, as JSON. */
  readonly details: string | null;
  /** Where its file is to be fetched from before it goes out. */
  readonly fetchUrl?: string | null;
  /** The request as accepted, with its kind, as JSON. */
  readonly payload: string;
  readonly now: number;
  /** On the line that all accounts share, whose own rules hold. */
  readonly isOnSandbox?: boolean;
  /** Whether an address is told of each change of its status. */
  readonly isFollowed?: boolean;
}

export type Accepted =
  | 'accepted'
  | 'line_not_found'
  | 'chat_not_found'
  | 'contact_has_not_messaged'
  | 'recipient_opted_out'
  | SandboxRefusal;

/**
 * Check and act in one statement: the line is locked until the commit, so that a removal fails what is accepted before
 * it. What is not inserted was refused.
 */
const insertOutbox = statement(
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    recipient: 'text',
    is_group: 'int',
    requires: 'int',
    minds_opt_out: 'int',
    state: 'text',
    kind: 'text',
    payload: 'text',
    details: 'text',
    fetch_url: 'text',
    now: 'int',
  },
  `insert into outbox (id, account_ref, line_ref, recipient, is_group, state, kind, payload, details, fetch_url, created_at,
     updated_at)
   select i.id, i.account_ref, i.line_ref, i.recipient, i.is_group, i.state, i.kind, i.payload, i.details, i.fetch_url,
     i.now, i.now
   from lines{, items}
   where lines.ref = i.line_ref and lines.removed_at is null and (i.requires = ${REQUIREMENTS.nothing} or exists (
     select 1 from chats where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref
       and chats.identifier = i.recipient
       and (i.requires = ${REQUIREMENTS.chat} or chats.has_received_inbound = 1)))
     and not exists (select 1 from opt_outs where i.minds_opt_out = 1 and opt_outs.account_ref = i.account_ref
       and opt_outs.handle = i.recipient)
   {for share of lines}`,
);

const chatById = statement(
  { account_ref: 'int', line_ref: 'int', id: 'text' },
  `select i.ord as ord, chats.identifier, chats.is_group from chats{, items}
   where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.id = i.id`,
);

export const acceptItems: Write<AcceptItem, Accepted> = {
  name: 'accept_items',
  kind: 'accept',
  concurrency: 2,
  isRefusal: (result) => result !== 'accepted',
  async run({ tx, wake }, items) {
    const targets = await findTargets(tx, items);
    const refused = await admitToSandbox(
      tx,
      items.flatMap((item, index) => sandboxSend(item, targets[index])),
    );
    const rows = items.flatMap((item, index) => {
      const target = refused.has(item.id) ? null : targets[index];
      return target ? [outboxRow(item, target)] : [];
    });
    const isAll = (await tx.changed(insertOutbox, rows)) === items.length;
    const refusals = isAll ? null : await findRefusals(tx, items, targets, refused);
    const listed = items.filter((item) => isMessage(item) && !refusals?.has(item.id));
    await listAccepted(
      tx,
      listed.map(({ id, isFollowed = false }) => ({ id, isFollowed })),
    );
    return items.map((item) => {
      const refusal = refusals?.get(item.id);
      if (!refusal) wake((item.fetchUrl ?? null) === null ? outboxTopic(item.lineRef) : fetchTopic(item.lineRef));
      return refusal ?? 'accepted';
    });
  },
};

export function outboxTopic(lineRef: number): string {
  return `outbox ${lineRef}`;
}

/** Apart from the outbox's, so that sends without a file wake nobody who fetches. */
export function fetchTopic(lineRef: number): string {
  return `fetch ${lineRef}`;
}

/** For each item; null where there is no such chat. A handle is a chat's name before the chat is there. */
async function findTargets(tx: Tx, items: readonly AcceptItem[]): Promise<(Target | null)[]> {
  const asked: { row: Row; index: number }[] = [];
  const targets = items.map(({ to, accountRef, lineRef }, index): Target | null => {
    if (to.kind === 'handle') return { recipient: to.handle, isGroup: 0 };
    asked.push({ row: { account_ref: accountRef, line_ref: lineRef, id: to.id }, index });
    return null;
  });
  const rows = await tx.each(
    chatById,
    asked.map(({ row }) => row),
  );
  for (const row of rows) {
    const index = asked[Number(row['ord'])]?.index;
    if (index !== undefined)
      targets[index] = { recipient: String(row['identifier']), isGroup: Number(row['is_group']) };
  }
  return targets;
}

/** Messages and voice memos count by the day; what is sent about them does not. */
function sandboxSend(item: AcceptItem, target: Target | null | undefined): SandboxSend[] {
  if (!item.isOnSandbox) return [];
  const { id, accountRef, lineRef, now } = item;
  return [{ id, accountRef, lineRef, recipient: target?.recipient ?? null, isCounted: isMessage(item), now }];
}

function outboxRow(item: AcceptItem, target: Target): Row {
  const fetchUrl = item.fetchUrl ?? null;
  const state: OutboxState = fetchUrl === null ? 'pending' : 'fetching';
  return {
    id: item.id,
    account_ref: item.accountRef,
    line_ref: item.lineRef,
    recipient: target.recipient,
    is_group: target.isGroup,
    requires: REQUIREMENTS[item.requires],
    minds_opt_out: mindsOptOut(item, target) ? 1 : 0,
    state,
    kind: item.kind,
    payload: item.payload,
    details: item.details,
    fetch_url: fetchUrl,
    now: item.now,
  };
}

export interface OutboxItem {
  readonly id: string;
  readonly lineRef: number;
  readonly lineId: string;
  readonly status: OutboxStatus;
  readonly payload: unknown;
  readonly completedAt: number | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly createdAt: number;
}

export async function findOutboxItem(engine: Engine, accountRef: number, id: string): Promise<OutboxItem | null> {
  const row = await engine.query
    .selectFrom('outbox')
    .innerJoin('lines', 'lines.ref', 'outbox.line_ref')
    .selectAll('outbox')
    .select('lines.id as line_id')
    .where('outbox.id', '=', id)
    .where('outbox.account_ref', '=', accountRef)
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: row.id,
    lineRef: row.line_ref,
    lineId: row.line_id,
    status: OUTBOX_STATUS[row.state as OutboxState],
    payload: JSON.parse(row.payload),
    completedAt: row.completed_at,
    error: row.error,
    attempts: row.attempts,
    attemptsMax: ATTEMPTS_MAX,
    createdAt: row.created_at,
  };
}
