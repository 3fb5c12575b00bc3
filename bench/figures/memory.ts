/** Resident memory: at rest, after accepting, and after sending all the way to a webhook. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, engineName, loadSends } from '../bench.ts';
import { atMost, type Figure, type Goal } from '../figure.ts';
import { HAS_PROC, type Memory, readMemory, untilQuiet } from '../process-facts.ts';
import { startReceiver } from '../receiver.ts';
import { addWebhook, prepareHome, startTrunkline } from '../trunkline.ts';
import { startRawHttp } from '../yardsticks/start.ts';

const REST_GOAL_MB = 100;
const LOADED_GOAL_MB = 250;

/** One round: what is measured is a state that a process comes to, and it comes to it once. */
export async function measureMemory(bench: Bench): Promise<Figure[]> {
  if (!HAS_PROC) {
    bench.say('memory is read from /proc, which this system does not have: left out');
    return [];
  }
  const { sends, restSeconds } = bench.settings;
  const engine = bench.settings.engine ?? 'sqlite';
  const home = await bench.homes.create(engine);
  await prepareHome(home);
  const receiver = await startReceiver();
  const server = await startTrunkline(home);
  const raw = await startRawHttp();
  await sleep(restSeconds * 1_000);
  const rest = { server: readMemory(server.pid), raw: readMemory(raw.pid) };
  bench.say(`memory at rest: ${Math.round(rest.server.residentMb)} MB`);

  await loadSends(bench, raw.origin, sends);
  await loadSends(bench, server.origin, sends);
  await untilQuiet(server.pid);
  const accepted = { server: readMemory(server.pid), raw: readMemory(raw.pid) };
  bench.say(`memory after ${sends} sends: ${Math.round(accepted.server.residentMb)} MB`);

  await addWebhook(server.origin, receiver);
  await loadSends(bench, raw.origin, sends);
  const loaded = await loadSends(bench, server.origin, sends);
  await receiver.waitFor('sent', loaded.answered);
  await untilQuiet(server.pid);
  const through = { server: readMemory(server.pid), raw: readMemory(raw.pid) };
  for (const program of [server, raw, receiver]) await program.stop();
  await home.remove();

  const name = engineName(engine);
  const count = sends.toLocaleString('en');
  return [
    figureOf(`${name}: memory at rest`, rest, 'residentMb', atMost('value', REST_GOAL_MB)),
    figureOf(`${name}: memory after ${count} sends`, accepted, 'residentMb', atMost('value', LOADED_GOAL_MB)),
    figureOf(`${name}: memory after as many webhooks`, through, 'residentMb', atMost('value', LOADED_GOAL_MB)),
    figureOf(`${name}: most memory at any time`, through, 'peakMb', null),
  ];
}

interface Both {
  readonly server: Memory;
  readonly raw: Memory;
}

function figureOf(name: string, { server, raw }: Both, key: keyof Memory, goal: Goal | null): Figure {
  return { name, unit: 'MB', values: [server[key]], beside: { name: 'raw node:http', values: [raw[key]] }, goal };
}
