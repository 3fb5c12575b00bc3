/** One batch of queued writes, whatever they are: its guards, its writes, its one commit, and the answers after it. */
import type { Ids } from '../domain/ids.ts';
import type { LinkFile } from '../wire/v1.ts';
import { CollidedError, type Engine, type LogEntry, StorageUnavailableError } from './database.ts';
import { checkGuards, settleGuards } from './guards.ts';
import { type AnswerBatch, AnsweredBefore, type Guard, type Ticket } from './ticket.ts';
import type { LostWatch } from './unanswered.ts';
import type { Batch } from './writer.ts';

/** How often a batch is run when it collides; PostgreSQL looks for a deadlock after a second. */
const TRIES = 5;

/** A queued item, its types hidden so that writes of many kinds can share a queue. */
export interface Entry {
  readonly write: { readonly name: string; readonly kind: 'accept' | 'outcome'; readonly isPatient?: true };
  /** Runs the write for all these entries, which are of one kind, and returns how to answer each. */
  runAll(batch: Batch, entries: readonly Entry[]): Promise<readonly Done[]>;
  readonly item: unknown;
  readonly ticket: Ticket | null;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface Done {
  readonly entry: Entry;
  readonly isRefusal: boolean;
  readonly answer: () => void;
}

/**
 * Commits the entries together. When one of them throws, the batch is halved until the culprit stands alone; when the
 * disk or the connection fails, all are refused, for nobody in the batch is to blame. A batch that collided with another
 * one, which went on, is run again.
 */
export async function commitEntries(deps: CommitDeps, entries: readonly Entry[], triesLeft = TRIES): Promise<void> {
  const { engine, ids, linkFile } = deps;
  if (entries.length === 0) return;
  const later: Entry[] = [];
  try {
    for (const { ticket } of entries) ticket?.begun();
    const { answers, unanswered } = await engine.commit(async (tx) => {
      const log: LogEntry[] = [];
      const topics: string[] = [];
      const batch: Batch = {
        tx,
        emit: (entry) => log.push(entry),
        newId: (kind) => ids.make(kind),
        linkFile,
        wake: (topic) => topics.push(topic),
      };
      later.length = 0;
      const value = await runGuarded(batch, entries, later, deps.lost);
      return { value, log, topics };
    });
    for (const { ticket } of entries) ticket?.committed(unanswered);
    // A client that hung up while its batch was committed is seen to have gone before its answer is written.
    if (unanswered) await new Promise(setImmediate);
    for (const answer of answers) answer();
  } catch (error) {
    // What a batch that is undone found of lost answers is undone with it, and has to be found again.
    deps.lost.lookedAt = Number.NEGATIVE_INFINITY;
    if (error instanceof CollidedError && triesLeft > 1) return commitEntries(deps, entries, triesLeft - 1);
    if (error instanceof StorageUnavailableError || entries.length === 1) {
      for (const entry of entries) entry.reject(error);
      return;
    }
    const middle = Math.floor(entries.length / 2);
    await commitEntries(deps, entries.slice(0, middle));
    await commitEntries(deps, entries.slice(middle));
    return;
  }
  await commitEntries(deps, later);
}

export interface CommitDeps {
  readonly engine: Engine;
  readonly ids: Ids;
  readonly linkFile: LinkFile;
  readonly lost: LostWatch;
}

interface Guarded {
  /** How to answer everybody. */
  readonly answers: (() => void)[];
  readonly unanswered: AnswerBatch | null;
}

/**
 * Runs what no guard holds back, keeps its answers, and gives how to answer everybody; what has to wait for a twin in
 * this batch goes to `later`.
 */
async function runGuarded(batch: Batch, entries: readonly Entry[], later: Entry[], lost: LostWatch): Promise<Guarded> {
  const guards = entries.map((entry) => entry.ticket?.guard ?? null);
  const verdicts = await checkGuards(batch, guards, lost);
  const going: Entry[] = [];
  const answers: (() => void)[] = [];
  const again: Guard[] = [];
  entries.forEach((entry, index) => {
    const verdict = verdicts[index];
    if (verdict === 'go') going.push(entry);
    else if (verdict === 'later') later.push(entry);
    else answers.push(() => entry.reject(verdict));
    const guard = entry.ticket?.guard;
    if (!guard || !(verdict instanceof AnsweredBefore) || verdict.lostId === null) return;
    again.push({ ...guard, id: verdict.lostId, answer: verdict.answer });
  });
  const done: Done[] = [];
  for (const group of groupByWrite(going)) done.push(...(await (group[0]?.runAll(batch, group) ?? [])));
  const unanswered = await settleGuards(batch.tx, [...guardsOf(done, false), ...again], guardsOf(done, true));
  for (const { answer } of done) answers.push(answer);
  return { answers, unanswered };
}

function guardsOf(done: readonly Done[], isRefusal: boolean): Guard[] {
  return done.flatMap(({ entry, ...one }) =>
    one.isRefusal === isRefusal && entry.ticket?.guard ? [entry.ticket.guard] : [],
  );
}

function groupByWrite(entries: readonly Entry[]): Entry[][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.write.name);
    if (group) group.push(entry);
    else groups.set(entry.write.name, [entry]);
  }
  return [...groups.values()];
}
