/** Webhooks for their operator: secrets that are rotated, deliveries that are listed and sent again. */
import type { MigrationText } from './migration.ts';

export const webhookSecrets: MigrationText = {
  name: '0004-webhook-secrets',
  statements: () => [
    // The secret before the last rotation, sealed, and until when deliveries are signed with it as well.
    'alter table webhooks add column previous_secret text',
    'alter table webhooks add column previous_ends_at bigint',
    'create index webhooks_by_account on webhooks (account_ref, ref)',

    // When an operator last sent it again: it is a retry since then, whatever had become of it.
    'alter table deliveries add column resent_at bigint',

    // What did not arrive, newest first, by webhook. Nothing that is delivered at once is ever in it.
    `create index deliveries_troubled on deliveries (webhook_ref, state, event_seq)
      where state in ('retry', 'failed', 'dropped')`,
  ],
};
