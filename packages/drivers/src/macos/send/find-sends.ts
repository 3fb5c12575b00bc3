/** What became of hand-overs whose outcome was lost: from the ledger, and from the rows that came meanwhile. */
import type { HandOver, LookUp } from '../../line-driver.ts';
import type { ChatDb } from '../chat-db/chat-db.ts';
import type { MessageRow } from '../chat-db/message-row.ts';
import { ChatDbUnreadableError } from '../chat-db/open-chat-db.ts';
import type { Ledger, LedgerPart } from './ledger.ts';
import type { OwnRowClaims } from './own-row-claims.ts';
import type { SendTimings } from './timings.ts';

/** A send of this process, from when it is asked for until it is answered. */
export interface Flight {
  readonly reference: string;
  /** It has had its turn in the lane, and looked whether it was given up. */
  hasBegun: boolean;
  readonly done: Promise<unknown>;
}

export interface FindDeps {
  readonly chatDb: Pick<ChatDb, 'ownRowsAfter'>;
  readonly ledger: Ledger;
  readonly claims: OwnRowClaims;
  readonly flights: ReadonlySet<Flight>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly timings: Pick<SendTimings, 'pollMs' | 'settleMs'>;
  readonly isClosing: () => boolean;
}

export async function findSends(deps: FindDeps, lost: readonly HandOver[]): Promise<Map<string, LookUp>> {
  const flightsOf = (reference: string) => [...deps.flights].filter((flight) => flight.reference === reference);
  // What waits for its turn is given up before it; what has begun is waited for.
  const waiting = lost.filter(({ reference }) => flightsOf(reference).some(({ hasBegun }) => !hasBegun));
  if (waiting.length > 0) deps.ledger.void(waiting, deps.now());
  await Promise.all(lost.flatMap(({ reference }) => flightsOf(reference).map(({ done }) => done)));
  await settle(deps, lost);
  const answers = new Map<string, LookUp>();
  const voided: HandOver[] = [];
  for (const one of lost) {
    const answer = answerFor(deps, one.reference);
    if (answer.state === 'not_started') voided.push(one);
    answers.set(one.reference, answer);
  }
  // The promise is on the disk before it is given.
  if (voided.length > 0) deps.ledger.void(voided, deps.now());
  return answers;
}

function answerFor({ ledger, flights }: FindDeps, reference: string): LookUp {
  // It was asked for again meanwhile: by then it may be under way.
  if ([...flights].some((flight) => flight.reference === reference && flight.hasBegun)) return { state: 'unknown' };
  const parts = ledger.item(reference)?.parts ?? [];
  if (parts.some(isLost)) return { state: 'unknown' };
  const [first] = parts;
  const areSeen = parts.every(({ state }) => state === 'seen');
  // Of an item that is half out the other half can go: the next attempt does not repeat what was seen.
  return areSeen && first?.guid ? { state: 'found', guid: first.guid } : { state: 'not_started' };
}

/** Gives the rows of what was dispatched their time to come. What has none by then is unknown, and stays open for one. */
async function settle(deps: FindDeps, lost: readonly HandOver[]): Promise<void> {
  const { ledger, claims, chatDb, timings } = deps;
  const lostParts = (): LedgerPart[] =>
    lost.flatMap(({ reference }) => (ledger.item(reference)?.parts ?? []).filter(isLost));
  let missing = lostParts();
  let after = Math.min(...missing.map(({ maxRowidBefore }) => maxRowidBefore));
  for (let waitedMs = 0; missing.length > 0; waitedMs += timings.pollMs) {
    let areDecided = true;
    for (const row of rowsAfter(chatDb, after)) {
      areDecided &&= claims.claim(row).state !== 'undecided';
      if (areDecided) after = row.rowid;
    }
    missing = missing.filter(({ reference, part }) => isLost(ledger.part(reference, part)));
    if (missing.length === 0 || waitedMs >= timings.settleMs || deps.isClosing()) break;
    await deps.sleep(timings.pollMs);
  }
  for (const part of missing.filter(({ state }) => state === 'dispatching')) {
    ledger.settle(part, 'unknown', 'The bridge ended while this was being sent; it may have gone out.');
  }
}

/** A database that cannot be read for a moment has no new rows in it, and is asked again. */
function rowsAfter(chatDb: FindDeps['chatDb'], rowid: number): readonly MessageRow[] {
  try {
    return chatDb.ownRowsAfter(rowid);
  } catch (error) {
    if (!(error instanceof ChatDbUnreadableError)) throw error;
    return [];
  }
}

function isLost(part: LedgerPart | null): boolean {
  return part?.state === 'dispatching' || part?.state === 'unknown';
}
