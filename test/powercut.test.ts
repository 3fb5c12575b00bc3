import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readLeftOut } from './left-out.ts';
import { buildPowerCut } from './powercut.ts';

const PART = 'the power-cut model';
const RECORD_BYTES = 8;

/** Writes numbered records, syncs after the record named in argv[2], and dies without closing anything. */
const WRITER = `
  const fs = require('node:fs');
  const file = fs.openSync(process.argv[1], 'w');
  for (let i = 1; i <= 400; i++) {
    fs.writeSync(file, String(i).padStart(7, '0') + ' ', (i - 1) * 8);
    if (i === Number(process.argv[2])) fs.fsyncSync(file);
  }
  process.kill(process.pid, 'SIGKILL');
`;

describe('the power-cut model', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-cut-'));
    vi.stubEnv('LEFT_OUT_FILE', process.env['LEFT_OUT_FILE'] ?? join(folder, 'left-out'));
    mkdirSync(join(folder, 'mirror'));
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it('keeps what was synced and loses what was not', () => {
    const survivors = cutPower({ syncedAfter: 300, earlyPercent: 0 });
    if (survivors === null) return expectLeftOut();
    expect(survivors).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(readFileSync(join(folder, 'data.bin')).length).toBe(400 * RECORD_BYTES);
  });

  it('lets a share of the writes through early, out of order', () => {
    const survivors = cutPower({ syncedAfter: 0, earlyPercent: 50 });
    if (survivors === null) return expectLeftOut();
    expect(survivors.length).toBeGreaterThan(100);
    expect(survivors.length).toBeLessThan(300);
  });

  it('is named as left out where there is no compiler', () => {
    vi.stubEnv('LEFT_OUT_FILE', join(folder, 'without-compiler'));
    expect(buildPowerCut(PART, ['no-such-compiler'])).toBeNull();
    expect(readLeftOut(join(folder, 'without-compiler'))).toEqual([{ part: PART, reason: expect.any(String) }]);
  });

  /** The numbers of the records that the disk holds after the cut; null without a compiler. */
  function cutPower(run: { syncedAfter: number; earlyPercent: number }): number[] | null {
    const cut = buildPowerCut(PART);
    if (cut === null) return null;
    const file = join(folder, 'data.bin');
    const environment = cut.environment({
      prefix: file,
      mirror: join(folder, 'mirror'),
      earlyPercent: run.earlyPercent,
    });
    const result = spawnSync(process.execPath, ['-e', WRITER, file, String(run.syncedAfter)], {
      env: { ...process.env, ...environment },
    });
    cut.remove();
    expect(result.signal).toBe('SIGKILL');
    const survived = readFileSync(join(folder, 'mirror', 'data.bin'), 'latin1');
    return survived.match(/\d{7} /g)?.map(Number) ?? [];
  }

  function expectLeftOut(): void {
    expect(readLeftOut(process.env['LEFT_OUT_FILE'] ?? '')).toContainEqual({ part: PART, reason: expect.any(String) });
  }
});
