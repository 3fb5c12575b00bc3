/**
 * Every pair of writes at once on PostgreSQL: one is stopped before each of its statements in turn, and before its
 * commit, while the other runs. The end, results included, must be that of one after the other, in either order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../src/domain/ids.ts';
import type { Engine, Statement, Tx } from '../src/store/database.ts';
import { createWriter } from '../src/store/writer.ts';
import { createHome, type Home } from './harness.ts';
import { openProcess, type Process, STARTED_AT } from './stage.ts';
import { dump, isWaiting, prepare, RUNS, reset, type WriteName } from './write-pairs.ts';

/** How often the one asks whether the other waits for a lock, which may be one of its own. */
const ASK_EVERY_MS = 2;
const NAMES = Object.keys(RUNS) as WriteName[];
const PAIRS = NAMES.flatMap((first, place) => NAMES.slice(place).map((second) => ({ first, second })));

interface Watched {
  readonly process: Process;
  /** The tables that the last write named, in all and statement by statement, and how many of these it took. */
  readonly seen: { statements: number; tables: Set<string>; tablesOf: Set<string>[] };
  /** Called before each statement, and with the count of all before the commit. */
  onStatement: (index: number) => Promise<void> | undefined;
}

function watch(process: Process): Watched {
  const watched: Watched = {
    process,
    seen: { statements: 0, tables: new Set(), tablesOf: [] },
    onStatement: () => undefined,
  };
  const note = (statement: Statement) => {
    for (const [, table = ''] of statement.sql.matchAll(/(?:from|join|update|into)\s+([a-z_]+)/g)) {
      watched.seen.tables.add(table);
      // What is not stopped before goes with the statement that was.
      watched.seen.tablesOf.at(-1)?.add(table);
    }
  };
  const step = async (statement: Statement | null) => {
    await watched.onStatement(watched.seen.statements);
    if (!statement) return;
    watched.seen.statements++;
    watched.seen.tablesOf.push(new Set());
    note(statement);
  };
  const engine: Engine = {
    ...process.engine,
    commit: (run) =>
      process.engine.commit(async (tx) => {
        const slow: Tx = {
          ...tx,
          each: async (statement, items) => {
            if (items.length > 0) await step(statement);
            return tx.each(statement, items);
          },
          one: async (statement, item) => {
            await step(statement);
            return tx.one(statement, item);
          },
          changed: (statement, items) => {
            if (items.length > 0) note(statement);
            return tx.changed(statement, items);
          },
          atCommit: (statement, items) => {
            if (items.length > 0) note(statement);
            tx.atCommit(statement, items);
          },
        };
        const commit = await run(slow);
        await step(null);
        if (commit.log.length > 0) watched.seen.tables.add('events').add('deliveries').add('webhooks');
        return commit;
      }),
  };
  const ids = createIds(
    () => STARTED_AT,
    (size) => crypto.getRandomValues(new Uint8Array(size)),
  );
  const writer = createWriter(engine, ids);
  return Object.assign(watched, { process: { ...process, engine, writer } });
}

describe('two writes at once on postgres', () => {
  let home: Home;
  let one: Watched;
  let other: Watched;
  /** The tables that each write names, in either of its variants. */
  const tables = new Map<WriteName, ReadonlySet<string>>();
  /** What a call does on its own: its statements, and the tables that each of them names. */
  const alone = new Map<string, { readonly statements: number; readonly tablesOf: readonly Set<string>[] }>();

  beforeAll(async () => {
    home = await createHome('postgres');
    one = watch(await openProcess(home, () => STARTED_AT));
    other = watch(await openProcess(home, () => STARTED_AT));
    await prepare(one.process.databases.server);
    for (const name of NAMES) {
      const named = new Set<string>();
      for (const variant of [1, 2] as const) {
        await reset(one.process.databases.server);
        await call(one, [name, variant]);
        const { statements, tablesOf } = one.seen;
        alone.set(`${name} ${variant}`, { statements, tablesOf });
        for (const table of one.seen.tables) named.add(table);
      }
      tables.set(name, named);
    }
  });
  afterAll(async () => {
    await one.process.databases.close();
    await other.process.databases.close();
    await home.remove();
  });

  type Call = readonly [WriteName, 1 | 2];
  const call = async (watched: Watched, [name, variant]: Call): Promise<string> => {
    watched.seen.statements = 0;
    watched.seen.tables.clear();
    watched.seen.tablesOf = [];
    const [result] = await Promise.allSettled([RUNS[name](watched.process, variant)]);
    return `${name} ${variant}: ${result.status === 'fulfilled' ? JSON.stringify(result.value) : String(result.reason)}`;
  };
  const endOf = async (results: readonly string[]) => ({
    results: [...results].sort(),
    world: await dump(one.process.databases.server),
  });

  const inTurn = async (first: Call, second: Call) => {
    await reset(one.process.databases.server);
    return endOf([await call(one, first), await call(other, second)]);
  };

  /** `first` stands still before that statement until `second` has ended, or waits for what `first` has locked. */
  const atOnce = async (first: Call, second: Call, at: number) => {
    await reset(one.process.databases.server);
    let running: Promise<string> | null = null;
    one.onStatement = async (index) => {
      if (index !== at || running !== null) return;
      running = call(other, second);
      await endOrWait(running);
    };
    const result = await call(one, first);
    one.onStatement = () => undefined;
    return endOf([result, await (running ?? call(other, second))]);
  };

  const endOrWait = async (running: Promise<string>) => {
    let hasEnded = false;
    const ended = running.then(() => {
      hasEnded = true;
    });
    do await Promise.race([ended, sleep(ASK_EVERY_MS)]);
    while (!hasEnded && !(await isWaiting(one.process.databases.server)));
  };

  const shared = (first: WriteName, second: WriteName) =>
    [...(tables.get(first) ?? [])].filter((table) => tables.get(second)?.has(table));

  it('names tables in every write, and most pairs of writes have one in common', () => {
    for (const name of NAMES) expect(tables.get(name)?.size, name).toBeGreaterThan(0);
    const meeting = PAIRS.filter(({ first, second }) => shared(first, second).length > 0);
    expect(meeting.length).toBeGreaterThan(PAIRS.length / 4);
  });

  it.each(PAIRS)('$first and $second end as if one came after the other', async ({ first, second }) => {
    // Where neither reads or changes what the other does, there is nothing for them to meet on.
    if (shared(first, second).length === 0) return;
    const calls = [[first, 1] as Call, [second, 2] as Call] as const;
    const serial = await inTurn(calls[0], calls[1]);
    /** The other order, which many pairs never come to. */
    let turned: typeof serial | null = null;
    for (const [stopped, through] of [calls, [calls[1], calls[0]]] as const) {
      const { statements, tablesOf } = alone.get(stopped.join(' ')) ?? { statements: 0, tablesOf: [] };
      expect(statements).toBeGreaterThan(0);
      const meets = (at: number) => [...(tablesOf[at] ?? [])].some((table) => tables.get(through[0])?.has(table));
      for (let at = 1; at <= statements; at++) {
        // To stop before a statement that names none of the other's tables is to stop behind it.
        if (at < statements && !meets(at)) continue;
        const end = await atOnce(stopped, through, at);
        if (isDeepStrictEqual(end, serial)) continue;
        turned ??= await inTurn(calls[1], calls[0]);
        expect([serial, turned], `${stopped[0]} stopped before statement ${at}`).toContainEqual(end);
      }
    }
  });
});
