/** What a Mac tells of a message: which of its item's messages it is, and whether it is from long ago. */
import type { MigrationText } from './migration.ts';

export const itemParts: MigrationText = {
  name: '0014-item-parts',
  statements: () => [
    // `is_whole_item` is 0 where others of the item's messages had not been seen when this one was.
    'alter table messages add column item_part bigint not null default 0',
    'alter table messages add column is_whole_item bigint not null default 1',
    // From long before it was seen: stored, and not announced.
    'alter table messages add column is_old bigint not null default 0',
  ],
};
