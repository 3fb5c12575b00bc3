/**
 * What was handed over and what became of it, part by part: on the disk before Messages hears of it. It alone decides
 * what may be sent, so that nothing is sent twice, whatever process asks.
 */
import type { ChatAddress, HandOver, OutgoingFile, SendMessage } from '../../line-driver.ts';
import type { Journal, JournalDatabase } from '../journal.ts';

/**
 * `begun` and `not_started` have certainly not gone out; `dispatching` and `unknown` may have; `seen` has its row;
 * `failed` never will.
 */
export type PartState = 'begun' | 'dispatching' | 'seen' | 'failed' | 'not_started' | 'unknown';

export interface LedgerPart {
  readonly reference: string;
  /** 0 is the text where there is one; files follow in their order. */
  readonly part: number;
  readonly state: PartState;
  readonly chat: ChatAddress;
  /** What is sent: a text, empty once its outcome is certain; null where it is a file. */
  readonly text: string | null;
  /** Null where it is the text. */
  readonly file: OutgoingFile | null;
  readonly stagedPath: string | null;
  /** The newest row of the message database before Messages heard of it. */
  readonly maxRowidBefore: number;
  readonly dispatchedAt: number;
  readonly chatGuids: readonly string[];
  readonly covered: number;
  readonly isOpen: boolean;
  readonly guid: string | null;
  readonly reason: string | null;
}

export interface LedgerItem {
  readonly reference: string;
  readonly attempt: number;
  readonly chat: ChatAddress;
  readonly parts: readonly LedgerPart[];
}

export interface Dispatch {
  readonly maxRowidBefore: number;
  readonly at: number;
  readonly chatGuids: readonly string[];
  readonly stagedPath: string | null;
}

export interface Ledger {
  item(reference: string): LedgerItem | null;
  part(reference: string, part: number): LedgerPart | null;
  /** Writes the item down, or takes it up again as it was written down. */
  begin(command: SendMessage, now: number): LedgerItem;
  /** From here on it may have gone out. */
  dispatch(part: LedgerPart, dispatch: Dispatch): void;
  /** What is proven of a part that was dispatched. Only `unknown` leaves it open for a row. */
  settle(part: LedgerPart, state: 'failed' | 'not_started' | 'unknown', reason: string | null): void;
  /** The newest attempt of a reference that must not go out; 0 where there is none. */
  voidedThrough(reference: string): number;
  void(handOvers: readonly HandOver[], now: number): void;
  /** Whether any part with this folder of staged files may still be read or claimed. */
  isStagedOpen(folder: string): boolean;
  /** Removes what is older than anybody asks for. */
  forget(now: number): void;
}

/** Whoever asked for a hand-over that is older would have to be told that it has not started. */
const KEPT_MS = 400 * 24 * 60 * 60_000;

export function createLedger({ database }: Journal): Ledger {
  const selectItem = database.prepare<[string], ItemRow>('select * from send_items where reference = ?');
  const selectParts = database.prepare<[string], PartRow>(`${SELECT_PARTS} where p.reference = ? order by p.part`);
  const selectPart = database.prepare<[string, number], PartRow>(
    `${SELECT_PARTS} where p.reference = ? and p.part = ?`,
  );
  const insertItem = database.prepare(
    'insert into send_items (reference, chat, is_group, attempt, made_at) values (?, ?, ?, ?, ?)',
  );
  const insertPart = database.prepare(
    `insert into send_parts (reference, part, state, text, file_id, file_name, file_type, file_size)
       values (?, ?, 'begun', ?, ?, ?, ?, ?)`,
  );
  const takeUp = database.prepare('update send_items set attempt = ? where reference = ? and attempt < ?');
  const dispatchPart = database.prepare(
    `update send_parts set state = 'dispatching', is_open = 1, max_rowid_before = ?, dispatched_at = ?, chat_guids = ?,
       staged_path = ?, reason = null where reference = ? and part = ? and state in ('begun', 'not_started')`,
  );
  // A row that came meanwhile has the last word. The words of what has failed are needed no more.
  const settlePart = database.prepare(
    `update send_parts set state = ?, reason = ?, is_open = ?, text = iif(text is not null and ? = 'failed', '', text) where reference = ? and part = ?
       and state in ('dispatching', 'unknown', 'seen') and (state <> 'seen' or ? = 'failed')`,
  );
  const selectStaged = database.prepare<[string, string], { staged: number }>(
    `select 1 as staged from send_parts where staged_path > ? and staged_path < ?
       and state in ('begun', 'dispatching', 'not_started', 'unknown') limit 1`,
  );
  const item = (reference: string): LedgerItem | null => {
    const row = selectItem.get(reference);
    if (row === undefined) return null;
    const chat = { identifier: row.chat, isGroup: row.is_group === 1 };
    return { reference, attempt: row.attempt, chat, parts: selectParts.all(reference).map(toPart) };
  };
  const begin = (command: SendMessage, now: number): LedgerItem => {
    const { reference, attempt, chat } = command;
    if (selectItem.get(reference) === undefined) {
      insertItem.run(reference, chat.identifier, chat.isGroup ? 1 : 0, attempt, now);
      for (const [part, { text, file }] of contentsOf(command).entries()) {
        const { file: id = null, filename = null, mimeType = null, size = null } = file ?? {};
        insertPart.run(reference, part, text, id, filename, mimeType, size);
      }
    } else takeUp.run(attempt, reference, attempt);
    return item(reference) ?? fail(`The hand-over ${reference} was not written down.`);
  };
  return {
    ...createVoids(database),
    item,
    part: (reference, part) => {
      const row = selectPart.get(reference, part);
      return row === undefined ? null : toPart(row);
    },
    begin: database.transaction(begin),
    dispatch: ({ reference, part }, { maxRowidBefore, at, chatGuids, stagedPath }) => {
      const guids = JSON.stringify(chatGuids);
      const { changes } = dispatchPart.run(maxRowidBefore, at, guids, stagedPath, reference, part);
      if (changes !== 1) throw new Error(`Part ${part} of ${reference} may have gone out already.`);
    },
    settle: ({ reference, part }, state, reason) => {
      settlePart.run(state, reason, state === 'unknown' ? 1 : 0, state, reference, part, state);
    },
    isStagedOpen: (folder) => selectStaged.get(`${folder}/`, `${folder}0`) !== undefined,
    forget: createForgetting(database),
  };
}

function createVoids(database: JournalDatabase): Pick<Ledger, 'voidedThrough' | 'void'> {
  const selectVoid = database.prepare<[string], { attempt: number }>(
    'select attempt from send_voids where reference = ?',
  );
  const insertVoid = database.prepare(
    `insert into send_voids (reference, attempt, made_at) values (?, ?, ?)
       on conflict (reference) do update set attempt = max(attempt, excluded.attempt)`,
  );
  return {
    voidedThrough: (reference) => selectVoid.get(reference)?.attempt ?? 0,
    void: database.transaction((handOvers: readonly HandOver[], now: number) => {
      for (const { reference, attempt } of handOvers) insertVoid.run(reference, attempt, now);
    }),
  };
}

function createForgetting(database: JournalDatabase): Ledger['forget'] {
  const deletions = [
    'delete from send_parts where reference in (select reference from send_items where made_at < ?)',
    'delete from send_items where made_at < ?',
    'delete from send_voids where made_at < ?',
    'delete from own_rows where decided_at < ?',
  ].map((deletion) => database.prepare<[number]>(deletion));
  return database.transaction((now: number) => {
    for (const deletion of deletions) deletion.run(now - KEPT_MS);
  });
}

interface ItemRow {
  readonly chat: string;
  readonly is_group: number;
  readonly attempt: number;
}

/** A row of `send_parts`, with its item's chat. */
export interface PartRow extends ItemRow {
  readonly reference: string;
  readonly part: number;
  readonly state: PartState;
  readonly text: string | null;
  readonly file_id: string | null;
  readonly file_name: string | null;
  readonly file_type: string | null;
  readonly file_size: number | null;
  readonly staged_path: string | null;
  readonly max_rowid_before: number | null;
  readonly dispatched_at: number | null;
  readonly chat_guids: string;
  readonly covered: number;
  readonly is_open: number;
  readonly guid: string | null;
  readonly reason: string | null;
}

export const SELECT_PARTS =
  'select p.*, i.chat, i.is_group, i.attempt from send_parts p join send_items i on i.reference = p.reference';

export function toPart(row: PartRow): LedgerPart {
  return {
    reference: row.reference,
    part: row.part,
    state: row.state,
    chat: { identifier: row.chat, isGroup: row.is_group === 1 },
    text: row.text,
    file: fileIn(row),
    stagedPath: row.staged_path,
    maxRowidBefore: row.max_rowid_before ?? 0,
    dispatchedAt: row.dispatched_at ?? 0,
    chatGuids: JSON.parse(row.chat_guids),
    covered: row.covered,
    isOpen: row.is_open === 1,
    guid: row.guid,
    reason: row.reason,
  };
}

/** The file of a part that is one. */
export function fileIn(row: Pick<PartRow, 'file_id' | 'file_name' | 'file_type' | 'file_size'>): OutgoingFile | null {
  if (row.file_id === null) return null;
  const { file_id: file, file_name: filename, file_type: mimeType, file_size: size } = row;
  return { file, filename, mimeType: mimeType ?? 'application/octet-stream', size: size ?? 0 };
}

interface Content {
  readonly text: string | null;
  readonly file: OutgoingFile | null;
}

/** The text first, then the files. */
function contentsOf({ text, attachments }: SendMessage): Content[] {
  const words = text === null || text === '' ? [] : [{ text, file: null }];
  return [...words, ...attachments.map((file) => ({ text: null, file }))];
}

function fail(message: string): never {
  throw new Error(message);
}
