/**
 * `npm run bench`: measures, each figure beside its yardstick in the same run, and prints one table.
 *
 *   npm run bench -- [accept|through|inbound|page|lists|start|memory|overload|mac ...] [--quick] [--engine sqlite|postgres] [--json file]
 *                    [--rounds n] [--seconds n] [--messages n] [--sends n]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { EngineKind } from '../packages/server/src/store/database.ts';
import type { Bench, Measurement, Settings } from './bench.ts';
import { callChild } from './calls.ts';
import type { Figure } from './figure.ts';
import { measureAccept } from './figures/accept.ts';
import { measureInbound } from './figures/inbound.ts';
import { measureLists } from './figures/lists.ts';
import { measureMac } from './figures/mac.ts';
import { measureMemory } from './figures/memory.ts';
import { measureOverload } from './figures/overload.ts';
import { measurePage } from './figures/page.ts';
import { measureStart } from './figures/start.ts';
import { measureThrough } from './figures/through.ts';
import { openHomes } from './home.ts';
import type { LoadCalls } from './load/load-process.ts';
import { forkProgram, runToEnd } from './programs.ts';
import { figureJson, renderTable } from './table.ts';

const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  accept: measureAccept,
  through: measureThrough,
  inbound: measureInbound,
  page: measurePage,
  lists: measureLists,
  start: measureStart,
  memory: measureMemory,
  overload: measureOverload,
  mac: measureMac,
};

const FULL: Omit<Settings, 'engine'> = {
  rounds: 5,
  seconds: 5,
  warmUpSeconds: 1,
  messages: 1_000_000,
  sends: 200_000,
  starts: 9,
  restSeconds: 10,
  overloadSeconds: 60,
};
/** Enough to see that everything runs; too short to judge by. */
const QUICK: Omit<Settings, 'engine'> = {
  rounds: 3,
  seconds: 1,
  warmUpSeconds: 0.5,
  messages: 100_000,
  sends: 10_000,
  starts: 3,
  restSeconds: 3,
  overloadSeconds: 6,
};
const ROUNDS_MIN = 3;

interface Request {
  readonly settings: Settings;
  readonly names: readonly string[];
  readonly json: string | null;
}

const request = readRequest(process.argv.slice(2));
await runToEnd(async () => {
  const figures = await measure(request);
  console.log(`\n${renderTable(figures)}`);
  if (request.json === null) return;
  const { settings } = request;
  writeFileSync(request.json, `${JSON.stringify({ settings, figures: figures.map(figureJson) }, null, 2)}\n`);
});

async function measure({ settings, names }: Request): Promise<Figure[]> {
  const homes = await openHomes();
  const { child } = forkProgram(`${import.meta.dirname}/load/load-process.ts`);
  const say = (what: string) => console.error(what);
  const bench: Bench = { settings, homes, load: callChild<LoadCalls>(child), say };
  const figures: Figure[] = [];
  for (const name of names) figures.push(...((await MEASUREMENTS[name]?.(bench)) ?? []));
  return figures;
}

function readRequest(words: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      engine: { type: 'string' },
      json: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      messages: { type: 'string' },
      sends: { type: 'string' },
    },
  });
  const base = values.quick ? QUICK : FULL;
  const unknown = positionals.find((name) => !Object.hasOwn(MEASUREMENTS, name));
  if (unknown !== undefined)
    refuse(`There is no figure ${unknown}. There are ${Object.keys(MEASUREMENTS).join(', ')}.`);
  const settings: Settings = {
    ...base,
    engine: readEngine(values.engine),
    rounds: Math.max(ROUNDS_MIN, readCount('rounds', values.rounds) ?? base.rounds),
    seconds: readCount('seconds', values.seconds) ?? base.seconds,
    messages: readCount('messages', values.messages) ?? base.messages,
    sends: readCount('sends', values.sends) ?? base.sends,
  };
  return {
    settings,
    names: positionals.length > 0 ? positionals : Object.keys(MEASUREMENTS),
    json: values.json ?? null,
  };
}

function readEngine(text: string | undefined): EngineKind | null {
  if (text === undefined || text === 'sqlite' || text === 'postgres') return text ?? null;
  return refuse('--engine is sqlite or postgres.');
}

function readCount(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  return count > 0 ? count : refuse(`--${name} takes a number above 0.`);
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
