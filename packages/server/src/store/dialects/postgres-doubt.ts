/**
 * A connection that breaks while COMMIT is under way leaves in doubt whether it was done. Every commit that changed
 * something therefore leaves a mark, one row for each connection, and whoever lost the answer looks for it: only so is
 * a refusal true, and its repetition no second message.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CommitInDoubtError } from '../database.ts';

/** Beside the schema that it serves: the marks are the engine's own, and no part of what is stored. */
const SUFFIX = '_commits';
const TABLE = 'commit_marks';
/** Marks of connections that are long gone. */
const KEPT_FOR = '1 day';
/** How long the database may take to be back and to have ended what was open: 15 s in all. */
const LOOK_EVERY_MS = 100;
const LOOKS_MAX = 150;

export interface CommitMark {
  readonly connection: string;
  readonly commit: number;
  /** The server process at the other end. */
  readonly pid: number;
}

export interface CommitMarks {
  /** The mark of the connection's next commit. */
  next(client: pg.PoolClient): CommitMark;
  /** Resolves when it is known whether the commit was done. Rejects when that cannot be learnt in time. */
  isCommitted(pool: pg.Pool, mark: CommitMark): Promise<boolean>;
}

/** To be run under the lock of all that is made at the start. */
export function marksTableText(schema: string): string {
  const table = tableFor(schema);
  return `create schema if not exists ${pg.escapeIdentifier(`${schema}${SUFFIX}`)};
    create table if not exists ${table}
    (connection text primary key, commit bigint not null, at timestamptz not null default now());
    delete from ${table} where at < now() - interval '${KEPT_FOR}'`;
}

function tableFor(schema: string): string {
  return `${pg.escapeIdentifier(`${schema}${SUFFIX}`)}.${TABLE}`;
}

/** Nothing is marked where nothing was written: an idle poll stays free of a sync. */
export function markText({ connection, commit }: CommitMark, schema: string): string {
  return `insert into ${tableFor(schema)} (connection, commit) select ${pg.escapeLiteral(connection)}, ${commit}
    where pg_current_xact_id_if_assigned() is not null
    on conflict (connection) do update set commit = excluded.commit, at = excluded.at;`;
}

export function createCommitMarks(identity: string, schema: string): CommitMarks {
  const known = new WeakMap<pg.PoolClient, { readonly connection: string; commit: number }>();
  return {
    next(client) {
      const mine = known.get(client) ?? { connection: `${identity} ${randomUUID()}`, commit: 0 };
      known.set(client, mine);
      mine.commit++;
      return { ...mine, pid: processOf(client) };
    },
    async isCommitted(pool, mark) {
      let last: unknown = new Error('The other end goes on with the transaction.');
      for (let look = 0; look < LOOKS_MAX; look++) {
        try {
          const found = await lookFor(pool, tableFor(schema), mark);
          if (found !== 'open') return found === 'committed';
        } catch (error) {
          last = error;
        }
        await sleep(LOOK_EVERY_MS);
      }
      throw new CommitInDoubtError(last);
    },
  };
}

/** The server process is looked at first: once it is gone, nothing of its transaction can follow. */
async function lookFor(
  pool: pg.Pool,
  table: string,
  { connection, commit, pid }: CommitMark,
): Promise<'open' | 'committed' | 'undone'> {
  const open = await pool.query('select 1 from pg_stat_activity where pid = $1 and state <> $2', [pid, 'idle']);
  if (open.rows.length > 0) return 'open';
  const { rows } = await pool.query(`select 1 from ${table} where connection = $1 and commit >= $2`, [
    connection,
    commit,
  ]);
  return rows.length > 0 ? 'committed' : 'undone';
}

/** pg knows it and does not say so in its types. */
function processOf(client: pg.PoolClient): number {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : 0;
}
