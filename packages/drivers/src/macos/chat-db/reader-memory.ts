/** What the reader remembers over restarts. */
import type { JournalDatabase } from '../journal.ts';

export interface Sample {
  readonly rowid: number;
  readonly guid: string;
}

export interface Position {
  /** Names the database and its numbering of rows. */
  readonly epoch: string;
  /** Names the file. */
  readonly file: string;
  /** Rows by which the numbering is known again. */
  readonly samples: readonly Sample[];
  /** The highest ROWID that was looked at. */
  readonly frontier: number;
  /** When the line was first read. */
  readonly begunAt: number;
  /** The moment up to which the line is known to have been read. */
  readonly caughtUpAt: number;
}

export interface Waiting {
  readonly guid: string;
  readonly rowid: number;
  readonly why: string;
  readonly firstSeen: number;
  /** When it began to wait for this reason. */
  readonly since: number;
  readonly dueAt: number;
}

export interface Orphan {
  readonly guid: string;
  readonly rowid: number;
  readonly why: string;
  readonly at: number;
}

export interface ToldRow {
  readonly guid: string;
  /**
   * A piece is a preview, a change one of the group, a twin the inbound half of a message to oneself. A refusal may still
   * become a message. What was there when the line began is `before`: it is never told.
   */
  readonly asWhat: 'message' | 'piece' | 'change' | 'twin' | 'refusal' | 'before';
  readonly isDirect: boolean;
  readonly reference: string | null;
  readonly isDelivered: boolean;
  readonly isRead: boolean;
  readonly error: number;
  /** Nothing more will become of it. */
  readonly isSettled: boolean;
  readonly at: number;
}

export interface AttachmentWait {
  readonly guid: string;
  readonly place: number;
  readonly isOld: boolean;
  readonly firstSeen: number;
  readonly dueAt: number;
}

type Cell = string | number | null;
type Cells = Record<string, Cell>;

const ATTACHMENTS_MAX = 100;
/** Longer than any gap between two looks at one row: what is due that much later was put off by another clock. */
export const UNWATCHED_MS = 60_000;

/** Of one line. Every method is one statement; `together` makes several of them one commit. */
export class ReaderMemory {
  readonly #line: string;
  readonly #database: JournalDatabase;
  readonly #statements = new Map<string, ReturnType<JournalDatabase['prepare']>>();

  constructor(database: JournalDatabase, line: string) {
    this.#database = database;
    this.#line = line;
  }

  together(work: () => void): void {
    this.#database.transaction(work).immediate();
  }

  position(): Position | null {
    const [row] = this.#all('select * from reader_positions where line = @line');
    if (row === undefined) return null;
    return {
      epoch: String(row['epoch']),
      file: String(row['file']),
      samples: JSON.parse(String(row['samples'])),
      frontier: Number(row['frontier']),
      begunAt: Number(row['begun_at']),
      caughtUpAt: Number(row['caught_up_at']),
    };
  }

  keepPosition({ samples, ...position }: Position): void {
    this.#run(
      `insert or replace into reader_positions (line, epoch, file, samples, frontier, begun_at, caught_up_at)
       values (@line, @epoch, @file, @samples, @frontier, @begunAt, @caughtUpAt)`,
      { ...position, samples: JSON.stringify(samples) },
    );
  }

  /** Those whose time has come, those that are named, and all own ones where asked for, in the order of their arrival. */
  dueWaiting(now: number, named: readonly string[], withUnsent: boolean, limit: number): Waiting[] {
    const due = `select guid, rowid_seen, why, first_seen, since, due_at from reader_waiting
                 where line = @line and (due_at <= @now or due_at > @now + ${UNWATCHED_MS} or why = @unsent
                   or guid in (select value from json_each(@named)))
                 order by rowid_seen limit @limit`;
    const unsent = withUnsent ? 'unsent' : null;
    return this.#all(due, { now, named: JSON.stringify(named), unsent, limit }).map((row) => ({
      guid: String(row['guid']),
      rowid: Number(row['rowid_seen']),
      why: String(row['why']),
      firstSeen: Number(row['first_seen']),
      since: Number(row['since']),
      dueAt: Number(row['due_at']),
    }));
  }

  keepWaiting({ guid, rowid, why, firstSeen, since, dueAt }: Waiting): void {
    this.#run(
      `insert into reader_waiting (line, guid, rowid_seen, why, first_seen, since, due_at)
       values (@line, @guid, @rowid, @why, @firstSeen, @since, @dueAt)
       on conflict (line, guid) do update set rowid_seen = @rowid, why = @why, first_seen = @firstSeen, since = @since,
         due_at = @dueAt`,
      { guid, rowid, why, firstSeen, since, dueAt },
    );
  }

  dropWaiting(guid: string): void {
    this.#run('delete from reader_waiting where line = @line and guid = @guid', { guid });
  }

  keepOrphan({ guid, rowid, why, at }: Orphan): void {
    this.#run(
      `insert or replace into reader_orphans (line, guid, rowid_seen, why, at) values (@line, @guid, @rowid, @why, @at)`,
      { guid, rowid, why, at },
    );
  }

  newestOrphans(limit: number): Orphan[] {
    const newest =
      'select guid, rowid_seen, why, at from reader_orphans where line = @line order by at desc limit @limit';
    return this.#all(newest, { limit }).map((row) => ({
      guid: String(row['guid']),
      rowid: Number(row['rowid_seen']),
      why: String(row['why']),
      at: Number(row['at']),
    }));
  }

  /** By GUID. */
  told(guids: readonly string[]): ReadonlyMap<string, ToldRow> {
    const named = 'select * from reader_told where line = @line and guid in (select value from json_each(@guids))';
    const rows = this.#all(named, { guids: JSON.stringify(guids) });
    return new Map(rows.map((row) => [String(row['guid']), toTold(row)]));
  }

  /** Own messages of which more may become, newest first. */
  unsettled(since: number, limit: number): ToldRow[] {
    const open = `select * from reader_told where line = @line and is_settled = 0 and at >= @since
                  order by at desc limit @limit`;
    return this.#all(open, { since, limit }).map(toTold);
  }

  keepTold({ isDirect, isDelivered, isRead, isSettled, ...told }: ToldRow): void {
    this.#run(
      `insert or replace into reader_told
         (line, guid, as_what, is_direct, reference, is_delivered, is_read, error, is_settled, at)
       values (@line, @guid, @asWhat, @isDirect, @reference, @isDelivered, @isRead, @error, @isSettled, @at)`,
      {
        ...told,
        isDirect: Number(isDirect),
        isDelivered: Number(isDelivered),
        isRead: Number(isRead),
        isSettled: Number(isSettled),
      },
    );
  }

  /** Those whose time has come, and those of the messages that are named; of new messages first. */
  dueAttachments(now: number, named: readonly string[]): AttachmentWait[] {
    const due = `select guid, place, is_old, first_seen, due_at from reader_attachments
                 where line = @line and (due_at <= @now or due_at > @now + ${UNWATCHED_MS}
                   or guid in (select value from json_each(@named)))
                 order by is_old, due_at limit ${ATTACHMENTS_MAX}`;
    return this.#all(due, { now, named: JSON.stringify(named) }).map((row) => ({
      guid: String(row['guid']),
      place: Number(row['place']),
      isOld: row['is_old'] === 1,
      firstSeen: Number(row['first_seen']),
      dueAt: Number(row['due_at']),
    }));
  }

  keepAttachment({ guid, place, isOld, firstSeen, dueAt }: AttachmentWait): void {
    this.#run(
      `insert into reader_attachments (line, guid, place, is_old, first_seen, due_at)
       values (@line, @guid, @place, @isOld, @firstSeen, @dueAt)
       on conflict (line, guid, place) do update set due_at = @dueAt`,
      { guid, place, isOld: Number(isOld), firstSeen, dueAt },
    );
  }

  dropAttachment({ guid, place }: Pick<AttachmentWait, 'guid' | 'place'>): void {
    this.#run('delete from reader_attachments where line = @line and guid = @guid and place = @place', { guid, place });
  }

  counts(): { readonly waiting: number; readonly orphans: number; readonly attachments: number } {
    const count = (table: string): number =>
      Number(this.#all(`select count(*) as n from ${table} where line = @line`)[0]?.['n']);
    return {
      waiting: count('reader_waiting'),
      orphans: count('reader_orphans'),
      attachments: count('reader_attachments'),
    };
  }

  forget(before: number): void {
    this.#run('delete from reader_told where line = @line and at < @before', { before });
    this.#run('delete from reader_orphans where line = @line and at < @before', { before });
  }

  #all(sql: string, values: Cells = {}): Record<string, unknown>[] {
    // SQLite gives every row as an object of its columns.
    return this.#prepare(sql).all({ line: this.#line, ...values }) as Record<string, unknown>[];
  }

  #run(sql: string, values: Cells): void {
    this.#prepare(sql).run({ line: this.#line, ...values });
  }

  #prepare(sql: string): ReturnType<JournalDatabase['prepare']> {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Rows of this table are written by `keepTold` alone. */
function toTold(row: Record<string, unknown>): ToldRow {
  return {
    guid: String(row['guid']),
    asWhat: String(row['as_what']) as ToldRow['asWhat'],
    isDirect: row['is_direct'] === 1,
    reference: typeof row['reference'] === 'string' ? row['reference'] : null,
    isDelivered: row['is_delivered'] === 1,
    isRead: row['is_read'] === 1,
    error: Number(row['error']),
    isSettled: row['is_settled'] === 1,
    at: Number(row['at']),
  };
}
