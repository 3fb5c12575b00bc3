/** The installation's secret key: given by the operator, or made once in the data folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createSecretBox, SECRET_KEY_BYTES, SealBrokenError, type SecretBox } from '../domain/secret-box.ts';
import type { Engine } from '../store/database.ts';
import { hasSecrets, keepFirst, replaceFact } from '../store/installation.ts';
import { SECRET_KEY_FILE } from '../store/open.ts';
import { sealPlainSecrets } from '../store/webhooks.ts';

const OWNER_ONLY = 0o600;
const CHECK = 'secret_key_check';

export interface SecretKeyDeps {
  readonly engine: Engine;
  readonly randomBytes: (size: number) => Uint8Array;
  /** As the configuration has it; null: the file's. */
  readonly given: Uint8Array | null;
  /** Where the key's file is, or is to be. */
  readonly file: () => string;
}

/** Throws a sentence when the database holds secrets that this key does not open. */
export async function openSecretBox(deps: SecretKeyDeps): Promise<SecretBox> {
  const { engine, randomBytes } = deps;
  const key = deps.given ?? readKey(deps.file()) ?? (await makeKeyFile(deps));
  const box = createSecretBox(key, randomBytes);
  const check = await keepFirst(engine, CHECK, box.seal(CHECK, CHECK));
  if (!opens(box, check)) await takeOver(engine, box);
  await sealPlainSecrets(engine, box.seal);
  return box;
}

/** A new key for a database in which nothing was sealed with the former one, so that nothing is lost with it. */
async function takeOver(engine: Engine, box: SecretBox): Promise<void> {
  if (await hasSecrets(engine)) throw new Error(WRONG_KEY);
  await replaceFact(engine, CHECK, box.seal(CHECK, CHECK));
}

const WRONG_KEY =
  'The secrets in this database were encrypted with another secret key. Set TRUNKLINE_SECRET_KEY to that key, or ' +
  `TRUNKLINE_DATA_DIR to the folder with its ${SECRET_KEY_FILE}.`;

function opens(box: SecretBox, check: string): boolean {
  try {
    return box.open(check, CHECK) === CHECK;
  } catch (error) {
    if (error instanceof SealBrokenError) return false;
    throw error;
  }
}

/** Null when there is no such file. */
function readKey(file: string): Uint8Array | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error(`The secret key's file ${file} cannot be read.`, { cause: error });
  }
  const key = Buffer.from(text, 'base64');
  if (key.length !== SECRET_KEY_BYTES) {
    throw new Error(`${file} must hold a secret key of ${SECRET_KEY_BYTES} bytes in base64.`);
  }
  return key;
}

async function makeKeyFile({ engine, randomBytes, file }: SecretKeyDeps): Promise<Uint8Array> {
  if (await hasSecrets(engine)) {
    throw new Error(
      'This database holds encrypted secrets, and there is no secret key. Set TRUNKLINE_SECRET_KEY to the key that they ' +
        `were encrypted with, or TRUNKLINE_DATA_DIR to the folder with its ${SECRET_KEY_FILE}.`,
    );
  }
  const text = Buffer.from(randomBytes(SECRET_KEY_BYTES)).toString('base64');
  try {
    writeFileSync(file(), `${text}\n`, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  } catch (error) {
    // A process that starts beside this one was first: its key is the installation's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const made = readKey(file());
  if (!made) throw new Error(`The secret key's file ${file()} could not be made.`);
  return made;
}
