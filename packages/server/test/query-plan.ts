/** What an engine's planner says of a statement, without costs and times, and the tables it would read from end to end. */
import { CompiledQuery, sql } from 'kysely';
import { type Engine, type Row, statement } from '../src/store/database.ts';
import { postgresOneText, postgresSetText, sqliteText } from '../src/store/dialects/statement-text.ts';
import { openPlace, PLAN_STEPS, type PlanStep } from './plan-scene.ts';
import { gatherStatistics, seedForPlans } from './plan-seed.ts';
import { type Recorded, recordStatements } from './statement-recorder.ts';

export interface QueryPlan {
  /** What the statement is part of. */
  readonly step: string;
  /** The statement, in one line. */
  readonly text: string;
  /** As it is for whatever values; indented as the engine does it. */
  readonly lines: readonly string[];
  /** Tables that are read from end to end, by their index where it is done by one; also where these very values ask for it. */
  readonly scans: readonly string[];
}

/** The plans of every step's statements, in a database with enough rows. Statements that look at no table are left out. */
export async function explainHotQueries(engine: Engine): Promise<readonly QueryPlan[]> {
  return explainRecorded(engine, await recordHotQueries(engine));
}

/** Fills the database and gives what each step asks of it. */
export async function recordHotQueries(engine: Engine): Promise<readonly RecordedStep[]> {
  await seedForPlans(engine);
  return recordSteps(engine, PLAN_STEPS);
}

/** May be asked again after a change of the schema. */
export async function explainRecorded(
  engine: Engine,
  recorded: readonly RecordedStep[],
): Promise<readonly QueryPlan[]> {
  await gatherStatistics(engine);
  return explainAll(engine, recorded);
}

interface RecordedStep {
  readonly step: string;
  readonly statements: readonly Recorded[];
  /** The names of its writes. */
  readonly writes: readonly string[];
}

async function recordSteps(
  engine: Engine,
  steps: Readonly<Record<string, PlanStep>>,
): Promise<readonly RecordedStep[]> {
  const recorder = recordStatements(engine);
  const place = openPlace(recorder.engine);
  const recorded: RecordedStep[] = [];
  for (const [step, run] of Object.entries(steps)) {
    const before = place.writes.length;
    await run(place);
    await place.writer.idle();
    recorded.push({ step, statements: recorder.take(), writes: place.writes.slice(before) });
  }
  return recorded;
}

async function explainAll(engine: Engine, recorded: readonly RecordedStep[]): Promise<readonly QueryPlan[]> {
  // A connection of SQLite learns of another one's change of the schema by a read, and an explanation is none.
  await engine.read(statement({}, 'select ref from accounts limit 1'), {});
  const plans: QueryPlan[] = [];
  for (const { step, statements } of recorded) {
    const byText = new Map(statements.map((one) => [textOf(engine, one), one]));
    for (const [text, one] of byText) {
      const [lines, ...others] = await (engine.kind === 'sqlite'
        ? sqlitePlans(engine, one)
        : postgresPlans(engine, one));
      if (!looksAtTable(engine, lines)) continue;
      const scans = new Set([lines, ...others].flatMap((plan) => findScans(engine, plan, text)));
      plans.push({ step, text: text.replaceAll(/\s+/g, ' ').trim(), lines, scans: [...scans].sort() });
    }
  }
  return plans;
}

/** As the plans are filed. */
export function planText(plan: QueryPlan): string {
  return [plan.text, ...plan.lines.map((line) => `    ${line}`)].join('\n');
}

function textOf(engine: Engine, one: Recorded): string {
  if (one.kind === 'built') return one.sql;
  if (engine.kind === 'sqlite') return sqliteText(one.statement);
  return one.kind === 'one' ? postgresOneText(one.statement) : postgresSetText(one.statement);
}

/** The explanation of the statement as the store runs it, values included. */
async function explain(engine: Engine, word: string, one: Recorded): Promise<readonly Row[]> {
  if (one.kind === 'built') {
    const query = CompiledQuery.raw(`${word} ${one.sql}`, [...one.parameters]);
    return (await engine.query.executeQuery<Row>(query)).rows;
  }
  const explaining = { ...one.statement, sql: `${word} ${one.statement.sql}` };
  const [item = {}] = one.items;
  return one.kind === 'one' ? engine.read(explaining, item) : engine.readEach(explaining, [item]);
}

/** The plan to file, and others that the statement may have: what they scan counts too. */
type Plans = readonly [readonly string[], ...(readonly string[])[]];

async function sqlitePlans(engine: Engine, one: Recorded): Promise<Plans> {
  const rows = await explain(engine, 'explain query plan', one);
  const depths = new Map<number, number>([[0, -1]]);
  const lines = rows.map((row) => {
    const depth = (depths.get(Number(row['parent'])) ?? -1) + 1;
    depths.set(Number(row['id']), depth);
    return `${'  '.repeat(depth)}${row['detail']}`;
  });
  return [lines];
}

/**
 * A statement that is prepared has a plan for its very values in its first runs, and one for whatever values in time,
 * which is filed; what the query builder made is planned for its values each time.
 */
async function postgresPlans(engine: Engine, one: Recorded): Promise<Plans> {
  const own = planLines(await explain(engine, 'explain (costs off)', one));
  if (one.kind === 'built') return [own.map(withoutValues)];
  const text = `explain (generic_plan, costs off) ${textOf(engine, one)}`;
  return [planLines((await sql.raw<Row>(text).execute(engine.query)).rows), own];
}

function planLines(rows: readonly Row[]): string[] {
  return rows.map((row) => String(row['QUERY PLAN']).replaceAll("'::text", "'"));
}

function withoutValues(line: string): string {
  return line.replaceAll(/'[^']*'(?:::\w+)?|\b\d+\b/g, '?');
}

function looksAtTable(engine: Engine, lines: readonly string[]): boolean {
  return lines.some((line) =>
    (engine.kind === 'sqlite' ? /\b(SCAN|SEARCH) (?!CONSTANT)/ : /\bScan .*\bon \w+(?<!\bunnest)\b/).test(line),
  );
}

/** Each as `outbox`, or `outbox by outbox_under_way` where an index is read whole. */
function findScans(engine: Engine, lines: readonly string[], text: string): string[] {
  return engine.kind === 'sqlite'
    ? lines.flatMap((line) => sqliteScan(line, text)).filter((name) => !isMade(name, lines))
    : lines.flatMap((line, index) => postgresScan(line, lines[index - 1] ?? '', lines[index + 1] ?? ''));
}

/** What the query itself has just made is no table. */
function isMade(name: string, lines: readonly string[]): boolean {
  return lines.some((line) => [`CO-ROUTINE ${name}`, `MATERIALIZE ${name}`].includes(line.trim()));
}

function sqliteScan(line: string, text: string): string[] {
  const [, name, index] = /^\s*SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(line) ?? [];
  if (name === undefined || name === 'CONSTANT') return [];
  const table = new RegExp(`\\b(?:from|join|update)\\s+(\\w+)\\s+(?:as\\s+)?${name}\\b`).exec(text)?.[1] ?? name;
  return [index === undefined ? table : `${table} by ${index}`];
}

/** An index that is read in its order until a limit is reached is not read whole. */
function postgresScan(line: string, before: string, after: string): string[] {
  const whole = /Seq Scan on (\w+)/.exec(line)?.[1];
  if (whole !== undefined) return [whole];
  const [, scanned, table] = /Index (?:Only )?Scan (?:Backward )?using (\w+) on (\w+)/.exec(line) ?? [];
  const index = scanned ?? /Bitmap Index Scan on (\w+)/.exec(line)?.[1];
  if (index === undefined || /^\s*Index Cond:/.test(after) || /^\s*(?:->\s+)?Limit$/.test(before)) return [];
  return [table === undefined ? index : `${table} by ${index}`];
}
