/** The end of the wait for echoes that never came. */
import { ECHO_LIMIT_MS, SENTENCES } from '../domain/outbox.ts';
import { type Engine, statement } from './database.ts';
import { tellFailures } from './failed-items.ts';
import { LINE_REMOVED } from './outbox-lane.ts';
import type { Write } from './writer.ts';

/**
 * The wait for an echo that is over. On a removed line nobody asks any more about a hand-over that was cut short, so it
 * waits for its echo as well, from its claim.
 */
const OVERDUE = `state in ('sending', 'handed_over', 'unknown') and (state <> 'sending' and echo_due_at <= i.now
   or state = 'sending' and updated_at <= i.claimed_before and ${LINE_REMOVED})`;

/** With LIMIT 1 instead, PostgreSQL reads the whole outbox in the hope of an early find. */
const anyOverdue = statement(
  { now: 'int', claimed_before: 'int' },
  `select 1 as found where (select min(echo_due_at) from outbox
     where state in ('sending', 'handed_over', 'unknown') and state <> 'sending') <= i.now
   or (select min(updated_at) from outbox
     where state in ('sending', 'handed_over', 'unknown') and state = 'sending' and ${LINE_REMOVED}) <= i.claimed_before`,
);

/** Whether an item has waited for its echo for too long. */
export async function anyEchoOverdue(engine: Engine, now: number): Promise<boolean> {
  return (await engine.read(anyOverdue, { now, claimed_before: now - ECHO_LIMIT_MS })).length > 0;
}

const expire = statement(
  { now: 'int', claimed_before: 'int', error: 'text' },
  `update outbox set state = 'failed', error = i.error, completed_at = i.now, updated_at = i.now
   where ${OVERDUE} returning ref`,
);

/** Ends the wait for echoes that never came. One that comes later still makes its item `sent`. */
export const expireItems: Write<{ now: number }, number> = {
  name: 'expire_items',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, items) {
    const { tx } = batch;
    const counts: number[] = [];
    for (const { now } of items) {
      const rows = await tx.one(expire, { now, claimed_before: now - ECHO_LIMIT_MS, error: SENTENCES.noEcho });
      counts.push(rows.length);
      const refs = rows.map((row) => Number(row['ref'])).sort((a, b) => a - b);
      await tellFailures(
        batch,
        refs.map((ref) => ({ ref, now })),
      );
    }
    return counts;
  },
};
