/** PostgreSQL crashes, its connections break, a commit's answer is lost, notifications stop coming. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { create, LINE, post } from './client.ts';
import { countFrom } from './counts.ts';
import { ledger } from './oracle.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { openScene, type Scene } from './scene.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { createWorld, postgresWorld, type World } from './world.ts';

const CRASHES = countFrom('SOAK_DATABASE_CRASHES');
const CUTS = countFrom('SOAK_DATABASE_CUTS');
const LOADED_MS = 600;
const BACK_WITHIN_MS = 5_000;
const CUT_AFTER_MS = 120;
const PHONE = '+15550109999';
const SENDS_IN_DOUBT = 30;
/** The poll behind the wake-ups is a second; the rest is for a slow machine. */
const PICKED_UP_WITHIN_MS = 3_000;

const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** An installation whose database is reached through a proxy; the oracle looks at the database itself. */
async function throughProxy(): Promise<{ world: World; proxy: TcpProxy }> {
  const world = await createWorld('postgres');
  const url = world.environment['TRUNKLINE_DATABASE_URL'] ?? '';
  const proxy = await startTcpProxy(url);
  opened.push(() => proxy.close());
  return {
    proxy,
    world: { ...world, environment: { ...world.environment, TRUNKLINE_DATABASE_URL: proxy.urlFor(url) } },
  };
}

async function open(world: World, processes: number): Promise<Scene> {
  const scene = await openScene(world, { processes, pauseMs: 60 });
  opened.push(() => scene.end());
  return scene;
}

describe('PostgreSQL that crashes', () => {
  it('loses and doubles nothing for two servers under load, and both go on by themselves', async () => {
    const postgres: PostgresServer = await startPostgres();
    opened.push(() => postgres.stop());
    const scene = await open(await postgresWorld(postgres.url), 2);
    scene.load.start();
    for (let crash = 0; crash < CRASHES; crash++) {
      await sleep(LOADED_MS * (0.5 + Math.random()));
      await postgres.crashAndStart();
      const before = scene.load.accepted.size;
      await until(async () => scene.load.accepted.size > before, BACK_WITHIN_MS, 'a send that is accepted');
      for (const server of scene.alive()) {
        const isServed = () => post(server.address, '/v1/messages', { from: LINE, to: PHONE, text: 'Back' });
        await until(
          async () => (await isServed().catch(() => null))?.status === 201,
          BACK_WITHIN_MS,
          'each server takes sends',
        );
      }
    }
    expect(scene.alive()).toHaveLength(2);
    const verdict = await scene.judge();
    console.log(figures(`${CRASHES} crashes of PostgreSQL`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(verdict.accepted).toBeGreaterThan(CRASHES);
  });
});

describe('connections to PostgreSQL that break', () => {
  it('at any moment, after a commit was sent too, lose and double nothing', async () => {
    const { world, proxy } = await throughProxy();
    const scene = await open(world, 2);
    scene.load.start();
    for (let cut = 0; cut < CUTS; cut++) {
      await scene.load.progress();
      await sleep(CUT_AFTER_MS * (0.5 + Math.random()));
      if (cut % 2 === 0) proxy.cut();
      else proxy.loseAnswers(1 + (cut % 3));
    }
    proxy.loseAnswers(0);
    const before = scene.load.accepted.size;
    await until(async () => scene.load.accepted.size > before, BACK_WITHIN_MS, 'a send that is accepted');
    expect(scene.alive()).toHaveLength(2);
    const verdict = await scene.judge();
    console.log(figures(`${CUTS} cuts, ${proxy.answersLost()} commits without an answer`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(proxy.answersLost()).toBeGreaterThan(CUTS / 4);
  });

  it('just after each commit was sent leave nobody in doubt: an answer says what is in the database', async () => {
    const { world, proxy } = await throughProxy();
    // The line runs beside the broken network, so that every commit through it belongs to a request.
    const direct = { ...world.environment, TRUNKLINE_DATABASE_URL: originalUrl(world, proxy) };
    const lines = await startServerProcess({ environment: { ...direct, TRUNKLINE_ROLES: 'lines' } });
    const process = await startServerProcess({ environment: { ...world.environment, TRUNKLINE_ROLES: 'api' } });
    opened.push(
      () => world.remove(),
      () => lines.kill(),
      () => process.kill(),
    );
    await create(process.address, '/simulator/v1/messages', { from: PHONE, to: LINE, text: 'Hello' }, 'guid');
    const answered = new Map<string, number>();
    for (let count = 0; count < SENDS_IN_DOUBT; count++) {
      proxy.loseAnswers(1);
      const text = `Message ${count}`;
      answered.set(text, (await post(process.address, '/v1/messages', { from: LINE, to: PHONE, text })).status);
    }
    expect(proxy.answersLost()).toBe(SENDS_IN_DOUBT);
    const rows = await world.oracle.store.rows('select payload from outbox');
    const stored = rows.map((row) => String(JSON.parse(String(row['payload'])).text)).sort();
    const acknowledged = [...answered].filter(([, status]) => status === 201).map(([text]) => text);
    expect(stored).toEqual(acknowledged.sort());
    expect(acknowledged).toHaveLength(SENDS_IN_DOUBT);
  });
});

describe('notifications that are swallowed', () => {
  it('leave the poll: work is still picked up, and the API still answers', async () => {
    const { world, proxy } = await throughProxy();
    const direct = { ...world.environment, TRUNKLINE_DATABASE_URL: originalUrl(world, proxy) };
    const api = await startServerProcess({ environment: { ...direct, TRUNKLINE_ROLES: 'api' } });
    const lines = await startServerProcess({ environment: { ...world.environment, TRUNKLINE_ROLES: 'lines,worker' } });
    opened.push(() => world.remove(), ...[api, lines].map((one: ServerProcess) => () => one.kill()));
    await create(api.address, '/simulator/v1/messages', { from: PHONE, to: LINE, text: 'Hello' }, 'guid');
    proxy.swallowListening();
    for (let count = 0; count < 5; count++) {
      const id = await create(api.address, '/v1/messages', { from: LINE, to: PHONE, text: `Message ${count}` }, 'id');
      const isSent = async () => (await ledger(world.oracle.store)).get(id)?.state === 'sent';
      await until(isSent, PICKED_UP_WITHIN_MS, 'a message that is sent');
    }
    expect(lines.isAlive()).toBe(true);
  });
});

function originalUrl(world: World, proxy: TcpProxy): string {
  const url = new URL(world.environment['TRUNKLINE_DATABASE_URL'] ?? '');
  url.port = new URL(inject('postgresUrl')).port;
  expect(proxy.urlFor(url.href)).toBe(world.environment['TRUNKLINE_DATABASE_URL']);
  return url.href;
}
