/**
 * `npm run teeth`: breaks one line at a time in a copy of the repository and shows the test that notices. A promise
 * whose line can be broken without a test that fails is not tested. Fails when a line is not there any more, when a
 * test fails with nothing broken, and when a sabotage goes unnoticed.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { binOf, ROOT } from './run-step.ts';

interface Sabotage {
  readonly name: string;
  /** Below `packages/server/src/`. */
  readonly file: string;
  /** The line as it stands there, without its indentation. */
  readonly line: string;
  readonly replacement: string;
  /** The test file, and the part of a test's name, that must notice. */
  readonly test: { readonly file: string; readonly name: string };
}
const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'SQLite does not sync every commit',
    file: 'store/dialects/sqlite.ts',
    line: "const synchronous = connection.pragma('synchronous', { simple: true });",
    replacement:
      "const synchronous = connection.pragma('synchronous', { simple: true }); connection.pragma('synchronous = NORMAL');",
    test: { file: 'test/power-loss.test.ts', name: 'loses nothing that was acknowledged' },
  },
  {
    name: 'FULL is not asked for',
    file: 'store/dialects/sqlite.ts',
    line: "connection.pragma('synchronous = FULL');",
    replacement: "connection.pragma('synchronous = NORMAL');",
    test: { file: 'test/power-loss.test.ts', name: 'loses nothing that was acknowledged' },
  },
  {
    name: "a holder's fence is not looked at",
    file: 'store/leases.ts',
    line: `return (claim) => held.has(\`\${claim.lane} \${claim.fence}\`);`,
    replacement: 'return () => held.size >= 0;',
    test: { file: 'test/lease-fence.test.ts', name: 'refuses what a former owner' },
  },
  {
    name: 'a lease is given although another holds it',
    file: 'store/leases.ts',
    line: `where leases.name = i.name and (leases.expires_at <= {now} or leases.holder = i.holder) and \${IS_THERE}`,
    replacement: `where leases.name = i.name and \${IS_THERE}`,
    test: { file: 'test/lease-fence.test.ts', name: 'to nobody else while the lease lasts' },
  },
  {
    name: 'what is behind a file that is being fetched does not wait for it',
    file: 'store/outbox-lane.ts',
    line: "and not exists (select 1 from outbox f where f.line_ref = i.line_ref and f.state = 'fetching'",
    replacement: "and not exists (select 1 from outbox f where f.line_ref = i.line_ref and f.state = 'waiting'",
    test: { file: 'packages/server/test/media.test.ts', name: 'keeps its place in its chat' },
  },
  {
    name: 'a former holder of the line says what became of a fetch',
    file: 'store/fetches.ts',
    line: 'const held = settlements.filter(({ claim }) => holds(claim));',
    replacement: 'const held = settlements;',
    test: { file: 'packages/server/test/media.test.ts', name: 'is fetched again by the next holder' },
  },
  {
    name: "the log's numbers are drawn without its lock",
    file: 'store/dialects/postgres-log.ts',
    line: `const lock = \`select pg_advisory_xact_lock(\${LOG_LOCK});\`;`,
    replacement: "const lock = '';",
    test: { file: 'test/event-log.test.ts', name: 'every event of eight writers' },
  },
  {
    name: 'retries are claimed without SKIP LOCKED',
    file: 'store/deliveries.ts',
    line: 'order by d.due_at limit i.max {skip locked})',
    replacement: 'order by d.due_at limit i.max)',
    test: { file: 'test/retry-claims.test.ts', name: 'without waiting' },
  },
  {
    name: 'a delivery that is sent again loses the claim of the attempt under way',
    file: 'store/resends.ts',
    line: 'const RESEND = `update deliveries set resent_at = i.now,',
    replacement: 'const RESEND = `update deliveries set claimed_until = 0, resent_at = i.now,',
    test: { file: 'packages/server/test/resends.test.ts', name: 'keep the claim of an attempt' },
  },
  {
    name: 'a sandbox message that is seen again is looked at as if it were new',
    file: 'store/sighting-owners.ts',
    line: 'const stored = known.get(key) ?? ofItems.get(event.reference ?? key);',
    replacement: 'const stored = ofItems.get(event.reference ?? key);',
    test: { file: 'packages/server/test/sandbox-races.test.ts', name: 'that comes twice pairs once' },
  },
  {
    name: "the sandbox line's day has no end of messages",
    file: 'store/sandbox-sends.ts',
    line: "return book.sent >= SANDBOX_DAILY_MAX ? 'sandbox_quota_exceeded' : null;",
    replacement: 'return book.sent >= 2 * SANDBOX_DAILY_MAX ? null : null;',
    test: { file: 'packages/server/test/sandbox-sends.test.ts', name: 'accepts exactly fifty' },
  },
  {
    name: 'what was `sending` in a crash is sent again',
    file: 'outbox/reconcile.ts',
    line: 'outcome: outcomeOf(answers.get(item.id)),',
    replacement: "outcome: { state: 'returned' },",
    test: { file: 'test/reconcile.test.ts', name: 'nothing on the air is sent again' },
  },
  {
    name: "a key that is limited to some lines reads another line's object by its id",
    file: 'lines/resolve.ts',
    line: 'return user.lineRefs === null || user.lineRefs.has(lineRef) || registry.byRef(lineRef)?.isSandbox === true;',
    replacement: 'return user.lineRefs === null || registry.byRef(lineRef) !== undefined;',
    test: { file: 'packages/server/test/access-matrix.test.ts', name: 'GET /v1/outbox by id' },
  },
  {
    name: 'a cursor of any list is taken by every list',
    file: 'http/page-cursor.ts',
    line: `if (text !== \`\${place}.\${check(list, place)}\`) throw notOurs();`,
    replacement: 'if (place === list) throw notOurs();',
    test: { file: 'packages/server/test/fuzz-cursors.test.ts', name: 'a cursor of messages is refused by every other' },
  },
  {
    name: 'a body that will be compared may be of any depth',
    file: 'http/repeats.ts',
    line: 'if (!isDeeperThan(DEPTH_MAX, request.bodyText)) return request.body;',
    replacement: 'if (!isDeeperThan(DEPTH_MAX * 1_000_000, request.bodyText)) return request.body;',
    test: { file: 'packages/server/test/fuzz.test.ts', name: 'a body of any depth' },
  },
  {
    name: 'an error is logged with the row that the database quotes',
    file: 'log.ts',
    line: 'const options = { level, base: null, serializers: { err: describeError } };',
    replacement: 'const options = { level, base: null };',
    test: { file: 'packages/server/test/leaks.test.ts', name: 'keys, secrets, texts and handles' },
  },
];

const COPIED = ['packages', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'] as const;
const WORKSPACE = '@trunkline';
const RUN_TIMEOUT_MS = 10 * 60_000;

interface Result {
  readonly passed: boolean;
  readonly passedTests: number;
  /** The first failure in a line, or null. */
  readonly failure: string | null;
  readonly seconds: number;
}

async function main(): Promise<number> {
  const copy = copyRepository();
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  const files = SABOTAGES.map((one) => one.test.file);
  const names = SABOTAGES.map((one) => one.test.name);
  const sound = await runTest(copy, [...new Set(files)], [...new Set(names)].join('|'));
  console.log(
    `nothing broken: ${sound.passed ? 'every test passes' : `FAILED, ${sound.failure}`} (${sound.seconds} s)\n`,
  );
  if (!sound.passed) return 1;
  let unnoticed = 0;
  for (const sabotage of SABOTAGES) {
    const result = await withSabotage(copy, sabotage, () => runTest(copy, [sabotage.test.file], sabotage.test.name));
    if (result.passed) unnoticed++;
    console.log(rowOf(sabotage, result));
  }
  console.log(`\n${SABOTAGES.length - unnoticed} of ${SABOTAGES.length} noticed`);
  return unnoticed === 0 ? 0 : 1;
}

function rowOf({ name, file, test }: Sabotage, { passed, failure, seconds }: Result): string {
  const verdict = passed ? 'NOT NOTICED' : 'caught';
  const noticed = passed ? '' : `\n             ${failure ?? 'the run failed'}`;
  return `${verdict.padEnd(11)}  ${name} (${file})\n             by ${basename(test.file)}, "${test.name}", ${seconds} s${noticed}`;
}

/** What the tests need of the repository; packages from outside are shared, our own are the copy's. */
function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'trunkline-teeth-'));
  const isWanted = (path: string): boolean => basename(path) !== 'node_modules';
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true, filter: isWanted });
  const modules = join(ROOT, 'node_modules');
  mkdirSync(join(copy, 'node_modules', WORKSPACE), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== WORKSPACE && !name.startsWith('.')) symlinkSync(join(modules, name), join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(join(modules, WORKSPACE))) {
    if (!existsSync(join(copy, 'packages', name))) throw new Error(`There is no package ${name} to link to.`);
    symlinkSync(join('..', '..', 'packages', name), join(copy, 'node_modules', WORKSPACE, name));
  }
  return copy;
}

async function withSabotage(copy: string, sabotage: Sabotage, run: () => Promise<Result>): Promise<Result> {
  const path = join(copy, 'packages/server/src', sabotage.file);
  const text = readFileSync(path, 'utf8');
  if (text.split(sabotage.line).length !== 2) {
    throw new Error(`${sabotage.file} does not have this line exactly once:\n${sabotage.line}`);
  }
  await writeFile(
    path,
    text.replace(sabotage.line, () => sabotage.replacement),
  );
  try {
    return await run();
  } finally {
    await writeFile(path, text);
  }
}

async function runTest(copy: string, files: readonly string[], name: string): Promise<Result> {
  const start = performance.now();
  const reportFile = join(copy, 'report.json');
  rmSync(reportFile, { force: true });
  const only = ['run', ...files, '-t', name];
  const child = spawn(
    process.execPath,
    [binOf('vitest', 'vitest'), ...only, '--reporter=json', `--outputFile.json=${reportFile}`],
    { cwd: copy, stdio: 'ignore', timeout: RUN_TIMEOUT_MS },
  );
  const endChild = (): void => void child.kill('SIGKILL');
  process.once('exit', endChild);
  const code = await new Promise((resolve) => child.once('close', resolve));
  process.off('exit', endChild);
  const report = readReport(reportFile);
  return {
    passed: code === 0,
    passedTests: report?.numPassedTests ?? 0,
    failure: firstFailure(report),
    seconds: Math.round((performance.now() - start) / 1000),
  };
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly { readonly failureMessages?: readonly string[] | null }[];
  }[];
}

function readReport(file: string): Report | null {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

function firstFailure(report: Report | null): string | null {
  const messages = (report?.testResults ?? []).flatMap((file) => [
    ...file.assertionResults.flatMap((one) => one.failureMessages ?? []),
    file.message ?? '',
  ]);
  return messages.find((message) => message !== '')?.split('\n')[0] ?? null;
}

process.exitCode = await main();
