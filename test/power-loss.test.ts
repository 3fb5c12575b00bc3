/** The power fails under load: what was acknowledged is there when the disk has only what was synced. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { countFrom } from './counts.ts';
import { ledger, sqliteOracle } from './oracle.ts';
import { buildPowerCut, type PowerCut } from './powercut.ts';
import { openScene, type Scene } from './scene.ts';
import { FAULTLESS, figures } from './verdict.ts';
import { makeFolder, sqliteWorld } from './world.ts';

const PART = 'the power-cut test';
const CUTS = countFrom('SOAK_CUTS');
/** The power fails at most this long after a send and a text were answered, in milliseconds. */
const LATEST_MS = 220;
/** How many in a hundred writes reach the disk before anybody asks, cut by cut. */
const EARLY_PERCENTS = [0, 50] as const;
const CONTROL_CUTS = Math.max(2, Math.ceil(CUTS / 5));
const WITHOUT_FULL = join(import.meta.dirname, 'without-full.ts');

const folders: string[] = [];

describe('a power cut on SQLite', () => {
  // Where nothing can be compiled, this names the part as left out, and `npm test` says so at its end.
  const cut = buildPowerCut(PART);
  let scene: Scene | null = null;

  afterEach(async () => {
    await scene?.end();
    scene = null;
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => cut?.remove());

  it('loses nothing that was acknowledged and breaks nothing', async () => {
    if (cut === null) return;
    let disk = makeDisk(cut, 0);
    scene = await openScene(sqliteWorld(disk.folder), { processes: 1, process: disk.process });
    for (let done = 1; done <= CUTS; done++) {
      await scene.raise();
      await loadAndCut(scene);
      // The server finds what the disk had, and the next cut is into that.
      disk = makeDisk(cut, EARLY_PERCENTS[done % EARLY_PERCENTS.length] ?? 0, disk.mirror);
      await scene.moveTo(sqliteWorld(disk.folder), disk.process);
      await scene.bury();
    }
    await scene.raise();
    scene.load.start();
    await scene.load.progress();
    const verdict = await scene.judge();
    console.log(figures(`${CUTS} power cuts`, verdict));
    expect(verdict).toMatchObject(FAULTLESS);
    expect(verdict.accepted).toBeGreaterThan(CUTS);
  });

  it('would lose much with synchronous=NORMAL, or this test sees nothing', async () => {
    if (cut === null) return;
    let accepted = 0;
    let lost = 0;
    for (let done = 0; done < CONTROL_CUTS; done++) {
      const disk = makeDisk(cut, 0);
      const process = { ...disk.process, imports: [WITHOUT_FULL] };
      scene = await openScene(sqliteWorld(disk.folder), { processes: 1, process });
      await loadAndCut(scene);
      const kept = await survivors(disk);
      accepted += scene.load.accepted.size;
      lost += [...scene.load.accepted.keys()].filter((id) => !kept.has(id)).length;
      await scene.end();
    }
    console.log(`${CONTROL_CUTS} power cuts with synchronous=NORMAL: ${accepted} accepted, ${lost} lost`);
    expect(lost).toBeGreaterThan(0);
  });
});

/** Load from when the server is up until the power fails at a random moment. */
async function loadAndCut(scene: Scene): Promise<void> {
  scene.load.start();
  await scene.load.progress();
  await sleep(Math.random() * LATEST_MS);
  for (const one of scene.alive()) await one.kill();
  await scene.load.stop();
}

interface Disk {
  /** The data folder as the server sees it. */
  readonly folder: string;
  /** The same as a power cut would leave it. */
  readonly mirror: string;
  readonly process: { readonly environment: Record<string, string> };
}

/** A disk with nothing on it, or with what survived on another. */
function makeDisk(cut: PowerCut, earlyPercent: number, survived?: string): Disk {
  const folder = makeFolder();
  const mirror = makeFolder();
  folders.push(folder, mirror);
  if (survived !== undefined) for (const copy of [folder, mirror]) cpSync(survived, copy, { recursive: true });
  return { folder, mirror, process: { environment: cut.environment({ prefix: `${folder}/`, mirror, earlyPercent }) } };
}

/** The outbox items on the disk: none, where not even their table is there. */
async function survivors(disk: Disk): Promise<ReadonlyMap<string, unknown>> {
  const { store } = sqliteOracle(disk.mirror);
  const [table] = await store.rows("select name from sqlite_master where name = 'outbox'").catch(() => []);
  return table === undefined ? new Map() : ledger(store);
}
