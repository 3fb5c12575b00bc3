/** Four times what the server can take: what it answers meanwhile, what it costs, and whether it recovers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, engineName, loadSends } from '../bench.ts';
import { atMost, type Figure } from '../figure.ts';
import type { Loaded } from '../load/closed-loop.ts';
import { HAS_PROC, readMemory, untilQuiet } from '../process-facts.ts';
import { KEY, prepareHome, SENDS, startTrunkline } from '../trunkline.ts';

const TIMES = 4;
const CONNECTIONS = 2_000;
/** How soon after the overload the latency is looked at again. */
const RECOVERS_WITHIN_MS = 5_000;
const CALM_CONNECTIONS = 4;
const ALLOWED: ReadonlySet<string> = new Set(['201', '429', '503']);
const MEMORY_GOAL_MB = 400;
const P99_GOAL_MS = 250;
const LATENCY_GOAL = 2;
const CREATED = 201;

/** One round: an overload is a state, and the server comes to it once. */
export async function measureOverload(bench: Bench): Promise<Figure[]> {
  const engine = bench.settings.engine ?? 'sqlite';
  const home = await bench.homes.create(engine);
  await prepareHome(home);
  const server = await startTrunkline(home);
  const capacity = await loadSends(bench, server.origin);
  await untilQuiet(server.pid);
  const before = await loadCalmly(bench, server.origin);

  const perSecond = Math.round(capacity.perSecond * TIMES);
  const { overloadSeconds } = bench.settings;
  bench.say(`overload: ${Math.round(capacity.perSecond)}/s accepted; ${perSecond}/s for ${overloadSeconds} s`);
  const load = { origin: server.origin, key: KEY, connections: CONNECTIONS, requests: SENDS };
  const overload = await bench.load.call('overload', { ...load, perSecond, seconds: overloadSeconds });
  const memory = HAS_PROC ? readMemory(server.pid).peakMb : Number.NaN;
  bench.say(
    `overload: ${JSON.stringify(overload.statuses)}, ${overload.broken} broken, ${overload.heldBack} held back`,
  );
  await sleep(RECOVERS_WITHIN_MS);
  const after = await loadCalmly(bench, server.origin);
  await server.stop();
  await home.remove();

  const others = Object.entries(overload.statuses).filter(([status]) => !ALLOWED.has(status));
  const name = `${engineName(engine)}, offered ${TIMES} times its capacity`;
  const answers = Object.values(overload.statuses).reduce((sum, count) => sum + count, 0);
  return [
    {
      name: `${name}: answered`,
      unit: '/s',
      values: [answers / overloadSeconds],
      beside: rateBeside(capacity),
      goal: null,
    },
    {
      name: `${name}: answers but 201, 429, 503; broken connections`,
      unit: '',
      values: [others.reduce((sum, [, count]) => sum + count, overload.broken)],
      beside: null,
      goal: atMost('value', 0),
    },
    {
      name: `${name}: p99 of what it accepted`,
      unit: 'ms',
      values: [overload.accepted.p99],
      beside: null,
      goal: atMost('value', P99_GOAL_MS),
    },
    { name: `${name}: most memory`, unit: 'MB', values: [memory], beside: null, goal: atMost('value', MEMORY_GOAL_MB) },
    {
      name: `${name}: p50 ${RECOVERS_WITHIN_MS / 1_000} s after it`,
      unit: 'ms',
      values: [after.p50],
      beside: { name: 'before it', values: [before.p50] },
      goal: atMost('ratio', LATENCY_GOAL),
    },
  ];
}

function rateBeside(capacity: Loaded) {
  return { name: 'its capacity', values: [capacity.perSecond] };
}

/** A few clients, far from the limit: what a request takes when nothing is in its way. */
function loadCalmly(bench: Bench, origin: string): Promise<Loaded> {
  const { seconds, warmUpSeconds } = bench.settings;
  const load = { origin, key: KEY, connections: CALM_CONNECTIONS, requests: SENDS, status: CREATED };
  return bench.load.call('closedLoop', { ...load, warmUpSeconds, until: { seconds } });
}
