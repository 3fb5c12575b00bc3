/** The lists' indexes with the columns that are asked for beside their own, so that counting needs no look at a row. */
import type { MigrationText } from './migration.ts';

export const coveringLists: MigrationText = {
  name: '0013-covering-lists',
  statements: () => [
    'drop index listed_items_by_line',
    'create index listed_items_by_line on listed_items (line_ref, created_at, ref, account_ref, chat_ref, is_outbound)',
    // What one contact and one line have to do with each other.
    'create index listed_items_by_pair on listed_items (line_ref, peer, created_at, ref, account_ref, is_outbound)',
    'drop index listed_items_of_groups',
    'create index listed_items_of_groups on listed_items (account_ref, created_at, ref, line_ref, is_outbound, chat_ref) where chat_ref is not null',
    'drop index listed_items_by_status',
    'create index listed_items_by_status on listed_items (account_ref, status, created_at, ref, line_ref)',
  ],
};
