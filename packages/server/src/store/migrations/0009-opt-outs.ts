/** Who wants no more messages of an account, and which lines take a texted word for it. */
import type { MigrationText } from './migration.ts';

export const optOuts: MigrationText = {
  name: '0009-opt-outs',
  statements: () => [
    // Who may be written to has no row. `by` is 'api' or 'phone'.
    `create table opt_outs (account_ref bigint not null, handle text not null, opted_out_at bigint not null,
      by text not null, primary key (account_ref, handle))`,

    'alter table lines add column opt_out_keywords bigint not null default 0',
  ],
};
