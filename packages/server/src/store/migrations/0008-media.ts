/** Files that are fetched by their URL before the item that asks for them goes out. */
import type { MigrationText } from './migration.ts';

export const media: MigrationText = {
  name: '0008-media',
  statements: () => [
    // Where the file is fetched from; null where nothing is to be fetched, and once it was.
    'alter table outbox add column fetch_url text',
    "create index outbox_fetching on outbox (line_ref, recipient, ref) where state = 'fetching'",
  ],
};
