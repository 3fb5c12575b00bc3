/** Computers whose agents may dial in. */
import type { MigrationText } from './migration.ts';

export const devices: MigrationText = {
  name: '0012-devices',
  statements: ({ identity }) => [
    `create table devices (ref ${identity}, id text not null unique, account_ref bigint not null, name text not null,
      prefix text not null, token_hash text not null unique, line_refs text not null, created_at bigint not null,
      revoked_at bigint, connected_at bigint, disconnected_at bigint, agent text, clock_offset_ms bigint)`,
    'create index devices_by_account on devices (account_ref, ref)',
  ],
};
