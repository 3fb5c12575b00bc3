/**
 * Sending deliveries again. Whatever had become of one, it is a retry that is due now, under its own id and with its
 * attempts counted on; a claim on it stays, so that an attempt under way has no second one beside it.
 */
import { type Row, statement, type Tx } from './database.ts';
import { inLockOrder, RETRIES_TOPIC } from './deliveries.ts';
import type { Write } from './writer.ts';

/** The states that a delivery can be sent again from; what is new is on its way by itself. */
export const RESENDABLE = ['retry', 'failed', 'dropped', 'delivered'] as const;
export type Resendable = (typeof RESENDABLE)[number];

/** Several resends of one webhook go one after another; who disables it waits, or is seen. */
const lockActive = statement(
  { ref: 'int' },
  'update webhooks set is_active = 1 where ref = i.ref and is_active = 1 and deleted_at is null returning ref',
);

const RESEND = `update deliveries set resent_at = i.now, state = case when state = 'new' then 'new' else 'retry' end,
    due_at = case when state in ('new', 'retry') and due_at < i.now then due_at else i.now end`;
const RESENT = 'event_seq, attempts, last_attempt_at, last_duration_ms, last_status, last_error';

const resendOne = statement(
  { webhook_ref: 'int', event_seq: 'int', now: 'int' },
  `${RESEND} where webhook_ref = i.webhook_ref and event_seq = i.event_seq returning ${RESENT}`,
);

/** A stretch of a webhook's deliveries, from behind a number downwards: its lower end, and the oldest row in it. */
const stretch = statement(
  { webhook_ref: 'int', before: 'int', max: 'int' },
  `select min(part.event_seq) as lowest, min(part.created_at) as oldest, count(*) as found from (
     select event_seq, created_at from deliveries where webhook_ref = i.webhook_ref and event_seq < i.before
     order by event_seq desc limit i.max) as part`,
);

/** What another has locked is an attempt that is being claimed or settled: it is left to that. */
const resendStretch = statement(
  {
    webhook_ref: 'int',
    lowest: 'int',
    before: 'int',
    since: 'int',
    now: 'int',
    retry: 'int',
    failed: 'int',
    dropped: 'int',
    delivered: 'int',
  },
  `${RESEND} where webhook_ref = i.webhook_ref and event_seq in (
     select d.event_seq from deliveries d
     where d.webhook_ref = i.webhook_ref and d.event_seq >= i.lowest and d.event_seq < i.before and d.created_at >= i.since
       and (${RESENDABLE.map((state) => `d.state = '${state}' and i.${state} = 1`).join(' or ')}) {skip locked})
   returning ${RESENT}`,
);

/** A success is in the delivery's own columns, which the next attempt overwrites: it becomes a row like the others. */
const keepSuccess = statement(
  {
    webhook_ref: 'int',
    event_seq: 'int',
    attempts: 'int',
    last_attempt_at: 'int',
    last_duration_ms: 'int',
    last_status: 'int',
  },
  `insert into attempts (webhook_ref, event_seq, attempt, started_at, duration_ms, status)
   select i.webhook_ref, i.event_seq, i.attempts, i.last_attempt_at, i.last_duration_ms, i.last_status {from items}
   where true on conflict (webhook_ref, event_seq, attempt) do nothing`,
);

/** A success that came late has the number of an earlier attempt: what follows is counted from the last. */
const countOn = statement(
  { webhook_ref: 'int', event_seq: 'int' },
  `update deliveries set attempts = (select max(a.attempt) from attempts a
     where a.webhook_ref = i.webhook_ref and a.event_seq = i.event_seq)
   {from items} where deliveries.webhook_ref = i.webhook_ref and deliveries.event_seq = i.event_seq`,
);

async function keepSuccesses(tx: Tx, webhookRef: number, resent: readonly Row[]): Promise<void> {
  const succeeded = resent
    .filter((row) => row['last_error'] === null && row['last_attempt_at'] !== null)
    .map((row) => ({ ...row, webhook_ref: webhookRef }));
  await tx.each(keepSuccess, succeeded);
  await tx.each(countOn, succeeded);
}

export type ResentOne = 'resent' | 'inactive' | 'not_found';

export const resendDelivery: Write<{ webhookRef: number; eventSeq: number; now: number }, ResentOne> = {
  name: 'resend_delivery',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (result) => result !== 'resent',
  async run({ tx, wake }, items) {
    const active = new Set<number>();
    for (const ref of new Set(inLockOrder(items).map((item) => item.webhookRef))) {
      if ((await tx.one(lockActive, { ref })).length > 0) active.add(ref);
    }
    const results = new Map<unknown, ResentOne>();
    for (const item of inLockOrder(items)) {
      const { webhookRef, eventSeq, now } = item;
      if (!active.has(webhookRef)) continue;
      const resent = await tx.one(resendOne, { webhook_ref: webhookRef, event_seq: eventSeq, now });
      await keepSuccesses(tx, webhookRef, resent);
      results.set(item, resent.length > 0 ? 'resent' : 'not_found');
    }
    wake(RETRIES_TOPIC);
    return items.map((item) => results.get(item) ?? 'inactive');
  },
};

export interface ResendStep {
  readonly webhookRef: number;
  /** Where the step before ended, counting down. */
  readonly before: number;
  /** Unix milliseconds: what was made earlier is left alone. */
  readonly since: number;
  readonly states: readonly Resendable[];
  /** How many deliveries one step looks at. */
  readonly max: number;
  readonly now: number;
}

/** How many are due now, and where the next step begins: null behind the last. */
export type ResentSome = { readonly count: number; readonly next: number | null } | 'inactive';

/** Processes number events by clocks of their own: a delivery may be a little older than one before it. */
const CLOCKS_DIFFER_MS = 60_000;

export const resendDeliveries: Write<ResendStep, ResentSome> = {
  name: 'resend_deliveries',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, steps) {
    const results: ResentSome[] = [];
    for (const step of steps) {
      const isActive = (await tx.one(lockActive, { ref: step.webhookRef })).length > 0;
      results.push(isActive ? await resendStep(tx, step) : 'inactive');
    }
    wake(RETRIES_TOPIC);
    return results;
  },
};

async function resendStep(tx: Tx, step: ResendStep): Promise<ResentSome> {
  const { webhookRef, before, since, states, max, now } = step;
  const [part] = await tx.one(stretch, { webhook_ref: webhookRef, before, max });
  const found = Number(part?.['found']);
  if (found === 0) return { count: 0, next: null };
  const lowest = Number(part?.['lowest']);
  const flags = Object.fromEntries(RESENDABLE.map((state) => [state, Number(states.includes(state))]));
  const resent = await tx.one(resendStretch, { webhook_ref: webhookRef, lowest, before, since, now, ...flags });
  await keepSuccesses(tx, webhookRef, resent);
  const isLast = found < max || Number(part?.['oldest']) < since - CLOCKS_DIFFER_MS;
  return { count: resent.length, next: isLast ? null : lowest };
}
