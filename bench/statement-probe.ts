/** Loaded into the server before its own code (`--import`): adds up how long each SQLite statement takes, for `profile.ts`. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import Sqlite from 'better-sqlite3';

export interface StatementTime {
  /** The database's file. */
  readonly database: string;
  readonly sql: string;
  readonly calls: number;
  readonly milliseconds: number;
}

interface Sum {
  calls: number;
  milliseconds: number;
}

const sums = new Map<string, Map<string, Sum>>();

function addTo(file: string, sql: string, since: number): void {
  const milliseconds = performance.now() - since;
  const statements = sums.get(file) ?? new Map<string, Sum>();
  sums.set(file, statements);
  const sum = statements.get(sql) ?? { calls: 0, milliseconds: 0 };
  statements.set(sql, sum);
  sum.calls++;
  sum.milliseconds += milliseconds;
}

const exec = Sqlite.prototype.exec;
Sqlite.prototype.exec = function timed(this: Sqlite.Database, sql: string): Sqlite.Database {
  const since = performance.now();
  try {
    return exec.call(this, sql);
  } finally {
    addTo(this.name, sql, since);
  }
};

/** All statements share one prototype, which only a statement leads to. */
const memory = new Sqlite(':memory:');
const prototype: Sqlite.Statement<unknown[]> = Object.getPrototypeOf(memory.prepare('select 1'));
memory.close();
for (const name of ['run', 'all', 'get'] as const) {
  const original: (this: Sqlite.Statement<unknown[]>, ...parameters: unknown[]) => unknown = prototype[name];
  const timed = function timed(this: Sqlite.Statement<unknown[]>, ...parameters: unknown[]): unknown {
    const since = performance.now();
    try {
      return original.apply(this, parameters);
    } finally {
      addTo(this.database.name, this.source, since);
    }
  };
  Object.defineProperty(prototype, name, { value: timed });
}

process.once('exit', () => {
  const times = [...sums].flatMap(([file, statements]) =>
    [...statements].map(([sql, sum]): StatementTime => ({ database: basename(file), sql, ...sum })),
  );
  const file = process.env['BENCH_STATEMENT_TIMES'];
  if (file !== undefined) writeFileSync(file, JSON.stringify(times));
});
