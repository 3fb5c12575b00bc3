/**
 * Every write of the server passes here. A write is data: a name and what it does to many items at once, so that
 * concurrent requests share a commit and its one fsync. A promise of `write` resolves after that commit, never before.
 */
import type { IdKind, Ids } from '../domain/ids.ts';
import type { LinkFile } from '../wire/v1.ts';
import { type CommitDeps, commitEntries, type Entry } from './commit-entries.ts';
import type { Engine, LogEntry, Tx } from './database.ts';
import type { Ticket } from './ticket.ts';
import { watchLostAnswers } from './unanswered.ts';

/** A commit takes milliseconds, and whoever comes while it is under way waits for it. */
const BATCH_MAX = 192;
/** How much of a batch may be accepts while outcomes wait: accepting must not outrun delivering. */
const ACCEPTS_WHILE_OTHERS_WAIT = BATCH_MAX / 2;
/** How many outcomes come with few accepts, which are not to wait for a backlog; and how many with each further one. */
const OUTCOMES_WHILE_ACCEPTS_WAIT = BATCH_MAX / 4;
const OUTCOMES_PER_ACCEPT = 3;
const QUEUE_MAX = 5_000;
/** How long writes for which nobody waits may wait for company. */
const PATIENCE_MS = 5;

/** What a write is given: the transaction, and what it leaves for the commit. */
export interface Batch {
  readonly tx: Tx;
  /** Appends to the event log; the numbers are drawn in the commit. */
  emit(entry: LogEntry): void;
  /** A fresh public id. */
  newId(kind: IdKind): string;
  /** The link to a file, for what is told to others. */
  readonly linkFile: LinkFile;
  /** Wakes those who wait for the topic, in every process, once this is committed. */
  wake(topic: string): void;
}

export interface Write<Item, Result> {
  readonly name: string;
  /** Accepts give way to all else when both wait. */
  readonly kind: 'accept' | 'outcome';
  /** How many batches of this write may be open at once, where the engine has more than one writer. */
  readonly concurrency: number;
  /** Nobody waits for its commit: it rides with the next one, or waits a moment for company. */
  readonly isPatient?: true;
  /** Whether the result is a refusal: then no answer is kept for the request behind the item. */
  isRefusal?(result: Result): boolean;
  /** One result per item, in order. A refusal is a result; an exception rolls the batch back. */
  run(batch: Batch, items: readonly Item[]): Promise<readonly Result[]>;
}

export interface Writer {
  /** With a guarded ticket it rejects with `AnsweredBefore` or an `ApiError` where the request came before. */
  write<Item, Result>(write: Write<Item, Result>, item: Item, ticket?: Ticket): Promise<Result>;
  /** How many items wait to be written. */
  queued(): number;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
}

/** Too many writes wait already: refused before any work was done. */
export class WriterOverloadedError extends Error {
  constructor() {
    super(`More than ${QUEUE_MAX} writes are waiting.`);
    this.name = 'WriterOverloadedError';
  }
}

/** Entries that share commits. */
interface Lane {
  push(entry: Entry): void;
  /** How many wait. */
  length(): number;
  isIdle(): boolean;
}

export function createWriter(engine: Engine, ids: Ids, linkFile: LinkFile = refuseToLink): Writer {
  const deps: CommitDeps = { engine, ids, linkFile, lost: watchLostAnswers(engine) };
  const lanes = new Map<string, Lane>();
  let idleWaiters: (() => void)[] = [];

  /** SQLite has one writer, so all writes share one lane and its commits; on PostgreSQL each write has its own. */
  function laneOf(write: { name: string; concurrency: number }): Lane {
    const isShared = engine.kind === 'sqlite';
    const name = isShared ? 'all' : write.name;
    const lane = lanes.get(name) ?? createLane(deps, isShared ? 1 : write.concurrency, notifyIdle);
    lanes.set(name, lane);
    return lane;
  }

  const isIdle = () => [...lanes.values()].every((lane) => lane.isIdle());

  function notifyIdle(): void {
    if (!isIdle()) return;
    for (const waiter of idleWaiters) waiter();
    idleWaiters = [];
  }

  return {
    write<Item, Result>(write: Write<Item, Result>, item: Item, ticket: Ticket | null = null): Promise<Result> {
      const lane = laneOf(write);
      if (lane.length() >= QUEUE_MAX && write.kind === 'accept') return Promise.reject(new WriterOverloadedError());
      return new Promise<Result>((resolve, reject) => lane.push(entryFor(write, item, ticket, resolve, reject)));
    },
    queued: () => [...lanes.values()].reduce((sum, lane) => sum + lane.length(), 0),
    idle: () => (isIdle() ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
  };
}

function refuseToLink(): never {
  throw new Error('This writer was not told how files are linked to.');
}

function createLane(deps: CommitDeps, concurrency: number, onBatchEnd: () => void): Lane {
  const queue: Entry[] = [];
  let open = 0;
  /** Entries that somebody waits for. */
  let urgent = 0;
  let isScheduled = false;
  let patience: NodeJS.Timeout | null = null;

  function schedule(): void {
    if (isScheduled || open >= concurrency || queue.length === 0) return;
    if (urgent === 0 && queue.length < BATCH_MAX) {
      patience ??= setTimeout(flush, PATIENCE_MS);
      return;
    }
    isScheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    isScheduled = false;
    if (patience) clearTimeout(patience);
    patience = null;
    if (open >= concurrency || queue.length === 0) return;
    open++;
    const entries = takeBatch(queue);
    urgent -= entries.filter(isUrgent).length;
    void commitEntries(deps, entries).then(() => {
      open--;
      schedule();
      onBatchEnd();
    });
    schedule();
  }

  return {
    push(entry) {
      queue.push(entry);
      if (isUrgent(entry)) urgent++;
      schedule();
    },
    length: () => queue.length,
    isIdle: () => open === 0 && queue.length === 0,
  };
}

function entryFor<Item, Result>(
  write: Write<Item, Result>,
  item: Item,
  ticket: Ticket | null,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): Entry {
  return {
    write,
    item,
    ticket,
    // The queue holds entries of many writes; `runAll` is only ever given entries of its own.
    resolve: (result) => resolve(result as Result),
    reject,
    async runAll(batch, entries) {
      const results = await write.run(
        batch,
        entries.map((entry) => entry.item as Item),
      );
      if (results.length !== entries.length) {
        throw new Error(`The write ${write.name} gave ${results.length} results for ${entries.length} items.`);
      }
      return entries.map((entry, index) => {
        const result = results[index] as Result;
        return { entry, isRefusal: write.isRefusal?.(result) ?? false, answer: () => entry.resolve(result) };
      });
    },
  };
}

function isUrgent(entry: Entry): boolean {
  return !entry.write.isPatient;
}

/** Takes the oldest entries out of the queue, but only a part of each kind while both wait. */
function takeBatch(queue: Entry[]): Entry[] {
  const accepts = queue.filter(isAccept).length;
  const room = { accept: BATCH_MAX, outcome: BATCH_MAX };
  if (accepts > 0 && accepts < queue.length) {
    room.accept = ACCEPTS_WHILE_OTHERS_WAIT;
    room.outcome = Math.max(OUTCOMES_WHILE_ACCEPTS_WAIT, accepts * OUTCOMES_PER_ACCEPT);
  }
  const taken: Entry[] = [];
  const left: Entry[] = [];
  for (const entry of queue) {
    const { kind } = entry.write;
    if (taken.length >= BATCH_MAX || room[kind] === 0) {
      left.push(entry);
      continue;
    }
    room[kind]--;
    taken.push(entry);
  }
  queue.splice(0, queue.length, ...left);
  return taken;
}

function isAccept(entry: Entry): boolean {
  return entry.write.kind === 'accept';
}
