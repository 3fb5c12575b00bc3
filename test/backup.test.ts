/** A backup taken under load: sound, whole as far as it goes back, and a server that starts on it says nothing twice. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { backupDataFolder } from '../packages/server/src/index.ts';
import { create, LINE } from './client.ts';
import { isRefused } from './load.ts';
import { airCounts, ledger, storedCounts } from './oracle.ts';
import { openScene, type Scene } from './scene.ts';
import { settled } from './verdict.ts';
import { createWorld, makeFolder, sqliteWorld, type World } from './world.ts';

const ACCEPTED_BEFORE = 150;
const BACKLOG = 60;
const ACCEPTED_MEANWHILE = 100;
const ACCEPTED_AFTER = 100;
const ACCEPTED_WITHIN_MS = 60_000;
const ASKED_WITHIN_MS = 30_000;
const OPEN: readonly string[] = ['fetching', 'pending', 'waiting', 'sending'];
const POLL_MS = 10;

describe('a backup of a folder that a server is writing to', () => {
  let scene: Scene | null = null;
  let folder = '';

  afterEach(async () => {
    await scene?.end();
    scene = null;
    rmSync(folder, { recursive: true, force: true });
  });

  it('has all that was acknowledged before it began, and what it restores sends nothing twice', async () => {
    folder = makeFolder();
    scene = await openScene(await createWorld('sqlite'), { processes: 1, pauseMs: 5 });
    const { load } = scene;
    load.start();
    await grown(scene, ACCEPTED_BEFORE);
    // A backlog: what the first copy has as pending.
    await setOffline(scene, true);
    await grown(scene, load.accepted.size + BACKLOG);
    const accepted = new Map(load.accepted);
    const heard = new Set(load.heard);
    const { files } = await backupDataFolder({
      dataDir: scene.world.environment['TRUNKLINE_DATA_DIR'] ?? '',
      to: join(folder, 'backup'),
      // The network goes on between the two copies, and much of what the first one has as due is on the air by then.
      onCopied: async (name) => {
        if (name !== 'trunkline.sqlite' || !scene) return;
        await setOffline(scene, false);
        await grown(scene, load.accepted.size + ACCEPTED_MEANWHILE);
      },
    });
    expect(files.length).toBeGreaterThan(1);
    await load.stop();
    for (const one of scene.alive()) await one.kill();

    const restored = await restore(join(folder, 'backup'));
    expect(await restored.inspect()).toEqual([]);
    const items = await ledger(restored.oracle.store);
    const onAir = await airCounts(restored.oracle.wire);
    expect([...accepted.keys()].filter((id) => !items.has(id))).toEqual([]);
    const wouldBeTwice = [...items].filter(([id, { state }]) => state === 'sending' && onAir.has(id));
    expect(wouldBeTwice.length).toBeGreaterThan(BACKLOG / 2);

    await scene.moveTo(restored);
    // It hears no echo at first, so that only the question keeps it from sending again.
    await scene.raise(1, { kind: 'stay_at', failpoint: 'echo.before_commit' });
    await asked(restored);
    expect([...(await airCounts(restored.oracle.wire))].filter(([, times]) => times !== 1)).toEqual([]);
    for (const one of scene.alive()) one.order({ kind: 'go_on' });
    const known = new Set(load.accepted.keys());
    load.start();
    await grown(scene, known.size + ACCEPTED_AFTER);
    await load.stop();
    await settled(restored.oracle);

    for (const [id, to] of load.accepted) if (!known.has(id)) accepted.set(id, to);
    expect(accepted.size).toBeGreaterThanOrEqual(ACCEPTED_BEFORE + ACCEPTED_AFTER);
    const ended = await ledger(restored.oracle.store);
    const sent = await airCounts(restored.oracle.wire);
    const stored = await storedCounts(restored.oracle.store);
    const wrong = [...accepted].filter(([id, to]) => {
      const expected = isRefused(to) ? { state: 'failed', times: 0 } : { state: 'sent', times: 1 };
      return ended.get(id)?.state !== expected.state || (sent.get(id) ?? 0) !== expected.times;
    });
    expect(wrong.map(([id]) => [id, ended.get(id), sent.get(id)])).toEqual([]);
    expect([...sent].filter(([, times]) => times !== 1)).toEqual([]);
    expect([...heard].filter((guid) => stored.get(guid) !== 1)).toEqual([]);
    expect(await restored.inspect()).toEqual([]);
    console.log(
      `backup: ${accepted.size} accepted, ${wouldBeTwice.length} due in the copy and on the air already, 0 sent twice`,
    );
  });
});

async function setOffline(scene: Scene, offline: boolean): Promise<void> {
  await create(scene.alive()[0]?.address ?? '', '/simulator/v1/faults', { line: LINE, offline }, 'line');
}

async function grown(scene: Scene, size: number): Promise<void> {
  const deadline = performance.now() + ACCEPTED_WITHIN_MS;
  while (scene.load.accepted.size < size) {
    if (performance.now() > deadline) throw new Error(`Only ${scene.load.accepted.size} of ${size} were accepted.`);
    await sleep(POLL_MS);
  }
}

/** Resolves when every item has ended or waits for its echo. */
async function asked(world: World): Promise<void> {
  const deadline = performance.now() + ASKED_WITHIN_MS;
  for (;;) {
    const open = [...(await ledger(world.oracle.store)).values()].filter(({ state }) => OPEN.includes(state));
    if (open.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${open.length} items have not been asked about or sent.`);
    await sleep(POLL_MS);
  }
}

/** As the guide says: the backup's files in an empty folder. */
async function restore(backup: string): Promise<World> {
  const folder = makeFolder();
  cpSync(backup, folder, { recursive: true });
  return sqliteWorld(folder);
}
