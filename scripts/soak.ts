/**
 * `npm run soak`: the tests from outside and the fuzzer with their full counts, which `npm test` runs with small ones. A test reads
 * its count with `countFrom` of `test/counts.ts`; a count in the environment goes before the one here.
 */
import { FULL_COUNTS } from '../test/counts.ts';
import { runTests } from './test.ts';

const TEST_TIMEOUT_MS = 3 * 60 * 60 * 1000;

const counts = Object.fromEntries(
  Object.entries(FULL_COUNTS).map(([name, count]) => [name, process.env[name] ?? String(count)]),
);
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' '),
);
process.exitCode = await runTests(
  ['--project', 'outside', '--project', 'fuzz', `--testTimeout=${TEST_TIMEOUT_MS}`, ...process.argv.slice(2)],
  counts,
);
