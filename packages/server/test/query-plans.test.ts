/** The plans of the hot queries are checked in: one that changes shows in a diff, and a new full scan fails by name. */
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { EngineKind } from '../src/store/database.ts';
import { WRITES } from '../src/store/writes.ts';
import { plansFile, withMigrated } from './generated-files.ts';
import { ENGINES } from './harness.ts';
import { RARE_WRITES } from './plan-scene.ts';
import { FULL_SCANS, needlessReasons, planProblems } from './plan-verdict.ts';
import { explainRecorded, type QueryPlan, recordHotQueries } from './query-plan.ts';

const DROPPED_INDEX = 'outbox_pending';

interface Explained {
  readonly plans: readonly QueryPlan[];
  /** The same without one index. */
  readonly withoutIndex: readonly QueryPlan[];
  readonly filed: string;
  readonly writes: readonly string[];
}

const explained = new Map<EngineKind, Explained>();

beforeAll(async () => {
  for (const kind of ENGINES) {
    const found = await withMigrated(kind, inject('postgresUrl'), async (engine) => {
      const recorded = await recordHotQueries(engine);
      const plans = await explainRecorded(engine, recorded);
      await sql.raw(`drop index ${DROPPED_INDEX}`).execute(engine.query);
      const withoutIndex = await explainRecorded(engine, recorded);
      return { plans, withoutIndex, writes: recorded.flatMap((step) => step.writes) };
    });
    explained.set(kind, { ...found, filed: readFileSync(plansFile(kind), 'utf8') });
  }
}, 60_000);

function of(kind: EngineKind): Explained {
  const found = explained.get(kind);
  if (!found) throw new Error(`Nothing was explained on ${kind}.`);
  return found;
}

describe.each(ENGINES)('the hot queries on %s', (kind) => {
  it('are run as the checked-in plans say, and read no table from end to end that is not meant', () => {
    const { plans, filed } = of(kind);
    expect(plans.length).toBeGreaterThan(50);
    expect(planProblems(kind, plans, filed)).toEqual([]);
  });

  it('are seen to read a whole table when an index is gone', () => {
    const { withoutIndex, filed } = of(kind);
    const problems = planProblems(kind, withoutIndex, filed);
    expect(problems).toContainEqual(expect.stringMatching(/^"claim items of the outbox" makes a full scan of outbox/));
    expect(problems).toContainEqual(expect.stringMatching(/^"claim items of the outbox" has a plan that is not filed/));
    expect(problems.at(-1)).toContain('npm run generate');
  });

  it('are those of every write but the rare ones', () => {
    const all = Object.values(WRITES).map((write) => write.name);
    expect([...new Set([...of(kind).writes, ...Object.keys(RARE_WRITES)])].sort()).toEqual([...all].sort());
  });
});

it('names no full scan as meant that is not made', () => {
  expect(needlessReasons(ENGINES.flatMap((kind) => of(kind).plans))).toEqual([]);
  for (const { reason } of FULL_SCANS) expect(reason).toMatch(/^[A-Z].{20,}\.$/);
});
