/** The doors: what a key may spend, answers kept for repeats, and what an operator asks of a line and of an item. */
import type { MigrationText } from './migration.ts';

export const doors: MigrationText = {
  name: '0002-doors',
  statements: () => [
    // What a key may spend in an hour, and when it was last seen (written once a minute at most).
    'alter table api_keys add column rate_limit_per_hour bigint not null default 1000',
    'alter table api_keys add column last_used_at bigint',
    'create index api_keys_by_account on api_keys (account_ref, ref)',

    // Requests of a key in an hour (Unix milliseconds of its beginning), the sum of what each process adds.
    `create table request_counts (key_ref bigint not null, hour_at bigint not null, requests bigint not null,
      primary key (key_ref, hour_at))`,

    // Answers kept for an Idempotency-Key, committed with what they answer. `status` is null while the request is under
    // way in the process `holder`; `body` is sealed where it holds a secret.
    `create table kept_answers (key_ref bigint not null, route text not null, name text not null,
      fingerprint text not null, holder text not null, status bigint, body text, expires_at bigint not null,
      primary key (key_ref, route, name))`,
    'create index kept_answers_by_expiry on kept_answers (expires_at)',

    // Answers to requests without such a key that are on their way, a row for each commit and a line for each
    // answer. The process `holder` drops it when all of them were handed to the network.
    `create table unanswered (id text primary key, holder text not null, answers text not null,
      created_at bigint not null)`,

    // Answers that did not reach their clients, until an identical request is given them.
    `create table lost_answers (fingerprint text not null, id text not null, status bigint not null, body text not null,
      created_at bigint not null, primary key (fingerprint, id))`,

    // When an item was claimed and when it was handed over, last; when a line was removed by its operator.
    'alter table outbox add column claimed_at bigint',
    'alter table outbox add column handed_over_at bigint',
    'alter table lines add column removed_at bigint',

    // What a line's driver said of it last, with its holder's fence: it counts while that holder has the lease.
    `create table line_health (line_ref bigint primary key, fence bigint not null, state text not null, reason text,
      since bigint not null)`,

    // The events of one message, for the walk that an operator asks for.
    'create index events_by_message on events (message_ref) where message_ref is not null',
  ],
};
