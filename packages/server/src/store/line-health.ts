/** How a line is, as its driver says: one row a line, written by whoever runs it, for every process to read. */
import type { HealthState } from '@trunkline/drivers';
import { statement } from './database.ts';
import { type Claim, heldClaims } from './leases.ts';
import type { Write } from './writer.ts';

export interface HealthNote {
  readonly claim: Claim;
  readonly lineRef: number;
  readonly state: HealthState;
  readonly reason: string | null;
  readonly now: number;
}

const upsertHealth = statement(
  { line_ref: 'int', fence: 'int', state: 'text', reason: 'text', now: 'int' },
  `insert into line_health (line_ref, fence, state, reason, since)
   values (i.line_ref, i.fence, i.state, i.reason, i.now)
   on conflict (line_ref) do update set
     since = case when line_health.fence = excluded.fence and line_health.state = excluded.state
       then line_health.since else excluded.since end,
     fence = excluded.fence, state = excluded.state, reason = excluded.reason`,
);

export const recordHealth: Write<HealthNote, 'recorded' | 'fenced'> = {
  name: 'record_health',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, notes) {
    const holds = await heldClaims(
      tx,
      notes.map((note) => note.claim),
    );
    for (const { claim, lineRef, state, reason, now } of notes) {
      if (holds(claim)) await tx.one(upsertHealth, { line_ref: lineRef, fence: claim.fence, state, reason, now });
    }
    return notes.map((note) => (holds(note.claim) ? 'recorded' : 'fenced'));
  },
};
