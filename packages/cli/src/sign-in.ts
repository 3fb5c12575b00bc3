/** Which server, and with which key: the profile that was asked for by name, else the environment, else a profile. */
import { isIP } from 'node:net';
import type { ConfigFile } from './config-file.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';

export const URL_DEFAULT = 'http://127.0.0.1:8080';
export const PROFILE_DEFAULT = 'default';

export interface SignIn {
  readonly url: string;
  readonly key: string;
}

export interface Asked {
  /** From `--profile`. */
  readonly profile: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile;
}

export function findSignIn({ profile, environment, file }: Asked): SignIn {
  if (profile !== null) {
    const { url, key } = file.read(profile);
    if (key === null)
      throw notSignedIn(`There is no profile "${profile}". Make it: trunkline login --profile ${profile}`);
    return { url: serverUrl(url ?? URL_DEFAULT), key };
  }
  const given = environment['TRUNKLINE_URL'] || null;
  const givenKey = environment['TRUNKLINE_API_KEY'] || environment['MESSAGES_API_KEY'] || null;
  // The file is left alone where the environment says everything.
  if (given !== null && givenKey !== null) return { url: serverUrl(given), key: givenKey };
  const kept = file.read(PROFILE_DEFAULT);
  const keptUrl = kept.url ?? URL_DEFAULT;
  const url = serverUrl(given ?? keptUrl);
  if (givenKey !== null) return { url, key: givenKey };
  if (kept.key === null) throw notSignedIn('You are not signed in. Run trunkline login, or set TRUNKLINE_API_KEY.');
  // A key is for the server that it was made on; no other one gets to see it.
  if (url !== serverUrl(keptUrl)) {
    throw notSignedIn(
      `The key of the profile "${PROFILE_DEFAULT}" is for ${keptUrl}. Set TRUNKLINE_API_KEY for ${url}.`,
    );
  }
  return { url, key: kept.key };
}

/** The address without a slash at its end. */
export function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageFailure(`"${text}" is not an http or https URL.`);
  if (url.username !== '' || url.password !== '')
    throw usageFailure('The URL must not hold a user name or a password.');
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

/** Whether what is sent there can be read on the way. */
export function isOpenToReaders(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  const isLocal =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
  return protocol === 'http:' && !isLocal;
}

function notSignedIn(message: string): Failure {
  return new Failure(EXIT.notSignedIn, message);
}
