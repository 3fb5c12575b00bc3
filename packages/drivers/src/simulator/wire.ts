import type { Timings } from './timings.ts';
import type { WireColumn, WireDatabase, WireRow, WireStatement } from './wire-database.ts';

/** What every part of the simulated network works with. It keeps nothing in memory: all its state is in the database. */
export interface Wire {
  readonly database: WireDatabase;
  /** Unix milliseconds. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  newGuid(): string;
  readonly timings: Timings;
}

export function statement(columns: Readonly<Record<string, WireColumn>>, sql: string): WireStatement {
  return { columns, sql };
}

/** The columns of a row, checked: a row is foreign data until here. */
export function textOf(row: WireRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`Column ${column} of the wire holds no text.`);
  return value;
}

export function textOrNull(row: WireRow, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

export function numberOf(row: WireRow, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`Column ${column} of the wire holds no number.`);
  return value;
}
