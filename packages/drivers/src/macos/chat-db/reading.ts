/**
 * One look at the message database after another. What a look finds is reported first and remembered afterwards, so a
 * crash in between reports it again, under the same GUIDs.
 */
import type { DriverContext } from '../../line-driver.ts';
import type { OwnRows } from '../own-rows.ts';
import { type AttachmentMover, createAttachmentMover } from './attachment-mover.ts';
import { judgeRow } from './judge-row.ts';
import { lookForAttachments } from './late-attachments.ts';
import { type ChatDbPlace, identifyFile, type OpenChatDb, openChatDb } from './open-chat-db.ts';
import { type Outcome, partsOf, type Sighting } from './outcome.ts';
import { findOwnChanges } from './own-changes.ts';
import { type Beginning, cursorOf, findBeginning, isSameNumbering, renewSamples, rowsSince } from './position.ts';
import type { Position, ReaderMemory, ToldRow } from './reader-memory.ts';
import { maxRowid, type ReadRow, rowsAfter, rowsByGuid, rowsByRowid, unjoinedRows } from './rows.ts';
import { OLD_BY_MS } from './to-events.ts';

const ROWS_MAX = 200;
const EVENTS_MAX = 200;
/** A new row without a chat holds up those behind it for this long, so that a conversation keeps its order. */
const JOIN_HOLD_MS = 250;
/** A message from a peer of so short a time ago proves that what is sent to this Mac arrives at present. */
const FRESH_MS = 60_000;
/** After a sleep the newest may arrive before what was missed. */
const PROOF_SETTLES_MS = 10 * 60_000;
/** At the first start, rows as young as this may still get their chat. */
const YOUNG_MS = 60_000;
/** GUIDs are remembered for so long. */
const REMEMBERED_MS = 90 * 24 * 3_600_000;
const FORGET_EVERY_MS = 3_600_000;
/** Own messages of the last minutes are compared at each look, those of hours more seldom, the rest at full looks. */
const OWN_LOOKS = [
  { everyMs: 0, withinMs: 10 * 60_000, limit: 500 },
  { everyMs: 10_000, withinMs: 6 * 3_600_000, limit: 5_000 },
  { everyMs: 30_000, withinMs: 30 * 24 * 3_600_000, limit: 20_000 },
] as const;

const BEFORE = {
  asWhat: 'before',
  isDirect: false,
  reference: null,
  isDelivered: false,
  isRead: false,
  error: 0,
  isSettled: true,
} as const satisfies Omit<ToldRow, 'guid' | 'at'>;

/** The server did not take a report: the same is reported again later. */
export class ReportRefusedError extends Error {
  override readonly name = 'ReportRefusedError';
}

export interface ReadingOptions {
  readonly place: ChatDbPlace;
  /** The line's handle. */
  readonly line: string;
  readonly memory: ReaderMemory;
  readonly ownRows: OwnRows;
  readonly context: DriverContext;
  readonly cursor: string | null;
  /** Called when bytes have arrived at the server. */
  readonly onArrival: () => void;
}

export class Reading {
  readonly #options: ReadingOptions;
  readonly #mover: AttachmentMover;
  #db: OpenChatDb | null = null;
  #position: Position | null = null;
  /** Another database whose rows are still to be looked through. */
  #other: Extract<Beginning, { is: 'other' }> | null = null;
  #isCursorToTell = false;
  /** The highest row that the server may know of without our knowing. */
  #uncertainUpTo = 0;
  /** Of the database at the last look that was finished. */
  #version: number | null = null;
  readonly #ownLookedAt = OWN_LOOKS.map(() => 0);
  readonly #ownIsChanged = OWN_LOOKS.map(() => true);
  /** New rows without a chat, by their numbers, and since when they are known. */
  #unjoined: ReadonlyMap<number, number> = new Map();
  #provenAt: number | null = null;
  #forgottenAt = 0;

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.#mover = createAttachmentMover(options.context, options.onArrival);
  }

  get position(): Position | null {
    return this.#position;
  }

  /** A row is held for a moment: the next look is to come soon. */
  get isHolding(): boolean {
    return this.#unjoined.size > 0;
  }

  /** This Mac has slept: what was proven before has not settled meanwhile. */
  wake(): void {
    if (this.#provenAt !== null) this.#provenAt = this.#options.context.now();
  }

  newest(): number | null {
    return this.#db === null ? null : maxRowid(this.#db);
  }

  /** Opens the database and finds where to go on. */
  open(): OpenChatDb {
    const { place, memory, context, cursor } = this.#options;
    if (this.#db !== null && identifyFile(place.path) === this.#db.file) return this.#db;
    this.closeDatabase();
    const db = openChatDb(place);
    this.#db = db;
    this.#begin(db, findBeginning(db, memory, { cursor, now: context.now() }));
    return db;
  }

  closeDatabase(): void {
    this.#db?.close();
    this.#db = null;
    this.#version = null;
  }

  close(): void {
    this.closeDatabase();
    this.#mover.stop();
  }

  /** Looks at what has changed; a full look does not ask whether something has. */
  async lookOnce(isFull: boolean): Promise<void> {
    const { context, memory, cursor } = this.#options;
    const now = context.now();
    const db = this.open();
    const version = db.dataVersion();
    const isChanged = isFull || version !== this.#version;
    if (isChanged) {
      this.#ownIsChanged.fill(true);
      const position = this.#position;
      const isOther = position !== null && this.#other === null && !isSameNumbering(db, position, maxRowid(db));
      if (isOther) this.#begin(db, findBeginning(db, memory, { cursor, now }));
    }
    if (this.#isCursorToTell) await this.#tellCursor();
    await this.#lookThroughOther(db);
    const arrived = this.#mover.takeArrived();
    // What was sent meanwhile is told before what was written after it.
    await this.#lookAtWaiting(db, now, arrived, isChanged);
    if (isChanged) await this.#lookAtNew(db);
    await this.#lookAtOwn(db, now);
    await this.#settle(lookForAttachments(db, this.#mover, memory.dueAttachments(now, arrived), now));
    this.#version = this.isHolding ? null : version;
    if (isFull) this.#tidy(db, now);
  }

  #begin(db: OpenChatDb, beginning: Beginning): void {
    const { memory, context } = this.#options;
    this.#version = null;
    this.#uncertainUpTo = beginning.is === 'first' ? 0 : maxRowid(db);
    this.#other = beginning.is === 'other' ? beginning : null;
    if (beginning.is === 'other') {
      const { rowids, position } = beginning;
      this.#position = memory.position() ?? position;
      context.log('warn', 'The message database is another one than before and is looked through for what is new.', {
        rows: rowids.length,
      });
      return;
    }
    this.#position = beginning.position;
    if (memory.position() !== null) return;
    memory.together(() => {
      memory.keepPosition(beginning.position);
      if (beginning.is === 'first') this.#keepPast(db, context.now());
    });
    this.#isCursorToTell = beginning.is === 'first';
  }

  /** Rows that are on their way are the line's; what is there is not, also where another database brings it again. */
  #keepPast(db: OpenChatDb, now: number): void {
    const { memory } = this.#options;
    const coming = unjoinedRows(db, now - YOUNG_MS);
    for (const { rowid, guid } of coming) {
      memory.keepWaiting({ guid, rowid, why: 'unjoined', firstSeen: now, since: now, dueAt: now });
    }
    const isComing = new Set(coming.map(({ guid }) => guid));
    for (const { guid } of rowsSince(db, now - OLD_BY_MS, maxRowid(db))) {
      if (!isComing.has(guid)) memory.keepTold({ ...BEFORE, guid, at: now });
    }
  }

  /** So the server knows where the line began, even where nothing comes for long. */
  async #tellCursor(): Promise<void> {
    const position = this.#position;
    if (position === null) return;
    await this.#report([{ kind: 'cursor', cursor: cursorOf(position, position.frontier) }]);
    this.#isCursorToTell = false;
  }

  async #lookThroughOther(db: OpenChatDb): Promise<void> {
    const other = this.#other;
    if (other === null) return;
    const now = this.#options.context.now();
    for (let begun = 0; begun < other.rowids.length; begun += ROWS_MAX) {
      const rows = rowsByRowid(db, other.rowids.slice(begun, begun + ROWS_MAX));
      await this.#settle(
        this.#judge(
          db,
          rows.map((row) => ({ row, firstSeen: now, waiting: null })),
        ),
      );
    }
    await this.#settle([], other.position);
    this.#other = null;
    this.#isCursorToTell = true;
    await this.#tellCursor();
  }

  async #lookAtWaiting(db: OpenChatDb, now: number, arrived: readonly string[], isChanged: boolean): Promise<void> {
    const { memory } = this.#options;
    let named = arrived;
    let withUnsent = isChanged;
    for (;;) {
      const due = memory.dueWaiting(now, named, withUnsent, ROWS_MAX);
      if (due.length === 0) return;
      const rows = new Map(
        rowsByGuid(
          db,
          due.map(({ guid }) => guid),
        ).map((row) => [row.guid, row]),
      );
      const sightings: Sighting<ReadRow>[] = [];
      const gone: Outcome[] = [];
      for (const waiting of due) {
        const row = rows.get(waiting.guid);
        if (row !== undefined) sightings.push({ row, firstSeen: waiting.firstSeen, waiting });
        else gone.push({ events: [], keep: (kept) => kept.dropWaiting(waiting.guid) });
      }
      await this.#settle([...this.#judge(db, sightings), ...gone]);
      named = [];
      withUnsent = false;
      if (due.length < ROWS_MAX) return;
    }
  }

  async #lookAtNew(db: OpenChatDb): Promise<void> {
    const { context } = this.#options;
    for (;;) {
      const position = this.#position;
      if (position === null) return;
      const now = context.now();
      const found = rowsAfter(db, position.frontier, ROWS_MAX);
      const rows = this.#upToHeld(found, now);
      const last = rows.at(-1);
      if (last === undefined) return;
      const sightings = rows.map((row) => ({ row, firstSeen: now, waiting: null }));
      await this.#settle(this.#judge(db, sightings), { ...position, frontier: last.rowid });
      if (rows.some((row) => !row.isFromMe && Math.abs(now - row.date) < FRESH_MS)) this.#provenAt ??= now;
      if (rows.length < ROWS_MAX) return;
    }
  }

  /** The rows before the first one whose chat may come at any moment. */
  #upToHeld(rows: readonly ReadRow[], now: number): readonly ReadRow[] {
    const unjoined = rows.filter(({ chat }) => chat === null);
    const since = new Map(unjoined.map(({ rowid }) => [rowid, this.#unjoined.get(rowid) ?? now]));
    const isHeld = (at: number): boolean => now >= at && now - at < JOIN_HOLD_MS;
    const held = rows.findIndex(({ rowid }) => isHeld(since.get(rowid) ?? 0));
    this.#unjoined = held < 0 ? new Map() : since;
    return held < 0 ? rows : rows.slice(0, held);
  }

  async #lookAtOwn(db: OpenChatDb, now: number): Promise<void> {
    const { memory } = this.#options;
    const tier = OWN_LOOKS.findLastIndex(
      ({ everyMs }, at) => this.#ownIsChanged[at] === true && Math.abs(now - (this.#ownLookedAt[at] ?? 0)) >= everyMs,
    );
    const look = OWN_LOOKS[tier];
    if (look === undefined) return;
    const { outcomes, again } = findOwnChanges(db, memory.unsettled(now - look.withinMs, look.limit), now);
    const before = memory.told(again);
    const rows = rowsByGuid(db, again).map((row) => {
      return { row, firstSeen: before.get(row.guid)?.at ?? now, waiting: null };
    });
    await this.#settle([...outcomes, ...this.#judge(db, rows)]);
    for (let at = 0; at <= tier; at += 1) {
      this.#ownLookedAt[at] = now;
      this.#ownIsChanged[at] = false;
    }
  }

  #judge(db: OpenChatDb, sightings: readonly Sighting<ReadRow>[]): Outcome[] {
    const { line, ownRows, memory, context } = this.#options;
    const known = memory.told(sightings.map(({ row }) => row.guid));
    const inThisLook = new Set<string>();
    const before = (guid: string): ToldRow | null => known.get(guid) ?? memory.told([guid]).get(guid) ?? null;
    const judging = {
      db,
      line,
      ownRows,
      mover: this.#mover,
      now: context.now(),
      // A clock that was ahead has been set back: nothing is old for being from before a moment that has not come.
      caughtUpAt: Math.min(this.#position?.caughtUpAt ?? 0, context.now()),
      uncertainUpTo: this.#uncertainUpTo,
      told: (guid: string) => (inThisLook.has(guid) ? 'message' : (before(guid)?.asWhat ?? null)),
      isOut: (guid: string) => {
        const told = before(guid);
        return inThisLook.has(guid) || (told?.asWhat === 'message' && told.error === 0);
      },
    };
    return sightings.map((sighting) => {
      const outcome = judgeRow(judging, sighting);
      // A preview may come in the same look as its text, and a file in that of the words before it.
      if (outcome.events.some(({ kind }) => kind === 'message')) inThisLook.add(sighting.row.guid);
      return outcome;
    });
  }

  /** Reports, and then remembers; with the last part the position that is reached by it. */
  async #settle(outcomes: readonly Outcome[], reached: Position | null = null): Promise<void> {
    const { memory } = this.#options;
    const position = reached ?? this.#position;
    if (position === null || (outcomes.length === 0 && reached === null)) return;
    const parts = partsOf(outcomes, EVENTS_MAX);
    for (const [at, part] of parts.entries()) {
      const isLast = at === parts.length - 1;
      const before = this.#position ?? position;
      const cursor = isLast ? cursorOf(position, position.frontier) : cursorOf(before, before.frontier);
      const events = part.flatMap((outcome) => outcome.events.map((event) => ({ ...event, cursor })));
      if (events.length > 0) await this.#report(events);
      memory.together(() => {
        for (const outcome of part) outcome.keep(memory);
        if (isLast && reached !== null) memory.keepPosition(reached);
      });
    }
    this.#position = position;
  }

  async #report(events: Parameters<DriverContext['report']>[0]): Promise<void> {
    try {
      await this.#options.context.report(events);
    } catch (error) {
      this.#uncertainUpTo = this.newest() ?? this.#uncertainUpTo;
      throw new ReportRefusedError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Moves what is known of the past, and lets go of what is too old. */
  #tidy(db: OpenChatDb, now: number): void {
    const { memory } = this.#options;
    const position = this.#position;
    if (position === null || this.#other !== null) return;
    const isProven = this.#provenAt !== null && now - this.#provenAt >= PROOF_SETTLES_MS;
    const reachedAt = isProven ? Math.max(position.caughtUpAt, this.#provenAt ?? 0) : position.caughtUpAt;
    const caughtUpAt = Math.min(reachedAt, now);
    if (isProven) this.#provenAt = null;
    const renewed = renewSamples(db, { ...position, caughtUpAt });
    if (renewed.caughtUpAt !== position.caughtUpAt || renewed.samples !== position.samples) {
      memory.keepPosition(renewed);
      this.#position = renewed;
    }
    if (now - this.#forgottenAt < FORGET_EVERY_MS) return;
    this.#forgottenAt = now;
    memory.together(() => memory.forget(now - REMEMBERED_MS));
  }
}
