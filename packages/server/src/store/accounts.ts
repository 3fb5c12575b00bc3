/** Accounts and their API keys. Of a key only the SHA-256 is stored. */
import { isScope, type Scope } from '../domain/scopes.ts';
import { type Engine, insertInto, type Row, statement } from './database.ts';
import type { Write } from './writer.ts';

export const KEYS_TOPIC = 'keys';

export interface NewAccount {
  readonly id: string;
  readonly ownerEmail: string;
  readonly now: number;
}

export const insertAccount = insertInto(
  'accounts',
  { id: 'text', owner_email: 'text', created_at: 'int' },
  'returning ref, id',
);

/** Gives each account's ref. */
export const createAccounts: Write<NewAccount, number> = {
  name: 'create_accounts',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const rows = await tx.each(
      insertAccount,
      items.map((item) => ({ id: item.id, owner_email: item.ownerEmail, created_at: item.now })),
    );
    const refs = new Map(rows.map((row) => [row['id'], Number(row['ref'])]));
    return items.map((item) => refs.get(item.id) ?? 0);
  },
};

export interface NewKey {
  readonly id: string;
  readonly accountRef: number;
  readonly name: string;
  /** What a person recognises the key by. */
  readonly prefix: string;
  /** SHA-256 of the whole key, in hex. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** Null: all lines of the account. */
  readonly lineRefs: readonly number[] | null;
  /** Unix milliseconds. */
  readonly expiresAt: number | null;
  readonly rateLimitPerHour: number;
  readonly now: number;
}

export const insertKey = insertInto('api_keys', {
  id: 'text',
  account_ref: 'int',
  name: 'text',
  prefix: 'text',
  hash: 'text',
  scopes: 'text',
  line_refs: 'text',
  expires_at: 'int',
  rate_limit_per_hour: 'int',
  created_at: 'int',
});

export const createKeys: Write<NewKey, null> = {
  name: 'create_keys',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    await tx.each(insertKey, items.map(keyRow));
    wake(KEYS_TOPIC);
    return items.map(() => null);
  },
};

export function keyRow(key: NewKey): Row {
  return {
    id: key.id,
    account_ref: key.accountRef,
    name: key.name,
    prefix: key.prefix,
    hash: key.hash,
    scopes: JSON.stringify(key.scopes),
    line_refs: key.lineRefs === null ? null : JSON.stringify(key.lineRefs),
    expires_at: key.expiresAt,
    rate_limit_per_hour: key.rateLimitPerHour,
    created_at: key.now,
  };
}

/** A key as a request is checked against it. */
export interface StoredKey {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  readonly accountId: string;
  readonly accountEmail: string;
  readonly hash: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly lineRefs: ReadonlySet<number> | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly rateLimitPerHour: number;
}

const keyByHash = statement(
  { hash: 'text' },
  `select api_keys.*, accounts.id as account_id, accounts.owner_email from api_keys join accounts on accounts.ref = api_keys.account_ref
   where api_keys.hash = i.hash`,
);

const anyKey = statement({}, 'select 1 as found from api_keys limit 1');

export async function findKeyByHash(engine: Engine, hash: string): Promise<StoredKey | null> {
  const [row] = await engine.read(keyByHash, { hash });
  if (!row) return null;
  const scopes = JSON.parse(String(row['scopes'])) as string[];
  const lineRefs = row['line_refs'] === null ? null : (JSON.parse(String(row['line_refs'])) as number[]);
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    accountId: String(row['account_id']),
    accountEmail: String(row['owner_email']),
    hash: String(row['hash']),
    scopes: new Set(scopes.filter(isScope)),
    lineRefs: lineRefs === null ? null : new Set(lineRefs),
    expiresAt: row['expires_at'] === null ? null : Number(row['expires_at']),
    revokedAt: row['revoked_at'] === null ? null : Number(row['revoked_at']),
    rateLimitPerHour: Number(row['rate_limit_per_hour']),
  };
}

export async function hasAnyKey(engine: Engine): Promise<boolean> {
  return (await engine.read(anyKey, {})).length > 0;
}
