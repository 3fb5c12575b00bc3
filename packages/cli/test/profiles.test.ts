/** Who a command speaks as, and how well that is kept. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createUser, runTrunkline, type User } from './command-process.ts';
import { json, refusal, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const EMPTY_LIST = { data: [], has_more: false, next_cursor: null, request_id: 'req_1' };
const LIST = ['messages', '--from', '+15550100001', '--to', '+15550109999'];

let server: ScriptedServer;
let user: User;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  user = await createUser();
  server.behave(json(200, EMPTY_LIST));
});
afterEach(() => user.remove());

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const bearer = () => server.asked.at(-1)?.headers.authorization;
const signIn = (key: string, ...words: string[]) =>
  runTrunkline(user, ['login', '--url', server.url, ...words], `${key}\n`);

describe('login', () => {
  it('keeps the key in a file that its owner alone can read', async () => {
    const { code, stdout, stderr } = await signIn('sk_live_one');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('sk_live_one');
    expect(modeOf(user.configFile)).toBe('600');
    expect(modeOf(dirname(user.configFile))).toBe('700');
    expect(readdirSync(dirname(user.configFile))).toEqual(['config.json']);
    await runTrunkline(user, LIST);
    expect(bearer()).toBe('Bearer sk_live_one');
  });

  it('keeps profiles apart', async () => {
    await signIn('sk_live_one');
    await signIn('sk_live_two', '--profile', 'two');
    await runTrunkline(user, [...LIST, '--profile', 'two']);
    expect(bearer()).toBe('Bearer sk_live_two');
    await runTrunkline(user, LIST);
    expect(bearer()).toBe('Bearer sk_live_one');
    expect(await runTrunkline(user, [...LIST, '--profile', 'three'])).toMatchObject({ code: 3, stdout: '' });
  });

  it('keeps no key that the server does not know, and one that may not list lines', async () => {
    server.behave(refusal(401, 'invalid_api_key'));
    expect(await signIn('sk_live_one')).toMatchObject({ code: 3 });
    expect(await runTrunkline(user, LIST)).toMatchObject({ code: 3, stderr: expect.stringContaining('not signed in') });
    server.behave(refusal(403, 'insufficient_scope'));
    expect(await signIn('sk_live_one')).toMatchObject({ code: 0 });
  });

  it('honours XDG_CONFIG_HOME', async () => {
    user.environment['XDG_CONFIG_HOME'] = join(user.folder, 'xdg');
    await signIn('sk_live_one');
    expect(modeOf(join(user.folder, 'xdg/trunkline/config.json'))).toBe('600');
  });

  it('wants a URL of a server and a key', async () => {
    expect(await runTrunkline(user, ['login', '--url', 'ftp://x'], 'sk_live_one')).toMatchObject({ code: 2 });
    expect(await signIn('')).toMatchObject({ code: 2 });
  });
});

describe('a configuration file', () => {
  it('that others can read is closed to them, and its owner is told', async () => {
    await signIn('sk_live_one');
    chmodSync(user.configFile, 0o644);
    const { code, stderr } = await runTrunkline(user, LIST);
    expect({ code, mode: modeOf(user.configFile) }).toEqual({ code: 0, mode: '600' });
    expect(stderr).toContain('could be read by others');
    expect((await runTrunkline(user, LIST)).stderr).toBe('');
  });

  it('that is no JSON stops the command with a sentence, and is left as it is', async () => {
    mkdirSync(dirname(user.configFile), { recursive: true });
    writeFileSync(user.configFile, '{', { mode: 0o600 });
    expect(await runTrunkline(user, LIST)).toMatchObject({ code: 2, stderr: expect.stringContaining('is not JSON') });
    expect(await signIn('sk_live_one')).toMatchObject({ code: 2 });
    expect(readFileSync(user.configFile, 'utf8')).toBe('{');
  });
});

describe('the environment', () => {
  it('goes before the default profile, and TRUNKLINE_API_KEY before MESSAGES_API_KEY', async () => {
    await signIn('sk_live_one');
    user.environment['MESSAGES_API_KEY'] = 'sk_live_messages';
    await runTrunkline(user, LIST);
    expect(bearer()).toBe('Bearer sk_live_messages');
    user.environment['TRUNKLINE_API_KEY'] = 'sk_live_environment';
    await runTrunkline(user, LIST);
    expect(bearer()).toBe('Bearer sk_live_environment');
  });

  it('gives way to a profile that was asked for by name', async () => {
    await signIn('sk_live_two', '--profile', 'two');
    Object.assign(user.environment, { TRUNKLINE_URL: 'http://127.0.0.1:9', TRUNKLINE_API_KEY: 'sk_live_x' });
    expect(await runTrunkline(user, [...LIST, '--profile', 'two'])).toMatchObject({ code: 0 });
    expect(bearer()).toBe('Bearer sk_live_two');
  });

  it('cannot make a profile show its key to another server', async () => {
    await runTrunkline(user, ['login', '--url', server.url], 'sk_live_one');
    const other = await startScriptedServer();
    user.environment['TRUNKLINE_URL'] = other.url;
    const { code, stderr } = await runTrunkline(user, LIST);
    expect({ code, asked: other.asked.length }).toEqual({ code: 3, asked: 0 });
    expect(stderr).toContain(`is for ${server.url}`);
    await other.close();
  });
});
