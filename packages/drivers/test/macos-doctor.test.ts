/** The doctor finds each thing that is wrong with a Mac, and says what to do about it. */
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { takeAgentLock } from '../src/macos/doctor/agent-lock.ts';
import { createDoctorMac, DOCTOR_FILES } from '../src/macos/doctor/doctor-mac.ts';
import { examineMac } from '../src/macos/doctor/examine-mac.ts';
import type { Finding } from '../src/macos/doctor/finding.ts';
import { runProgram } from '../src/macos/doctor/run-program.ts';
import { type DoctorStage, doctorMac, SAID_AT_ONCE, systemError } from './doctor-stage.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';

const CODESIGN = '/usr/bin/codesign --display --verbose=2 /usr/local/bin/node';

let fake: FakeMac;
beforeAll(async () => {
  fake = await startFakeMac();
});
afterEach(async () => {
  await fake.act('behave', { rules: [] });
  await fake.act('setRunning', { isRunning: true });
  await fake.behavePrograms({});
});
afterAll(() => fake.close());

async function find(name: string, stage: DoctorStage = {}): Promise<Finding | undefined> {
  return (await examineMac(doctorMac(fake, stage))).find((one) => one.name === name);
}

/** The same on a Mac of whose programs osascript alone is a process. */
function findByScript(name: string, stage: DoctorStage = {}): Promise<Finding | undefined> {
  const { '/usr/bin/osascript': _, ...told } = SAID_AT_ONCE;
  return find(name, { ...stage, told: { ...told, ...stage.told } });
}

/** The same on a Mac whose programs are no processes. */
function findAtOnce(name: string, stage: DoctorStage = {}): Promise<Finding | undefined> {
  return find(name, { ...stage, told: { ...SAID_AT_ONCE, ...stage.told } });
}

describe('a good Mac', () => {
  it('passes every check, and nothing on it was changed', async () => {
    const findings = await examineMac(doctorMac(fake));
    expect(findings.filter((one) => one.state !== 'ok')).toEqual([]);
    expect(findings.map((one) => one.name)).toEqual(
      'macos session chat.db chat.db-wal chat.db-shm attachments staging messages automation accounts clock integrity others node sleep disk'.split(
        ' ',
      ),
    );
    expect(findings.every((one) => one.remedy === null && one.found.endsWith('.'))).toBe(true);
    expect(await readdir(join(fake.home, 'Library/Messages/Attachments/Trunkline'))).toEqual([]);
    expect(fake.osascriptCalls().map((one) => one.kind)).toEqual(['name', 'accounts']);
  });

  it('is told which version it has, and that its protection may stay on', async () => {
    const findings = await examineMac(doctorMac(fake));
    const said = (name: string) => findings.find((one) => one.name === name)?.found;
    expect(said('macos')).toBe('macOS 27.0 (26A345).');
    expect(said('integrity')).toBe('System Integrity Protection is enabled. Nothing here needs it off.');
    expect(said('accounts')).toContain('SMS is not');
  });

  it('shows no handle and no id of an account', async () => {
    const said = JSON.stringify(await examineMac(doctorMac(fake)));
    expect(said).not.toContain(fake.line);
    expect(said).not.toMatch(/[0-9A-F]{8}-[0-9A-F]{4}/);
  });
});

describe('a computer that is no Mac', () => {
  it('is told so, and nothing is run on it', async () => {
    const run = () => Promise.reject(new Error('Something was run.'));
    expect(await examineMac({ ...doctorMac(fake), platform: 'linux', run })).toEqual([
      { name: 'macos', state: 'failed', found: expect.stringContaining('no Mac (linux)'), remedy: expect.any(String) },
    ]);
    const options = { home: fake.home, stateFolder: fake.folder, isAgent: false, clockOffsetMs: null };
    expect(await examineMac({ ...createDoctorMac(options), platform: 'freebsd' })).toHaveLength(1);
  });
});

describe('a file that may not be read', () => {
  const DENIED: readonly [name: string, stage: DoctorStage, found: RegExp][] = [
    ['chat.db', { files: { readDatabase: () => Promise.reject(systemError('SQLITE_CANTOPEN')) } }, /is there.*\(14\)/],
    ['chat.db', { files: { readDatabase: () => Promise.reject(systemError('SQLITE_AUTH')) } }, /denies.*\(23\)/],
    ['chat.db', { files: { readDatabase: () => Promise.reject(systemError('EPERM')) } }, /\(23\)/],
    ['chat.db', { files: { readDatabase: () => Promise.reject(systemError('SQLITE_CORRUPT')) } }, /SQLITE_CORRUPT/],
    ['chat.db-wal', { files: { open: openBut('-wal') } }, /-wal may not be read \(EPERM\)/],
    ['chat.db-shm', { files: { open: openBut('-shm') } }, /-shm may not be read \(EPERM\)/],
    ['attachments', { files: { list: () => Promise.reject(systemError('EPERM')) } }, /may not be listed \(EPERM\)/],
    ['staging', { files: { tryWriting: () => Promise.reject(systemError('EACCES')) } }, /cannot be written \(EACCES\)/],
  ];

  it.each(DENIED)('is told by itself: %s, %#', async (name, stage, found) => {
    const findings = await examineMac(doctorMac(fake, { told: SAID_AT_ONCE, ...stage }));
    const wrong = findings.filter((one) => one.state !== 'ok');
    expect(wrong.map((one) => one.name)).toEqual([name]);
    expect(wrong[0]).toMatchObject({ state: 'failed', found: expect.stringMatching(found) });
  });

  it('is granted to the program that launchd starts, or to that of the terminal', async () => {
    const files = { readDatabase: () => Promise.reject(systemError('SQLITE_AUTH')) };
    const agent = await findAtOnce('chat.db', { files });
    expect(agent?.remedy).toContain('Privacy & Security > Full Disk Access');
    expect(agent?.remedy).toContain('add /usr/local/bin/node');
    const terminal = await findAtOnce('chat.db', { files, mac: { isAgent: false } });
    expect(terminal?.remedy).toContain('the program of this terminal');
    expect(terminal?.remedy).not.toContain('/usr/local/bin/node');
  });

  it('is another thing than one that is not there', async () => {
    const home = join(fake.folder, 'nobody');
    await mkdir(home);
    const findings = await examineMac(doctorMac(fake, { told: SAID_AT_ONCE, mac: { home } }));
    const said = (name: string) => findings.find((one) => one.name === name);
    expect(said('chat.db')).toMatchObject({ state: 'failed', found: expect.stringContaining('There is no message') });
    expect(said('chat.db-wal')).toMatchObject({ state: 'warning', remedy: expect.stringContaining('Open Messages') });
    for (const name of ['attachments', 'staging']) expect(said(name)).toMatchObject({ state: 'warning' });
    expect(await readdir(home)).toEqual([]);
    // SQLite itself says 14 for what is there and cannot be opened.
    await mkdir(join(home, 'Library/Messages'), { recursive: true });
    await symlink('chat.db', join(home, 'Library/Messages/chat.db'));
    expect(await findAtOnce('chat.db', { mac: { home } })).toMatchObject({
      found: expect.stringMatching(/is there.*\(14\)/),
    });
  });

  function openBut(suffix: string): (path: string) => Promise<void> {
    return (path) => (path.endsWith(suffix) ? Promise.reject(systemError('EPERM')) : Promise.resolve());
  }
});

describe('Messages', () => {
  it.each([
    [-1743, 'Privacy & Security > Automation'],
    [-1744, 'Privacy & Security > Automation'],
    [-600, 'Open Messages'],
    [-1712, 'Quit Messages'],
    [-2700, 'Quit Messages'],
  ])('that answers with %i has a remedy', async (error, remedy) => {
    await fake.act('behave', { rules: [{ when: { what: 'name' }, outcome: { does: 'refuse', error } }] });
    const finding = await findByScript('automation');
    expect(finding).toMatchObject({ state: 'failed', found: expect.stringContaining(`(${error})`) });
    expect(finding?.remedy).toContain(remedy);
  });

  it('without a graphical session cannot be asked', async () => {
    const stderr = "osascript: can't open default scripting component.\n";
    expect(await findAtOnce('automation', { told: { '/usr/bin/osascript': { code: 1, stderr } } })).toMatchObject({
      state: 'failed',
      remedy: expect.stringContaining('trunkline bridge install'),
    });
    await fake.behavePrograms({ 'launchctl managername': { stdout: 'Background\n' } });
    expect(await find('session')).toMatchObject({ state: 'failed', found: expect.stringContaining('"Background"') });
  });

  it('that does not answer may have a question on the screen', async () => {
    const told = { '/usr/bin/osascript': { end: 'timed_out', code: null } } as const;
    expect(await findAtOnce('automation', { told })).toMatchObject({
      state: 'failed',
      remedy: expect.stringContaining('question for consent'),
    });
  });

  it('that does not run is a warning', async () => {
    await fake.act('setRunning', { isRunning: false });
    expect(await find('messages')).toMatchObject({ state: 'warning', found: 'Messages does not run.' });
  });

  it('is signed in, switched on and connected, or somebody must do it', async () => {
    const accounts = async (...all: Parameters<typeof account>[]) => {
      await fake.act('setAccounts', { accounts: all.map((one) => account(...one)) });
      return findByScript('accounts');
    };
    expect(await accounts()).toMatchObject({ state: 'failed', found: expect.stringContaining('No account') });
    expect(await accounts(['iMessage', false])).toMatchObject({ found: expect.stringContaining('switched off') });
    expect(await accounts(['SMS', true])).toMatchObject({ state: 'failed' });
    expect(await accounts(['iMessage', true, 'connecting'])).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('"connecting"'),
    });
    expect(await accounts(['iMessage', false], ['iMessage', true], ['SMS', true])).toMatchObject({
      state: 'ok',
      found: expect.stringContaining('SMS is switched on too'),
    });
  });

  function account(
    service: 'iMessage' | 'SMS',
    isEnabled: boolean,
    status: 'connected' | 'connecting' = 'connected',
  ): { id: string; service: 'iMessage' | 'SMS'; isEnabled: boolean; status: 'connected' | 'connecting' } {
    return { id: `ACCOUNT-${service}-${isEnabled}`, service, isEnabled, status };
  }
});

describe('the Mac itself', () => {
  it.each([
    [
      'macos',
      { '/usr/bin/sw_vers': { stdout: 'ProductVersion: 12.7\nBuildVersion: 21H\n' } },
      'warning',
      /Update macOS/,
    ],
    ['macos', { '/usr/bin/sw_vers': { stdout: 'ProductVersion: 28.1\nBuildVersion: 27A\n' } }, 'warning', /newer/],
    ['macos', { '/usr/bin/sw_vers': { end: 'missing', code: null } }, 'failed', /sw_vers/],
    ['integrity', { '/usr/bin/csrutil': { stdout: 'System Integrity Protection status: disabled.\n' } }, 'ok', null],
    ['sleep', { '/usr/bin/pmset -g': { stdout: ' sleep   10\n' } }, 'warning', /pmset -a sleep 0/],
    ['sleep', { '/usr/bin/pmset -g': { end: 'timed_out', code: null } }, 'warning', /pmset/],
    ['others', { '/usr/bin/pgrep -x -U 501 BlueBubbles': { stdout: '812\n' } }, 'warning', /Quit it/],
    ['others', { '/usr/bin/pgrep -x -U 501 imsg': { stdout: '812\n' } }, 'warning', /Quit it/],
    ['node', { [CODESIGN]: { stderr: 'Signature=adhoc\n' } }, 'warning', /nodejs\.org/],
    ['node', { [CODESIGN]: { code: 1, stderr: 'not signed at all\n' } }, 'warning', /nodejs\.org/],
  ] as const)('%s is looked at, %#', async (name, told, state, remedy) => {
    const finding = await findAtOnce(name, { told });
    expect(finding).toMatchObject({ state, remedy: remedy === null ? null : expect.stringMatching(remedy) });
  });

  it.each(['/opt/homebrew/Cellar/node/24.1.0/bin/node', '/Users/a/.nvm/versions/node/v24.1.0/bin/node'])(
    'is warned of a Node that upgrades replace: %s',
    async (path) => {
      const files = { realPath: () => Promise.resolve(path) };
      expect(await findAtOnce('node', { files })).toMatchObject({
        state: 'warning',
        found: expect.stringContaining(path),
      });
    },
  );

  it.each([
    [null, 'ok'],
    [-1_000, 'ok'],
    [-30_000, 'warning'],
    [3_600_000, 'failed'],
  ])('with a clock that is %s ms off is %s', async (clockOffsetMs, state) => {
    expect(await findAtOnce('clock', { mac: { clockOffsetMs } })).toMatchObject({ state });
  });

  it.each([
    [2 ** 29, 'failed'],
    [2 ** 31, 'warning'],
    [2 ** 36, 'ok'],
  ])('with %d bytes free is %s', async (bytes, state) => {
    expect(await findAtOnce('disk', { files: { freeBytes: () => Promise.resolve(bytes) } })).toMatchObject({ state });
  });

  it('is told of an agent that holds the folder and does not answer', async () => {
    const { stateFolder } = doctorMac(fake);
    await mkdir(stateFolder);
    expect(await findAtOnce('others', { mac: { isAgent: false } })).toMatchObject({ state: 'ok' });
    const lock = takeAgentLock(stateFolder);
    expect(await findAtOnce('others', { mac: { isAgent: false } })).toMatchObject({ state: 'warning' });
    expect(await findAtOnce('others')).toMatchObject({ state: 'ok' });
    lock?.release();
  });
});

describe('a check that breaks', () => {
  it('is a finding, and the others go on', async () => {
    const findings = await examineMac(
      doctorMac(fake, { told: SAID_AT_ONCE, files: { freeBytes: () => Promise.reject(new Error('no disk')) } }),
    );
    expect(findings.filter((one) => one.state !== 'ok')).toEqual([
      { name: 'disk', state: 'failed', found: 'This could not be looked at: no disk', remedy: expect.any(String) },
    ]);
  });
});

describe('a program', () => {
  it('and a disk are those of the computer itself, where nothing else is said', async () => {
    expect(await DOCTOR_FILES.freeBytes(fake.folder)).toBeGreaterThan(0);
    expect(await DOCTOR_FILES.realPath(process.execPath)).toMatch(/node/);
    const options = { home: fake.home, stateFolder: fake.folder, isAgent: true, clockOffsetMs: null };
    expect(createDoctorMac(options)).toMatchObject({
      platform: process.platform,
      node: process.execPath,
      home: fake.home,
    });
  });

  it('is ended at its time limit, and one that is not there is told', async () => {
    const words = ['-e', 'setInterval(() => {}, 1000)'];
    expect(await runProgram(process.execPath, words, { timeoutMs: 300 })).toMatchObject({
      end: 'timed_out',
      code: null,
    });
    expect(await runProgram('/nowhere/program', [], { timeoutMs: 300 })).toMatchObject({ end: 'missing' });
    const echo = ['-e', 'process.stdin.pipe(process.stdout)'];
    expect(await runProgram(process.execPath, echo, { timeoutMs: 10_000, input: 'said' })).toMatchObject({
      end: 'exited',
      code: 0,
      stdout: 'said',
    });
  });
});
