/** Webhooks: who is told of what happens, and whether they still listen. Those of a line are made here. */
import { sql } from 'kysely';
import {
  DISABLE_AFTER_MS,
  isWebhookKind,
  type Webhook,
  type WebhookKind,
  webhookGoneTopic,
} from '../domain/webhook.ts';
import { type Engine, statement, type Tx } from './database.ts';
import type { Batch, Write } from './writer.ts';

export const WEBHOOKS_TOPIC = 'webhooks';

export interface NewWebhook {
  readonly id: string;
  readonly accountRef: number;
  readonly lineRef: number;
  readonly url: string;
  readonly events: readonly string[];
  /** Encrypted, with the webhook's id as its owner. */
  readonly sealedSecret: string;
  readonly now: number;
}

/** A webhook with what its deliveries need. */
export interface StoredWebhook extends Webhook {
  readonly ref: number;
  readonly kind: WebhookKind;
  /** 0 for one of all lines. */
  readonly lineRef: number;
  readonly accountId: string;
  /** Encrypted, with the webhook's id as its owner; of an account's with the account's, and empty where it has none. */
  readonly sealedSecret: string;
  /** What the account's webhooks without a secret are sent, encrypted with the account's id as its owner. */
  readonly sealedAccountSecret: string | null;
  /** The secret before the last rotation, sealed alike; it counts until `endsAt`, in Unix milliseconds. */
  readonly previousSecret: { readonly sealed: string; readonly endsAt: number } | null;
}

/** Makes none on a removed line. The line is locked until the commit: a removal disables what is made before it. */
const insertWebhook = statement(
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    url: 'text',
    events: 'text',
    secret: 'text',
    is_active: 'int',
    created_at: 'int',
  },
  `insert into webhooks (id, account_ref, line_ref, url, events, secret, is_active, created_at)
   select i.id, i.account_ref, lines.ref, i.url, i.events, i.secret, i.is_active, i.created_at from lines{, items}
   where lines.ref = i.line_ref and lines.removed_at is null {for share of lines} returning id`,
);

/** Says whether the webhook was made: not on a line that was removed meanwhile. */
export const createWebhooks: Write<NewWebhook, boolean> = {
  name: 'create_webhooks',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (made) => !made,
  async run({ tx, wake }, items) {
    const rows = await tx.each(
      insertWebhook,
      items.map((item) => ({
        id: item.id,
        account_ref: item.accountRef,
        line_ref: item.lineRef,
        url: item.url,
        events: JSON.stringify(item.events),
        secret: item.sealedSecret,
        is_active: 1,
        created_at: item.now,
      })),
    );
    wake(WEBHOOKS_TOPIC);
    const made = new Set(rows.map((row) => row['id']));
    return items.map((item) => made.has(item.id));
  },
};

const markDeleted = statement(
  { id: 'text', account_ref: 'int', now: 'int' },
  `update webhooks set deleted_at = i.now, is_active = 0
   where id = i.id and account_ref = i.account_ref and deleted_at is null returning ref`,
);

/** What is still due to a webhook that is gone is dropped, visibly. */
const dropDeliveries = statement(
  { ref: 'int' },
  `update deliveries set state = 'dropped' where webhook_ref = i.ref and state in ('new', 'retry')`,
);

/** Says whether there was such a webhook. After the commit nothing more is sent to it. */
export const deleteWebhooks: Write<{ id: string; accountRef: number; now: number }, boolean> = {
  name: 'delete_webhooks',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, items) {
    const results: boolean[] = [];
    for (const item of items) results.push(await endWebhook(batch, item));
    batch.wake(WEBHOOKS_TOPIC);
    return results;
  },
};

/** Deletes one, and drops what is due to it. Says whether there was such a webhook. */
export async function endWebhook(
  { tx, wake }: Batch,
  { id, accountRef, now }: { id: string; accountRef: number; now: number },
): Promise<boolean> {
  const [row] = await tx.one(markDeleted, { id, account_ref: accountRef, now });
  if (!row) return false;
  await tx.one(dropDeliveries, { ref: Number(row['ref']) });
  wake(webhookGoneTopic(Number(row['ref'])));
  return true;
}

const disable = statement(
  { ref: 'int', reason: 'text' },
  'update webhooks set is_active = 0, disabled_reason = i.reason where ref = i.ref and is_active = 1 returning ref',
);

const activeOfLine = statement(
  { line_ref: 'int' },
  'select ref from webhooks where line_ref = i.line_ref and is_active = 1 order by ref',
);

/** Ends a line's webhooks: all of them before their deliveries, in the order in which others lock them. */
export async function disableWebhooksOfLine({ tx, wake }: Batch, lineRef: number, reason: string): Promise<void> {
  const refs = (await tx.one(activeOfLine, { line_ref: lineRef })).map((row) => Number(row['ref']));
  for (const ref of refs) await tx.one(disable, { ref, reason });
  await dropDue(tx, refs);
  for (const ref of refs) wake(webhookGoneTopic(ref));
  wake(WEBHOOKS_TOPIC);
}

const disableAt = statement(
  { ref: 'int', url: 'text', reason: 'text' },
  `update webhooks set is_active = 0, disabled_reason = i.reason
   where ref = i.ref and is_active = 1 and url = i.url returning ref`,
);

/** Ends a webhook whose receiver is gone, unless it is posted to another place by now. What was due is dropped, and stays to be seen. */
export const disableWebhooks: Write<{ ref: number; url: string; reason: string }, null> = {
  name: 'disable_webhooks',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    for (const item of items) {
      const disabled = await tx.one(disableAt, { ref: item.ref, url: item.url, reason: item.reason });
      if (disabled.length === 0) continue;
      await tx.one(dropDeliveries, { ref: item.ref });
      wake(webhookGoneTopic(item.ref));
    }
    wake(WEBHOOKS_TOPIC);
    return items.map(() => null);
  },
};

const startFailing = statement(
  { ref: 'int', at: 'int' },
  'update webhooks set failing_since = i.at where ref = i.ref and failing_since is null',
);
const endFailing = statement(
  { ref: 'int' },
  `update webhooks set failing_since = null {from items}
   where webhooks.ref = i.ref and webhooks.failing_since is not null`,
);
const giveUp = statement(
  { ref: 'int', failing_since: 'int', reason: 'text' },
  `update webhooks set is_active = 0, disabled_reason = i.reason
   where ref = i.ref and is_active = 1 and failing_since <= i.failing_since returning ref`,
);

/** How an attempt at a webhook ended. */
export interface Outcome {
  readonly ref: number;
  readonly succeeded: boolean;
  /** When it began, in Unix milliseconds. */
  readonly at: number;
}

/**
 * A webhook's failing starts with a failure and ends with any success, whichever process saw them, so the row decides.
 * Gives the webhooks that have failed for too long now and were disabled; what is due to them is to be dropped.
 */
export async function noteOutcomes({ tx, wake }: Batch, outcomes: readonly Outcome[]): Promise<readonly number[]> {
  const well = new Set(outcomes.filter((outcome) => outcome.succeeded).map((outcome) => outcome.ref));
  await tx.each(
    endFailing,
    [...well].sort((a, b) => a - b).map((ref) => ({ ref })),
  );
  const ill = new Map(outcomes.filter(({ ref }) => !well.has(ref)).map((outcome) => [outcome.ref, outcome.at]));
  const disabled: number[] = [];
  for (const [ref, at] of [...ill].sort(([a], [b]) => a - b)) {
    await tx.one(startFailing, { ref, at });
    const reason = 'Nothing was delivered for five days.';
    const given = await tx.one(giveUp, { ref, failing_since: at - DISABLE_AFTER_MS, reason });
    if (given.length === 0) continue;
    disabled.push(ref);
    wake(webhookGoneTopic(ref));
    wake(WEBHOOKS_TOPIC);
  }
  return disabled;
}

/** Drops what is still due to these webhooks. */
export async function dropDue(tx: Tx, refs: readonly number[]): Promise<void> {
  for (const ref of refs) await tx.one(dropDeliveries, { ref });
}

/** One account's webhooks on a line, newest first. */
export async function readWebhooksOfLine(
  engine: Engine,
  accountRef: number,
  lineRef: number,
): Promise<readonly StoredWebhook[]> {
  const rows = await webhookQuery(engine)
    .where('webhooks.account_ref', '=', accountRef)
    .where('webhooks.line_ref', '=', lineRef)
    .where('webhooks.kind', '=', 'v1')
    .orderBy('webhooks.ref', 'desc')
    .execute();
  return rows.map(webhookFromRow);
}

/** One of a line. */
export async function findWebhook(engine: Engine, accountRef: number, id: string): Promise<StoredWebhook | null> {
  const row = await webhookQuery(engine)
    .where('webhooks.account_ref', '=', accountRef)
    .where('webhooks.id', '=', id)
    .where('webhooks.kind', '=', 'v1')
    .executeTakeFirst();
  return row ? webhookFromRow(row) : null;
}

/**
 * Every webhook that may be due something: what the workers serve. Callbacks only while something is due to them, and those
 * among `kept`: there may be one for each of many receivers, and most of them have heard everything.
 */
export async function readActiveWebhooks(
  engine: Engine,
  kept: readonly number[] = [],
): Promise<readonly StoredWebhook[]> {
  const rows = await webhookQuery(engine)
    .where('webhooks.is_active', '=', 1)
    .where((eb) => {
      // Each asks for the first of its index, so that no engine reads all that is due to find out whose it is.
      const dueNew = sql<boolean>`(select min(d.event_seq) from deliveries d
        where d.webhook_ref = webhooks.ref and d.state = 'new') is not null`;
      const dueAgain = sql<boolean>`(select min(d.due_at) from deliveries d
        where d.webhook_ref = webhooks.ref and d.state = 'retry') is not null`;
      const served = [eb('webhooks.kind', '<>', 'callback'), dueNew, dueAgain];
      return eb.or(kept.length === 0 ? served : [...served, eb('webhooks.ref', 'in', kept)]);
    })
    .execute();
  return rows.map(webhookFromRow);
}

const plainSecrets = statement({}, "select ref, id, secret from webhooks where secret like 'whsec%'");
const replaceSecret = statement(
  { ref: 'int', secret: 'text' },
  'update webhooks set secret = i.secret {from items} where webhooks.ref = i.ref',
);

/** Seals what was written before secrets were encrypted. */
export async function sealPlainSecrets(
  engine: Engine,
  seal: (secret: string, webhookId: string) => string,
): Promise<void> {
  const plain = await engine.read(plainSecrets, {});
  if (plain.length === 0) return;
  const rows = plain.map((row) => ({
    ref: Number(row['ref']),
    secret: seal(String(row['secret']), String(row['id'])),
  }));
  await engine.commit(async (tx) => {
    await tx.each(replaceSecret, rows);
    return { value: null, log: [], topics: [] };
  });
}

function webhookQuery(engine: Engine) {
  return engine.query
    .selectFrom('webhooks')
    .innerJoin('accounts', 'accounts.ref', 'webhooks.account_ref')
    .leftJoin('lines', 'lines.ref', 'webhooks.line_ref')
    .selectAll('webhooks')
    .select(['accounts.id as account_id', 'accounts.webhook_secret as account_secret', 'lines.id as line_id'])
    .where('webhooks.deleted_at', 'is', null);
}

function webhookFromRow(row: {
  ref: number;
  id: string;
  kind: string;
  account_id: string;
  account_secret: string | null;
  line_ref: number;
  line_id: string | null;
  url: string;
  events: string;
  secret: string;
  previous_secret: string | null;
  previous_ends_at: number | null;
  is_active: number;
}): StoredWebhook {
  return {
    ref: row.ref,
    id: row.id,
    kind: kindOf(row.kind),
    lineRef: row.line_ref,
    lineId: row.line_id,
    accountId: row.account_id,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    sealedSecret: row.secret,
    sealedAccountSecret: row.account_secret,
    previousSecret:
      row.previous_secret === null || row.previous_ends_at === null
        ? null
        : { sealed: row.previous_secret, endsAt: row.previous_ends_at },
    isActive: row.is_active === 1,
  };
}

export function kindOf(text: unknown): WebhookKind {
  if (!isWebhookKind(text)) throw new Error(`A webhook is of the kind '${String(text)}', which nobody knows.`);
  return text;
}
