/**
 * Where the server's time goes under a load: `node bench/profile.ts accept|through [--engine sqlite|postgres]
 * [--seconds n] [--statements] [--keep folder]`. The server runs with `--cpu-prof`, or with `--statements` under a probe
 * that times every SQLite statement instead. Both slow it down: read shares, not rates.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSends } from './bench.ts';
import { callChild } from './calls.ts';
import { type CpuProfile, type Share, summarise } from './cpu-profile.ts';
import { openHomes } from './home.ts';
import type { LoadCalls } from './load/load-process.ts';
import { forkProgram, runToEnd } from './programs.ts';
import { startReceiver } from './receiver.ts';
import type { StatementTime } from './statement-probe.ts';
import { addWebhook, prepareHome, startTrunkline } from './trunkline.ts';

const TOP = 25;
const SAMPLE_MICROSECONDS = 200;
const SECONDS = '5';
const WARM_UP_SECONDS = 1;
const SQL_CHARACTERS = 110;
const PROBE = join(import.meta.dirname, 'statement-probe.ts');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string', default: 'sqlite' },
    seconds: { type: 'string', default: SECONDS },
    statements: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
await runToEnd(() => watch(positionals[0] === 'through'));

async function watch(isThrough: boolean): Promise<void> {
  const homes = await openHomes();
  const home = await homes.create(values.engine === 'postgres' ? 'postgres' : 'sqlite');
  await prepareHome(home);
  const folder = await homes.createFolder();
  const timesFile = join(folder, 'statement-times.json');
  const { child } = forkProgram(join(import.meta.dirname, 'load/load-process.ts'));
  const settings = { seconds: Number(values.seconds), warmUpSeconds: WARM_UP_SECONDS };
  const server = await startTrunkline(home, {
    nodeArguments: values.statements
      ? [`--import=${PROBE}`]
      : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_MICROSECONDS}`],
    environment: { BENCH_STATEMENT_TIMES: timesFile, ...(isThrough ? {} : { TRUNKLINE_ROLES: 'api' }) },
  });
  const receiver = isThrough ? await startReceiver() : null;
  if (receiver) await addWebhook(server.origin, receiver);
  const loaded = await loadSends({ load: callChild<LoadCalls>(child), settings }, server.origin);
  const report = await receiver?.waitFor('sent', loaded.answered);
  // What was watched is written when the process ends by itself.
  await server.stop();
  if (values.keep !== undefined) cpSync(folder, values.keep, { recursive: true });
  console.log(`${loaded.answered} sends, ${Math.round(loaded.perSecond)}/s accepted while it was watched`);
  if (values.statements) printStatements(JSON.parse(readFileSync(timesFile, 'utf8')) as StatementTime[]);
  else printProfile(folder, loaded.startedAt, report?.lastAt ?? loaded.endedAt);
}

function printProfile(folder: string, from: number, to: number): void {
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('The server left no profile.');
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
  const summary = summarise(profile, from, to, TOP);
  console.log(`busy ${(summary.busyMs / 1_000).toFixed(1)} s, idle ${(summary.idleMs / 1_000).toFixed(1)} s`);
  console.log('\nself time by function');
  for (const one of summary.functions) console.log(shareLine(one));
  console.log('\nself time by package and folder');
  for (const one of summary.groups) console.log(shareLine(one));
}

function shareLine({ name, milliseconds, share }: Share): string {
  return `${(share * 100).toFixed(1).padStart(5)} %  ${milliseconds.toFixed(0).padStart(6)} ms  ${name}`;
}

function printStatements(times: readonly StatementTime[]): void {
  console.log('\n      ms    calls  µs each  statement');
  for (const one of times.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, TOP)) {
    const each = (one.milliseconds / one.calls) * 1_000;
    const numbers = [
      one.milliseconds.toFixed(0).padStart(8),
      String(one.calls).padStart(8),
      each.toFixed(0).padStart(8),
    ];
    const sql = one.sql.replaceAll(/\s+/g, ' ').slice(0, SQL_CHARACTERS);
    console.log(`${numbers.join(' ')}  ${one.database.replace('.sqlite', '')}: ${sql}`);
  }
}
