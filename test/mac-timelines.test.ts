/**
 * Random timelines on Macs whose agents, and whose server, are killed at random moments: whatever happens, each message
 * is in the server once, as it was, and is announced once, unless it is old. The Macs are fakes with an oracle of their own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { GENERATIONS } from '../packages/drivers/test/fake-mac/generations.ts';
import { judge, type Told } from '../packages/drivers/test/fake-mac/judge.ts';
import { type FakeMac, startFakeMac } from '../packages/drivers/test/fake-mac/mac.ts';
import { playTimeline, type Timeline, timelines } from '../packages/drivers/test/fake-mac/timelines.ts';
import { type AgentProcess, startAgentProcess } from './agent-process.ts';
import { countFrom } from './counts.ts';
import { type Product, startProduct } from './product.ts';

const KEY = 'sk_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
const RUNS = countFrom('SOAK_TIMELINES');
/** Macs that dial in to one server at the same time. */
const AT_ONCE = 5;
const SEED = Number(process.env['TIMELINE_SEED'] ?? 1);
/** From the end of a timeline on, whatever became complete in it must be there within this. */
const BOUND_MS = 60_000;
/** A message whose attachment never comes is announced after a minute; what waits through kills takes a little longer. */
const ANNOUNCED_WITHIN_MS = 120_000;
const KILL_EVERY_MS = 700;
const PHONE = '+15550109997';

describe('random timelines on Macs', () => {
  const batches = Math.ceil(RUNS / AT_ONCE);
  it.each(Array.from({ length: batches }, (_, batch) => batch))(
    `tell each message once through kills of agents and server (batch %i of ${batches})`,
    async (batch) => {
      const runs = Math.min(AT_ONCE, RUNS - batch * AT_ONCE);
      const sample = fc.sample(timelines(), { numRuns: runs, seed: SEED + batch });
      await withServer(async (server) => {
        const lines = await Promise.all(sample.map((timeline, place) => openLine(server, timeline, batch + place)));
        const killing = killAtRandom(server, lines);
        try {
          await Promise.all(lines.map(playLine));
          await killing.stop();
          for (const line of lines) await hold(server, line);
        } finally {
          await killing.stop();
          for (const { mac, agents } of lines) {
            for (const agent of agents.splice(0)) await endAgent(agent);
            await mac.close();
          }
        }
      });
    },
  );
});

interface Server {
  readonly folder: string;
  origin: string;
  product: Product;
  restart(): Promise<void>;
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
}

interface Line {
  readonly handle: string;
  readonly mac: FakeMac;
  readonly token: string;
  readonly timeline: Timeline;
  readonly agents: AgentProcess[];
  expected: Parameters<typeof judge>[0];
}

async function withServer(run: (server: Server) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const start = (port: string) =>
    startProduct({ TRUNKLINE_DATA_DIR: folder, TRUNKLINE_BOOTSTRAP_API_KEY: KEY, TRUNKLINE_PORT: port });
  const product = start('0');
  const origin = await product.listens;
  const server: Server = {
    folder,
    origin,
    product,
    async restart() {
      server.product.kill('SIGKILL');
      await server.product.ended;
      server.product = start(new URL(origin).port);
      await server.product.listens;
    },
    async call(method, path, body) {
      const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
      const answer = await fetch(`${origin}${path}`, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Record<string, unknown>;
    },
  };
  try {
    await run(server);
  } finally {
    server.product.kill('SIGKILL');
    await server.product.ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** A Mac of some generation whose agent has heard of a first message: what is written from now on is new. */
async function openLine(server: Server, timeline: Timeline, place: number): Promise<Line> {
  const handle = `+155501002${String(place % 100).padStart(2, '0')}`;
  const generation = GENERATIONS[place % GENERATIONS.length] ?? 'golden';
  const mac = await startFakeMac({ generation, line: handle });
  await server.call('POST', '/admin/v1/lines', { handle, driver: 'remote', settings: { pace_ms: 0 } });
  const device = await server.call('POST', '/admin/v1/devices', { name: handle, lines: [handle] });
  const line: Line = { handle, mac, token: String(device['token']), timeline, agents: [], expected: [] };
  await startAgent(server, line);
  await vi.waitFor(
    async () => {
      const { health } = await server.call('GET', `/admin/v1/lines/${encodeURIComponent(handle)}`);
      expect(health).toMatchObject({ state: 'online' });
    },
    { timeout: BOUND_MS, interval: 50 },
  );
  await mac.act('text', { from: PHONE, text: 'Begin' });
  await vi.waitFor(() => expect(toldOf(server, line)).toHaveLength(1), { timeout: BOUND_MS, interval: 50 });
  return line;
}

async function startAgent(server: Server, line: Line): Promise<void> {
  line.agents.push(await startAgentProcess({ mac: line.mac, server: server.origin, token: line.token }));
}

async function endAgent(agent: AgentProcess): Promise<void> {
  agent.kill('SIGKILL');
  await agent.ended;
}

async function playLine(line: Line): Promise<void> {
  line.expected = await playTimeline(line.mac, line.timeline);
}

/** One agent after the other, and the server among them. */
function killAtRandom(server: Server, lines: readonly Line[]) {
  let isOver = false;
  const work = (async () => {
    for (let kills = 1; !isOver; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * KILL_EVERY_MS));
      if (isOver) return;
      if (kills % 4 === 0) {
        await server.restart();
        continue;
      }
      const line = lines[Math.floor(Math.random() * lines.length)];
      const agent = line?.agents.pop();
      if (!line || !agent) continue;
      await endAgent(agent);
      await startAgent(server, line);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await work;
    },
  };
}

/** The oracle's sentences, until there are none; then that each was announced once. */
async function hold(server: Server, line: Line): Promise<void> {
  const { mac, timeline } = line;
  const where = () => JSON.stringify(timeline.stories.map(({ at, story }) => [at, story.title]));
  await vi.waitFor(
    async () => {
      const told = toldOf(server, line);
      const faults = judge(line.expected, told, { hasGaps: true });
      expect(faults, `seed ${SEED}, ${mac.generation}: ${where()}`).toEqual([]);
    },
    { timeout: BOUND_MS, interval: 100 },
  );
  await vi.waitFor(() => expect(wronglyAnnounced(server, line)).toEqual([]), {
    timeout: ANNOUNCED_WITHIN_MS,
    interval: 100,
  });
}

function read<Row>(server: Server, sql: string, line: Line): Row[] {
  const database = new Database(join(server.folder, 'trunkline.sqlite'), { readonly: true });
  try {
    return database.prepare<[string], Row>(sql).all(line.handle);
  } finally {
    database.close();
  }
}

interface StoredRow {
  readonly guid: string;
  readonly chat: string;
  readonly is_from_me: number;
  readonly sender: string;
  readonly text: string | null;
  readonly is_old: number;
}

function toldOf(server: Server, line: Line): Told[] {
  const rows = read<StoredRow>(
    server,
    `select messages.guid, chats.identifier as chat, messages.is_from_me, messages.sender, messages.text, messages.is_old
     from messages join chats on chats.ref = messages.chat_ref join lines on lines.ref = messages.line_ref
     where lines.handle = ?`,
    line,
  );
  return rows.map(({ guid, chat, is_from_me: own, sender, text, is_old: old }) => {
    return { guid, chat, isFromMe: own === 1, sender, text, isOld: old === 1 };
  });
}

/** Messages that were announced more or less often than once, or though they are old. */
function wronglyAnnounced(server: Server, line: Line): string[] {
  const rows = read<{ guid: string; times: number; is_old: number }>(
    server,
    `select messages.guid, messages.is_old, (select count(*) from events where events.message_ref = messages.ref
       and events.type in ('message.received', 'message.sent')) as times
     from messages join lines on lines.ref = messages.line_ref where lines.handle = ?`,
    line,
  );
  return rows.filter((row) => row.times !== (row.is_old === 1 ? 0 : 1)).map(({ guid, times }) => `${guid}: ${times}`);
}
