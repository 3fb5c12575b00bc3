/**
 * Leases: who owns a lane (a line or a webhook), by the database's clock. The fence grows whenever a lane changes
 * hands; every write of a holder names its fence and is refused, in the same transaction, when it is no longer that.
 */
import { type Engine, type Row, statement, type Tx } from './database.ts';
import type { Write } from './writer.ts';

export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly fence: number;
}

/** What a holder shows with each write. */
export interface Claim {
  readonly lane: string;
  readonly fence: number;
}

/** Nobody runs a removed line: a process that has not heard of its removal does not get it. */
const IS_THERE =
  "not exists (select 1 from lines where lines.removed_at is not null and i.name = 'line ' || lines.ref)";

const insertLease = statement(
  { name: 'text', holder: 'text', ms: 'int' },
  `insert into leases (name, holder, fence, expires_at)
   select i.name, i.holder, 1, {now} + i.ms {from items} where ${IS_THERE}
   on conflict (name) do nothing returning name, fence`,
);

/** Locked before it is taken, so that what is looked up then is as new as the lock. */
const lockFree = statement(
  { name: 'text', holder: 'text' },
  `update leases set fence = fence {from items}
   where leases.name = i.name and (leases.expires_at <= {now} or leases.holder = i.holder)`,
);

const takeLease = statement(
  { name: 'text', holder: 'text', ms: 'int' },
  `update leases set holder = i.holder, fence = fence + 1, expires_at = {now} + i.ms {from items}
   where leases.name = i.name and (leases.expires_at <= {now} or leases.holder = i.holder) and ${IS_THERE}
   returning leases.name, leases.fence`,
);

const renewLease = statement(
  { name: 'text', holder: 'text', fence: 'int', ms: 'int' },
  `update leases set expires_at = {now} + i.ms {from items}
   where leases.name = i.name and leases.holder = i.holder and leases.fence = i.fence
   returning leases.name, leases.fence`,
);

const releaseLease = statement(
  { name: 'text', holder: 'text', fence: 'int' },
  `update leases set expires_at = 0 {from items}
   where leases.name = i.name and leases.holder = i.holder and leases.fence = i.fence`,
);

const heldFence = statement(
  { lane: 'text', fence: 'int' },
  `select leases.name as lane, leases.fence from leases{, items}
   where leases.name = i.lane and leases.fence = i.fence {for share of leases}`,
);

const expireAll = statement({}, 'update leases set expires_at = 0');

/**
 * Takes a lane whose lease is free, has run out, or was this holder's before (a release that could not be written). Gives
 * the new fence, or null while another holds it.
 */
export const acquireLeases: Write<{ name: string; holder: string; ms: number }, number | null> = {
  name: 'acquire_leases',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    // Of several that want one lane at the same moment the first one gets it, if it is to be had.
    const firsts = new Map(items.toReversed().map((item) => [item.name, item]));
    const asking = [...firsts.values()];
    const inserted = await tx.each(insertLease, asking);
    await tx.each(
      lockFree,
      asking.map(({ name, holder }) => ({ name, holder })),
    );
    const rows = [...inserted, ...(await tx.each(takeLease, asking))];
    const fences = new Map(rows.map((row) => [row['name'], Number(row['fence'])]));
    return items.map((item) => (firsts.get(item.name) === item ? (fences.get(item.name) ?? null) : null));
  },
};

/** Says for each lease whether it is still the holder's. */
export const renewLeases: Write<Lease & { ms: number }, boolean> = {
  name: 'renew_leases',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const rows = await tx.each(renewLease, items.map(leaseRow));
    const renewed = new Set(rows.map((row) => row['name']));
    return items.map((item) => renewed.has(item.name));
  },
};

export const releaseLeases: Write<Lease, null> = {
  name: 'release_leases',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    await tx.each(releaseLease, items.map(leaseRow));
    wake('leases');
    return items.map(() => null);
  },
};

const lockLease = statement(
  { name: 'text', fence_by: 'int' },
  `insert into leases (name, holder, fence, expires_at) values (i.name, '', 0, 0)
   on conflict (name) do update set fence = leases.fence + i.fence_by,
     expires_at = case when i.fence_by > 0 then 0 else leases.expires_at end`,
);

/** Holds up whoever writes under this lease until the commit; `fencesOff` refuses all that its holder writes later. */
export async function lockLane(tx: Tx, name: string, fencesOff: boolean): Promise<void> {
  await tx.one(lockLease, { name, fence_by: fencesOff ? 1 : 0 });
}

/** The claims that still hold, locked until the commit: nobody takes these lanes over meanwhile. */
export async function heldClaims(tx: Tx, claims: readonly Claim[]): Promise<(claim: Claim) => boolean> {
  const distinct = new Map(claims.map(({ lane, fence }) => [`${lane} ${fence}`, { lane, fence }]));
  const rows = await tx.each(heldFence, [...distinct.values()]);
  const held = new Set(rows.map((row) => `${row['lane']} ${row['fence']}`));
  return (claim) => held.has(`${claim.lane} ${claim.fence}`);
}

/** SQLite: this process has just taken the data folder's lock, so whoever held a lease is gone. */
export async function expireLeases(engine: Engine): Promise<void> {
  await engine.commit(async (tx) => {
    await tx.one(expireAll, {});
    return { value: null, log: [], topics: [] };
  });
}

function leaseRow(lease: Lease & { ms?: number }): Row {
  return { name: lease.name, holder: lease.holder, fence: lease.fence, ms: lease.ms ?? 0 };
}
