/** Runs `invariants.sql`: after crashes, in every test's teardown, and for an operator who wonders. */
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import type { Engine } from './database.ts';

const FOUND_MAX = 5;

export interface Violation {
  readonly invariant: string;
  /** Some of the rows that break it. */
  readonly rows: readonly unknown[];
}

/** Gives what does not hold: nothing, on a sound database. */
export async function findViolations(engine: Engine): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  for (const { name, query } of readInvariants()) {
    const { rows } = await sql.raw(`${query} limit ${FOUND_MAX}`).execute(engine.query);
    if (rows.length > 0) violations.push({ invariant: name, rows });
  }
  return violations;
}

function readInvariants(): { name: string; query: string }[] {
  const text = readFileSync(new URL('./invariants.sql', import.meta.url), 'utf8');
  return text.split(';').flatMap((part) => {
    const lines = part.trim().split('\n');
    const comments = lines.filter((line) => line.startsWith('--'));
    const query = lines
      .filter((line) => !line.startsWith('--'))
      .join('\n')
      .trim();
    return query === '' ? [] : [{ name: (comments.at(-1) ?? '').replace(/^-- /, ''), query }];
  });
}
