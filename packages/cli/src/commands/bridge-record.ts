/** `trunkline bridge record`: what a Mac's message database looks like, without a word that anybody wrote. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { BridgeHost } from '../bridge-host.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { wholeNumber } from '../option-values.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';

const SW_VERS = '/usr/bin/sw_vers';
const SW_VERS_TIMEOUT_MS = 5_000;
const ROWS_DEFAULT = 200;
const ROWS_MAX = 10_000;
const FILE_MODE = 0o600;
/** The form of the file. */
const VERSION = 1;

export function addBridgeRecord(bridge: Command, surroundings: Surroundings, host: BridgeHost): void {
  bridge
    .command('record')
    .description(
      "Writes what this Mac's message database looks like into a file that can be shown to others: its schema, counts, and its newest rows with filler for every text, and made-up numbers, names and moments. It reads, and changes nothing.",
    )
    .argument('<file>', 'the file to make; nothing is overwritten')
    .option('--rows <count>', 'how many of the newest messages', wholeNumber(1, ROWS_MAX), ROWS_DEFAULT)
    .action(async (file: string, options: { readonly rows: number }, command: Command) => {
      if (existsSync(file)) throw usageFailure(`${file} is there already. Name another one.`);
      const { recordChatDb } = await import('@trunkline/drivers/doctor');
      const path = join(host.home, 'Library/Messages/chat.db');
      const macos = await readVersion(host);
      const record = readable(path, () => recordChatDb(path, options.rows));
      writeFileSync(file, `${JSON.stringify({ version: VERSION, macos, ...record }, null, 1)}\n`, {
        mode: FILE_MODE,
        flag: 'wx',
      });
      chmodSync(file, FILE_MODE);
      const messages = record.tables['message']?.length ?? 0;
      const { terminal } = surroundings;
      if (command.optsWithGlobals<GlobalOptions>().json === true)
        terminal.printJson({ file, messages, ...record.bodies });
      else terminal.print(`${file} has ${messages} messages. Look through it before you show it to anybody.`);
    });
}

/** Null where this is no Mac: a copy of a database can be recorded elsewhere. */
async function readVersion({ run }: BridgeHost): Promise<string | null> {
  const { code, stdout } = await run(SW_VERS, [], { timeoutMs: SW_VERS_TIMEOUT_MS });
  return code === 0 ? stdout.trim() : null;
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const sentence = `${path} cannot be read (${message}). Run trunkline doctor: it says what to do.`;
    throw new Failure(EXIT.refused, sentence, { cause: error });
  }
}
