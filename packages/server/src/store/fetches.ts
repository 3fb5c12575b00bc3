/** Items that wait for a file from a URL: which they are, and what became of the fetch. */
import { type OutboxKind, SENTENCES } from '../domain/outbox.ts';
import { type Engine, type Row, statement } from './database.ts';
import { tellFailures } from './failed-items.ts';
import { insertFiles, type NewFile } from './files.ts';
import { type Claim, heldClaims } from './leases.ts';
import { outboxTopic } from './outbox.ts';
import { textOrNull } from './row-values.ts';
import type { Write } from './writer.ts';

export interface FetchingItem {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  readonly url: string;
  /** The request as accepted, as JSON. */
  readonly payload: string;
  /** What the hand-over needs beyond the request and the file, as JSON. */
  readonly details: string | null;
}

const fetchingOfLine = statement(
  { line_ref: 'int', max: 'int' },
  `select ref, id, account_ref, fetch_url, payload, details from outbox
   where line_ref = i.line_ref and state = 'fetching' order by ref limit i.max`,
);

/** The oldest ones of a line. */
export async function fetchingItems(engine: Engine, lineRef: number, max: number): Promise<readonly FetchingItem[]> {
  const rows = await engine.read(fetchingOfLine, { line_ref: lineRef, max });
  return rows.map(itemFromRow).sort((a, b) => a.ref - b.ref);
}

function itemFromRow(row: Row): FetchingItem {
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    url: String(row['fetch_url']),
    payload: String(row['payload']),
    details: textOrNull(row['details']),
  };
}

export type FetchOutcome =
  /** `kind`: a file that is sound alone may go out as a voice memo. `details` has the file for the hand-over. */
  | { readonly state: 'fetched'; readonly kind: OutboxKind; readonly details: string; readonly file: NewFile }
  /** `reason` completes the sentence "The file could not be fetched: …". */
  | { readonly state: 'failed'; readonly reason: string };

export interface FetchSettlement {
  readonly claim: Claim;
  readonly lineRef: number;
  readonly ref: number;
  readonly outcome: FetchOutcome;
  readonly now: number;
}

/** Only while it waits for its file: a line that was removed meanwhile has failed its items. */
const settleFetched = statement(
  { ref: 'int', kind: 'text', details: 'text', now: 'int' },
  `update outbox set state = 'pending', kind = i.kind, details = i.details, fetch_url = null, updated_at = i.now
   {from items} where outbox.ref = i.ref and outbox.state = 'fetching' returning outbox.ref`,
);

const settleFailed = statement(
  { ref: 'int', error: 'text', now: 'int' },
  `update outbox set state = 'failed', error = i.error, completed_at = i.now, updated_at = i.now
   {from items} where outbox.ref = i.ref and outbox.state = 'fetching' returning outbox.ref`,
);

/** `gone`: the item waits no longer, nothing was written, and whoever fetched the file drops it. */
export const settleFetches: Write<FetchSettlement, 'settled' | 'gone' | 'fenced'> = {
  name: 'settle_fetches',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, settlements) {
    const { tx, wake } = batch;
    const holds = await heldClaims(
      tx,
      settlements.map(({ claim }) => claim),
    );
    const held = settlements.filter(({ claim }) => holds(claim));
    const fetched = await tx.each(settleFetched, held.flatMap(fetchedRow));
    const failed = await tx.each(settleFailed, held.flatMap(failedRow));
    const refs = new Set([...fetched, ...failed].map((row) => Number(row['ref'])));
    const changed = held.filter(({ ref }) => refs.has(ref));
    await insertFiles(
      tx,
      changed.flatMap(({ outcome }) => (outcome.state === 'fetched' ? [outcome.file] : [])),
    );
    await tellFailures(
      batch,
      changed.filter(({ outcome }) => outcome.state === 'failed'),
    );
    for (const { lineRef } of changed) wake(outboxTopic(lineRef));
    return settlements.map(({ claim, ref }) => {
      if (!holds(claim)) return 'fenced';
      return refs.has(ref) ? 'settled' : 'gone';
    });
  },
};

function fetchedRow({ ref, outcome, now }: FetchSettlement): Row[] {
  return outcome.state === 'fetched' ? [{ ref, kind: outcome.kind, details: outcome.details, now }] : [];
}

function failedRow({ ref, outcome, now }: FetchSettlement): Row[] {
  return outcome.state === 'failed' ? [{ ref, error: SENTENCES.notFetched(outcome.reason), now }] : [];
}
