/**
 * The little SQL that the simulator's network needs, handed in from outside so that this package imports no engine.
 *
 * A statement is one SQL text for both engines, run once per item. `i.<column>` names a column of the item; the
 * markers `{from items}` and `{, items}` stand where PostgreSQL needs the set of items in the FROM clause (there the
 * statement runs once for all items) and vanish on SQLite (there it runs in a loop). Rows come back flat, in no
 * promised order: select what tells them apart. `i.ord` is the item's index; it cannot be used in INSERT ... RETURNING.
 */

export type WireColumn = 'text' | 'int' | 'real';
export type WireValue = string | number | null;
export type WireRow = Readonly<Record<string, WireValue>>;

export interface WireStatement {
  readonly sql: string;
  readonly columns: Readonly<Record<string, WireColumn>>;
}

export interface WireTransaction {
  each(statement: WireStatement, items: readonly WireRow[]): Promise<WireRow[]>;
}

export interface WireDatabase {
  /** Runs DDL that both engines understand, and that changes nothing where it was run before. */
  define(statements: readonly string[]): Promise<void>;
  /** A read outside of any transaction; sees what is committed. */
  read(statement: WireStatement, items: readonly WireRow[]): Promise<WireRow[]>;
  /** Durable when it resolves. Transactions of one process on SQLite run one after another. */
  transaction<T>(run: (tx: WireTransaction) => Promise<T>): Promise<T>;
  /** Wakes every process that listens, this one included, after a commit. */
  wake(topic: string): void;
  onWake(listener: (topic: string) => void): () => void;
}
