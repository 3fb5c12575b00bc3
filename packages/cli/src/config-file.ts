/**
 * `~/.config/trunkline/config.json`: the profiles, with their keys. Only its owner may read it, and a file that others
 * can read is closed to them before it is used.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { EXIT, Failure } from './failure.ts';
import { asFields, parseFields, textOf } from './fields.ts';

const OTHERS = 0o077;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export interface Profile {
  readonly url: string | null;
  readonly key: string | null;
  /** Signs what `listen` forwards; it stays the same from one run to the next. */
  readonly listenSecret: string | null;
}

export interface ConfigFile {
  readonly path: string;
  read(name: string): Profile;
  /** Changes one profile and leaves the others alone. */
  update(name: string, change: Partial<Profile>): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function openConfigFile(environment: Environment, warn: (line: string) => void): ConfigFile {
  const path = join(configFolder(environment), 'config.json');
  const profiles = () => {
    const text = readPrivateFile(path, warn);
    const file = text === null ? {} : parseFields(text);
    if (file === null) throw new Failure(EXIT.usage, `${path} is not JSON. Mend it, or remove it and sign in again.`);
    return asFields(file['profiles']);
  };
  const read = (name: string) => profileOf(asFields(profiles()[name]));
  return {
    path,
    read,
    update(name, change) {
      const { url, key, listenSecret } = { ...read(name), ...change };
      const profile = { url, key, listen_secret: listenSecret };
      writePrivateFile(path, { profiles: { ...profiles(), [name]: profile } });
    },
  };
}

/** A folder of ours, by the rules of the XDG base directories: a relative path in the environment counts as none. */
export function configFolder(environment: Environment): string {
  const base = environment['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(environment['HOME'] || homedir(), '.config'), 'trunkline');
}

/** Written beside and renamed, so that whoever reads it finds the old file or the new one, whole. */
export function writePrivateFile(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify(content, null, 2)}\n`, { mode: FILE_MODE });
  chmodSync(beside, FILE_MODE);
  renameSync(beside, path);
}

/** Null where there is no such file. */
export function readPrivateFile(path: string, warn: (line: string) => void): string | null {
  try {
    const { mode } = statSync(path);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      chmodSync(path, FILE_MODE);
      warn(`${path} could be read by others. It is closed to them now; revoke its keys if they may have been seen.`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Failure(EXIT.usage, `${path} cannot be read safely: ${String(error)}`, { cause: error });
  }
}

function profileOf(fields: Readonly<Record<string, unknown>>): Profile {
  return { url: textOf(fields, 'url'), key: textOf(fields, 'key'), listenSecret: textOf(fields, 'listen_secret') };
}
