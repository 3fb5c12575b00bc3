/** How much waits, for the metrics: cheap however much it is, for no count goes on beyond its bound. */
import { type Engine, statement } from './database.ts';

export const COUNT_MAX = 10_000;
const UNDER_WAY = `state in ('sending', 'handed_over', 'unknown')`;

/** Each part reads an index that holds nothing but what it counts. */
const backlog = statement(
  { max: 'int' },
  `select 'fetching' as kind, count(*) as value from (select 1 from outbox where state = 'fetching' limit i.max) f
   union all select 'pending', count(*) from (select 1 from outbox where state = 'pending' limit i.max) a
   union all select 'waiting', count(*) from (select 1 from outbox where state = 'waiting' limit i.max) b
   union all select c.state, count(*) from (select state from outbox where ${UNDER_WAY} limit i.max) c group by c.state
   union all select 'new', count(*) from (select 1 from deliveries where state = 'new' limit i.max) d
   union all select 'retry', count(*) from (select 1 from deliveries where state = 'retry' limit i.max) e
   union all select 'oldest_at', min((select o.created_at from outbox o
     where o.line_ref = lines.ref and o.state = 'pending' order by o.ref limit 1)) from lines`,
);

export const OUTBOX_STATES = ['fetching', 'pending', 'waiting', 'sending', 'handed_over', 'unknown'] as const;
export const DELIVERY_STATES = ['new', 'retry'] as const;

export interface Backlog {
  readonly outbox: Readonly<Record<(typeof OUTBOX_STATES)[number], number>>;
  readonly deliveries: Readonly<Record<(typeof DELIVERY_STATES)[number], number>>;
  /** When the item that has waited longest was accepted, in Unix milliseconds; null while none waits. */
  readonly oldestPendingAt: number | null;
}

export async function readBacklog(engine: Engine): Promise<Backlog> {
  const rows = await engine.read(backlog, { max: COUNT_MAX });
  const values = new Map(rows.map((row) => [String(row['kind']), row['value']]));
  const count = (kind: string) => Number(values.get(kind) ?? 0);
  const oldest = values.get('oldest_at');
  return {
    outbox: {
      fetching: count('fetching'),
      pending: count('pending'),
      waiting: count('waiting'),
      sending: count('sending'),
      handed_over: count('handed_over'),
      unknown: count('unknown'),
    },
    deliveries: { new: count('new'), retry: count('retry') },
    oldestPendingAt: typeof oldest === 'number' ? oldest : null,
  };
}
