/** An item may become several messages on its line: each says which of them it is. */
import type { MigrationText } from './migration.ts';

export const itemParts: MigrationText = {
  name: '0014-item-parts',
  statements: () => [
    // `is_whole_item` is 0 where others of the item's messages had not been seen when this one was.
    'alter table messages add column item_part bigint not null default 0',
    'alter table messages add column is_whole_item bigint not null default 1',
  ],
};
