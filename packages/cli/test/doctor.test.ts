/** `trunkline doctor`, `bridge status` and `bridge record`, as processes of their own beside an agent. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Answers, type DoctorSocket, serveDoctorSocket, stateFolderOf } from '@trunkline/drivers/doctor';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUser, linesOf, runTrunkline, type User } from './command-process.ts';

const GOOD = { name: 'macos', state: 'ok', found: 'macOS 15.7.3 (24G419).', remedy: null };
const WARNED = { name: 'sleep', state: 'warning', found: 'The Mac sleeps.', remedy: 'Run in a terminal: pmset' };
const FAILED = {
  name: 'automation',
  state: 'failed',
  found: 'macOS denies it (-1743).',
  remedy: 'Switch on Messages.',
};
const STATUS = { line: '+15550100001', driver: 'macos', connected_since: null, reader: { lag_ms: 12 } };

let user: User;
/** Its name is short, for the path of a socket must be. */
let home: string;
let agent: DoctorSocket | null = null;
beforeEach(async () => {
  home = mkdtempSync('/tmp/home-');
  user = await createUser({ HOME: home });
});
afterEach(async () => {
  await agent?.close();
  agent = null;
  await user.remove();
  rmSync(home, { recursive: true });
});

async function startAgent(findings: readonly unknown[], answers: Partial<Answers> = {}): Promise<string> {
  const folder = stateFolderOf(process.platform, home);
  agent = await serveDoctorSocket(folder, {
    doctor: () => Promise.resolve(findings),
    status: () => Promise.resolve(STATUS),
    ...answers,
  });
  return folder;
}

describe('trunkline doctor', () => {
  it('shows what the running agent found, and ends with 0 where nothing failed', async () => {
    await startAgent([GOOD, WARNED]);
    const { code, stdout, stderr } = await runTrunkline(user, ['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'ok       macos        macOS 15.7.3 (24G419).',
        'warning  sleep        The Mac sleeps.',
        '                      Run in a terminal: pmset',
        '',
      ].join('\n'),
    );
  });

  it('ends with 1 where something failed, with a line for each finding as JSON', async () => {
    const folder = await startAgent([GOOD, FAILED]);
    const { code, stdout, stderr } = await runTrunkline(user, ['doctor', '--json', '--state-dir', folder]);
    expect(code).toBe(1);
    expect(linesOf(stdout)).toEqual([
      { context: 'agent', ...GOOD },
      { context: 'agent', ...FAILED },
    ]);
    expect(linesOf(stderr)).toEqual([{ error: { code: 'not_sent', message: 'One check failed.' } }]);
    expect((await runTrunkline(user, ['doctor'])).stdout).toContain('FAILED   automation');
  });

  it('looks by itself where no agent runs, and says whose grants those are', async () => {
    const { code, stdout, stderr } = await runTrunkline(user, ['doctor', '--json']);
    expect(stderr).toContain('Its grants are not those of the agent');
    const findings = linesOf(stdout);
    expect(findings.every((one) => one['context'] === 'terminal')).toBe(true);
    expect(findings[0]).toMatchObject({ name: 'macos' });
    if (process.platform === 'darwin') return;
    expect(findings).toHaveLength(1);
    expect({ code, ...findings[0] }).toMatchObject({
      code: 1,
      state: 'failed',
      found: expect.stringContaining('no Mac'),
    });
  });

  it('lets nothing that an agent says command the terminal', async () => {
    await startAgent([{ ...GOOD, found: 'Red\u001b[31m' }]);
    expect((await runTrunkline(user, ['doctor'])).stdout).not.toContain('\u001b');
  });

  it('says what is wrong with an agent that cannot answer', async () => {
    await startAgent([], { doctor: () => Promise.reject(new Error('The driver has ended.')) });
    expect(await runTrunkline(user, ['doctor'])).toMatchObject({
      code: 1,
      stderr: 'error: The agent could not answer: The driver has ended.\n',
    });
    await agent?.close();
    await startAgent([], { doctor: () => Promise.resolve('fine') });
    expect(await runTrunkline(user, ['doctor'])).toMatchObject({ code: 1, stderr: expect.stringContaining('version') });
  });
});

describe('trunkline bridge status', () => {
  it('shows what the agent says of itself', async () => {
    await startAgent([]);
    const { code, stdout } = await runTrunkline(user, ['bridge', 'status', '--json']);
    expect({ code, said: linesOf(stdout) }).toEqual({ code: 0, said: [STATUS] });
    expect((await runTrunkline(user, ['bridge', 'status'])).stdout).toBe(
      'line: +15550100001\ndriver: macos\nconnected_since: -\nreader: {"lag_ms":12}\n',
    );
  });

  it('ends with 6 where no agent runs', async () => {
    const folder = join(user.folder, 'elsewhere');
    expect(await runTrunkline(user, ['bridge', 'status', '--state-dir', folder])).toMatchObject({
      code: 6,
      stdout: '',
      stderr: `error: No agent runs on ${folder}.\n`,
    });
    const long = await runTrunkline(user, ['bridge', 'status', '--state-dir', `/${'x'.repeat(120)}`]);
    expect(long).toMatchObject({ code: 6, stderr: expect.stringContaining('too long for a socket') });
  });
});

describe('trunkline bridge record', () => {
  function makeDatabase(): void {
    mkdirSync(join(home, 'Library/Messages'), { recursive: true });
    const database = new Database(join(home, 'Library/Messages/chat.db'));
    database.exec(`CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, handle_id INTEGER, date INTEGER);
      CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);
      CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT);
      CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, guid TEXT);
      CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
      CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
      CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
      INSERT INTO handle VALUES (1, '+14155550142');
      INSERT INTO message VALUES (1, 'A1B2', 'Meet at noon', 1, 700000000000000000), (2, 'C3D4', 'Fine', 0, 700000001000000000);`);
    database.close();
  }

  it('writes a file for its owner alone, which has none of the words, and overwrites nothing', async () => {
    makeDatabase();
    const file = join(user.folder, 'record.json');
    const { code, stdout } = await runTrunkline(user, ['bridge', 'record', file, '--rows', '2']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('has 2 messages') });
    const text = readFileSync(file, 'utf8');
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      tables: { message: [{ text: 'Xxxx xx xxxx' }, { text: 'Xxxx' }] },
    });
    for (const one of ['Meet', 'noon', '4155550142', 'A1B2', '700000001']) expect(text).not.toContain(one);
    expect(await runTrunkline(user, ['bridge', 'record', file])).toMatchObject({ code: 2, stdout: '' });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('says what to do where there is no database to read', async () => {
    const said = await runTrunkline(user, ['bridge', 'record', join(user.folder, 'record.json')]);
    expect(said).toMatchObject({ code: 1, stderr: expect.stringContaining('trunkline doctor') });
  });
});
