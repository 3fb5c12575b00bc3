/** API keys as their account sees them: listed, looked at, revoked. How a request finds its key is in `accounts.ts`. */
import { isScope, type Scope } from '../domain/scopes.ts';
import { KEYS_TOPIC } from './accounts.ts';
import { type Engine, type Row, statement } from './database.ts';
import type { Write } from './writer.ts';

/** A key without its secret: nothing here opens anything. */
export interface KeyRecord {
  readonly ref: number;
  readonly id: string;
  readonly name: string;
  /** What a person recognises it by. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** The public ids of the lines that it is limited to, removed ones included. Null: all lines of the account. */
  readonly lineIds: readonly string[] | null;
  readonly rateLimitPerHour: number;
  /** These are Unix milliseconds. */
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly createdAt: number;
}

const COLUMNS = `ref, id, name, prefix, scopes, line_refs, rate_limit_per_hour, expires_at, last_used_at, revoked_at,
  created_at`;

const pageByAccount = statement(
  { account_ref: 'int', before: 'int', max: 'int' },
  `select ${COLUMNS} from api_keys where account_ref = i.account_ref and ref < i.before order by ref desc limit i.max`,
);
const keyById = statement(
  { account_ref: 'int', id: 'text' },
  `select ${COLUMNS} from api_keys where account_ref = i.account_ref and id = i.id`,
);
const keyByRef = statement({ ref: 'int' }, `select ${COLUMNS} from api_keys where ref = i.ref`);
const lineIds = statement({}, 'select ref, id from lines');

/** An account's keys, newest first, strictly before the ref. */
export async function pageOfKeys(engine: Engine, accountRef: number, before: number, max: number) {
  return withLines(engine, await engine.read(pageByAccount, { account_ref: accountRef, before, max }));
}

export async function findKey(engine: Engine, accountRef: number, id: string): Promise<KeyRecord | null> {
  const [key] = await withLines(engine, await engine.read(keyById, { account_ref: accountRef, id }));
  return key ?? null;
}

export async function findKeyByRef(engine: Engine, ref: number): Promise<KeyRecord | null> {
  const [key] = await withLines(engine, await engine.read(keyByRef, { ref }));
  return key ?? null;
}

const revoke = statement(
  { account_ref: 'int', id: 'text', now: 'int' },
  `update api_keys set revoked_at = coalesce(revoked_at, i.now)
   where account_ref = i.account_ref and id = i.id returning ref`,
);

/** Says whether the account has such a key. After the commit every process drops what it had kept of it. */
export const revokeKeys: Write<{ accountRef: number; id: string; now: number }, boolean> = {
  name: 'revoke_keys',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    const results: boolean[] = [];
    for (const { accountRef, id, now } of items) {
      const rows = await tx.one(revoke, { account_ref: accountRef, id, now });
      results.push(rows.length > 0);
    }
    wake(KEYS_TOPIC);
    return results;
  },
};

async function withLines(engine: Engine, rows: readonly Row[]): Promise<readonly KeyRecord[]> {
  const isLimited = rows.some((row) => row['line_refs'] !== null);
  const lines = isLimited ? await engine.read(lineIds, {}) : [];
  const ids = new Map(lines.map((line) => [Number(line['ref']), String(line['id'])]));
  return rows.map((row) => keyFromRow(row, ids));
}

function keyFromRow(row: Row, ids: ReadonlyMap<number, string>): KeyRecord {
  const scopes = JSON.parse(String(row['scopes'])) as string[];
  const refs = row['line_refs'] === null ? null : (JSON.parse(String(row['line_refs'])) as number[]);
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    name: String(row['name']),
    prefix: String(row['prefix']),
    scopes: scopes.filter(isScope),
    lineIds: refs === null ? null : refs.flatMap((ref) => ids.get(ref) ?? []),
    rateLimitPerHour: Number(row['rate_limit_per_hour']),
    expiresAt: numberOrNull(row['expires_at']),
    lastUsedAt: numberOrNull(row['last_used_at']),
    revokedAt: numberOrNull(row['revoked_at']),
    createdAt: Number(row['created_at']),
  };
}

function numberOrNull(value: string | number | null | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
