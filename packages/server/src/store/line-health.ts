/** How a line is, as its driver says: one row a line, written by whoever runs it, for every process to read. */
import type { HealthState } from '@trunkline/drivers';
import { lineStatusData } from '../wire/v1.ts';
import { statement, type Tx } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { type Claim, heldClaims } from './leases.ts';
import { lineFromRow } from './lines.ts';
import type { Write } from './writer.ts';

export interface HealthNote {
  readonly claim: Claim;
  readonly lineRef: number;
  readonly state: HealthState;
  readonly reason: string | null;
  /** What the driver can do, or null where it cannot be asked. */
  readonly capabilities: readonly string[] | null;
  readonly now: number;
}

const upsertHealth = statement(
  { line_ref: 'int', fence: 'int', state: 'text', reason: 'text', capabilities: 'text', now: 'int' },
  `insert into line_health (line_ref, fence, state, reason, capabilities, since)
   values (i.line_ref, i.fence, i.state, i.reason, i.capabilities, i.now)
   on conflict (line_ref) do update set
     since = case when line_health.fence = excluded.fence and line_health.state = excluded.state
       then line_health.since else excluded.since end,
     fence = excluded.fence, state = excluded.state, reason = excluded.reason,
     capabilities = coalesce(excluded.capabilities, line_health.capabilities)`,
);

export const recordHealth: Write<HealthNote, 'recorded' | 'fenced'> = {
  name: 'record_health',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, notes) {
    const { tx } = batch;
    const holds = await heldClaims(
      tx,
      notes.map((note) => note.claim),
    );
    const told: NewEvent[] = [];
    for (const note of notes) {
      if (!holds(note.claim)) continue;
      told.push(...(await changeOf(tx, note)));
      const { claim, lineRef, state, reason, now } = note;
      const capabilities = note.capabilities === null ? null : JSON.stringify(note.capabilities);
      await tx.one(upsertHealth, { line_ref: lineRef, fence: claim.fence, state, reason, capabilities, now });
    }
    await appendEvents(batch, told);
    return notes.map((note) => (holds(note.claim) ? 'recorded' : 'fenced'));
  },
};

const lineBefore = statement(
  { line_ref: 'int' },
  `select lines.*, line_health.state as health_state, line_health.capabilities
   from lines left join line_health on line_health.line_ref = lines.ref where lines.ref = i.line_ref`,
);

/** The first word of a line's health is no change; the sandbox line is nobody's to hear of. */
async function changeOf(tx: Tx, { lineRef, state, reason, now }: HealthNote): Promise<NewEvent[]> {
  const [row] = await tx.one(lineBefore, { line_ref: lineRef });
  if (!row || row['health_state'] === null || row['health_state'] === state) return [];
  const line = lineFromRow(row);
  if (line.isSandbox) return [];
  const data = JSON.stringify(lineStatusData(line, { state, reason, since: now }));
  const { accountRef } = line;
  return [{ accountRef, lineRef, chatRef: null, messageRef: null, type: 'line.status', data, now }];
}
