/** From a phone's text to its webhook, at a fixed rate, counted from the moment at which the text was due. */
import { join } from 'node:path';
import { type Bench, engineName, inRounds } from '../bench.ts';
import { atMost, type Figure, type Goal } from '../figure.ts';
import type { Percentiles } from '../percentiles.ts';
import { type Receiver, startReceiver } from '../receiver.ts';
import { addWebhook, KEY, LINE, PHONE_HANDLES, prepareHome, startTrunkline } from '../trunkline.ts';

const RATES = [50, 500] as const;
const P50_GOAL_MS = 3;
const P99_GOAL_MS = 15;
const ALONE_TIMES = 1_000;
/** At 50 a second a measurement needs some time before its p99 means anything. */
const SECONDS_FACTOR = 2;

interface Round {
  readonly inbound: Percentiles;
  readonly alone: Percentiles;
  readonly lateness: Percentiles;
}

export async function measureInbound(bench: Bench): Promise<Figure[]> {
  const engine = bench.settings.engine ?? 'sqlite';
  const home = await bench.homes.create(engine);
  await prepareHome(home);
  const receiver = await startReceiver();
  const server = await startTrunkline(home);
  await addWebhook(server.origin, receiver);
  const file = join(await bench.homes.createFolder(), 'alone');
  const measured = new Map<number, Round[]>();
  for (const rate of RATES) {
    const rounds: Round[] = [];
    await inRounds(bench, `inbound at ${rate}/s`, async () => {
      const target = { file, origin: receiver.origin, path: '/alone', times: ALONE_TIMES };
      const alone = await bench.load.call('fsyncAndPost', target);
      const round = { alone, ...(await measureOnce(bench, server.origin, receiver, rate)) };
      rounds.push(round);
      return `p50 ${round.inbound.p50.toFixed(2)} ms, p99 ${round.inbound.p99.toFixed(2)} ms`;
    });
    measured.set(rate, rounds);
  }
  for (const program of [server, receiver]) await program.stop();
  await home.remove();
  return [...measured].flatMap(([rate, rounds]) => figuresOf(`${engineName(engine)}: inbound at ${rate}/s`, rounds));
}

async function measureOnce(bench: Bench, origin: string, receiver: Receiver, rate: number) {
  const { seconds, warmUpSeconds } = bench.settings;
  await receiver.clear();
  const { texts, lateness } = await bench.load.call('openLoop', {
    origin,
    key: KEY,
    line: LINE,
    phones: PHONE_HANDLES,
    perSecond: rate,
    warmUpSeconds,
    seconds: seconds * SECONDS_FACTOR,
  });
  const report = await receiver.waitFor('received', texts);
  return { inbound: report.latency, lateness };
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const figure = (key: 'p50' | 'p99', goal: Goal): Figure => ({
    name: `${name}, ${key}`,
    unit: 'ms',
    values: rounds.map((round) => round.inbound[key]),
    beside: { name: 'one fsync + one POST', values: rounds.map((round) => round.alone[key]) },
    goal,
  });
  return [
    figure('p50', atMost('value', P50_GOAL_MS)),
    figure('p99', atMost('value', P99_GOAL_MS)),
    {
      name: `${name}, of which the client late, p99`,
      unit: 'ms',
      values: rounds.map((round) => round.lateness.p99),
      beside: null,
      goal: null,
    },
  ];
}
