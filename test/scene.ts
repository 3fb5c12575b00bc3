/** A whole installation under load: its processes, its clients, its phones, and the receiver of its webhook. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes, startFileServer } from '../packages/server/test/file-server.ts';
import { create, LINE, uploadFile } from './client.ts';
import type { Order } from './kill-target.ts';
import { createLoad, type Deeds, type Load } from './load.ts';
import { numberFrom } from './oracle.ts';
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from './server-process.ts';
import { judge, settled, type Verdict } from './verdict.ts';
import { startWitness } from './webhook-witness.ts';
import type { World } from './world.ts';

const PHONES = Array.from({ length: 24 }, (_, index) => `+1555020${String(1_000 + index)}`);
const GROUP = PHONES.slice(0, 3);
const EVENTS = [
  'message.received',
  'message.sent',
  'message.delivered',
  'message.read',
  'message.failed',
  'reaction.added',
];
const LINE_RUNS_WITHIN_MS = 30_000;
const POLL_MS = 10;

export interface SceneOptions {
  readonly processes: number;
  /** How long each client pauses after an answer. */
  readonly pauseMs?: number;
  readonly process?: Partial<ServerProcessOptions>;
}

export interface Scene {
  readonly world: World;
  readonly load: Load;
  alive(): readonly ServerProcess[];
  /**
   * Starts as many processes as are missing, all unless said, and resolves when one of them runs the line.
   * `firstOrder` holds in those from their start.
   */
  raise(atLeast?: number, firstOrder?: Order): Promise<void>;
  /** Takes note of those that died, and throws if the database that they left is not sound. */
  bury(): Promise<void>;
  /** The process that runs the line, or null while nobody does. */
  owner(): Promise<ServerProcess | null>;
  /** Ends the load, waits until all that was accepted has ended, and says how. */
  judge(): Promise<Verdict>;
  /** The same installation with its data elsewhere. */
  moveTo(world: World, process?: Partial<ServerProcessOptions>): Promise<void>;
  end(): Promise<void>;
}

/** Ready for load: phones and a group have written, and a webhook is told of everything. */
export async function openScene(first: World, options: SceneOptions): Promise<Scene> {
  let world = first;
  let extra = options.process ?? {};
  let processes: readonly ServerProcess[] = [];
  const witness = await startWitness();
  const files = await startFileServer();
  const recipients: string[] = [...PHONES];
  const isUp = (one: ServerProcess): boolean => one.isAlive();

  async function raise(atLeast = options.processes, firstOrder?: Order): Promise<void> {
    await buryDead();
    const start = {
      ...extra,
      environment: { ...world.environment, ...extra.environment },
      ...(firstOrder === undefined ? {} : { firstOrder }),
    };
    const missing = Array.from({ length: Math.max(0, atLeast - processes.length) }, () => startServerProcess(start));
    processes = [...processes, ...(await Promise.all(missing))];
    await lineRuns();
  }

  async function buryDead(): Promise<void> {
    const dead = processes.filter((one) => !isUp(one));
    processes = processes.filter(isUp);
    for (const one of dead) await world.bury(one.holder);
  }

  async function lineRuns(): Promise<void> {
    const deadline = performance.now() + LINE_RUNS_WITHIN_MS;
    while ((await owner()) === null) {
      if (performance.now() > deadline) throw new Error(`Nobody runs the line. ${lastWords()}`);
      await sleep(POLL_MS);
    }
  }

  async function owner(): Promise<ServerProcess | null> {
    const sql = `select holder from leases where name like 'line %' and expires_at > ${Date.now()}`;
    const holders = new Set((await world.oracle.store.rows(sql)).map((row) => row['holder']));
    return processes.find((one) => isUp(one) && holders.has(one.holder)) ?? null;
  }

  function lastWords(): string {
    return processes.map((one) => one.lastWords()).join('\n');
  }

  let deeds: Deeds = { file: '', url: '', messages: [] };
  const load = createLoad({
    addresses: () => processes.filter(isUp).map((one) => one.address),
    recipients,
    phones: PHONES,
    pauseMs: options.pauseMs ?? 25,
    deeds: () => deeds,
  });
  await raise();
  const address = processes[0]?.address ?? '';
  const introduced = await introduce(address);
  recipients.push(introduced.chatId);
  const url = files.put('/fetched.txt', bytes('Some text'));
  deeds = { file: await uploadFile(address, 'Some text'), url, messages: introduced.messages };
  witness.trust(
    await create(address, '/v1/webhooks', { from: LINE, url: witness.url, events: EVENTS }, 'secret'),
    EVENTS,
  );
  const afterSeq = await numberFrom(world.oracle.store, 'select coalesce(max(seq), 0) as n from events');

  return {
    get world() {
      return world;
    },
    load,
    alive: () => processes.filter(isUp),
    raise,
    owner,
    async bury() {
      await buryDead();
      const broken = await world.inspect();
      if (broken.length > 0) throw new Error(`The crash left: ${broken.join('\n')}`);
    },
    async judge() {
      await load.stop();
      await settled(world.oracle);
      return judge({ oracle: world.oracle, load, witness, afterSeq });
    },
    async moveTo(next, process) {
      await world.remove();
      world = next;
      extra = process ?? {};
    },
    async end() {
      await load.stop();
      for (const one of processes) await one.kill();
      await witness.close();
      await files.close();
      await world.remove();
    },
  };
}

/** Whoever is to be written to writes first. Gives a group's chat, and the messages. */
async function introduce(address: string): Promise<{ chatId: string; messages: Deeds['messages'] }> {
  const guids = await Promise.all(
    PHONES.map((from) => create(address, '/simulator/v1/messages', { from, to: LINE, text: 'Hello' }, 'guid')),
  );
  const chatId = await create(address, '/simulator/v1/groups', { line: LINE, participants: GROUP }, 'chat_id');
  await create(address, '/simulator/v1/messages', { from: GROUP[0], to: chatId, text: 'Hello all' }, 'guid');
  return { chatId, messages: guids.map((guid, index) => ({ guid, from: PHONES[index] ?? '' })) };
}
