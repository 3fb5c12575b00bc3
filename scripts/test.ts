/**
 * `npm test`: the check, then every test. A failed check counts as one failure and the tests run all the same. The last
 * lines name the parts that this machine could not run; the very last one is `N passed, N failed`.
 * What stands after `--` goes to Vitest.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { readLeftOut } from '../test/left-out.ts';
import { check } from './check.ts';
import { binOf, ROOT, runNode } from './run-step.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Runs the tests that `vitestArguments` choose, prints the last lines and returns the exit code. */
export async function runTests(
  vitestArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  earlierFailures: readonly string[] = [],
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  const reportFile = join(folder, 'report.json');
  const leftOutFile = join(folder, 'left-out');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const { ok } = await runNode([binOf('vitest', 'vitest'), 'run', ...reporters, ...vitestArguments], {
      live: true,
      environment: { ...environment, LEFT_OUT_FILE: leftOutFile },
    });
    const report = existsSync(reportFile) ? parseReport(readFileSync(reportFile, 'utf8')) : null;
    const failures = [...earlierFailures, ...failuresBesideTests(report, ok)];
    for (const failure of failures) console.log(`failed: ${failure}`);
    for (const { part, reason } of readLeftOut(leftOutFile)) console.log(`left out: ${part} (${reason})`);
    const failed = (report?.numFailedTests ?? 0) + failures.length;
    console.log(`${report?.numPassedTests ?? 0} passed, ${failed} failed`);
    return ok && failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What Vitest's count of failed tests does not show: each is one failure more. */
function failuresBesideTests(report: Report | null, ok: boolean): string[] {
  if (report === null) return ['the test run ended without a report'];
  const broken = report.testResults
    .filter((file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'))
    .map((file) => `${relative(ROOT, file.name)} could not be run to its end`);
  const skipped = report.numPendingTests + report.numTodoTests;
  const silent = skipped > 0 ? [`${skipped} tests were skipped, and no test may be`] : [];
  const found = [...broken, ...silent];
  const isUnexplained = !ok && report.numFailedTests === 0 && found.length === 0;
  return isUnexplained ? ['an error outside of the tests; see above'] : found;
}

function parseReport(text: string): Report {
  return JSON.parse(text);
}

if (import.meta.main) {
  const failedStep = await check();
  const failures = failedStep === null ? [] : [`npm run check, at ${failedStep}`];
  process.exitCode = await runTests(process.argv.slice(2), {}, failures);
}
