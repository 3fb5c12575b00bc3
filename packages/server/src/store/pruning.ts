/**
 * Removes what is older than it is kept. Every step is bounded and may be repeated, or made by two processes at once. What
 * was removed from the event log is written down with it, so that a reader who comes too late is told.
 */
import { SWITCHED_OFF, webhookLane } from '../domain/webhook.ts';
import { type Engine, type Row, type Statement, statement } from './database.ts';
import type { Write } from './writer.ts';

/** The facts of the installation under which the log's removed part is known: its last number, and its end in time. */
const PRUNED_THROUGH = 'pruned_through';
const PRUNED_BEFORE = 'pruned_before';

const agedEvents = statement(
  { after: 'int', before: 'int', max: 'int' },
  `select max(page.seq) as through from (
     select events.seq, events.created_at from events where events.seq > i.after order by events.seq limit i.max) page
   where page.created_at < i.before`,
);

/** Looks at the next events after a number. Gives the number up to which some are too old, or null where none is. */
export async function findAgedEvents(
  engine: Engine,
  after: number,
  before: number,
  max: number,
): Promise<number | null> {
  const [row] = await engine.read(agedEvents, { after, before, max });
  const through = row?.['through'];
  return typeof through === 'number' ? through : null;
}

/** A part of the event log, from behind one number up to another, of which what is older than `before` goes. */
export interface LogPart {
  readonly after: number;
  readonly through: number;
  /** Unix milliseconds. */
  readonly before: number;
}

/**
 * The deliveries of a part's events, by way of the webhooks of their lines: deliveries are found by their webhook and event
 * together, and an index on the event alone would cost every delivery that is written.
 */
const OF_LINES = `(d.webhook_ref, d.event_seq) in (
  select w.ref, e.seq from events e join webhooks w on w.line_ref = e.line_ref
  where e.seq > i.after and e.seq <= i.through)`;
/** The same by way of the webhooks of their accounts. */
const OF_ACCOUNTS = `(d.webhook_ref, d.event_seq) in (
  select w.ref, e.seq from events e join webhooks w on w.account_ref = e.account_ref and w.kind = 'account'
  where e.seq > i.after and e.seq <= i.through and e.type in ('item.received', 'item.status'))`;
/** Callbacks have an index on the event, for an account may have any number of them. */
const OF_CALLBACKS = 'd.event_seq > i.after and d.event_seq <= i.through and d.url is not null';
const PARTS = [OF_LINES, OF_ACCOUNTS, OF_CALLBACKS];

/** What is still due stays, whatever its age, and what was tried lately can still be looked at. */
const removeDeliveries = PARTS.map((inPart) =>
  statement(
    { after: 'int', through: 'int', before: 'int', max: 'int' },
    `delete from deliveries where state in ('delivered', 'failed', 'dropped') and (webhook_ref, event_seq) in (
       select d.webhook_ref, d.event_seq from deliveries d
       where ${inPart} and d.state in ('delivered', 'failed', 'dropped') and d.created_at < i.before
         and coalesce(d.last_attempt_at, 0) < i.before
       limit i.max {skip locked})
     returning webhook_ref, event_seq`,
  ),
);

const removeAttempts = statement(
  { webhook_ref: 'int', event_seq: 'int' },
  'delete from attempts where (webhook_ref, event_seq) in (select i.webhook_ref, i.event_seq {from items})',
);

/** Gives how many deliveries went, with their attempts. */
export const pruneDeliveries: Write<LogPart & { readonly max: number }, number> = {
  name: 'prune_deliveries',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, items) {
    const counts: number[] = [];
    for (const { after, through, before, max } of items) {
      const removed: Row[] = [];
      for (const remove of removeDeliveries) {
        if (removed.length >= max) break;
        removed.push(...(await tx.one(remove, { after, through, before, max: max - removed.length })));
      }
      await tx.each(removeAttempts, removed);
      counts.push(removed.length);
    }
    return counts;
  },
};

const removeEvents = statement(
  { after: 'int', through: 'int', before: 'int' },
  `delete from events where seq > i.after and seq <= i.through and created_at < i.before
     and ${PARTS.map((inPart) => `seq not in (select d.event_seq from deliveries d where ${inPart})`).join(' and ')}
   returning seq`,
);

const raiseFact = statement(
  { name: 'text', value: 'text' },
  `insert into installation (name, value) values (i.name, i.value)
   on conflict (name) do update set value = excluded.value
   where cast(installation.value as bigint) < cast(excluded.value as bigint)`,
);

/** Gives how many events went. One that has a delivery left stays. */
export const pruneEvents: Write<LogPart, number> = {
  name: 'prune_events',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, items) {
    const counts: number[] = [];
    for (const { after, through, before } of items) {
      const removed = await tx.one(removeEvents, { after, through, before });
      counts.push(removed.length);
      if (removed.length === 0) continue;
      const last = removed.reduce((most, row) => Math.max(most, Number(row['seq'])), 0);
      await tx.one(raiseFact, { name: PRUNED_BEFORE, value: String(before) });
      await tx.one(raiseFact, { name: PRUNED_THROUGH, value: String(last) });
    }
    return counts;
  },
};

/** What an operator switched off stays, so that it stays off. */
const lockIdleWebhooks = statement(
  { before: 'int', max: 'int' },
  `select w.ref from webhooks w
   where (w.deleted_at < i.before
       or w.kind = 'callback' and w.created_at < i.before and coalesce(w.disabled_reason, '') <> '${SWITCHED_OFF}')
     and not exists (select 1 from deliveries d where d.webhook_ref = w.ref)
   order by w.ref limit i.max {skip locked}`,
);
/** Looks again behind the lock: a callback may have been told something meanwhile. */
const removeWebhook = statement(
  { ref: 'int' },
  `delete from webhooks where ref = i.ref and not exists (select 1 from deliveries d where d.webhook_ref = i.ref)
   returning ref`,
);
const removeLease = statement({ name: 'text' }, 'delete from leases where name in (select i.name {from items})');

/** Webhooks that were deleted, and callbacks that nobody uses, once nothing is left that tells of them. Gives how many went. */
export const pruneWebhooks: Write<AgedRows, number> = {
  name: 'prune_webhooks',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, items) {
    const counts: number[] = [];
    for (const { before, max } of items) {
      const removed: Row[] = [];
      for (const { ref } of await tx.one(lockIdleWebhooks, { before, max })) {
        removed.push(...(await tx.one(removeWebhook, { ref: Number(ref) })));
      }
      await tx.each(
        removeLease,
        removed.map((row) => ({ name: webhookLane(Number(row['ref'])) })),
      );
      counts.push(removed.length);
    }
    return counts;
  },
};

const removeKeptAnswers = statement(
  { before: 'int', max: 'int' },
  `delete from kept_answers where expires_at <= i.before and (key_ref, route, name) in (
     select k.key_ref, k.route, k.name from kept_answers k where k.expires_at <= i.before
     order by k.expires_at limit i.max {skip locked})
   returning key_ref`,
);
const removeUnanswered = statement(
  { before: 'int', max: 'int' },
  `delete from unanswered where created_at < i.before and id in (
     select u.id from unanswered u where u.created_at < i.before limit i.max {skip locked})
   returning id`,
);
const removeLostAnswers = statement(
  { before: 'int', max: 'int' },
  `delete from lost_answers where created_at < i.before and (fingerprint, id) in (
     select l.fingerprint, l.id from lost_answers l where l.created_at < i.before limit i.max {skip locked})
   returning id`,
);
const removeRequestCounts = statement(
  { before: 'int', max: 'int' },
  `delete from request_counts where hour_at < i.before and (key_ref, hour_at) in (
     select r.key_ref, r.hour_at from request_counts r where r.hour_at < i.before limit i.max {skip locked})
   returning key_ref`,
);
const removeSandboxPhones = statement(
  { before: 'int', max: 'int' },
  `delete from sandbox_phones where since < i.before and phone in (
     select s.phone from sandbox_phones s where s.since < i.before order by s.since limit i.max {skip locked})
   returning phone`,
);

/** Rows of one table, by the time before which they go. */
export interface AgedRows {
  /** Unix milliseconds. */
  readonly before: number;
  readonly max: number;
}

/** What requests have left behind. Each gives how many rows went. */
export const pruneKeptAnswers = pruneRows('prune_kept_answers', removeKeptAnswers);
export const pruneUnanswered = pruneRows('prune_unanswered', removeUnanswered);
export const pruneLostAnswers = pruneRows('prune_lost_answers', removeLostAnswers);
export const pruneRequestCounts = pruneRows('prune_request_counts', removeRequestCounts);
export const pruneSandboxPhones = pruneRows('prune_sandbox_phones', removeSandboxPhones);

function pruneRows(name: string, remove: Statement): Write<AgedRows, number> {
  return {
    name,
    kind: 'outcome',
    concurrency: 1,
    isPatient: true,
    async run({ tx }, items) {
      const counts: number[] = [];
      for (const { before, max } of items) counts.push((await tx.one(remove, { before, max })).length);
      return counts;
    },
  };
}
