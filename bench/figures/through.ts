/** Sends a second all the way: accepted, sent on the line, seen going out, and delivered to a webhook that verifies. */
import { type Bench, engineName, inRounds, loadSends } from '../bench.ts';
import { atLeast, atMost, type Figure } from '../figure.ts';
import { untilQuiet } from '../process-facts.ts';
import { startReceiver } from '../receiver.ts';
import type { ReceiverReport } from '../receiver-process.ts';
import { addWebhook, prepareHome, startTrunkline } from '../trunkline.ts';
import { startBareFastify } from '../yardsticks/start.ts';

const RATE_GOAL = 0.25;
const BACKLOG_GOAL_S = 1;

interface Round {
  readonly bare: number;
  readonly accepted: number;
  /** From the first send to the last webhook. */
  readonly through: number;
  /** From the end of the load to the last webhook. */
  readonly backlogSeconds: number;
  readonly report: ReceiverReport;
}

export async function measureThrough(bench: Bench): Promise<Figure[]> {
  const engine = bench.settings.engine ?? 'sqlite';
  const home = await bench.homes.create(engine);
  await prepareHome(home);
  const receiver = await startReceiver();
  const bare = await startBareFastify();
  const server = await startTrunkline(home);
  await addWebhook(server.origin, receiver);
  const rounds: Round[] = [];
  await inRounds(bench, `through on ${engineName(engine)}`, async () => {
    const { perSecond } = await loadSends(bench, bare.origin);
    await receiver.clear();
    const loaded = await loadSends(bench, server.origin);
    await receiver.waitFor('sent', loaded.answered);
    // Whatever comes twice may come late.
    await untilQuiet(server.pid);
    const report = await receiver.report();
    const round = {
      bare: perSecond,
      accepted: loaded.perSecond,
      through: loaded.answered / ((report.lastAt - loaded.startedAt) / 1_000),
      backlogSeconds: Math.max(0, report.lastAt - loaded.endedAt) / 1_000,
      report,
    };
    rounds.push(round);
    return `${Math.round(perSecond)}/s, ${Math.round(round.through)}/s, then ${round.backlogSeconds.toFixed(2)} s`;
  });
  for (const program of [server, bare, receiver]) await program.stop();
  await home.remove();
  return figuresOf(engineName(engine), rounds);
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const beside = { name: 'bare Fastify', values: rounds.map((round) => round.bare) };
  const count = (what: string, of: 'duplicates' | 'badSignatures'): Figure => ({
    name: `${name}: ${what}`,
    unit: '',
    values: rounds.map((round) => round.report[of]),
    beside: null,
    goal: atMost('value', 0),
  });
  return [
    {
      name: `${name}: sends through to a webhook`,
      unit: '/s',
      values: rounds.map((round) => round.through),
      beside,
      goal: atLeast('ratio', RATE_GOAL),
    },
    {
      name: `${name}: accepted in the same load`,
      unit: '/s',
      values: rounds.map((round) => round.accepted),
      beside,
      goal: null,
    },
    {
      name: `${name}: from the load's end to the last webhook`,
      unit: 's',
      values: rounds.map((round) => round.backlogSeconds),
      beside: null,
      goal: atMost('value', BACKLOG_GOAL_S),
    },
    count('webhooks that came twice', 'duplicates'),
    count('bad signatures (1 in 16 checked)', 'badSignatures'),
  ];
}
