import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createStaging, safeName } from './stage-file.ts';

const homes: string[] = [];

afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

function freshHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'staging-'));
  homes.push(home);
  return home;
}

describe('the name of a staged file', () => {
  it.each([
    ['hike.jpg', 'hike.jpg'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['.DS_Store', 'DS_Store'],
    ['a\u0000b\nc:d\\e.jpg', 'a_b_c_d_e.jpg'],
    ['gpj.\u202eexe', 'gpj._exe'],
    ['Familie 👨‍👩‍👧.jpg', 'Familie 👨‍👩‍👧.jpg'],
    ['..', 'Attachment.jpg'],
    [' ', 'Attachment.jpg'],
    [null, 'Attachment.jpg'],
    [`${'ü'.repeat(300)}.jpg`, `${'ü'.repeat(98)}.jpg`],
    [`a.${'b'.repeat(300)}`, `a.${'b'.repeat(198)}`],
  ])('%j is %j', (filename, name) => {
    expect(safeName({ filename, mimeType: 'image/jpeg' })).toBe(name);
  });
});

describe('staging', () => {
  const file = { file: 'file_1', filename: 'hike.jpg', mimeType: 'image/jpeg', size: 9 };

  it('leaves nothing behind where the bytes break off', async () => {
    const home = freshHome();
    const staging = createStaging({ home, uuid: () => 'a-1', now: () => 0 });
    async function* breaksOff() {
      yield Buffer.from('a pic');
      await Promise.reject(new Error('The line went dead.'));
    }
    await expect(staging.stage(file, { read: async () => breaksOff() })).rejects.toThrow('The line went dead.');
    expect(readdirSync(join(home, 'Library/Messages/Attachments/Trunkline'))).toEqual([]);
  });

  it('writes over nothing, and into no folder that is a file', async () => {
    const home = freshHome();
    const staging = createStaging({ home, uuid: () => 'a-1', now: () => 0 });
    const read = async () =>
      (async function* () {
        yield Buffer.from('a picture');
      })();
    const path = await staging.stage(file, { read });
    expect(await staging.has(path)).toBe(true);
    await expect(staging.stage(file, { read })).rejects.toThrow('EEXIST');
    expect(existsSync(path)).toBe(true);
    const other = freshHome();
    await mkdir(join(other, 'Library/Messages/Attachments'), { recursive: true });
    writeFileSync(join(other, 'Library/Messages/Attachments/Trunkline'), '');
    const blocked = createStaging({ home: other, uuid: () => 'a-1', now: () => 0 });
    await expect(blocked.stage(file, { read })).rejects.toThrow();
  });

  it('prunes nothing where nothing was ever staged', async () => {
    const staging = createStaging({ home: freshHome(), uuid: () => 'a-1', now: () => 0 });
    expect(await staging.prune(() => false)).toBe(0);
  });
});
