/** `trunkline backup`, beside a server that runs. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KEY, LINE, PHONE, waitFor } from '../../server/test/harness.ts';
import { createUser, linesOf, type Running, runTrunkline, startTrunkline, type User } from './command-process.ts';

let user: User;
const running: Running[] = [];
beforeEach(async () => {
  user = await createUser({ TRUNKLINE_PORT: '0', TRUNKLINE_LOG_LEVEL: 'silent', TRUNKLINE_BOOTSTRAP_API_KEY: KEY });
});
afterEach(async () => {
  for (const one of running.splice(0)) one.child.kill('SIGKILL');
  await user.remove();
});

async function serve(folder: string): Promise<void> {
  const one = startTrunkline(user, ['serve', '--data-dir', folder]);
  running.push(one);
  const address = () => /listens on (\S+)/.exec(one.stdout())?.[1];
  user.environment['TRUNKLINE_URL'] = await waitFor(address, `the server: ${one.stderr()}`);
  user.environment['TRUNKLINE_API_KEY'] = KEY;
}

it('makes a folder on which a server starts with everything that was there', async () => {
  const [folder, copy] = [join(user.folder, 'data'), join(user.folder, 'copy')];
  await serve(folder);
  const sent = await runTrunkline(user, ['send', '--wait', '--from', LINE, '--to', PHONE, 'before the backup']);
  expect(sent).toMatchObject({ code: 0 });
  const { code, stdout } = await runTrunkline(user, ['backup', '--data-dir', folder, '--to', copy, '--json']);
  expect(code).toBe(0);
  const [{ files } = {}] = linesOf(stdout);
  for (const file of files as string[]) expect((statSync(file).mode & 0o777).toString(8), file).toBe('600');
  await serve(copy);
  const { stdout: texts } = await runTrunkline(user, ['messages', '--from', LINE, '--to', PHONE]);
  expect(texts).toContain('before the backup');
});

it('prints the files for people, and overwrites nothing', async () => {
  const [folder, copy] = [join(user.folder, 'data'), join(user.folder, 'copy')];
  await serve(folder);
  user.environment['TRUNKLINE_DATA_DIR'] = folder;
  const { stdout } = await runTrunkline(user, ['backup', '--to', copy]);
  const files = stdout.trimEnd().split('\n');
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(existsSync(file), file).toBe(true);
  expect(await runTrunkline(user, ['backup', '--to', copy])).toMatchObject({ code: 1, stdout: '' });
});

it('refuses what it cannot copy, with a sentence', async () => {
  const words = ['backup', '--data-dir', join(user.folder, 'nothing'), '--to', join(user.folder, 'copy')];
  expect(await runTrunkline(user, words)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: There is no database in .*\n$/),
  });
  user.environment['TRUNKLINE_DATABASE_URL'] = 'postgres://127.0.0.1/x';
  expect(await runTrunkline(user, words)).toMatchObject({ code: 1, stderr: expect.stringContaining('pg_dump') });
  user.environment['TRUNKLINE_ROLES'] = 'janitor';
  expect(await runTrunkline(user, words)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('TRUNKLINE_ROLES'),
  });
  expect(await runTrunkline(user, ['backup'])).toMatchObject({ code: 2, stdout: '' });
});
