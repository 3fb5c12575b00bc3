/** From the start of the process to the line that says where it listens. */
import { type Bench, engineName } from '../bench.ts';
import { atMost, type Figure } from '../figure.ts';
import { timeNode } from '../programs.ts';
import { seedMessages } from '../seed-messages.ts';
import { prepareHome, startTrunkline } from '../trunkline.ts';
import { startRawHttp } from '../yardsticks/start.ts';

const GOAL_MS = 400;
const EXISTING_MESSAGES = 100_000;

export async function measureStart(bench: Bench): Promise<Figure[]> {
  const engine = bench.settings.engine ?? 'sqlite';
  const existing = await bench.homes.create(engine);
  await prepareHome(existing);
  await seedMessages(existing, Math.min(EXISTING_MESSAGES, bench.settings.messages));
  const node: number[] = [];
  const raw: number[] = [];
  const empty: number[] = [];
  const full: number[] = [];
  for (let index = 0; index < bench.settings.starts; index++) {
    node.push(await timeNode(['-e', '0']));
    const rawHttp = await startRawHttp();
    raw.push(rawHttp.readyMs);
    await rawHttp.stop();
    const home = await bench.homes.create(engine);
    for (const [one, times] of [[home, empty] as const, [existing, full] as const]) {
      const server = await startTrunkline(one);
      times.push(server.readyMs);
      await server.stop();
    }
    await home.remove();
    bench.say(`start ${index + 1} of ${bench.settings.starts}: ${full.at(-1)?.toFixed(0)} ms with data`);
  }
  await existing.remove();
  const name = engineName(engine);
  const beside = { name: 'raw node:http', values: raw };
  return [
    { name: `${name}: start with existing data`, unit: 'ms', values: full, beside, goal: atMost('value', GOAL_MS) },
    { name: `${name}: start in an empty place`, unit: 'ms', values: empty, beside, goal: null },
    { name: 'raw node:http', unit: 'ms', values: raw, beside: { name: 'node -e 0', values: node }, goal: null },
  ];
}
