/** `trunkline serve`: the server as `npm start` runs it, with its settings as flags too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../server/test/harness.ts';
import { createUser, type Running, runTrunkline, startTrunkline, type User } from './command-process.ts';

const KEY = `sk_live_${'k'.repeat(32)}`;

let user: User;
let server: Running | undefined;
beforeEach(async () => {
  user = await createUser({ TRUNKLINE_PORT: '0', TRUNKLINE_LOG_LEVEL: 'silent' });
});
afterEach(async () => {
  server?.child.kill('SIGKILL');
  await user.remove();
});

/** Gives the address. */
async function serve(...words: string[]): Promise<string> {
  const one = startTrunkline(user, ['serve', ...words]);
  server = one;
  const address = () => /listens on (\S+)/.exec(one.stdout())?.[1];
  return waitFor(address, `the server: ${one.stderr()}`);
}

describe('serve', () => {
  it('runs the server, which then answers the other commands', async () => {
    const address = await serve('--data-dir', join(user.folder, 'mine'));
    expect(existsSync(join(user.folder, 'mine'))).toBe(true);
    const key = await waitFor(() => /sk_live_\w+(?=\n)/.exec(server?.stdout() ?? '')?.[0], 'the key');
    Object.assign(user.environment, { TRUNKLINE_URL: address, TRUNKLINE_API_KEY: key });
    const words = ['send', '--wait', '--from', '+15550100001', '--to', '+15550109999', 'hello'];
    expect(await runTrunkline(user, words)).toMatchObject({ code: 0, stdout: expect.stringContaining('Sent') });
  });

  it('lets a flag win over the environment', async () => {
    user.environment['TRUNKLINE_DATA_DIR'] = join(user.folder, 'from-environment');
    user.environment['TRUNKLINE_SIMULATOR'] = 'off';
    user.environment['TRUNKLINE_BOOTSTRAP_API_KEY'] = KEY;
    const address = await serve('--data-dir', join(user.folder, 'from-flag'), '--simulator', 'on');
    expect(existsSync(join(user.folder, 'from-flag'))).toBe(true);
    expect(existsSync(join(user.folder, 'from-environment'))).toBe(false);
    const headers = { authorization: `Bearer ${KEY}` };
    expect((await fetch(`${address}/simulator/v1/phones/%2B15550109999/messages`, { headers })).status).toBe(200);
  });

  it('stops on Ctrl-C, when it has finished', async () => {
    await serve('--data-dir', join(user.folder, 'data'));
    server?.child.kill('SIGINT');
    expect((await server?.ended)?.code).toBe(0);
  });

  it('refuses a value that the setting does not take, and a secret on its command line', async () => {
    const bad = await runTrunkline(user, ['serve', '--roles', 'janitor']);
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('TRUNKLINE_ROLES cannot be used') });
    for (const flag of ['--secret-key', '--database-url', '--bootstrap-api-key']) {
      expect(await runTrunkline(user, ['serve', flag, 'x'])).toMatchObject({ code: 2, stdout: '' });
    }
  });
});
