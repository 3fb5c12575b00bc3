/** What keys spend: a sum per key and hour to which every process adds, and when a key was last seen. */
import { type Engine, statement } from './database.ts';
import type { Write } from './writer.ts';

/** How exact `last_used_at` is: a busy key costs one such write a minute. */
const LAST_USE_STEP_MS = 60_000;

export interface KeyUse {
  readonly keyRef: number;
  /** When the hour began, in Unix milliseconds. */
  readonly hourAt: number;
  /** Requests that this process has counted since it last wrote. */
  readonly requests: number;
  /** When the key was last seen, in Unix milliseconds. */
  readonly usedAt: number;
}

const addRequests = statement(
  { key_ref: 'int', hour_at: 'int', requests: 'int' },
  `insert into request_counts (key_ref, hour_at, requests)
   select i.key_ref, i.hour_at, i.requests {from items} where true
   on conflict (key_ref, hour_at) do update set requests = request_counts.requests + excluded.requests
   returning key_ref, hour_at, requests`,
);

const noteLastUse = statement(
  { key_ref: 'int', used_at: 'int', step: 'int' },
  `update api_keys set last_used_at = i.used_at {from items}
   where api_keys.ref = i.key_ref and (api_keys.last_used_at is null or api_keys.last_used_at <= i.used_at - i.step)`,
);

const requestsOf = statement(
  { key_ref: 'int', hour_at: 'int' },
  'select requests from request_counts where key_ref = i.key_ref and hour_at = i.hour_at',
);

/** Gives, for each item, the sum that its hour has reached over all processes. */
export const recordKeyUse: Write<KeyUse, number> = {
  name: 'record_key_use',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, items) {
    const used = newestUses(items);
    await tx.each(
      noteLastUse,
      used.map(({ keyRef, usedAt }) => ({ key_ref: keyRef, used_at: usedAt, step: LAST_USE_STEP_MS })),
    );
    const sums = sumUses(items);
    const rows = await tx.each(
      addRequests,
      sums.map(({ keyRef, hourAt, requests }) => ({ key_ref: keyRef, hour_at: hourAt, requests })),
    );
    const totals = new Map(rows.map((row) => [`${row['key_ref']} ${row['hour_at']}`, Number(row['requests'])]));
    return items.map((item) => totals.get(nameOf(item)) ?? 0);
  },
};

export async function readRequests(engine: Engine, keyRef: number, hourAt: number): Promise<number> {
  const [row] = await engine.read(requestsOf, { key_ref: keyRef, hour_at: hourAt });
  return Number(row?.['requests'] ?? 0);
}

/** A statement may touch a row once only, and rows are locked in one order: by key, then by hour. */
function sumUses(items: readonly KeyUse[]): KeyUse[] {
  const sums = new Map<string, KeyUse>();
  for (const item of items) {
    const known = sums.get(nameOf(item));
    sums.set(nameOf(item), known ? { ...known, requests: known.requests + item.requests } : item);
  }
  return [...sums.values()].sort((a, b) => a.keyRef - b.keyRef || a.hourAt - b.hourAt);
}

function newestUses(items: readonly KeyUse[]): KeyUse[] {
  const newest = new Map<number, KeyUse>();
  for (const item of items) {
    if ((newest.get(item.keyRef)?.usedAt ?? 0) < item.usedAt) newest.set(item.keyRef, item);
  }
  return [...newest.values()].sort((a, b) => a.keyRef - b.keyRef);
}

function nameOf({ keyRef, hourAt }: KeyUse): string {
  return `${keyRef} ${hourAt}`;
}
