/** `trunkline bridge install` and `uninstall`, on a Mac that is played. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BridgeStage, createBridgeStage } from './bridge-stage.ts';

const SERVER = 'https://messages.example.org';
const TOKEN = `dtk_${'t'.repeat(43)}`;

let stage: BridgeStage;
let tokenFile: string;
let plist: string;
beforeEach(() => {
  use(createBridgeStage());
});
afterEach(() => stage.remove());

function use(one: BridgeStage): void {
  stage = one;
  tokenFile = join(stage.home, 'token');
  plist = join(stage.home, 'Library/LaunchAgents/com.trunkline.bridge.plist');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
}

function install(...more: string[]): Promise<void> {
  return stage.run('bridge', 'install', '--server', SERVER, '--token-file', tokenFile, ...more);
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('bridge install', () => {
  it('writes what launchd needs, for its user alone, and starts the agent', async () => {
    await install('--line', '+15550100001', '--driver', 'macos', '--state-dir', '/var/trunkline <1>');
    const text = readFileSync(plist, 'utf8');
    const home = stage.home.replace('&', '&amp;');
    expect(valuesAfter(text, 'ProgramArguments')).toEqual([
      ...['/usr/local/bin/node', '/opt/trunkline/bin/trunkline.js', 'bridge', '--server', SERVER],
      ...['--token-file', `${home}/token`, '--line', '+15550100001', '--driver', 'macos'],
      ...['--state-dir', '/var/trunkline &lt;1&gt;'],
    ]);
    for (const [key, value] of [
      ['Label', '<string>com.trunkline.bridge</string>'],
      ['RunAtLoad', '<true/>'],
      ['SuccessfulExit', '<false/>'],
      ['Crashed', '<true/>'],
      ['ThrottleInterval', '<integer>10</integer>'],
      ['LimitLoadToSessionType', '<string>Aqua</string>'],
      ['ProcessType', '<string>Interactive</string>'],
      ['LANG', '<string>en_US.UTF-8</string>'],
      ['PATH', '<string>/usr/bin:/bin:/usr/sbin:/sbin</string>'],
      ['WorkingDirectory', `<string>${home}</string>`],
      ['StandardOutPath', `<string>${home}/Library/Logs/Trunkline/bridge.log</string>`],
      ['StandardErrorPath', `<string>${home}/Library/Logs/Trunkline/bridge.log</string>`],
      ['Umask', '<integer>63</integer>'],
    ]) {
      expect(text, key).toMatch(new RegExp(`<key>${key}</key>\\s*${value?.replace(/[.+]/g, '\\$&')}\n`));
    }
    expect([modeOf(plist), modeOf(join(stage.home, 'Library/Logs/Trunkline'))]).toEqual(['600', '700']);
    expect(stage.told).toEqual(['enable gui/501/com.trunkline.bridge', `bootstrap gui/501 ${plist}`]);
    expect(stage.launchd.isLoaded).toBe(true);
  });

  it('names the file of the token, and never the token', async () => {
    await install();
    const files = readdirSync(join(stage.home, 'Library'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile())) {
      expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain('dtk_');
    }
    expect([...stage.told, ...stage.printed].join('\n')).not.toContain('dtk_');
  });

  it('replaces what was there when it is called again, also while the last agent still ends', async () => {
    await install('--line', '+15550100001');
    stage.launchd.refusals = 3;
    await install('--line', '+15550100002');
    expect(stage.told.filter((one) => one.startsWith('bootout'))).toHaveLength(1);
    expect(stage.launchd.isLoaded).toBe(true);
    expect(readFileSync(plist, 'utf8')).toContain('+15550100002');
    expect(readdirSync(join(stage.home, 'Library/LaunchAgents'))).toEqual(['com.trunkline.bridge.plist']);
  });

  it('says when the agent will start where launchd does not take it now', async () => {
    stage.launchd.refusals = 1_000;
    await expect(install()).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/Bootstrap failed: 5.*when this user logs in/),
    });
  });

  it('refuses a token that others can read, or that is not there', async () => {
    chmodSync(tokenFile, 0o644);
    await expect(install()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('chmod 600') });
    const missing = ['--server', SERVER, '--token-file', '/nowhere/token'];
    await expect(stage.run('bridge', 'install', ...missing)).rejects.toMatchObject({ exitCode: 2 });
    expect(stage.told).toEqual([]);
    expect(existsSync(plist)).toBe(false);
  });

  it('refuses a server to which everything would travel in the open, unless it is this computer', async () => {
    const words = (server: string) => ['bridge', 'install', '--server', server, '--token-file', tokenFile];
    await expect(stage.run(...words('http://messages.example.org'))).rejects.toMatchObject({ exitCode: 2 });
    await expect(stage.run(...words('messages'))).rejects.toMatchObject({ exitCode: 2 });
    await stage.run(...words('http://127.0.0.1:8080'));
    expect(stage.launchd.isLoaded).toBe(true);
  });

  it('has its own options beside those of the agent', async () => {
    await expect(stage.run('bridge', 'install')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--server'),
    });
    await expect(stage.run('bridge', 'install', '--server', SERVER)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--token-file'),
    });
    await expect(stage.run('bridge', 'status', '--state-dir', stage.home)).rejects.toMatchObject({
      message: `No agent runs on ${stage.home}.`,
    });
    await expect(stage.run('bridge', '--server', SERVER)).resolves.toBeUndefined();
  });
});

describe('bridge uninstall', () => {
  it('stops the agent and takes its file away, and once more does nothing', async () => {
    await install();
    await stage.run('bridge', 'uninstall', '--json');
    expect(stage.launchd.isLoaded).toBe(false);
    expect(existsSync(plist)).toBe(false);
    expect(existsSync(tokenFile)).toBe(true);
    await stage.run('bridge', 'uninstall');
    expect(stage.printed.slice(1)).toEqual([
      `{"label":"com.trunkline.bridge","plist":${JSON.stringify(plist)},"installed":false}`,
      'com.trunkline.bridge was not installed.',
    ]);
  });
});

describe('another system', () => {
  it('has no launchd, which is said before anything is written', async () => {
    stage.remove();
    use(createBridgeStage('linux'));
    for (const act of [() => install(), () => stage.run('bridge', 'uninstall')]) {
      await expect(act()).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining('no launchd') });
    }
    expect(stage.told).toEqual([]);
    expect(existsSync(join(stage.home, 'Library'))).toBe(false);
  });
});

/** The strings of the list under this key. */
function valuesAfter(text: string, key: string): string[] {
  const [, list = ''] = new RegExp(`<key>${key}</key>\\s*<array>(.*?)</array>`, 's').exec(text) ?? [];
  return [...list.matchAll(/<string>(.*?)<\/string>/g)].map(([, value = '']) => value);
}
