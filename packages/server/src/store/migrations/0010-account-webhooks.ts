/** Webhooks of a whole account, and the addresses that sends name for word of one message each. */
import type { MigrationText } from './migration.ts';

export const accountWebhooks: MigrationText = {
  name: '0010-account-webhooks',
  statements: () => [
    // `kind` is v1 (of a line, signed), account (of an account and all its lines) or callback (one for each origin that
    // the account's sends name). The latter two have line 0. What an account gave is given back as it was: its place in
    // the list, and whether it was a URL alone.
    "alter table webhooks add column kind text not null default 'v1'",
    'alter table webhooks add column numbers text',
    'alter table webhooks add column place bigint not null default 0',
    'alter table webhooks add column is_bare bigint not null default 0',
    "create index webhooks_of_accounts on webhooks (account_ref) where kind = 'account'",
    "create unique index webhooks_by_origin on webhooks (account_ref, url) where kind = 'callback'",

    // Where it is posted to, where that is not its webhook's URL. Only such deliveries pay for the index.
    'alter table deliveries add column url text',
    'create index deliveries_by_event on deliveries (event_seq) where url is not null',

    // What the account's webhooks without a secret of their own are sent.
    'alter table accounts add column webhook_secret text',
  ],
};
