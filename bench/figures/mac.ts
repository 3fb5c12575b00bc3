/** The agent on a Mac with a large message database: how soon a burst is told, and what it costs while nothing happens. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { startFakeMac } from '../../packages/drivers/test/fake-mac/mac.ts';
import { startAgentProcess } from '../../test/agent-process.ts';
import type { Bench } from '../bench.ts';
import { atMost, type Figure } from '../figure.ts';
import { HAS_PROC, readCpuSeconds, readMemory } from '../process-facts.ts';
import { whenEnded } from '../programs.ts';
import { KEY, startTrunkline } from '../trunkline.ts';

const ROWS_MAX = 500_000;
const FLOOD_ROWS = 50_000;
const BURST = 1_000;
const BURST_GOAL_S = 3;
const IDLE_GOAL = 0.01;
const MEMORY_GOAL_MB = 120;
const YEAR_MS = 365 * 86_400_000;
const LINE = '+15550100088';
const PHONE = '+15550109988';
const POLL_MS = 20;

export async function measureMac(bench: Bench): Promise<Figure[]> {
  if (!HAS_PROC) {
    bench.say('the agent is looked at in /proc, which this system does not have: left out');
    return [];
  }
  const rows = Math.min(ROWS_MAX, bench.settings.messages);
  const mac = await startFakeMac({ line: LINE });
  whenEnded(mac.close);
  for (let written = 0; written < rows; written += FLOOD_ROWS) {
    await mac.act('flood', { from: [PHONE], rows: Math.min(FLOOD_ROWS, rows - written), agoMs: YEAR_MS });
    bench.say(`a message database of ${(written + FLOOD_ROWS).toLocaleString('en')} rows`);
  }
  const home = await bench.homes.create('sqlite');
  const server = await startTrunkline(home);
  const token = await addLine(server.origin);
  const agent = await startAgentProcess({ mac, server: server.origin, token });
  whenEnded(async () => agent.kill('SIGKILL'));
  await untilOnline(server.origin);

  const database = new Database(join(home.environment['TRUNKLINE_DATA_DIR'] ?? '', 'trunkline.sqlite'), {
    readonly: true,
  });
  const count = database.prepare<[], number>('select count(*) from messages').pluck();
  const stored = () => count.get() ?? 0;
  const bursts: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < bench.settings.rounds; round += 1) {
    const goal = stored() + BURST;
    await mac.play(
      Array.from({ length: BURST }, (_, index) => ({
        at: 0,
        name: 'text',
        act: { from: PHONE, text: `Burst ${index}` },
      })),
    );
    const writtenAt = performance.now();
    while (stored() < goal) await sleep(POLL_MS);
    bursts.push((performance.now() - writtenAt) / 1_000);
    await sleep(2_000);
    const before = readCpuSeconds(agent.pid);
    await sleep(bench.settings.restSeconds * 1_000);
    idle.push((readCpuSeconds(agent.pid) - before) / bench.settings.restSeconds);
    bench.say(
      `burst ${round + 1}: ${bursts.at(-1)?.toFixed(2)} s; idle ${((idle.at(-1) ?? 0) * 100).toFixed(2)} % of a core`,
    );
  }
  const { residentMb, peakMb } = readMemory(agent.pid);
  database.close();
  agent.kill('SIGTERM');
  await agent.ended;
  await server.stop();
  await home.remove();
  return figuresOf(rows, { bursts, idle, residentMb, peakMb });
}

interface Measured {
  readonly bursts: readonly number[];
  readonly idle: readonly number[];
  readonly residentMb: number;
  readonly peakMb: number;
}

function figuresOf(rows: number, { bursts, idle, residentMb, peakMb }: Measured): Figure[] {
  const name = `Mac with ${rows.toLocaleString('en')} rows`;
  return [
    {
      name: `${name}: ${BURST} messages told after the last was written`,
      unit: 's',
      values: bursts,
      beside: null,
      goal: atMost('value', BURST_GOAL_S),
    },
    { name: `${name}: idle, share of a core`, unit: '', values: idle, beside: null, goal: atMost('value', IDLE_GOAL) },
    {
      name: `${name}: memory of the agent`,
      unit: 'MB',
      values: [residentMb],
      beside: null,
      goal: atMost('value', MEMORY_GOAL_MB),
    },
    { name: `${name}: most memory of the agent at any time`, unit: 'MB', values: [peakMb], beside: null, goal: null },
  ];
}

async function addLine(origin: string): Promise<string> {
  await call(origin, 'POST', '/admin/v1/lines', { handle: LINE, driver: 'remote' });
  const { token } = await call(origin, 'POST', '/admin/v1/devices', { name: 'Mac', lines: [LINE] });
  return String(token);
}

async function untilOnline(origin: string): Promise<void> {
  for (;;) {
    const { health } = await call(origin, 'GET', `/admin/v1/lines/${encodeURIComponent(LINE)}`);
    if ((health as { readonly state: string }).state === 'online') return;
    await sleep(POLL_MS);
  }
}

async function call(origin: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}.`);
  return (await answer.json()) as Record<string, unknown>;
}
