/** Lines as their operator sees them, removed ones and their health included, and what an operator may set. */
import type { HealthState } from '@trunkline/drivers';
import type { Line } from '../domain/line.ts';
import { type Engine, type Row, statement } from './database.ts';
import { LINES_TOPIC, lineFromRow } from './lines.ts';
import type { Write } from './writer.ts';

export interface LineRecord extends Line {
  readonly health: {
    /** Unknown while nobody runs the line, or while whoever does has said nothing yet. */
    readonly state: HealthState | 'unknown';
    readonly reason: string | null;
    /** These are Unix milliseconds. */
    readonly since: number | null;
  };
  readonly createdAt: number;
  readonly removedAt: number | null;
}

/** What a driver said counts only while it is the lease's holder that said it. */
const SELECT = `select lines.*, line_health.state as health_state, line_health.reason as health_reason,
    line_health.since as health_since
  from lines
  left join leases on leases.name = 'line ' || lines.ref and leases.expires_at > {now}
  left join line_health on line_health.line_ref = lines.ref and line_health.fence = leases.fence`;

const ofAccount = statement(
  { account_ref: 'int' },
  `${SELECT} where lines.account_ref = i.account_ref order by lines.ref`,
);
const byName = statement(
  { account_ref: 'int', name: 'text' },
  `${SELECT} where lines.account_ref = i.account_ref and (lines.id = i.name or lines.handle = i.name)`,
);
const byRef = statement({ ref: 'int' }, `${SELECT} where lines.ref = i.ref`);

/** An account's lines, oldest first. */
export async function readLineRecords(engine: Engine, accountRef: number): Promise<readonly LineRecord[]> {
  return (await engine.read(ofAccount, { account_ref: accountRef })).map(recordFromRow);
}

/** By its id or its handle. */
export async function findLineRecord(engine: Engine, accountRef: number, name: string): Promise<LineRecord | null> {
  const [row] = await engine.read(byName, { account_ref: accountRef, name });
  return row ? recordFromRow(row) : null;
}

export async function readLineRecord(engine: Engine, ref: number): Promise<LineRecord> {
  const [row] = await engine.read(byRef, { ref });
  if (!row) throw new Error('A line that was just written is not there.');
  return recordFromRow(row);
}

/** What may be set of a line; null leaves it as it is. */
export interface LineSettings {
  readonly label: string | null;
  readonly contactFirst: boolean | null;
  readonly optOutKeywords: boolean | null;
  readonly paceMs: number | null;
}

export interface LineChange extends LineSettings {
  readonly ref: number;
  readonly isActive: boolean | null;
}

const set = statement(
  { ref: 'int', label: 'text', is_active: 'int', contact_first: 'int', opt_out_keywords: 'int', pace_ms: 'int' },
  `update lines set label = coalesce(i.label, label), is_active = coalesce(i.is_active, is_active),
     contact_first = coalesce(i.contact_first, contact_first),
     opt_out_keywords = coalesce(i.opt_out_keywords, opt_out_keywords), pace_ms = coalesce(i.pace_ms, pace_ms)
   where ref = i.ref and removed_at is null returning ref`,
);

/** Says whether the line was there to be set: a removed one is not. */
export const setLines: Write<LineChange, boolean> = {
  name: 'set_lines',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, changes) {
    const results: boolean[] = [];
    for (const change of changes) {
      const row = { ...settingsRow(change), ref: change.ref, is_active: bit(change.isActive) };
      results.push((await tx.one(set, row)).length > 0);
    }
    wake(LINES_TOPIC);
    return results;
  },
};

export interface LineRevival extends LineSettings {
  readonly accountRef: number;
  readonly handle: string;
  readonly kind: Line['kind'];
  readonly service: Line['service'] | null;
}

const revive = statement(
  {
    account_ref: 'int',
    handle: 'text',
    kind: 'text',
    service: 'text',
    label: 'text',
    contact_first: 'int',
    opt_out_keywords: 'int',
    pace_ms: 'int',
  },
  `update lines set removed_at = null, is_active = 1, kind = i.kind, service = coalesce(i.service, service),
     label = coalesce(i.label, label), contact_first = coalesce(i.contact_first, contact_first),
     opt_out_keywords = coalesce(i.opt_out_keywords, opt_out_keywords), pace_ms = coalesce(i.pace_ms, pace_ms)
   where handle = i.handle and account_ref = i.account_ref and removed_at is not null returning ref`,
);

/** Brings an account's removed line back. Gives its ref, or null where the account has none of that handle. */
export const reviveLines: Write<LineRevival, number | null> = {
  name: 'revive_lines',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (ref) => ref === null,
  async run({ tx, wake }, revivals) {
    const results: (number | null)[] = [];
    for (const revival of revivals) {
      const { accountRef, handle, kind, service } = revival;
      const [row] = await tx.one(revive, { ...settingsRow(revival), account_ref: accountRef, handle, kind, service });
      results.push(row ? Number(row['ref']) : null);
    }
    wake(LINES_TOPIC);
    return results;
  },
};

function settingsRow({ label, contactFirst, optOutKeywords, paceMs }: LineSettings): Row {
  return { label, contact_first: bit(contactFirst), opt_out_keywords: bit(optOutKeywords), pace_ms: paceMs };
}

function bit(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}

function recordFromRow(row: Row): LineRecord {
  const state = row['health_state'];
  const since = row['health_since'];
  return {
    ...lineFromRow(row),
    health: {
      // Only `recordHealth` writes it.
      state: typeof state === 'string' ? (state as HealthState) : 'unknown',
      reason: typeof row['health_reason'] === 'string' ? row['health_reason'] : null,
      since: typeof since === 'number' ? since : null,
    },
    createdAt: Number(row['created_at']),
    removedAt: typeof row['removed_at'] === 'number' ? row['removed_at'] : null,
  };
}
