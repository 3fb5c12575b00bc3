/** Who is to say what became of a hand-over: whoever held its line's lease when it was claimed. */
import type { MigrationText } from './migration.ts';

export const claimedBy: MigrationText = {
  name: '0016-claimed-by',
  // Null: claimed before this was written down, or never.
  statements: () => ['alter table outbox add column claimed_by text'],
};
