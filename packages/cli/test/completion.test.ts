/** The completion scripts: they know the whole tree, and bash acts on its own. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordLeftOut } from '../../../test/left-out.ts';
import { createUser, runTrunkline, type User } from './command-process.ts';

const WORDS = [
  ...'serve login keys lines devices send messages events explain listen simulate sandbox backup completion'.split(' '),
  ...'react typing read chats reactions receipts files outbox'.split(' '),
  ...'upload get url file memo type edit unsend'.split(' '),
  ...'create revoke add set remove text group phone faults autoreply'.split(' '),
];
const OPTIONS = 'data-dir forward-to idempotency-key contact-first rate-limit purge drop-echo-rate json'.split(' ');

let user: User;
beforeAll(async () => {
  user = await createUser();
});
afterAll(() => user.remove());

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runTrunkline(user, ['completion', shell]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  it('lists every command and its options', async () => {
    const text = await script(shell);
    for (const word of WORDS) expect(text).toMatch(new RegExp(`\\b${word}\\b`));
    for (const option of OPTIONS) expect(text).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
    expect(text).not.toContain('bootstrap-api-key');
  });
});

describe('bash', () => {
  /** What bash offers for the last of the words. */
  function offered(text: string, words: readonly string[]): string[] {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const run = `${text}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _trunkline; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { error, stdout, stderr } = spawnSync('bash', ['-c', run], { encoding: 'utf8' });
    if (error) throw error;
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('offers what can follow the words so far', async () => {
    const text = await script('bash');
    if (spawnSync('bash', ['--version']).error) {
      recordLeftOut('the completion script in bash', 'there is no bash');
      return;
    }
    expect(offered(text, ['trunkline', 'li'])).toEqual(['lines', 'listen']);
    expect(offered(text, ['trunkline', 'lines', 're'])).toEqual(['remove']);
    expect(offered(text, ['trunkline', 'lines', 'remove', '+15550100001', '--p'])).toEqual(['--purge', '--profile']);
    expect(offered(text, ['trunkline', 'rea'])).toEqual(['react', 'read', 'reactions']);
    expect(offered(text, ['trunkline', 'simulate', 'rea'])).toEqual(['react', 'read']);
    expect(offered(text, ['trunkline', 'serve', '--data'])).toEqual(['--data-dir']);
  });
});
