/**
 * Callbacks: the addresses that sends name for word of one message each. Those of an account at one origin share a webhook,
 * and with it a lane and the sockets; each delivery has the address itself.
 */
import { NO_LINE, SWITCHED_OFF } from '../domain/webhook.ts';
import { type Column, type Engine, insertInto, type Row, statement } from './database.ts';
import { WEBHOOKS_TOPIC } from './webhooks.ts';
import type { Batch, Write } from './writer.ts';

const COLUMNS = {
  id: 'text',
  account_ref: 'int',
  line_ref: 'int',
  url: 'text',
  events: 'text',
  secret: 'text',
  is_active: 'int',
  created_at: 'int',
  kind: 'text',
} as const satisfies Record<string, Column>;

const CONFLICT = "on conflict (account_ref, url) where kind = 'callback'";
const insertMissing = insertInto('webhooks', COLUMNS, `${CONFLICT} do nothing`);
/** What an operator switched off stays off. One that is revived counts as new, so that it is not removed as idle. */
const insertOrRevive = insertInto(
  'webhooks',
  COLUMNS,
  `${CONFLICT} do update set is_active = 1, disabled_reason = null, failing_since = null,
     created_at = excluded.created_at
     where webhooks.is_active = 0 and coalesce(webhooks.disabled_reason, '') <> '${SWITCHED_OFF}'
   returning ref`,
);

export interface CallbackOrigin {
  /** Of the webhook, where there is none yet. */
  readonly id: string;
  readonly accountRef: number;
  /** Scheme, host and port, as `originOf` gives them. */
  readonly origin: string;
  readonly now: number;
}

/** Makes the webhooks of these origins where they are missing, and revives those that failed for too long. */
export const ensureCallbacks: Write<CallbackOrigin, null> = {
  name: 'ensure_callbacks',
  kind: 'accept',
  concurrency: 1,
  async run({ tx, wake }, items) {
    const rows = new Map<string, Row>();
    for (const { id, accountRef, origin, now } of items) {
      const key = `${accountRef} ${origin}`;
      if (!rows.has(key)) rows.set(key, callbackRow(id, accountRef, origin, now));
    }
    const changed = await tx.each(insertOrRevive, inLockOrder([...rows.values()]));
    if (changed.length > 0) wake(WEBHOOKS_TOPIC);
    return items.map(() => null);
  },
};

/** Leaves alone what somebody else has made meanwhile. */
export async function insertMissingCallbacks(
  { tx, newId, wake }: Batch,
  origins: readonly { readonly account_ref: number; readonly url: string; readonly now: number }[],
): Promise<void> {
  const rows = origins.map(({ account_ref, url, now }) => callbackRow(newId('webhook'), account_ref, url, now));
  await tx.each(insertMissing, inLockOrder(rows));
  wake(WEBHOOKS_TOPIC);
}

const isOn = statement(
  { account_ref: 'int', url: 'text' },
  `select is_active, disabled_reason from webhooks
   where account_ref = i.account_ref and kind = 'callback' and url = i.url`,
);

/** Whether there is nothing to ensure: it is on, or an operator wants it off. */
export async function isCallbackEnsured(engine: Engine, accountRef: number, origin: string): Promise<boolean> {
  const [row] = await engine.read(isOn, { account_ref: accountRef, url: origin });
  return row !== undefined && (row['is_active'] === 1 || row['disabled_reason'] === SWITCHED_OFF);
}

function callbackRow(id: string, accountRef: number, origin: string, now: number): Row {
  return {
    id,
    account_ref: accountRef,
    line_ref: NO_LINE,
    url: origin,
    events: '["item.status"]',
    secret: '',
    is_active: 1,
    created_at: now,
    kind: 'callback',
  };
}

/** So that no two who make several wait for each other. */
function inLockOrder(rows: readonly Row[]): Row[] {
  const keyOf = (row: Row) => `${row['account_ref']} ${row['url']}`;
  return rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
