/** The markers of a statement, turned into one engine's SQL. */
import type { Column, Statement } from '../database.ts';

const ITEM_COLUMN = /\bi\.([a-z_]+)\b/g;
const MARKER =
  /\{(from items|using items|, items|values|now|for (?:share|update) of [a-z_]+|skip locked|next ref of messages)\}/g;

export const POSTGRES_TYPES: Readonly<Record<Column, string>> = {
  text: 'text',
  int: 'bigint',
  real: 'double precision',
};

const SQLITE_NOW = "cast(unixepoch('subsec') * 1000 as integer)";
const POSTGRES_NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

function replaceMarkers(sql: string, words: Readonly<Record<string, string>>): string {
  return sql.replace(MARKER, (_whole, marker: string) => words[marker] ?? '');
}

/** PostgreSQL takes a row lock in the words of its marker; on SQLite there is nobody to lock out. */
function replacePostgresMarkers(sql: string, words: Readonly<Record<string, string>>): string {
  return sql.replace(MARKER, (_whole, marker: string) =>
    /^for (?:share|update) of/.test(marker) ? marker : (words[marker] ?? ''),
  );
}

/** SQLite: every item is a run of its own, its columns named parameters. */
export function sqliteText(statement: Statement): string {
  const names = Object.keys(statement.columns);
  return replaceMarkers(statement.sql, {
    values: `values (${names.map((name) => `@${name}`).join(', ')})`,
    now: SQLITE_NOW,
    'next ref of messages': '(select coalesce(max(ref), 0) + 1 from messages)',
  }).replace(ITEM_COLUMN, '@$1');
}

/** SQLite, so many items in one run, their columns one after another: for statements that name the set by `{, items}`. */
export function sqliteManyText(statement: Statement, count: number): string {
  const names = Object.keys(statement.columns);
  const tuple = `(${names.map(() => '?').join(', ')})`;
  const items = Array.from({ length: count }, () => tuple).join(', ');
  return `with i (${names.join(', ')}) as (values ${items}) ${replaceMarkers(statement.sql, { ', items': ', i', now: SQLITE_NOW })}`;
}

/** PostgreSQL, the whole set at once: a parameter is a column's array. */
export function postgresSetText(statement: Statement): string {
  const names = [...Object.keys(statement.columns), 'ord'];
  const types = [...Object.values(statement.columns), 'int' as const];
  const arrays = types.map((type, index) => `$${index + 1}::${POSTGRES_TYPES[type]}[]`);
  const items = `unnest(${arrays.join(', ')}) as i(${names.join(', ')})`;
  const columns = Object.keys(statement.columns).map((name) => `i.${name}`);
  return replacePostgresMarkers(statement.sql, {
    'from items': `from ${items}`,
    'using items': `using ${items}`,
    ', items': `, ${items}`,
    values: `select ${columns.join(', ')} from ${items}`,
    ...POSTGRES_WORDS,
  });
}

/** PostgreSQL, an insert of whole items whose values are in the text: `tuples`, one for each item. */
export function postgresValuesText(statement: Statement, tuples: readonly string[]): string {
  return replacePostgresMarkers(statement.sql, { values: `values ${tuples.join(', ')}`, ...POSTGRES_WORDS });
}

/** PostgreSQL, one item: a parameter is a column. */
export function postgresOneText(statement: Statement): string {
  const names = Object.keys(statement.columns);
  const places = new Map(
    Object.entries(statement.columns).map(([name, type], index) => [name, `$${index + 1}::${POSTGRES_TYPES[type]}`]),
  );
  return replacePostgresMarkers(statement.sql, {
    values: `values (${names.map((name) => places.get(name)).join(', ')})`,
    ...POSTGRES_WORDS,
  }).replace(ITEM_COLUMN, (_whole, name: string) => places.get(name) ?? `i.${name}`);
}

const POSTGRES_WORDS: Readonly<Record<string, string>> = {
  now: POSTGRES_NOW,
  'skip locked': 'for update skip locked',
  'next ref of messages': "nextval('messages_ref_seq')",
};
