/** `trunkline login`: writes a profile, once the server has taken its key. */
import type { Command } from 'commander';
import { createApi } from '../api.ts';
import { openConfigFile } from '../config-file.ts';
import { Refusal, usageFailure } from '../failure.ts';
import { isOpenToReaders, PROFILE_DEFAULT, serverUrl, URL_DEFAULT } from '../sign-in.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';

export function addLoginCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('login')
    .summary('keep the address of a server and a key for it')
    .description(
      'Keeps the address of a server and a key for it in a profile. Without a terminal the key comes on stdin.',
    )
    .option('--url <url>', 'the address of the server')
    .action(async (options: { readonly url?: string }, command: Command) => {
      const { profile = PROFILE_DEFAULT } = command.optsWithGlobals<GlobalOptions>();
      await login(surroundings, profile, options.url);
    });
}

async function login(
  { environment, terminal }: Surroundings,
  profile: string,
  given: string | undefined,
): Promise<void> {
  const file = openConfigFile(environment, terminal.note);
  const suggestion = file.read(profile).url ?? (environment['TRUNKLINE_URL'] || URL_DEFAULT);
  const url = serverUrl(given ?? (await terminal.ask('The address of the server', suggestion)) ?? suggestion);
  if (isOpenToReaders(url)) terminal.note(`${url} is not encrypted: whoever carries it can read the key.`);
  const typed = (await terminal.askSecret('An API key for it')) ?? (await terminal.readInput());
  const key = typed.trim();
  if (key === '') throw usageFailure('There is no key. Give it at the prompt, or on stdin.');
  await checkKey(url, key);
  file.update(profile, { url, key });
  terminal.print(`Signed in to ${url}, as the profile "${profile}" in ${file.path}.`);
}

/** A key that may not list lines is a good key all the same. */
async function checkKey(url: string, key: string): Promise<void> {
  try {
    await createApi({ url, key }).call('GET', '/v1/lines');
  } catch (error) {
    if (!(error instanceof Refusal) || error.detail.status !== 403) throw error;
  }
}
