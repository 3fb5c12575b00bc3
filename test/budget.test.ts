/** What the product brings along and loads stays below ceilings that somebody set on purpose. */
import { describe, expect, it } from 'vitest';
import { BUDGETS, type BudgetName, overdraft, PRESENT_MODULES, PRESENT_PACKAGES } from './budget.ts';
import { countByPlace, countLoadedModules } from './loaded-modules.ts';
import { kilobytesByPackage, readProductionPackages } from './production-packages.ts';

const BYTES_OF_A_MEGABYTE = 1_000_000;

describe('the budget', () => {
  it('has ceilings near what is there', () => {
    for (const { ceiling, present } of Object.values(BUDGETS)) {
      expect(present).toBeLessThanOrEqual(ceiling);
      expect(present).toBeGreaterThan(ceiling / 2);
    }
  });

  it('holds for the packages that an installation brings along, and for their megabytes', () => {
    const packages = readProductionPackages();
    const parts = kilobytesByPackage(packages);
    const megabytes = Math.ceil(packages.reduce((sum, one) => sum + one.bytes, 0) / BYTES_OF_A_MEGABYTE);
    expect(parts.has('fastify') && parts.has('better-sqlite3') && parts.has('commander')).toBe(true);
    expect(parts.has('vitest')).toBe(false);
    expect(overdraft('packages', packages.length, parts, PRESENT_PACKAGES)).toBeNull();
    expect(overdraft('megabytes', megabytes, parts, PRESENT_PACKAGES)).toBeNull();
  });

  it('holds for the files that are loaded until the server is ready', async () => {
    const loaded = await countLoadedModules();
    const parts = countByPlace(loaded);
    expect(loaded.own).toContain('packages/server/src/server.ts');
    expect(overdraft('ownModules', loaded.own.length, parts, PRESENT_MODULES)).toBeNull();
    expect(overdraft('packageModules', loaded.ofPackages.length, parts, PRESENT_MODULES)).toBeNull();
    // PostgreSQL's client is loaded only where there is a PostgreSQL.
    expect(parts.has('pg')).toBe(false);
    // The documents are made when somebody asks for them.
    expect(parts.has('packages/server/src/http/docs')).toBe(false);
  });

  it('says by how much it is overdrawn, and what grew most', () => {
    const name: BudgetName = 'packageModules';
    const { ceiling, present } = BUDGETS[name];
    const parts = new Map([
      ['zod', 120],
      ['kysely', 257],
      ['lodash', 600],
    ]);
    expect(overdraft(name, ceiling, parts, {})).toBeNull();
    expect(overdraft(name, ceiling + 1, parts, { zod: 95, kysely: 257 })).toBe(
      `packageModules: ${ceiling + 1}, where the ceiling is ${ceiling}; it was ${present} when that was set. What grew: lodash +600 (new), zod +25.`,
    );
  });
});
