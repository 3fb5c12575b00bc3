/** `trunkline backup`: a copy of the data folder, taken while the server runs on it. */
import type { Command } from 'commander';
import { EXIT, Failure } from '../failure.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';

interface BackupOptions {
  readonly to: string;
  readonly dataDir?: string;
}

export function addBackupCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('backup')
    .summary('copy the data folder while the server runs')
    .description(
      'Copies the data folder of a server on this machine, while it runs. A server starts on the copy as it is.',
    )
    .requiredOption('--to <folder>', 'the new folder to make; nothing is overwritten')
    .option('--data-dir <folder>', "the server's data folder; by default that of TRUNKLINE_DATA_DIR")
    .action(async (options: BackupOptions, command: Command) => {
      await backUp(surroundings, options, command.optsWithGlobals<GlobalOptions>().json === true);
    });
}

async function backUp({ environment, terminal }: Surroundings, options: BackupOptions, isJson: boolean): Promise<void> {
  const { backupDataFolder, ConfigError, readConfig } = await import('@trunkline/server');
  const flags = options.dataDir === undefined ? {} : { TRUNKLINE_DATA_DIR: options.dataDir };
  try {
    const { dataDir, databaseUrl, bucket } = readConfig({ ...environment, ...flags });
    const hasBucket = bucket !== null;
    const { files, missing } = await backupDataFolder({ dataDir, databaseUrl, hasBucket, to: options.to });
    if (isJson) terminal.printJson({ files, missing });
    else for (const file of files) terminal.print(file);
    if (missing > 0) terminal.note(`${missing} files have no bytes in ${dataDir}: the copy lacks them too.`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure(error instanceof ConfigError ? EXIT.usage : EXIT.refused, message, { cause: error });
  }
}
