/** Durable sends accepted a second over 64 connections. */
import type { EngineKind } from '../../packages/server/src/store/database.ts';
import { type Bench, engineName, inRounds, loadSends } from '../bench.ts';
import { atLeast, atMost, type Figure } from '../figure.ts';
import type { Loaded } from '../load/closed-loop.ts';
import { untilQuiet } from '../process-facts.ts';
import type { Program } from '../programs.ts';
import { prepareHome, startTrunkline } from '../trunkline.ts';
import { startBareFastify, startCommitPerRequest } from '../yardsticks/start.ts';

const GOAL: Readonly<Record<EngineKind, number>> = { sqlite: 0.55, postgres: 0.45 };
const COMMITS_GOAL = 6;
const P99_GOAL_MS = 20;

export async function measureAccept(bench: Bench): Promise<Figure[]> {
  const { engine } = bench.settings;
  const engines: readonly EngineKind[] = engine ? [engine] : ['sqlite', 'postgres'];
  const figures: Figure[] = [];
  for (const one of engines) figures.push(...(await measureEngine(bench, one)));
  return figures;
}

interface Side {
  readonly program: Program;
  readonly rounds: Loaded[];
}

/** On a home of its own each: one that accepts and leaves the sending to another process, one that does everything. */
async function measureEngine(bench: Bench, engine: EngineKind): Promise<Figure[]> {
  const accepting = await bench.homes.create(engine);
  const sending = await bench.homes.create(engine);
  await prepareHome(accepting);
  await prepareHome(sending);
  const sides = {
    bare: sideOf(await startBareFastify()),
    accepting: sideOf(await startTrunkline(accepting, { environment: { TRUNKLINE_ROLES: 'api' } })),
    sending: sideOf(await startTrunkline(sending)),
    committing: engine === 'sqlite' ? sideOf(await startCommitPerRequest(await bench.homes.createFolder())) : null,
  };
  const all = [sides.bare, sides.accepting, sides.sending, sides.committing].filter((side) => side !== null);
  await inRounds(bench, `accept on ${engineName(engine)}`, async () => {
    const rates: string[] = [];
    for (const side of all) {
      const loaded = await loadSends(bench, side.program.origin);
      side.rounds.push(loaded);
      rates.push(`${Math.round(loaded.perSecond)}/s`);
      await untilQuiet(side.program.pid);
    }
    return rates.join(', ');
  });
  for (const side of all) await side.program.stop();
  await accepting.remove();
  await sending.remove();
  return figuresOf(engine, sides);
}

function sideOf(program: Program): Side {
  return { program, rounds: [] };
}

interface Sides {
  readonly bare: Side;
  readonly accepting: Side;
  readonly sending: Side;
  readonly committing: Side | null;
}

function figuresOf(engine: EngineKind, sides: Sides): Figure[] {
  const { bare, accepting, sending, committing } = sides;
  const name = engineName(engine);
  const besideBare = { name: 'bare Fastify', values: rates(bare) };
  const goal = atLeast('ratio', GOAL[engine]);
  const figures: Figure[] = [
    { name: `${name}: sends accepted`, unit: '/s', values: rates(accepting), beside: besideBare, goal },
    ...latencyFigures(`${name}: sends accepted`, accepting, bare),
    { name: `${name}: accepted while sending too`, unit: '/s', values: rates(sending), beside: besideBare, goal },
    ...latencyFigures(`${name}: accepted while sending too`, sending, bare),
  ];
  if (!committing) return figures;
  return figures.toSpliced(1, 0, {
    name: `${name}: sends accepted`,
    unit: '/s',
    values: rates(accepting),
    beside: { name: 'one commit each', values: rates(committing) },
    goal: atLeast('ratio', COMMITS_GOAL),
  });
}

function rates(side: Side): number[] {
  return side.rounds.map((round) => round.perSecond);
}

function latencyFigures(name: string, side: Side, bare: Side): Figure[] {
  const figure = (key: 'p50' | 'p99'): Figure => ({
    name: `${name}, ${key}`,
    unit: 'ms',
    values: side.rounds.map((round) => round[key]),
    beside: { name: 'bare Fastify', values: bare.rounds.map((round) => round[key]) },
    goal: key === 'p99' ? atMost('value', P99_GOAL_MS) : null,
  });
  return [figure('p50'), figure('p99')];
}
