/** What an operator changes of a webhook: where it is posted to, what it is told, whether it listens, and its secret. */
import { SWITCHED_OFF, webhookGoneTopic } from '../domain/webhook.ts';
import { statement } from './database.ts';
import { dropDue, WEBHOOKS_TOPIC } from './webhooks.ts';
import type { Write } from './writer.ts';

/** Null leaves a setting as it is. */
export interface WebhookSettings {
  readonly id: string;
  readonly accountRef: number;
  readonly url: string | null;
  readonly events: readonly string[] | null;
  readonly isActive: boolean | null;
}

export type SetWebhook = 'set' | 'not_found' | 'line_removed';

/** The line is locked until the commit: a removal disables what is made active before it. */
const lockLineOfWebhook = statement(
  { id: 'text', account_ref: 'int' },
  `select lines.removed_at from webhooks join lines on lines.ref = webhooks.line_ref
   where webhooks.id = i.id and webhooks.account_ref = i.account_ref and webhooks.deleted_at is null
   {for share of lines}`,
);

/** What made it fail is over when it is switched on again, or posted to another place. */
const change = statement(
  { id: 'text', account_ref: 'int', url: 'text', events: 'text', is_active: 'int', reason: 'text' },
  `update webhooks set url = coalesce(i.url, url), events = coalesce(i.events, events),
     is_active = coalesce(i.is_active, is_active),
     disabled_reason = case when i.is_active = 1 then null when i.is_active = 0 and is_active = 1 then i.reason
       else disabled_reason end,
     failing_since = case when i.is_active = 1 and is_active = 0 or i.url <> url then null else failing_since end
   where id = i.id and account_ref = i.account_ref and deleted_at is null returning ref`,
);

/** What is due to a webhook that is switched off is dropped, visibly, as when it ends by itself. */
export const setWebhooks: Write<WebhookSettings, SetWebhook> = {
  name: 'set_webhooks',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (result) => result !== 'set',
  async run({ tx, wake }, items) {
    const results: SetWebhook[] = [];
    for (const { id, accountRef, url, events, isActive } of items) {
      const [line] = await tx.one(lockLineOfWebhook, { id, account_ref: accountRef });
      if (line && line['removed_at'] !== null && isActive === true) {
        results.push('line_removed');
        continue;
      }
      const [row] = await tx.one(change, {
        id,
        account_ref: accountRef,
        url,
        events: events === null ? null : JSON.stringify(events),
        is_active: isActive === null ? null : Number(isActive),
        reason: SWITCHED_OFF,
      });
      results.push(row ? 'set' : 'not_found');
      if (!row || isActive !== false) continue;
      const ref = Number(row['ref']);
      await dropDue(tx, [ref]);
      wake(webhookGoneTopic(ref));
    }
    wake(WEBHOOKS_TOPIC);
    return results;
  },
};

export interface Rotation {
  readonly id: string;
  readonly accountRef: number;
  /** The new secret, encrypted with the webhook's id as its owner. */
  readonly sealedSecret: string;
  /** Until when the present secret counts beside the new one, in Unix milliseconds; null: it ends now. */
  readonly previousEndsAt: number | null;
}

const rotate = statement(
  { id: 'text', account_ref: 'int', secret: 'text', previous_ends_at: 'int' },
  `update webhooks set previous_secret = case when i.previous_ends_at is null then null else secret end,
     previous_ends_at = i.previous_ends_at, secret = i.secret
   where id = i.id and account_ref = i.account_ref and kind = 'v1' and deleted_at is null returning ref`,
);

/** Says whether there was such a webhook. Of an earlier rotation nothing is left: two secrets count at most. */
export const rotateSecrets: Write<Rotation, boolean> = {
  name: 'rotate_secrets',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (rotated) => !rotated,
  async run({ tx, wake }, items) {
    const results: boolean[] = [];
    for (const { id, accountRef, sealedSecret, previousEndsAt } of items) {
      const rows = await tx.one(rotate, {
        id,
        account_ref: accountRef,
        secret: sealedSecret,
        previous_ends_at: previousEndsAt,
      });
      results.push(rows.length > 0);
    }
    wake(WEBHOOKS_TOPIC);
    return results;
  },
};
