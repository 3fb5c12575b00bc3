/** Decides whose an own row is, once and for good, by what was handed over. */
import type { MessageRow } from '../chat-db/message-row.ts';
import type { Journal } from '../journal.ts';
import type { OwnRow, OwnRows } from '../own-rows.ts';
import { fileIn, type LedgerPart, type PartRow, SELECT_PARTS, toPart } from './ledger.ts';
import { type Match, matchRow } from './match-row.ts';

/** A row of a hand-over is dated from so long before it, to so long after it: a Messages that hung sends late. */
const DATED_BEFORE_MS = 10_000;
const DATED_AFTER_MS = 60 * 60_000;

export interface OwnRowClaims extends OwnRows {
  /** It is nobody's message, for good. */
  disown(row: MessageRow): void;
}

export function createOwnRowClaims({ database }: Journal, now: () => number): OwnRowClaims {
  const selectDecided = database.prepare<[string], DecidedRow>(
    `select o.reference, o.part, p.file_id, p.file_name, p.file_type, p.file_size
     from own_rows o left join send_parts p on p.reference = o.reference and p.part = o.part where o.guid = ?`,
  );
  const selectOpen = database.prepare<[number, number], PartRow>(
    `${SELECT_PARTS} where p.is_open = 1 and p.dispatched_at between ? and ? order by p.dispatched_at`,
  );
  const insertDecided = database.prepare(
    `insert into own_rows (guid, reference, part, decided_at) values (?, ?, ?, ?)
       on conflict (guid) do nothing`,
  );
  // The words are needed until the last of them was seen.
  const markSeen = database.prepare(
    `update send_parts set state = 'seen', guid = coalesce(guid, ?), covered = ?, is_open = ?, reason = null,
       text = iif(text is not null and ? = 0, '', text) where reference = ? and part = ?`,
  );
  const handOvers = createHandOvers(database);
  const disown = (guid: string): void => {
    insertDecided.run(guid, null, null, now());
  };
  const ours = (guid: string, reference: string, part: number, file: LedgerPart['file']): OwnRow => {
    const isComplete = handOvers.count(reference).missing === 0;
    return { state: 'ours', reference, part, isComplete, others: handOvers.others(reference, guid), file };
  };
  /** The first row of a part has its number; what Messages split off follows behind all parts. */
  const own = database.transaction((part: LedgerPart, row: MessageRow, match: Match & { state: 'yes' }): OwnRow => {
    const { reference } = part;
    const isOpen = match.isWhole ? 0 : 1;
    markSeen.run(row.guid, match.covered, isOpen, isOpen, reference, part.part);
    const { parts } = handOvers.count(reference);
    const number = part.state === 'seen' ? parts + handOvers.rowsFrom(reference, parts) : part.part;
    insertDecided.run(row.guid, reference, number, now());
    return ours(row.guid, reference, number, part.file);
  });
  return {
    disown: (row) => disown(row.guid),
    claim: (row) => {
      const decided = selectDecided.get(row.guid);
      if (decided !== undefined) {
        const { reference, part } = decided;
        if (reference === null || part === null) return { state: 'foreign' };
        return ours(row.guid, reference, part, fileIn(decided));
      }
      if (!isMessage(row)) return { state: 'foreign' };
      const open = selectOpen.all(row.date - DATED_AFTER_MS, row.date + DATED_BEFORE_MS).map(toPart);
      const parts = open.filter(({ maxRowidBefore }) => row.rowid > maxRowidBefore);
      // No hand-over can ever be given a row from before it: there is nothing to write down.
      if (parts.length === 0) return { state: 'foreign' };
      let mayBeOurs = false;
      for (const part of parts.sort((left, right) => RANKS[left.state] - RANKS[right.state])) {
        const match = matchRow(part, row);
        if (match.state === 'yes') return own(part, row, match);
        mayBeOurs ||= match.state === 'maybe';
      }
      if (mayBeOurs) return { state: 'undecided' };
      disown(row.guid);
      return { state: 'foreign' };
    },
  };
}

/** What is there of hand-overs, and of their rows. */
function createHandOvers(database: Journal['database']) {
  const countParts = database.prepare<[string], { parts: number; missing: number }>(
    `select count(*) as parts, coalesce(sum(state <> 'seen' or is_open = 1), 0) as missing
       from send_parts where reference = ?`,
  );
  const countRows = database.prepare<[string, number], { rows: number }>(
    'select count(*) as rows from own_rows where reference = ? and part >= ?',
  );
  const selectOthers = database.prepare<[string, string], { guid: string }>(
    'select guid from own_rows where reference = ? and guid <> ?',
  );
  return {
    /** `missing` are the parts whose rows, or some of them, have not been seen. */
    count: (reference: string) => countParts.get(reference) ?? { parts: 0, missing: 0 },
    rowsFrom: (reference: string, part: number) => countRows.get(reference, part)?.rows ?? 0,
    others: (reference: string, guid: string) => selectOthers.all(reference, guid).map((other) => other.guid),
  };
}

interface DecidedRow extends Pick<PartRow, 'file_id' | 'file_name' | 'file_type' | 'file_size'> {
  readonly reference: string | null;
  readonly part: number | null;
}

/** Which hand-over a row belongs to that fits several: the rest of one half seen, the one under way, the oldest. */
const RANKS: Readonly<Record<LedgerPart['state'], number>> = {
  seen: 0,
  dispatching: 1,
  unknown: 2,
  begun: 3,
  not_started: 3,
  failed: 3,
};

/** What scripts send is an ordinary message: no reaction, nothing about the chat, nothing planned for later. */
function isMessage(row: MessageRow): boolean {
  return row.isFromMe && row.itemType === 0 && row.associatedType === 0 && row.scheduleType === 0;
}
