/** Effects: what a message was seen with. */
import type { MigrationText } from './migration.ts';

export const effects: MigrationText = {
  name: '0007-effects',
  statements: () => ['alter table messages add column effect text'],
};
