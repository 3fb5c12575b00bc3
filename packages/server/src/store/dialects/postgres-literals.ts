/** Values inside a text, so that it can travel with COMMIT. */
import pg from 'pg';
import type { Column, Row, Statement, Value } from '../database.ts';
import { POSTGRES_TYPES, postgresValuesText } from './statement-text.ts';

/** An insert of whole items. */
export function postgresLiteralText(statement: Statement, items: readonly Row[]): string {
  if (items.length === 0) return '';
  return `${postgresValuesText(
    statement,
    items.map((item) => tuple(item, statement.columns)),
  )};`;
}

export function tuple(row: Row, columns: Readonly<Record<string, Column>>): string {
  const literals = Object.entries(columns).map(([name, type]) => literal(row[name] ?? null, type));
  return `(${literals.join(', ')})`;
}

function literal(value: Value, type: Column): string {
  if (value === null) return `null::${POSTGRES_TYPES[type]}`;
  if (typeof value === 'number') return `${value}::${POSTGRES_TYPES[type]}`;
  return pg.escapeLiteral(value);
}
