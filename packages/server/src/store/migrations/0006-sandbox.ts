/** The sandbox: which phone is paired with which account, how many messages were sent, who guesses at codes. */
import type { MigrationText } from './migration.ts';

export const sandbox: MigrationText = {
  name: '0006-sandbox',
  statements: () => [
    // An account has a phone or a code, or neither. `sent` counts the messages of the day that begins at `day_at`.
    `create table sandbox_pairings (account_ref bigint primary key, code text unique, code_expires_at bigint,
      phone text unique, paired_at bigint, code_sent_at bigint, day_at bigint not null default 0, sent bigint not null default 0)`,

    // Phones that texted what looks like a code, and how many of those codes were wrong since then.
    `create table sandbox_phones (phone text primary key, since bigint not null, wrong_codes bigint not null)`,
    'create index sandbox_phones_by_age on sandbox_phones (since)',
  ],
};
