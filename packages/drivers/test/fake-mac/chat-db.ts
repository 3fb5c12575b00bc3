/**
 * The writing side of a `chat.db`, as the daemons behind Messages have it. Letters refer to the transport dossier.
 *
 * Every method is a transaction of its own, because a real row comes in several (a.5).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { toAppleTime } from './apple-time.ts';
import { chatGuidOf, type Generation, RELEASES } from './generations.ts';
import { createSchema } from './schema.ts';

export type Value = string | number | bigint | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** The own side of a line: its address, and the account that Messages signs it in with. */
export interface Owner {
  readonly handle: string;
  readonly accountId: string;
}

export interface ChatRow {
  readonly rowid: number;
  readonly guid: string;
  readonly identifier: string;
  readonly isGroup: boolean;
  /** Of what is written into it now. */
  readonly service: string;
}

/** `chat.style` (a.4). */
const STYLE_GROUP = 43;
const STYLE_DIRECT = 45;

/** How long a checkpoint waits for readers, and a write for another writer: nothing else happens meanwhile. */
const CHECKPOINT_WAIT_MS = 20;
const WRITE_WAIT_MS = 5_000;

export class FakeChatDb {
  readonly path: string;
  readonly generation: Generation;
  readonly owner: Owner;
  #sqlite: Database.Database;
  #columns = new Map<string, ReadonlySet<string>>();
  /** Of the database that is open, so that a long history is written fast. */
  #statements = new Map<string, Database.Statement<unknown[], Row>>();

  constructor(path: string, generation: Generation, owner: Owner) {
    this.path = path;
    this.generation = generation;
    this.owner = owner;
    mkdirSync(dirname(path), { recursive: true });
    this.#sqlite = openForWriting(path);
    this.#sqlite.exec(createSchema(generation));
  }

  close(): void {
    this.#sqlite.close();
  }

  /** Inserts what the generation has columns for: a release without a column loses what would stand in it. */
  insert(table: string, values: Row): number {
    const names = this.#known(table, values);
    const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`;
    return Number(this.#prepare(sql).run(values).lastInsertRowid);
  }

  update(table: string, rowid: number, values: Row): void {
    const names = this.#known(table, values);
    if (names.length === 0) return;
    const sql = `UPDATE ${table} SET ${names.map((name) => `${name} = @${name}`).join(', ')} WHERE ROWID = @rowid`;
    this.#prepare(sql).run({ ...values, rowid });
  }

  run(sql: string, ...values: Value[]): void {
    this.#prepare(sql).run(...values);
  }

  one(sql: string, ...values: Value[]): Row | null {
    return this.all(sql, ...values)[0] ?? null;
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** Several statements that become visible at once. */
  together<T>(work: () => T): T {
    return this.#sqlite.transaction(work)();
  }

  /** One row for each address and service (a.3). */
  handle(id: string, service: string): number {
    const there = this.one('SELECT ROWID FROM handle WHERE id = ? AND service = ?', id, service);
    if (there !== null) return Number(there['ROWID']);
    return this.insert('handle', { id: id.includes('@') ? id.toLowerCase() : id, service, country: 'us' });
  }

  /** From 26 on one chat serves every service, and the service is the message's (a.4). */
  directChat(peer: string, service?: string): ChatRow {
    const guid = chatGuidOf(this.generation, service ?? 'iMessage', false, peer);
    const there = this.chat(guid);
    if (there !== null) return { ...there, service: service ?? there.service };
    return this.#makeChat({ guid, identifier: peer, service: service ?? 'iMessage', peers: [peer], group: null });
  }

  /** `chat` and digits; from 26 on also 32 hexadecimal ones (a.4, c.5). */
  groupChat(participants: readonly string[], name: string | null, hasHexIdentifier = false): ChatRow {
    const seed = randomUUID().replaceAll('-', '');
    const identifier = hasHexIdentifier ? seed : `chat${BigInt(`0x${seed.slice(0, 14)}`)}`;
    const guid = chatGuidOf(this.generation, 'iMessage', true, identifier);
    return this.#makeChat({ guid, identifier, service: 'iMessage', peers: participants, group: { name } });
  }

  chat(guidOrIdentifier: string): ChatRow | null {
    const found = this.one(
      'SELECT ROWID, * FROM chat WHERE guid = ? OR chat_identifier = ? ORDER BY guid = ? DESC, ROWID LIMIT 1',
      guidOrIdentifier,
      guidOrIdentifier,
      guidOrIdentifier,
    );
    if (found === null) return null;
    return {
      rowid: Number(found['ROWID']),
      guid: String(found['guid']),
      identifier: String(found['chat_identifier']),
      isGroup: found['style'] === STYLE_GROUP,
      service: String(found['service_name']),
    };
  }

  participants(chat: ChatRow): string[] {
    const sql = `SELECT h.id FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id
                  WHERE j.chat_id = ? ORDER BY h.ROWID`;
    return this.all(sql, chat.rowid).map((row) => String(row['id']));
  }

  message(guid: string): Row | null {
    return this.one('SELECT ROWID, * FROM message WHERE guid = ?', guid);
  }

  /** Nothing where the row is gone: what was on its way comes too late. */
  updateMessage(guid: string, values: Row): void {
    const row = this.message(guid);
    if (row !== null) this.update('message', Number(row['ROWID']), values);
  }

  rowidOf(guid: string): number {
    const row = this.one('SELECT ROWID FROM message WHERE guid = ?', guid);
    if (row === null) throw new Error(`No message has the GUID ${guid}.`);
    return Number(row['ROWID']);
  }

  /** Links the row to its chat: until then it is in none, and afterwards the triggers know its room (a.3). */
  join(chatRowid: number, messageRowid: number): void {
    this.run(
      `INSERT OR IGNORE INTO chat_message_join (chat_id, message_id, message_date)
       SELECT ?, ROWID, date FROM message WHERE ROWID = ?`,
      chatRowid,
      messageRowid,
    );
  }

  attach(messageRowid: number, attachment: Row): number {
    return this.together(() => {
      const rowid = this.insert('attachment', attachment);
      this.insert('message_attachment_join', { message_id: messageRowid, attachment_id: rowid });
      return rowid;
    });
  }

  mergeChats(from: ChatRow, into: ChatRow): void {
    this.together(() => {
      this.run('UPDATE OR IGNORE chat_message_join SET chat_id = ? WHERE chat_id = ?', into.rowid, from.rowid);
      this.run('DELETE FROM chat WHERE ROWID = ?', from.rowid);
    });
  }

  /** Recently deleted: the row stays, its link to the chat moves (a.3). */
  moveToRecoverable(guid: string, now: number): void {
    const rowid = this.rowidOf(guid);
    this.together(() => {
      this.run(
        `INSERT INTO chat_recoverable_message_join (chat_id, message_id, delete_date)
         SELECT chat_id, message_id, ? FROM chat_message_join WHERE message_id = ?`,
        toAppleTime(now),
        rowid,
      );
      this.run('DELETE FROM chat_message_join WHERE message_id = ?', rowid);
    });
  }

  delete(guid: string): void {
    this.run('DELETE FROM message WHERE guid = ?', guid);
  }

  /** Folds the whole log into the main file; false where a reader's snapshot was in the way. */
  checkpoint(): boolean {
    this.#sqlite.pragma(`busy_timeout = ${CHECKPOINT_WAIT_MS}`);
    const [result] = this.all('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#sqlite.pragma(`busy_timeout = ${WRITE_WAIT_MS}`);
    return result?.['busy'] === 0;
  }

  /** Closes and opens again: where no reader holds on to them, the log and its index are removed and made anew. */
  rotate(): void {
    this.#sqlite.close();
    this.#use(openForWriting(this.path));
  }

  /** Keeps every other process out until `rotate`; false where a reader is in already. */
  lockOut(): boolean {
    this.#sqlite.close();
    this.#use(new Database(this.path, { timeout: CHECKPOINT_WAIT_MS }));
    this.#sqlite.pragma('locking_mode = EXCLUSIVE');
    try {
      this.#sqlite.exec('BEGIN IMMEDIATE; COMMIT');
      return true;
    } catch (error) {
      if (!(error instanceof Error) || !/locked/.test(error.message)) throw error;
      this.rotate();
      return false;
    }
  }

  /** Puts a copy with the same rows in the place of the file: another inode under the same name. */
  replaceByCopy(): void {
    const copy = `${this.path}.new`;
    rmSync(copy, { force: true });
    this.run('VACUUM INTO ?', copy);
    this.#takeOver(copy);
  }

  /** Puts a new database in its place that holds the newest rows only, under ROWIDs that begin at 1 again. */
  replaceByRebuilt(keep: number): void {
    const fresh = `${this.path}.new`;
    rmSync(fresh, { force: true });
    const rebuilt = new Database(fresh);
    rebuilt.exec(createSchema(this.generation));
    rebuilt.prepare('ATTACH ? AS old').run(this.path);
    const columns = [...this.#columnsOf('message')].filter((name) => name !== 'ROWID').join(', ');
    rebuilt.exec(`
      INSERT INTO handle SELECT * FROM old.handle;
      INSERT INTO chat SELECT * FROM old.chat;
      INSERT INTO chat_handle_join SELECT * FROM old.chat_handle_join;
      INSERT INTO message (${columns})
        SELECT ${columns} FROM (SELECT * FROM old.message ORDER BY ROWID DESC LIMIT ${keep}) ORDER BY date;
      INSERT INTO chat_message_join (chat_id, message_id, message_date)
        SELECT j.chat_id, n.ROWID, n.date FROM message n JOIN old.message o ON o.guid = n.guid
          JOIN old.chat_message_join j ON j.message_id = o.ROWID;
      INSERT INTO attachment SELECT * FROM old.attachment;
      INSERT INTO message_attachment_join (message_id, attachment_id)
        SELECT n.ROWID, j.attachment_id FROM message n JOIN old.message o ON o.guid = n.guid
          JOIN old.message_attachment_join j ON j.message_id = o.ROWID;
      DETACH old;
    `);
    rebuilt.close();
    this.#takeOver(fresh);
  }

  #takeOver(path: string): void {
    this.#sqlite.close();
    // A log that a reader kept alive belongs to the file that goes.
    for (const sidecar of ['-wal', '-shm']) rmSync(`${this.path}${sidecar}`, { force: true });
    renameSync(path, this.path);
    this.#use(openForWriting(this.path));
  }

  #use(sqlite: Database.Database): void {
    this.#sqlite = sqlite;
    this.#statements.clear();
  }

  #prepare(sql: string): Database.Statement<unknown[], Row> {
    const there = this.#statements.get(sql);
    if (there !== undefined) return there;
    const statement = this.#sqlite.prepare<unknown[], Row>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #makeChat(made: {
    readonly guid: string;
    readonly identifier: string;
    readonly service: string;
    readonly peers: readonly string[];
    readonly group: { readonly name: string | null } | null;
  }): ChatRow {
    const { guid, identifier, service, peers, group } = made;
    return this.together(() => {
      const rowid = this.insert('chat', {
        guid,
        style: group === null ? STYLE_DIRECT : STYLE_GROUP,
        state: 3,
        account_id: this.owner.accountId,
        chat_identifier: identifier,
        service_name: service,
        room_name: group === null ? null : identifier,
        account_login: accountOf(this.owner.handle),
        last_addressed_handle: this.owner.handle,
        display_name: group?.name ?? null,
        group_id: uuidOf(guid),
        original_group_id: uuidOf(guid),
      });
      for (const peer of peers) {
        this.insert('chat_handle_join', { chat_id: rowid, handle_id: this.handle(peer, service) });
      }
      if (RELEASES[this.generation] >= 26) {
        const domain = `${service}${group === null ? 'Handle' : 'GroupID'}`;
        this.run(
          'INSERT OR IGNORE INTO chat_lookup (identifier, domain, chat) VALUES (?, ?, ?)',
          identifier,
          domain,
          rowid,
        );
        this.run('INSERT OR IGNORE INTO chat_service (service, chat) VALUES (?, ?)', service, rowid);
      }
      return { rowid, guid, identifier, isGroup: group !== null, service };
    });
  }

  #known(table: string, values: Row): string[] {
    const columns = this.#columnsOf(table);
    return Object.keys(values).filter((name) => columns.has(name));
  }

  #columnsOf(table: string): ReadonlySet<string> {
    const there = this.#columns.get(table);
    if (there !== undefined) return there;
    const names = new Set(this.all(`SELECT name FROM pragma_table_info('${table}')`).map((row) => String(row['name'])));
    this.#columns.set(table, names);
    return names;
  }
}

/** `E:` and an address of mail, `P:` and a number (a.4). */
export function accountOf(handle: string): string {
  return `${handle.includes('@') ? 'E' : 'P'}:${handle}`;
}

/** An upper-case UUID that is always the same for the same words. */
export function uuidOf(words: string): string {
  const hex = createHash('sha256').update(words).digest('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function openForWriting(path: string): Database.Database {
  const sqlite = new Database(path);
  sqlite.pragma(`busy_timeout = ${WRITE_WAIT_MS}`);
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('foreign_keys = ON');
  return sqlite;
}
