/** What the owner of a line's lane does with its outbox items: claim in order, settle, reconcile, give up. */

import { ATTEMPTS_MAX, ECHO_LIMIT_MS, type OutboxKind, RETRY_DELAYS_MS, SENTENCES } from '../domain/outbox.ts';
import { type Row, statement } from './database.ts';
import { tellFailures } from './failed-items.ts';
import { tellAccepted } from './item-news.ts';
import { type Claim, heldClaims } from './leases.ts';
import { moveFailed } from './listed-items.ts';
import { fetchTopic, outboxTopic } from './outbox.ts';
import type { Batch, Write } from './writer.ts';

export interface ClaimedItem {
  readonly ref: number;
  readonly id: string;
  readonly recipient: string;
  readonly isGroup: boolean;
  readonly kind: OutboxKind;
  readonly payload: string;
  /** What the hand-over needs beyond the request, as JSON. */
  readonly details: string | null;
  /** Counts every claim of this item, so that the far end can tell one hand-over from the next. */
  readonly handOver: number;
}

export interface ClaimRequest {
  readonly claim: Claim;
  readonly lineRef: number;
  readonly limit: number;
  readonly now: number;
}

const releaseWaiting = statement(
  { line_ref: 'int', now: 'int' },
  `update outbox set state = 'pending' where line_ref = i.line_ref and state = 'waiting' and not_before <= i.now`,
);

/** The outer `state` is looked at again when a row was locked: an echo may have made it `sent` meanwhile. */
const claimPending = statement(
  { line_ref: 'int', fence: 'int', now: 'int', max: 'int' },
  `update outbox set state = 'sending', attempts = attempts + 1, hand_overs = hand_overs + 1, fence = i.fence,
     claimed_at = i.now, handed_over_at = null, updated_at = i.now,
     claimed_by = (select holder from leases where leases.name = 'line ' || outbox.line_ref)
   where state = 'pending' and ref in (
     select o.ref from outbox o where o.line_ref = i.line_ref and o.state = 'pending'
       and not exists (select 1 from outbox w where w.line_ref = i.line_ref and w.state = 'waiting'
         and w.recipient = o.recipient and w.ref < o.ref)
       and not exists (select 1 from outbox f where f.line_ref = i.line_ref and f.state = 'fetching'
         and f.recipient = o.recipient and f.ref < o.ref)
     order by o.ref limit i.max)
   returning ref, account_ref, id, recipient, is_group, kind, payload, details, hand_overs`,
);

/** `sending` is committed here, before the hand-over: whoever finds it after a crash asks, and never resends. */
export const claimItems: Write<ClaimRequest, readonly ClaimedItem[] | 'fenced'> = {
  name: 'claim_items',
  kind: 'outcome',
  concurrency: 2,
  async run(batch, requests) {
    const holds = await heldClaims(
      batch.tx,
      requests.map((request) => request.claim),
    );
    const results: (readonly ClaimedItem[] | 'fenced')[] = [];
    for (const request of requests) results.push(holds(request.claim) ? await claimInOrder(batch, request) : 'fenced');
    return results;
  },
};

async function claimInOrder(batch: Batch, request: ClaimRequest): Promise<readonly ClaimedItem[]> {
  const { tx } = batch;
  const { lineRef, now, limit, claim } = request;
  await tx.one(releaseWaiting, { line_ref: lineRef, now });
  const rows = await tx.one(claimPending, { line_ref: lineRef, fence: claim.fence, now, max: limit });
  const items = rows.toSorted((a, b) => Number(a['ref']) - Number(b['ref']));
  await tellAccepted(batch, items, now);
  return items.map(itemFromRow);
}

function itemFromRow(row: Row): ClaimedItem {
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    recipient: String(row['recipient']),
    isGroup: row['is_group'] === 1,
    kind: String(row['kind']) as OutboxKind,
    payload: String(row['payload']),
    details: typeof row['details'] === 'string' ? row['details'] : null,
    handOver: Number(row['hand_overs']),
  };
}

/** What became of a claim. `returned` was never handed over, so it is no attempt. */
export type Outcome =
  /** `at`: when the driver answered, in Unix milliseconds, where it was heard. */
  | { readonly state: 'handed_over'; readonly guid: string | null; readonly at?: number }
  /** It was carried out, and no echo comes. */
  | { readonly state: 'done' }
  | { readonly state: 'not_started'; readonly reason: string }
  | { readonly state: 'returned' }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'unknown'; readonly reason: string };

export interface Settlement {
  readonly claim: Claim;
  readonly lineRef: number;
  readonly ref: number;
  readonly handOver: number;
  readonly outcome: Outcome;
  readonly now: number;
}

/** Only from `sending`, and only for the hand-over that it speaks of: an echo that came first has the last word. */
const SETTLES = `where outbox.ref = i.ref and outbox.state = 'sending' and outbox.hand_overs = i.hand_over`;

const settleHandedOver = statement(
  {
    ref: 'int',
    hand_over: 'int',
    state: 'text',
    guid: 'text',
    error: 'text',
    at: 'int',
    echo_due_at: 'int',
    now: 'int',
  },
  `update outbox set state = i.state, guid = i.guid, error = i.error, handed_over_at = i.at,
     echo_due_at = i.echo_due_at, updated_at = i.now
   {from items} ${SETTLES}`,
);

/** Whoever removes a line locks its lease, as the holder does before it settles: one of them sees what the other did. */
export const LINE_REMOVED =
  'exists (select 1 from lines where lines.ref = outbox.line_ref and lines.removed_at is not null)';

/** What was restored from a backup may have to fetch its file first. */
const settleReturned = statement(
  { ref: 'int', hand_over: 'int', removed: 'text', now: 'int' },
  `update outbox set
     state = case when ${LINE_REMOVED} then 'failed' when fetch_url is not null then 'fetching' else 'pending' end,
     error = case when ${LINE_REMOVED} then i.removed else error end,
     completed_at = case when ${LINE_REMOVED} then i.now else null end,
     attempts = attempts - 1, updated_at = i.now {from items} ${SETTLES}`,
);

const settleNotStarted = statement(
  {
    ref: 'int',
    hand_over: 'int',
    error: 'text',
    last_error: 'text',
    removed: 'text',
    first_wait: 'int',
    next_wait: 'int',
    attempts_max: 'int',
    now: 'int',
  },
  `update outbox set
     state = case when attempts >= i.attempts_max or ${LINE_REMOVED} then 'failed' else 'waiting' end,
     error = case when attempts >= i.attempts_max then i.last_error when ${LINE_REMOVED} then i.removed else i.error end,
     completed_at = case when attempts >= i.attempts_max or ${LINE_REMOVED} then i.now else null end,
     not_before = i.now + case when attempts <= 1 then i.first_wait else i.next_wait end,
     updated_at = i.now
   {from items} ${SETTLES}`,
);

const settleFailed = statement(
  { ref: 'int', hand_over: 'int', error: 'text', now: 'int' },
  `update outbox set state = 'failed', error = i.error, completed_at = i.now, updated_at = i.now {from items} ${SETTLES}`,
);

const settleDone = statement(
  { ref: 'int', hand_over: 'int', now: 'int' },
  `update outbox set state = 'sent', error = null, handed_over_at = i.now, completed_at = i.now, updated_at = i.now
   {from items} ${SETTLES}`,
);

export const settleItems: Write<Settlement, 'settled' | 'fenced'> = {
  name: 'settle_items',
  kind: 'outcome',
  concurrency: 2,
  async run(batch, settlements) {
    const { tx, wake } = batch;
    const holds = await heldClaims(
      tx,
      settlements.map((settlement) => settlement.claim),
    );
    const held = settlements.filter((settlement) => holds(settlement.claim));
    await tx.each(settleHandedOver, held.flatMap(handedOverRow));
    await tx.each(settleReturned, held.flatMap(returnedRow));
    await tx.each(settleNotStarted, held.flatMap(notStartedRow));
    await tx.each(settleFailed, held.flatMap(failedRow));
    await tx.each(
      settleDone,
      held.flatMap((one) => (one.outcome.state === 'done' ? [baseRow(one)] : [])),
    );
    // On a removed line what is given back has failed.
    await moveFailed(
      batch,
      held.filter(({ outcome }) => outcome.state === 'returned'),
    );
    const mayHaveFailed = held.filter(({ outcome }) => outcome.state === 'failed' || outcome.state === 'not_started');
    await tellFailures(batch, mayHaveFailed);
    for (const { outcome, lineRef } of held) {
      if (outcome.state !== 'returned') continue;
      wake(outboxTopic(lineRef));
      wake(fetchTopic(lineRef));
    }
    return settlements.map((settlement) => (holds(settlement.claim) ? 'settled' : 'fenced'));
  },
};

function baseRow(one: Settlement): { ref: number; hand_over: number; now: number } {
  return { ref: one.ref, hand_over: one.handOver, now: one.now };
}

function returnedRow(one: Settlement): Row[] {
  return one.outcome.state === 'returned' ? [{ ...baseRow(one), removed: SENTENCES.lineRemoved }] : [];
}

function handedOverRow(one: Settlement): Row[] {
  const { outcome } = one;
  if (outcome.state !== 'handed_over' && outcome.state !== 'unknown') return [];
  const guid = outcome.state === 'handed_over' ? outcome.guid : null;
  const error = outcome.state === 'unknown' ? outcome.reason : null;
  const at = outcome.state === 'handed_over' ? (outcome.at ?? one.now) : null;
  return [{ ...baseRow(one), state: outcome.state, guid, error, at, echo_due_at: one.now + ECHO_LIMIT_MS }];
}

function notStartedRow(one: Settlement): Row[] {
  if (one.outcome.state !== 'not_started') return [];
  const [first, next] = RETRY_DELAYS_MS;
  return [
    {
      ...baseRow(one),
      error: one.outcome.reason,
      last_error: SENTENCES.exhausted(one.outcome.reason),
      removed: SENTENCES.lineRemoved,
      first_wait: first,
      next_wait: next,
      attempts_max: ATTEMPTS_MAX,
    },
  ];
}

function failedRow(one: Settlement): Row[] {
  return one.outcome.state === 'failed' ? [{ ...baseRow(one), error: one.outcome.reason }] : [];
}
