/** A database's schema as a person reads it: every table with its sentence, a column a line, read back from the engine. */
import { sql } from 'kysely';
import type { Engine } from '../src/store/database.ts';
import { SCHEMA_SENTENCES } from '../src/store/schema-sentences.ts';

/** A table as an engine has it: its columns' definitions by name, in order. */
interface FoundTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly definition: string }[];
  /** What stands behind the columns, such as a primary key of several of them. */
  readonly constraints: readonly string[];
  /** What stands behind the closing bracket. */
  readonly tail: string;
  readonly indexes: readonly string[];
}

interface SentencesOfTable {
  readonly table: string;
  readonly columns: Readonly<Record<string, string>>;
}

/** By table, and in its order. */
export type SchemaSentences = Readonly<Record<string, SentencesOfTable>>;

const ENGINE_NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const;

/** The whole file; throws where a table or a column has no sentence, or a sentence nothing to speak of. */
export async function schemaText(engine: Engine, sentences: SchemaSentences = SCHEMA_SENTENCES): Promise<string> {
  const tables = await (engine.kind === 'sqlite' ? sqliteTables(engine) : postgresTables(engine));
  const problems = withoutPartner(tables, sentences);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const parts = Object.entries(sentences).map(([name, one]) => {
    const table = tables.find((found) => found.name === name);
    return table ? tableText(table, one) : '';
  });
  return [header(engine), ...parts].join('\n');
}

function header(engine: Engine): string {
  return `-- Trunkline's tables on ${ENGINE_NAMES[engine.kind]}, as the migrations leave them. Made by \`npm run generate\`; to read, not to run:
-- what changes a database is a migration. What ends in _at is Unix milliseconds; a yes or no is 1 or 0.
`;
}

function withoutPartner(tables: readonly FoundTable[], sentences: SchemaSentences): string[] {
  const found = tables.flatMap((table) => [table.name, ...table.columns.map((one) => `${table.name}.${one.name}`)]);
  const said = Object.entries(sentences).flatMap(([name, { columns }]) => [
    name,
    ...Object.keys(columns).map((column) => `${name}.${column}`),
  ]);
  return [
    ...found.filter((name) => !said.includes(name)).map((name) => `${name} has no sentence.`),
    ...said.filter((name) => !found.includes(name)).map((name) => `The sentence of ${name} has nothing to speak of.`),
  ];
}

function tableText(table: FoundTable, sentences: SentencesOfTable): string {
  const lines = [
    ...table.columns.map(({ name, definition }) => ({
      code: `${name} ${definition}`,
      sentence: sentences.columns[name],
    })),
    ...table.constraints.map((code) => ({ code, sentence: undefined })),
  ].map(({ code, sentence }, index, all) => ({ code: `  ${code}${index < all.length - 1 ? ',' : ''}`, sentence }));
  const width = Math.max(...lines.map((line) => line.code.length));
  const body = lines.map(({ code, sentence }) =>
    sentence === undefined ? code : `${code.padEnd(width)}  -- ${sentence}`,
  );
  const indexes = table.indexes.map((index) => `${index};\n`).join('');
  return `-- ${sentences.table}\ncreate table ${table.name} (\n${body.join('\n')}\n)${table.tail};\n${indexes}`;
}

async function rowsOf<T>(engine: Engine, text: string): Promise<readonly T[]> {
  return (await sql.raw<T>(text).execute(engine.query)).rows;
}

async function sqliteTables(engine: Engine): Promise<FoundTable[]> {
  const tables = await rowsOf<{ name: string; wr: number; text: string }>(
    engine,
    `select l.name, l.wr, s.sql as text from pragma_table_list l join sqlite_schema s on s.name = l.name
     where l.schema = 'main' and l.type = 'table' and l.name not like 'sqlite_%' and l.name not like 'kysely_%'`,
  );
  return Promise.all(tables.map((table) => sqliteTable(engine, table)));
}

async function sqliteTable(engine: Engine, table: { name: string; wr: number; text: string }): Promise<FoundTable> {
  const columns = await rowsOf<{ name: string; type: string; notnull: number; dflt_value: string | null; pk: number }>(
    engine,
    `select name, type, "notnull", dflt_value, pk from pragma_table_info('${table.name}') order by cid`,
  );
  const keys = await rowsOf<{ origin: string; columns: string }>(
    engine,
    `select l.origin, (select group_concat(x.name || case when x.desc then ' desc' else '' end, ', ' order by x.seqno)
       from pragma_index_xinfo(l.name) x where x.key) as columns
     from pragma_index_list('${table.name}') l where l.origin <> 'c' order by l.origin, columns`,
  );
  const indexes = await rowsOf<{ sql: string }>(
    engine,
    `select sql from sqlite_schema where type = 'index' and tbl_name = '${table.name}' and sql is not null order by name`,
  );
  const serial = /autoincrement/.test(table.text) ? ' autoincrement' : '';
  const isKey = (name: string, origin: string) => keys.some((key) => key.origin === origin && key.columns === name);
  const soleKey = columns.filter((one) => one.pk > 0).length === 1;
  return {
    name: table.name,
    columns: columns.map((one) => ({
      name: one.name,
      definition: [
        one.type.toLowerCase(),
        one.notnull ? ' not null' : '',
        one.dflt_value === null ? '' : ` default ${one.dflt_value}`,
        one.pk > 0 && soleKey ? ` primary key${serial}` : '',
        isKey(one.name, 'u') ? ' unique' : '',
      ].join(''),
    })),
    constraints: keys
      .filter((key) => key.columns.includes(','))
      .map((key) => `${key.origin === 'pk' ? 'primary key' : 'unique'} (${key.columns})`),
    tail: table.wr ? ' without rowid' : '',
    indexes: indexes.map((index) => lowerWords(index.sql.replaceAll(/\s+/g, ' '))),
  };
}

async function postgresTables(engine: Engine): Promise<FoundTable[]> {
  const tables = await rowsOf<{ oid: number; name: string }>(
    engine,
    `select oid::int, relname as name from pg_class
     where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname not like 'kysely_%'`,
  );
  return Promise.all(tables.map((table) => postgresTable(engine, table)));
}

async function postgresTable(engine: Engine, table: { oid: number; name: string }): Promise<FoundTable> {
  const columns = await rowsOf<{ name: string; definition: string }>(
    engine,
    `select a.attname as name, format_type(a.atttypid, a.atttypmod)
       || case when a.attnotnull then ' not null' else '' end
       || case when a.attidentity <> '' then ' generated by default as identity' else '' end
       || coalesce(' default ' || replace(pg_get_expr(d.adbin, d.adrelid), '::regclass', ''), '') as definition
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = ${table.oid} and a.attnum > 0 and not a.attisdropped order by a.attnum`,
  );
  const keys = await rowsOf<{ definition: string; column: string | null }>(
    engine,
    `select lower(pg_get_constraintdef(c.oid)) as definition, case when cardinality(c.conkey) = 1
       then (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1]) end as column
     from pg_constraint c where c.conrelid = ${table.oid} and c.contype <> 'n' order by c.contype, c.conkey`,
  );
  const indexes = await rowsOf<{ definition: string }>(
    engine,
    `select replace(pg_get_indexdef(i.indexrelid), ' ON ' || current_schema() || '.', ' ON ') as definition
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = ${table.oid} and not exists (select 1 from pg_constraint where conindid = i.indexrelid)
     order by c.relname`,
  );
  return {
    name: table.name,
    columns: columns.map(({ name, definition }) => {
      const own = keys.filter((key) => key.column === name).map((key) => ` ${key.definition.replace(/ \(.*$/, '')}`);
      return { name, definition: `${withSerial(definition)}${own.join('')}` };
    }),
    constraints: keys.filter((key) => key.column === null).map((key) => key.definition),
    tail: '',
    indexes: indexes.map((index) => lowerWords(index.definition)),
  };
}

/** A sequence of the column's own is what bigserial makes. */
function withSerial(definition: string): string {
  return definition.replace(/^bigint not null default nextval\('\w+'\)$/, 'bigserial not null');
}

/** The engines write their words in capitals, and PostgreSQL casts every literal. */
function lowerWords(definition: string): string {
  return definition
    .replace(/ USING btree /, ' ')
    .replaceAll("'::text", "'")
    .replaceAll(/\b[A-Z]{2,}\b/g, (word) => word.toLowerCase());
}
